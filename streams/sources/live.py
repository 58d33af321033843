"""Live sources of prices by their names: a new one is its module and a line in the table."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from signals.errors import BadMessage, Unavailable
from signals.market.markets import BENCHMARKS
from signals.messages import Micros, PriceSample

__all__ = ["LIVE_SOURCES", "YAHOO_INTERVALS", "LiveOptions", "LiveSource", "OnFault"]

OnFault = Callable[[BadMessage | Unavailable], None]
YAHOO_INTERVALS = ("1m", "5m", "1h", "1d")


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
