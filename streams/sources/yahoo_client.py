"""Ask Yahoo's chart for one ticker's rows, by yfinance, and say plainly when it did not answer.

Everything here blocks: call it in a worker thread. yfinance is an optional extra and is imported
when a client is made. It keeps one session, one cookie and one crumb for the whole process, and
time zones and cookies in a folder of the user's cache; without that folder it asks once more.
"""

import gc
import logging
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from math import isnan
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from signals.errors import ConfigError, Unavailable
from signals.messages import Micros
from signals.policy import SECOND_US

__all__ = [
    "Chart",
    "EmptyReply",
    "RateLimited",
    "Row",
    "Unreachable",
    "Unreadable",
    "YahooClient",
    "load_yfinance",
]

_COLUMNS = ("Open", "High", "Low", "Close", "Volume", "Stock Splits")
_USUAL_DECIMALS = 2


class RateLimited(Unavailable):
    """Yahoo answered 429: ask later."""


class Unreachable(Unavailable):
    """No answer came: refused, cut or too slow."""


class Unreadable(Unavailable):
    """An answer came whose form yfinance does not know, or that Yahoo is closed for repairs."""


class EmptyReply(Unavailable):
    """An answer came that holds no row."""


class Row(NamedTuple):
    """One row as Yahoo gives it: prices are binary doubles, NaN where it has none.

    ``split`` is new shares for each old one, 0 where there was none.
    """

    start_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    split: float

    def has_prices(self) -> bool:
        """Return whether any price is there; a row may hold a split or a dividend alone."""
        return not all(isnan(price) for price in self[1:5])


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A reply: the rows ascending, the decimals that Yahoo shows, and the clock at its receipt."""

    ticker: str
    start_us: Micros
    rows: tuple[Row, ...]
    decimals: int
    received_us: Micros


def load_yfinance() -> ModuleType:
    """Return yfinance, told to raise what it would otherwise log and answer with nothing.

    Raises: ConfigError where it is not installed.
    """
    try:
        import yfinance
    except ImportError as error:
        raise ConfigError(
            "Yahoo's prices need yfinance, which is not installed; "
            "install it with: pip install 'tapewire[yahoo]'"
        ) from error
    yfinance.config.debug.hide_exceptions = False
    # What it has to say is raised; its warnings ("continuing without crumb") say it twice.
    logging.getLogger("yfinance").setLevel(logging.ERROR)
    # Of how it calls pandas: nothing that a user of ours can mend.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="^yfinance")
    _spare_the_loop()
    module: ModuleType = yfinance
    return module


@cache
def _spare_the_loop() -> None:
    """Keep all that is loaded by now out of garbage collections, once a process.

    yfinance and pandas are some 87,000 objects, and large replies bring full collections about:
    each goes over all of them, and the event loop stood still for 100 ms and more.
    """
    gc.collect()
    gc.freeze()


class YahooClient:
    """Yahoo's chart, one request at a time; several threads may ask at once."""

    def __init__(
        self, *, clock: Callable[[], Micros], base_url: str | None = None, timeout_s: float = 10.0
    ) -> None:
        """Import yfinance.

        Args:
            clock: read once for each reply, when it is held.
            base_url: another server that speaks Yahoo, for all of Yahoo's hosts.
            timeout_s: seconds for one HTTP request.
        Raises: ConfigError where yfinance is not installed or base_url is no URL.
        """
        self._yfinance = load_yfinance()
        self._session = None if base_url is None else _redirected(base_url)
        self._clock = clock
        self._timeout_s = timeout_s
        # They know their time zone, which costs a request.
        self._tickers: dict[str, Any] = {}

    def chart(self, ticker: str, *, interval: str, start_us: Micros, end_us: Micros) -> Chart:
        """Return what Yahoo has from a time (inclusive) to another (exclusive), as traded or not.

        Ask for one ticker in one thread at a time.

        Raises: RateLimited, Unreachable, Unreadable or EmptyReply.
        """
        from yfinance.data import YfData
        from yfinance.exceptions import YFException, YFRateLimitError, YFTickerMissingError

        # yfinance remembers the replies about a past span, an empty one too.
        YfData.cache_get.cache_clear()
        # Taken out until it has answered: one that found no time zone never looks again.
        asked = self._tickers.pop(ticker, None)
        try:
            asked = asked or self._yfinance.Ticker(ticker, session=self._session)
            frame = asked.history(
                start=start_us // SECOND_US,
                end=-(-end_us // SECOND_US),
                interval=interval,
                prepost=True,
                auto_adjust=False,
                actions=True,
                timeout=self._timeout_s,
            )
            received_us = self._clock()
            rows = _rows(frame)
            decimals = asked.get_history_metadata().get("priceHint")
        except YFRateLimitError as error:
            raise RateLimited(f"Yahoo limits the rate, asked for {ticker}") from error
        except YFTickerMissingError as error:
            raise _empty(ticker, error) from error
        except OSError as error:
            raise Unreachable(f"Yahoo does not answer for {ticker}: {error!s:.200}") from error
        except (YFException, ValueError, LookupError, TypeError, AttributeError) as error:
            # yfinance lets the last four go for a reply whose form it does not know.
            kind = type(error).__name__
            raise Unreadable(f"Yahoo's reply for {ticker}: {kind}: {error!s:.200}") from error
        if not rows:
            raise _empty(ticker, "an empty frame")
        self._tickers[ticker] = asked
        return Chart(
            ticker=ticker,
            start_us=start_us,
            rows=rows,
            decimals=decimals if isinstance(decimals, int) else _USUAL_DECIMALS,
            received_us=received_us,
        )


def _empty(ticker: str, what: object) -> EmptyReply:
    return EmptyReply(f"Yahoo gave no rows for {ticker}: {what!s:.200}")


def _rows(frame: Any) -> tuple[Row, ...]:
    if frame.empty:
        return ()
    starts: Iterable[int] = frame.index.as_unit("us").asi8.tolist()
    columns = (frame[name].astype(float).tolist() for name in _COLUMNS)
    return tuple(sorted(Row(*cells) for cells in zip(starts, *columns, strict=True)))


def _redirected(base_url: str) -> Any:
    """Return a session that sends every request to one server, whatever host it names."""
    from curl_cffi.requests import Response, Session

    base = urlsplit(base_url)
    if base.scheme not in ("http", "https") or not base.netloc:
        raise ConfigError(f"base_url must be like http://127.0.0.1:8080, was {base_url!r:.100}")

    class Redirected(Session[Response]):
        def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Response:
            there = urlsplit(url)._replace(scheme=base.scheme, netloc=base.netloc)
            return super().request(method, urlunsplit(there), *args, **kwargs)

    return Redirected(trust_env=False)
