"""Regular trading sessions by exchange: when the tape is expected to speak.

The days come from a dated table (made with exchange_calendars); nothing here reads a clock.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from signals.messages import Micros

__all__ = ["Session", "Sessions", "market_of"]

_SUFFIXES = {".KS": "XKRX", ".KQ": "XKRX"}


def market_of(ticker: str) -> str:
    """Return the MIC of the market whose session a ticker keeps: XKRX for .KS and .KQ, else XNYS.

    XNAS and XNYS keep the same hours and days.
    """
    return _SUFFIXES.get(ticker[-3:], "XNYS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One regular session: ``open_us`` is in it, ``close_us`` is not."""

    open_us: Micros
    close_us: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """The sessions of each market, ascending."""

    by_market: Mapping[str, tuple[Session, ...]] = field(default_factory=dict)

    def at(self, ticker: str, time_us: Micros) -> Session | None:
        """Return the session that is open at a time, None outside of one."""
        days = self._days(ticker)
        i = bisect_right(days, time_us, key=_open) - 1
        return days[i] if i >= 0 and time_us < days[i].close_us else None

    def following(self, ticker: str, time_us: Micros) -> Session | None:
        """Return the first session that opens at or after a time."""
        days = self._days(ticker)
        i = bisect_left(days, time_us, key=_open)
        return days[i] if i < len(days) else None

    def next_closes(self, ticker: str, time_us: Micros) -> tuple[Micros, ...]:
        """Return the first two closes after a time; fewer where the table ends."""
        days = self._days(ticker)
        i = bisect_right(days, time_us, key=_close)
        return tuple(day.close_us for day in days[i : i + 2])

    def previous_close(self, ticker: str, time_us: Micros) -> Micros | None:
        """Return the last close at or before a time."""
        days = self._days(ticker)
        i = bisect_right(days, time_us, key=_close) - 1
        return days[i].close_us if i >= 0 else None

    def span_days(self, ticker: str, from_us: Micros, to_us: Micros) -> float:
        """Return the trading time between two times in sessions, for scaling a deviation.

        Time inside a session counts by its share of the session; a night, weekend or holiday
        between two sessions counts nothing, but a span over one is at least a whole session, since
        prices jump over it.
        """
        days = self._days(ticker)
        first = bisect_right(days, from_us, key=_close)
        last = bisect_left(days, to_us, key=_open)
        total = 0.0
        for day in days[first:last]:
            inside_us = min(to_us, day.close_us) - max(from_us, day.open_us)
            total += max(0, inside_us) / (day.close_us - day.open_us)
        here = self.at(ticker, from_us)
        over_night = here is None or to_us > here.close_us
        return max(total, 1.0) if over_night else total

    def open_us(self, ticker: str, from_us: Micros, to_us: Micros) -> int:
        """Return for how many microseconds between two times the market was open."""
        days = self._days(ticker)
        first = bisect_right(days, from_us, key=_close)
        last = bisect_left(days, to_us, key=_open)
        spans = (min(to_us, day.close_us) - max(from_us, day.open_us) for day in days[first:last])
        return sum(span for span in spans if span > 0)

    def _days(self, ticker: str) -> tuple[Session, ...]:
        return self.by_market.get(market_of(ticker), ())


def _open(session: Session) -> Micros:
    return session.open_us


def _close(session: Session) -> Micros:
    return session.close_us
