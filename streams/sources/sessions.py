"""The regular sessions of the markets whose files can be read, and their benchmarks.

Two markets are known by the ticker's suffix. Their days come from the table that the core is given
(early closes, Seoul's late days); a day that it does not hold has the usual hours.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from signals.messages import Micros
from streams.sources.times import instant_us, is_date, parse_date, parse_instant
from streams.tables import load_sessions

__all__ = ["BENCHMARKS", "Market", "market_of", "session_date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A market: its MIC and zone, the usual session in local time, and its benchmark's ticker."""

    mic: str
    zone: str
    open: time
    close: time
    benchmark: str

    def session(self, day: date) -> tuple[Micros, Micros]:
        """Return the session's open and close on a local date."""
        zone = ZoneInfo(self.zone)
        midnight_us, next_us = (
            instant_us(datetime.combine(day + timedelta(days=after), time(0), tzinfo=zone))
            for after in (0, 1)
        )
        days = load_sessions().by_market.get(self.mic, ())
        at = bisect_left(days, midnight_us, key=lambda session: session.open_us)
        if at < len(days) and days[at].open_us < next_us:
            return days[at].open_us, days[at].close_us
        start = datetime.combine(day, self.open, tzinfo=zone)
        end = datetime.combine(day, self.close, tzinfo=zone)
        return instant_us(start), instant_us(end)


_US = Market(mic="XNYS", zone="America/New_York", open=time(9, 30), close=time(16), benchmark="SPY")
_KOREA = Market(mic="XKRX", zone="Asia/Seoul", open=time(9), close=time(15, 30), benchmark="^KS11")
_BY_SUFFIX = {"": _US, "KS": _KOREA, "KQ": _KOREA}
_INDICES = {"^KS11": _KOREA, "^KQ11": _KOREA, "^KS200": _KOREA}

BENCHMARKS = frozenset(market.benchmark for market in _BY_SUFFIX.values())


def market_of(ticker: str) -> Market | None:
    """Return a ticker's market by its Yahoo suffix, or None for one that is not known here."""
    if ticker in _INDICES:
        return _INDICES[ticker]
    return _BY_SUFFIX.get(ticker.rpartition(".")[2] if "." in ticker else "")


def session_date(text: str, market: Market) -> date:
    """Return the local date that a daily bar's time stands for.

    Providers write a date, midnight in some offset, or the open's instant. Midnight in its own
    offset names that date (``2025-11-03T00:00:00Z`` in a file of US tickers is the 3rd, though it
    is the evening of the 2nd in New York); any other instant is taken in the market's zone.

    Raises: ValueError for text that is neither a date nor a time with an offset.
    """
    if is_date(text):
        return parse_date(text)
    moment = parse_instant(text)
    if moment.time() == time(0):
        return moment.date()
    return moment.astimezone(ZoneInfo(market.zone)).date()
