"""The price path of a ticker, and what is measured on it.

The path is kept in rows of ten seconds (``path:<ten seconds>``), each with its seconds, ascending:
a second that comes writes one short row. What is older than some minutes is kept by five minutes
(``packed:<five minutes>``, see ``packing``). "The price at T" is the last of the last second that
ended at or before T.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from signals.fold import Draft
from signals.market.merging import merge_seconds
from signals.market.packing import (
    BLOCK_US,
    PackedRow,
    end_seconds,
    ended_second,
    pack_seconds,
    packed_until,
    unpack_seconds,
)
from signals.market.splits import MOST_STEP
from signals.messages import Daily, Micros, Second
from signals.policy import DAY_US, SECOND_US

__all__ = [
    "ROW_US",
    "Close",
    "DaysRow",
    "Path",
    "PathRow",
    "add_day",
    "add_second",
    "anywhere",
    "close_of",
    "days_part",
    "days_until",
    "ended_us",
    "forget_path",
    "inside",
    "lay_second",
    "pack_path",
    "path_part",
]

ROW_US = 10 * SECOND_US
_RAW, _PACKED = "path", "packed"
_DAYS_US = 16 * DAY_US


PathRow = tuple[Second, ...]  # the seconds of one row, ascending


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
    return f"{_RAW}:{second_us // ROW_US}"


def ended_us(second: Second) -> Micros:
    """Return the first microsecond after a second."""
    return Micros(second.second_us + SECOND_US)


def add_second(row: PathRow | None, second: Second) -> tuple[PathRow, Second] | None:
    """Return the row with a second merged in, and that second; None if it says nothing new."""
    known = row or ()
    if not known or known[-1].second_us < second.second_us:
        return (*known, second), second
    if known[-1].second_us == second.second_us:  # sent again, whole
        merged = merge_seconds(known[-1], second)
        is_new = merged is second or merged != known[-1]
        return ((*known[:-1], merged), merged) if is_new else None
    same = [old for old in known if old.second_us == second.second_us]
    merged = merge_seconds(same[0], second) if same else second
    if same and merged == same[0]:
        return None
    others = [old for old in known if old.second_us != second.second_us]
    seconds = sorted((*others, merged), key=lambda item: item.second_us)
    return tuple(seconds), merged


def lay_second(draft: Draft, second: Second, reached_us: Micros) -> Second | None:
    """Lay a second on a key's path, and return it as merged; None if it says nothing new.

    ``reached_us`` is the newest second before it.
    """
    if second.second_us >= packed_until(reached_us):
        part = path_part(second.second_us)
        added = add_second(draft.get(part), second)
        if added is not None:
            draft.put(part, added[0])
    else:
        part = f"{_PACKED}:{second.second_us // BLOCK_US}"
        packed: PackedRow | None = draft.get(part)
        known = None if packed is None else unpack_seconds(packed)
        added = add_second(known, second)
        if added is not None:
            draft.put(part, pack_seconds(added[0]))
    return None if added is None else added[1]


def pack_path(draft: Draft, reached_us: Micros) -> None:
    """Pack what is old enough, now that the prices have reached a time."""
    first_us = packed_until(reached_us)
    blocks: dict[int, list[Second]] = {}
    for number in _numbers(draft, _RAW):
        if number * ROW_US >= first_us:
            break
        part = f"{_RAW}:{number}"
        row: PathRow | None = draft.get(part)
        if row is not None:
            blocks.setdefault(number * ROW_US // BLOCK_US, []).extend(row)
            draft.drop(part)
    for number, seconds in blocks.items():
        part = f"{_PACKED}:{number}"
        packed: PackedRow | None = draft.get(part)
        if packed is not None:  # of a late second that came before the others were packed
            both = unpack_seconds(packed)
            for second in seconds:
                added = add_second(both, second)
                both = both if added is None else added[0]
            seconds = list(both)
        draft.put(part, pack_seconds(seconds))


def forget_path(draft: Draft, before_us: int) -> None:
    """Drop the seconds before a time, as far as whole rows hold no others."""
    for kind, row_us in ((_RAW, ROW_US), (_PACKED, BLOCK_US)):
        for number in _numbers(draft, kind):
            if (number + 1) * row_us > before_us:
                break
            draft.drop(f"{kind}:{number}")


def _numbers(draft: Draft, kind: str) -> list[int]:
    return sorted(int(part.partition(":")[2]) for part in draft.parts(kind))


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


_Quiet = Callable[[float, float], bool]  # a low and a high to whether all between may be passed by


def anywhere(_low: float, _high: float) -> bool:
    """Pass by any stretch of a path: for who looks for steps like a split alone."""
    return True


def inside(low: float, high: float) -> Callable[[float, float], bool]:
    """Return what passes by the stretches with all prices between two, both excluded."""
    return lambda lowest, highest: low < lowest and highest < high


class Path:
    """A ticker's seconds in order, read from its rows."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._rows = _numbers(draft, _RAW)  # all of them later than those that are packed
        self._blocks = _numbers(draft, _PACKED)

    def at(self, time_us: Micros) -> Second | None:
        """Return the last second that ended at or before a time."""
        for number in reversed(self._rows[: bisect_right(self._rows, time_us // ROW_US)]):
            for second in reversed(self._seconds(number)):
                if ended_us(second) <= time_us:
                    return second
        for number in reversed(self._blocks[: bisect_right(self._blocks, time_us // BLOCK_US)]):
            found = ended_second(self._block(number), time_us)
            if found is not None:
                return found
        return None

    def first(self) -> Second | None:
        """Return the first second of all, None where there is none."""
        if self._blocks:
            return end_seconds(self._block(self._blocks[0]))[0]
        return self._seconds(self._rows[0])[0] if self._rows else None

    def between(
        self, from_us: Micros, to_us: Micros, *, quiet: _Quiet | None = None
    ) -> Iterator[Second]:
        """Yield the seconds that began at or after ``from_us`` and before ``to_us``.

        ``quiet`` is asked of older stretches in which no step looks like a split, by their lowest
        price and their highest, whether nothing is looked for in there: then only their first
        second and their last come.
        """
        for number in self._blocks[bisect_right(self._blocks, from_us // BLOCK_US - 1) :]:
            if number * BLOCK_US >= to_us:
                return
            row = self._block(number)
            is_whole = from_us <= number * BLOCK_US and (number + 1) * BLOCK_US <= to_us
            is_quiet = quiet is not None and is_whole and row.high < MOST_STEP * row.low
            if is_quiet and quiet is not None and quiet(row.low, row.high):
                yield from end_seconds(row)
            else:
                seconds = unpack_seconds(row)
                yield from seconds if is_whole else _within(seconds, from_us, to_us)
        for number in self._rows[bisect_right(self._rows, from_us // ROW_US - 1) :]:
            if number * ROW_US >= to_us:
                return
            seconds = self._seconds(number)
            is_whole = from_us <= number * ROW_US and (number + 1) * ROW_US <= to_us
            yield from seconds if is_whole else _within(seconds, from_us, to_us)

    def _seconds(self, number: int) -> tuple[Second, ...]:
        row: PathRow | None = self._draft.get(f"{_RAW}:{number}")
        return row or ()

    def _block(self, number: int) -> PackedRow:
        row: PackedRow | None = self._draft.get(f"{_PACKED}:{number}")
        if row is None:
            raise LookupError(f"the path has no five minutes {number} any more")
        return row


def _within(seconds: tuple[Second, ...], from_us: int, to_us: int) -> Iterator[Second]:
    return (second for second in seconds if from_us <= second.second_us < to_us)
