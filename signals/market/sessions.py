"""Trading sessions by market: when the tape is expected to speak, and what the time is called.

The days come from a dated table (made with exchange_calendars and the hours of our own that it
lacks); nothing here reads a clock. A ticker of a market that is not in the table is never open.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from signals.market.markets import mic_of
from signals.messages import Micros

__all__ = ["Session", "SessionLabel", "Sessions"]

SessionLabel = Literal["pre", "regular", "post", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One regular session: ``open_us`` is in it, ``close_us`` is not.

    Attributes:
        pre_us: how long before the open trading begins, in microseconds.
        post_us: how long it goes on after the close.
    """

    open_us: Micros
    close_us: Micros
    pre_us: int = 0
    post_us: int = 0


@dataclass(frozen=True, slots=True)
class _Calendar:
    """A market's sessions, ascending, and their boundaries as plain integers to search."""

    days: tuple[Session, ...]
    begins: tuple[int, ...]
    opens: tuple[int, ...]
    closes: tuple[int, ...]
    ends: tuple[int, ...]


def _calendar(days: Sequence[Session]) -> _Calendar:
    return _Calendar(
        days=tuple(days),
        begins=tuple(day.open_us - day.pre_us for day in days),
        opens=tuple(int(day.open_us) for day in days),
        closes=tuple(int(day.close_us) for day in days),
        ends=tuple(day.close_us + day.post_us for day in days),
    )


_UNKNOWN = _calendar(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """The sessions of each market by its MIC, ascending; ``version`` names the table's sources.

    The hours before and after a session never reach into those of another.
    """

    by_market: Mapping[str, tuple[Session, ...]] = field(default_factory=dict)
    version: str = ""
    _calendars: Mapping[str | None, _Calendar] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Searched for every price: the boundaries are laid out once.
        found = {mic: _calendar(days) for mic, days in self.by_market.items()}
        object.__setattr__(self, "_calendars", found)

    def at(self, ticker: str, time_us: Micros) -> Session | None:
        """Return the regular session that is open at a time, None outside of one."""
        days = self._days(ticker)
        i = bisect_right(days.opens, time_us) - 1
        return days.days[i] if i >= 0 and time_us < days.closes[i] else None

    def label(self, ticker: str, time_us: Micros) -> SessionLabel:
        """Return what a time is for a ticker: each begins with its first microsecond.

        In Seoul ``pre`` and ``post`` hold the ten minutes in which orders wait for the auction.
        """
        days = self._days(ticker)
        i = bisect_right(days.begins, time_us) - 1
        if i < 0 or time_us >= days.ends[i]:
            return "closed"
        if time_us < days.opens[i]:
            return "pre"
        return "regular" if time_us < days.closes[i] else "post"

    def session_of(self, ticker: str, time_us: Micros) -> Session | None:
        """Return the session to which a time belongs: pre, regular or post; None when closed."""
        days = self._days(ticker)
        i = bisect_right(days.begins, time_us) - 1
        return days.days[i] if i >= 0 and time_us < days.ends[i] else None

    def following(self, ticker: str, time_us: Micros) -> Session | None:
        """Return the first session that opens at or after a time."""
        days = self._days(ticker)
        i = bisect_left(days.opens, time_us)
        return days.days[i] if i < len(days.days) else None

    def previous(self, ticker: str, time_us: Micros) -> Session | None:
        """Return the last session that had closed at or before a time."""
        days = self._days(ticker)
        i = bisect_right(days.closes, time_us) - 1
        return days.days[i] if i >= 0 else None

    def next_closes(self, ticker: str, time_us: Micros) -> tuple[Micros, ...]:
        """Return the first two closes after a time; fewer where the table ends."""
        days = self._days(ticker)
        i = bisect_right(days.closes, time_us)
        return tuple(day.close_us for day in days.days[i : i + 2])

    def previous_close(self, ticker: str, time_us: Micros) -> Micros | None:
        """Return the last close at or before a time."""
        session = self.previous(ticker, time_us)
        return None if session is None else session.close_us

    def span_days(self, ticker: str, from_us: Micros, to_us: Micros) -> float:
        """Return the trading time between two times in sessions, for scaling a deviation.

        Time inside a session counts by its share of the session; a night, weekend or holiday
        between two sessions counts nothing, but a span over one is at least a whole session, since
        prices jump over it.
        """
        total = 0.0
        for day in self._touched(ticker, from_us, to_us):
            inside_us = min(to_us, day.close_us) - max(from_us, day.open_us)
            total += max(0, inside_us) / (day.close_us - day.open_us)
        here = self.at(ticker, from_us)
        over_night = here is None or to_us > here.close_us
        return max(total, 1.0) if over_night else total

    def open_us(self, ticker: str, from_us: Micros, to_us: Micros) -> int:
        """Return for how many microseconds between two times the regular session was open."""
        touched = self._touched(ticker, from_us, to_us)
        spans = (min(to_us, day.close_us) - max(from_us, day.open_us) for day in touched)
        return sum(span for span in spans if span > 0)

    def _touched(self, ticker: str, from_us: Micros, to_us: Micros) -> tuple[Session, ...]:
        """Return the sessions that close after ``from_us`` and open before ``to_us``."""
        days = self._days(ticker)
        first = bisect_right(days.closes, from_us)
        return days.days[first : bisect_left(days.opens, to_us)]

    def _days(self, ticker: str) -> _Calendar:
        return self._calendars.get(mic_of(ticker), _UNKNOWN)
