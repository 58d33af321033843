"""Older seconds of a path in columns of text: a twentieth of the memory, and nothing is lost.

Some minutes after it was reached, what a ticker did in five minutes becomes one row. A single
second is found in it without reading the others, and its extremes tell whether they have to be read
at all.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from itertools import repeat
from operator import add, is_, sub
from typing import NamedTuple

from signals.frozen import make
from signals.messages import Micros, Second
from signals.policy import MINUTE_US, SECOND_US

__all__ = [
    "BLOCK_US",
    "PackedRow",
    "end_seconds",
    "ended_second",
    "pack_seconds",
    "packed_until",
    "unpack_seconds",
]

BLOCK_US = 5 * MINUTE_US
_RAW_US = MINUTE_US  # nearly all that comes late comes sooner
_TICKER, _SECOND, _FIRST_US, _LAST_US, _LAST, _RECEIVED = 0, 1, 2, 6, 7, 8
_PRICES = (3, 4, 5)  # first, high, low
_BENCHMARK, _BENCHMARK_PRICE, _VOLUME = 9, 10, 11


class PackedRow(NamedTuple):
    """The seconds of five minutes, ascending: a column for each field, its cells between commas.

    Attributes:
        start_us: what their times count from.
        low, high: the extremes of all prices.
        seconds: whole seconds since the start; ``odd`` microseconds are added.
        last, benchmark_price, day_volume: ``""`` for a column without a value; of the latter two a
            column of one value is one cell.
        received: microseconds after the last sample's time. Of microseconds a column of equal ones
            is one cell, and ``""`` is none.
        first_us, last_us: the first sample's after the second's start and the last's after that.
        first, high_price, low_price: ``""`` for a column that is written as ``last`` is.
        tickers, benchmarks: one for all of them, or one each; none where no second has one.
    """

    start_us: Micros
    low: float
    high: float
    seconds: str
    last: str
    benchmark_price: str = ""
    day_volume: str = ""
    received: str = ""
    first_us: str = ""
    last_us: str = ""
    first: str = ""
    high_price: str = ""
    low_price: str = ""
    tickers: tuple[str, ...] = ()
    benchmarks: tuple[str | None, ...] = ()
    odd: str = ""


def packed_until(reached_us: int) -> int:
    """Return the time before which seconds lie in packed rows, by the newest that was reached."""
    return (reached_us - _RAW_US) // BLOCK_US * BLOCK_US


def pack_seconds(seconds: Sequence[Second]) -> PackedRow:
    """Return the row of seconds of one block, ascending, at least one."""
    columns = tuple(zip(*seconds, strict=True))
    times = columns[_SECOND]
    start_us = times[0] // BLOCK_US * BLOCK_US
    whole = [(time_us - start_us) // SECOND_US for time_us in times]
    # Nearly always they are whole: then the sums are equal.
    is_odd = sum(whole) * SECOND_US + start_us * len(whole) < sum(times)
    last = _joined(columns[_LAST])
    first, high, low = (_unless(columns[_LAST], last, columns[at]) for at in _PRICES)
    return PackedRow(
        start_us=Micros(start_us),
        low=float(min(columns[_PRICES[2]])),
        high=float(max(columns[_PRICES[1]])),
        seconds=_joined(whole),
        last=last,
        benchmark_price=_some(columns[_BENCHMARK_PRICE]),
        day_volume=_some(columns[_VOLUME]),
        received=_since(columns[_LAST_US], columns[_RECEIVED]),
        first_us=_since(times, columns[_FIRST_US]),
        last_us=_since(columns[_FIRST_US], columns[_LAST_US]),
        first=first,
        high_price=high,
        low_price=low,
        tickers=tuple(str(name) for name in _names(columns[_TICKER])),
        benchmarks=_names(columns[_BENCHMARK]),
        odd=_since([start_us + count * SECOND_US for count in whole], times) if is_odd else "",
    )


def unpack_seconds(row: PackedRow) -> tuple[Second, ...]:
    """Return the seconds of a row, ascending."""
    count = row.seconds.count(",") + 1
    starts = [row.start_us + int(cell) * SECOND_US for cell in row.seconds.split(",")]
    times = _after(starts, row.odd)
    firsts = _after(times, row.first_us)
    lasts = _after(firsts, row.last_us)
    last = [Decimal(cell) for cell in row.last.split(",")]
    first, high, low = (
        [Decimal(cell) for cell in text.split(",")] if text else last
        for text in (row.first, row.high_price, row.low_price)
    )
    columns = zip(
        _all_of(row.tickers, count),
        times,
        firsts,
        first,
        high,
        low,
        lasts,
        last,
        _after(lasts, row.received),
        _all_of(row.benchmarks, count),
        _values(row.benchmark_price, count),
        _values(row.day_volume, count),
        repeat("second"),
        strict=False,
    )
    return tuple(make(Second, fields) for fields in columns)


def end_seconds(row: PackedRow) -> tuple[Second, ...]:
    """Return the first second of a row and the last, once where they are the same."""
    first = _second(row, 0, lambda column: column.partition(",")[0])
    if "," not in row.seconds:
        return (first,)
    return (first, _second(row, -1, lambda column: column.rpartition(",")[2]))


def ended_second(row: PackedRow, time_us: int) -> Second | None:
    """Return the row's last second that ended at or before a time."""
    later = (time_us - row.start_us) // SECOND_US + 1
    for at in range(bisect_left(row.seconds.split(","), later, key=int) - 1, -1, -1):
        second = _second(row, at, partial(_cell, at))
        if second.second_us + SECOND_US <= time_us:
            return second
    return None


# ---- columns -------------------------------------------------------------------------------------


def _joined(values: Iterable[object]) -> str:
    return ",".join(map(str, values))


def _unless(values: Sequence[Decimal], text: str, others: Sequence[Decimal]) -> str:
    """Return the column of others; ``""`` where it is the text of the values."""
    if all(map(is_, values, others)):  # of one trade a second, all four are one object
        return ""
    column = _joined(others)
    return "" if column == text else column


def _some(values: Sequence[Decimal | None]) -> str:
    """Return a column of values that may be missing."""
    missing = sum(map(is_, values, repeat(None)))  # counting compares, which decimals do slowly
    if not missing:
        first = values[0]
        # A benchmark's price is often one object for minutes; two equal ones may be written
        # differently.
        return str(first) if all(map(is_, values, repeat(first))) else _joined(values)
    if missing == len(values):
        return ""
    return _joined("" if value is None else value for value in values)


def _since(earlier: Sequence[int], later: Sequence[int]) -> str:
    """Return a column of how much later the second of two times is."""
    if all(map(is_, later, earlier)):  # of one trade a second, first and last are one object
        return ""
    differences = list(map(sub, later, earlier))
    first = differences[0]
    if differences.count(first) < len(differences):
        return _joined(differences)
    return str(first) if first else ""


def _names(values: Sequence[str | None]) -> tuple[str | None, ...]:
    if values.count(values[0]) < len(values):
        return tuple(values)
    return () if values[0] is None else (values[0],)


def _after(earlier: Sequence[int], column: str) -> Sequence[int]:
    if not column:
        return earlier
    if "," not in column:
        return [a + int(column) for a in earlier]
    return list(map(add, earlier, map(int, column.split(","))))


def _values(column: str, count: int) -> Iterable[Decimal | None]:
    if not column:
        return repeat(None, count)
    if "," not in column:
        return repeat(Decimal(column), count)
    return (Decimal(cell) if cell else None for cell in column.split(","))


def _all_of(names: Sequence[str | None], count: int) -> Iterable[str | None]:
    if len(names) == count:
        return names
    return repeat(names[0] if names else None, count)


def _cell(at: int, column: str) -> str:
    return column.split(",")[at] if "," in column else column


def _second(row: PackedRow, at: int, cell: Callable[[str], str]) -> Second:
    """Return one second of a row, by its place and by what takes its cell from a column."""

    def number(column: str) -> int:
        return int(cell(column)) if column else 0

    def price(column: str) -> Decimal:
        return Decimal(cell(column)) if column else last

    def value(column: str) -> Decimal | None:
        return Decimal(text) if column and (text := cell(column)) else None

    def name(names: Sequence[str | None]) -> str | None:
        return names[at if len(names) > 1 else 0] if names else None

    second_us = row.start_us + number(row.seconds) * SECOND_US + number(row.odd)
    first_us = second_us + number(row.first_us)
    last_us = first_us + number(row.last_us)
    last = Decimal(cell(row.last))
    return Second(
        ticker=name(row.tickers) or "",
        second_us=Micros(second_us),
        first_us=Micros(first_us),
        first=price(row.first),
        high=price(row.high_price),
        low=price(row.low_price),
        last_us=Micros(last_us),
        last=last,
        received_us=Micros(last_us + number(row.received)),
        benchmark=name(row.benchmarks),
        benchmark_price=value(row.benchmark_price),
        day_volume=value(row.day_volume),
    )
