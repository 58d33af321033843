"""Live sources of prices by their names: a new one is its module and a line in the table."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from signals.errors import BadMessage, Unavailable
from signals.market.markets import BENCHMARKS, mic_of
from signals.messages import Micros, PriceSample
from signals.policy import DAY_US
from streams.tables import load_nasdaq

__all__ = [
    "LIVE_SOURCES",
    "YAHOO_INTERVALS",
    "LiveOptions",
    "LiveRun",
    "LiveSource",
    "OnFault",
    "open_live",
]

OnFault = Callable[[BadMessage | Unavailable], None]
YAHOO_INTERVALS = ("1m", "5m", "1h", "1d")
# How many days of a topic are searched for the newest record of a source: more than the days that
# it begins with where there is none, or a quiet ticker would be given again.
_LOOK_BACK_DAYS: Mapping[str, int] = {"1m": 8, "5m": 8, "1h": 33, "1d": 403}


class LiveSource(Protocol):
    """A port: prices as they come, from where the topic ends."""

    @property
    def name(self) -> str:
        """Return its name, which records and topics know it by."""

    def samples(self, after: Mapping[str, Micros]) -> AsyncIterator[PriceSample]:
        """Yield samples, each with its receipt, until closed.

        Args:
            after: by ticker, the newest moment (a bar's end, else the event time) that the topic
                holds of this source. Nothing up to it is yielded again, and as much as the
                provider still has of what comes after it is.
        Raises: Unavailable where it cannot go on.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """What a live source is told.

    Attributes:
        tickers: Yahoo style.
        on_fault: told of what is refused or does not answer; the source goes on.
        interval: how long bars are, where it gives bars.
        poll_s: seconds between two rounds, where it asks again and again; its own when left out.
        benchmarks: the benchmark's ticker by MIC.
    """

    tickers: Sequence[str]
    on_fault: OnFault
    interval: str = "1m"
    poll_s: float | None = None
    benchmarks: Mapping[str, str] = field(default_factory=lambda: BENCHMARKS)


def _yahoo(options: LiveOptions) -> LiveSource:
    # Imported when asked for: it brings yfinance, and that pandas.
    from streams.sources.yahoo_bars import YahooBars

    return YahooBars(
        tickers=options.tickers,
        on_fault=options.on_fault,
        interval=options.interval,  # type: ignore[arg-type]  # it says what it does not know
        poll_s=options.poll_s,
        benchmarks=options.benchmarks,
    )


def _yahoo_stream(options: LiveOptions) -> LiveSource:
    from streams.sources.yahoo_stream import YahooStream

    return YahooStream(
        tickers=options.tickers, on_fault=options.on_fault, benchmarks=options.benchmarks
    )


LIVE_SOURCES: Mapping[str, Callable[[LiveOptions], LiveSource]] = {
    "yahoo": _yahoo,
    "yahoo-stream": _yahoo_stream,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """A live source, and how a topic is searched for what it holds of it.

    Attributes:
        source: ready to give samples.
        name: in the records' headers. Bars of another length are another source, since the newest
            of the one says nothing of the other.
        tickers: that it gives samples of, its benchmarks included.
        look_back_us: how far back to search, in microseconds.
    """

    source: LiveSource
    name: str
    tickers: frozenset[str]
    look_back_us: int


def open_live(kind: str, options: LiveOptions) -> LiveRun:
    """Return the source with a name of ``LIVE_SOURCES``.

    Raises: ConfigError for options that make no sense, or a package that is not installed.
    """
    source = LIVE_SOURCES[kind](options)
    nasdaq = load_nasdaq()
    followed = (options.benchmarks.get(mic_of(each, nasdaq) or "") for each in options.tickers)
    return LiveRun(
        source=source,
        name=f"{source.name}:{options.interval}" if kind == "yahoo" else source.name,
        tickers=frozenset(options.tickers).union(name for name in followed if name),
        look_back_us=_LOOK_BACK_DAYS[options.interval] * DAY_US,
    )
