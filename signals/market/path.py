"""The price path of a ticker, and what is measured on it.

The path is kept in rows of ten seconds (``path:<ten seconds>``), each with its seconds, ascending:
a second that comes writes one short row. "The price at T" is the last of the last second that ended
at or before T.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from signals.fold import Draft
from signals.market.merging import merge_seconds
from signals.messages import Daily, Micros, Second
from signals.policy import DAY_US, SECOND_US

__all__ = [
    "KIND",
    "PREFIX",
    "ROW_US",
    "Close",
    "DaysRow",
    "Path",
    "PathRow",
    "add_day",
    "add_second",
    "close_of",
    "days_part",
    "days_until",
    "ended_us",
    "path_part",
]

KIND = "path"
PREFIX = f"{KIND}:"
ROW_US = 10 * SECOND_US
_DAYS_US = 16 * DAY_US


class PathRow(NamedTuple):
    """The seconds of one row, ascending."""

    seconds: tuple[Second, ...]


class Close(NamedTuple):
    """A ``Daily`` as it is kept under its ticker's key; the fields are the same."""

    close_us: Micros
    close: Decimal
    received_us: Micros
    benchmark_close: Decimal | None = None
    volume: Decimal | None = None
    benchmark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysRow:
    """The daily closes of a ticker over sixteen days, ascending by ``close_us``."""

    days: tuple[Close, ...]


def close_of(day: Daily) -> Close:
    """Return a daily record as it is kept."""
    return Close(
        day.close_us, day.close, day.received_us, day.benchmark_close, day.volume, day.benchmark
    )


def path_part(second_us: Micros) -> str:
    """Return the part that holds a second."""
    return f"{PREFIX}{second_us // ROW_US}"


def ended_us(second: Second) -> Micros:
    """Return the first microsecond after a second."""
    return Micros(second.second_us + SECOND_US)


def add_second(row: PathRow | None, second: Second) -> tuple[PathRow, Second] | None:
    """Return the row with a second merged in, and that second; None if it says nothing new."""
    known = () if row is None else row.seconds
    if not known or known[-1].second_us < second.second_us:
        return PathRow((*known, second)), second
    if known[-1].second_us == second.second_us:  # sent again, whole
        merged = merge_seconds(known[-1], second)
        is_new = merged is second or merged != known[-1]
        return (PathRow((*known[:-1], merged)), merged) if is_new else None
    same = [old for old in known if old.second_us == second.second_us]
    merged = merge_seconds(same[0], second) if same else second
    if same and merged == same[0]:
        return None
    others = [old for old in known if old.second_us != second.second_us]
    seconds = sorted((*others, merged), key=lambda item: item.second_us)
    return PathRow(seconds=tuple(seconds)), merged


def days_part(close_us: Micros) -> str:
    """Return the part that holds a close: those of sixteen days are one row."""
    return f"days:{close_us // _DAYS_US}"


def days_until(draft: Draft, newest_us: Micros, *, count: int) -> tuple[Close, ...]:
    """Return the closes up to a time, ascending: at least the last ``count`` that are kept.

    Five sessions a week, and holidays: a close a day and a half on average reaches far enough.
    """
    last = newest_us // _DAYS_US
    first = last - (count * 3 // 2 * DAY_US) // _DAYS_US - 1
    rows = (draft.get(f"days:{number}") for number in range(first, last + 1))
    return tuple(day for row in rows if row is not None for day in row.days)


def add_day(row: DaysRow | None, day: Daily) -> DaysRow | None:
    """Return the row with a close added; None if it says nothing new.

    Of two records of one close the earlier receipt stands: prices rewritten after the fact do not
    change what was known.
    """
    days = {} if row is None else {old.close_us: old for old in row.days}
    known = days.get(day.close_us)
    close = close_of(day)
    if known is not None and _receipt(known) <= _receipt(close):
        return None
    days[day.close_us] = close
    return DaysRow(days=tuple(days[close_us] for close_us in sorted(days)))


def _receipt(day: Close) -> tuple[Micros, Decimal, Decimal]:
    return (day.received_us, day.close, day.benchmark_close or Decimal(0))


class Path:
    """A ticker's seconds in order, read from its rows."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._rows = sorted(int(part.removeprefix(PREFIX)) for part in draft.parts(KIND))

    def at(self, time_us: Micros) -> Second | None:
        """Return the last second that ended at or before a time."""
        i = bisect_right(self._rows, time_us // ROW_US) - 1
        while i >= 0:
            for second in reversed(self._seconds(self._rows[i])):
                if ended_us(second) <= time_us:
                    return second
            i -= 1
        return None

    def first(self) -> Second | None:
        """Return the first second of all, None where there is none."""
        return self._seconds(self._rows[0])[0] if self._rows else None

    def between(self, from_us: Micros, to_us: Micros) -> Iterator[Second]:
        """Yield the seconds that began at or after ``from_us`` and before ``to_us``."""
        i = bisect_right(self._rows, from_us // ROW_US - 1)
        for number in self._rows[i:]:
            if number * ROW_US >= to_us:
                return
            for second in self._seconds(number):
                if from_us <= second.second_us < to_us:
                    yield second

    def _seconds(self, number: int) -> tuple[Second, ...]:
        row: PathRow | None = self._draft.get(f"{PREFIX}{number}")
        return () if row is None else row.seconds
