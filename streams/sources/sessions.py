"""The markets whose daily bars can be read: their zones, and the sessions of their days.

The days come from the table that the core is given (early closes, Seoul's late days); a day that
it does not hold has the usual hours.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from signals.market.markets import mic_of
from signals.messages import Micros
from streams.sources.times import instant_us, is_date, parse_date, parse_instant
from streams.tables import load_nasdaq, load_sessions

__all__ = ["Market", "market_of", "session_date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A market: its MIC and zone, and the usual session in local time."""

    mic: str
    zone: str
    open: time
    close: time

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


_MARKETS = {
    mic: Market(mic=mic, zone=zone, open=opens, close=closes)
    for mics, zone, opens, closes in (
        (("XNAS", "XNYS"), "America/New_York", time(9, 30), time(16)),
        (("XKOS", "XKRX"), "Asia/Seoul", time(9), time(15, 30)),
    )
    for mic in mics
}


def market_of(ticker: str) -> Market | None:
    """Return a ticker's market, or None for one that is not known here."""
    mic = mic_of(ticker, load_nasdaq())
    return None if mic is None else _MARKETS[mic]


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
