"""Older seconds of a path in text, a line each: a twentieth of the memory, and nothing is lost.

Half an hour after it was reached, what a ticker did in five minutes becomes one row. A single
second is found in it without reading the others, and its extremes tell whether they have to be read
at all.
"""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

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
_RAW_US = 30 * MINUTE_US
_NONE = "-"  # for a benchmark where others of the row have one


class PackedRow(NamedTuple):
    """The seconds of five minutes, ascending.

    Attributes:
        start_us: what the lines' times count from.
        low, high: the extremes of all its prices.
        tickers, benchmarks: those that its seconds name, in the order of their first naming.
        lines: a line for each second, of fields between commas; empty ones at its end are left out:
            seconds since the start, the last price, the benchmark's price, the day's volume; in
            microseconds the receipt after the last's time, the first's time after the second's
            start, the last's after the first's; first, high and low where they are not written as
            the last is; which ticker and which benchmark, where it is not the first; microseconds
            of a start that is no whole second.
    """

    start_us: Micros
    low: float
    high: float
    tickers: tuple[str, ...]
    benchmarks: tuple[str, ...]
    lines: str


def packed_until(reached_us: int) -> int:
    """Return the time before which seconds lie in packed rows, by the newest that was reached."""
    return (reached_us - _RAW_US) // BLOCK_US * BLOCK_US


def pack_seconds(seconds: Sequence[Second]) -> PackedRow:
    """Return the row of seconds of one block, ascending, at least one."""
    start_us = Micros(seconds[0].second_us // BLOCK_US * BLOCK_US)
    tickers = tuple(dict.fromkeys(second.ticker for second in seconds))
    named = dict.fromkeys(second.benchmark for second in seconds)
    benchmarks = tuple(name for name in named if name is not None)
    return PackedRow(
        start_us=start_us,
        low=min(float(second.low) for second in seconds),
        high=max(float(second.high) for second in seconds),
        tickers=tickers,
        benchmarks=benchmarks,
        lines="\n".join(_line(second, start_us, tickers, benchmarks) for second in seconds),
    )


def unpack_seconds(row: PackedRow) -> tuple[Second, ...]:
    """Return the seconds of a row, ascending."""
    return tuple(_second(row, line) for line in row.lines.split("\n"))


def end_seconds(row: PackedRow) -> tuple[Second, ...]:
    """Return the first second of a row and the last, once where they are the same."""
    first, last = row.lines.partition("\n")[0], row.lines.rpartition("\n")[2]
    ends = (first,) if first == row.lines else (first, last)
    return tuple(_second(row, line) for line in ends)


def ended_second(row: PackedRow, time_us: int) -> Second | None:
    """Return the row's last second that ended at or before a time."""
    lines = row.lines.split("\n")
    later = (time_us - row.start_us) // SECOND_US + 1
    for i in range(bisect_left(lines, later, key=_seconds_in), 0, -1):
        second = _second(row, lines[i - 1])
        if second.second_us + SECOND_US <= time_us:
            return second
    return None


def _seconds_in(line: str) -> int:
    return int(line.partition(",")[0])


def _line(second: Second, start_us: int, tickers: Sequence[str], benchmarks: Sequence[str]) -> str:
    (ticker, second_us, first_us, first, high, low, last_us, last, received_us, benchmark,
     benchmark_price, day_volume, _) = second  # fmt: skip
    seconds, odd_us = divmod(second_us - start_us, SECOND_US)
    price = str(last)
    line = f"{seconds},{price},{_text(benchmark_price)},{_text(day_volume)}"
    if (
        first is high is low is last
        and second_us == first_us == last_us == received_us
        and (len(tickers), len(benchmarks)) == (1, 0 if benchmark is None else 1)
    ):
        return line.rstrip(",") if odd_us == 0 else f"{line},,,,,,,,,{odd_us}"
    line = (
        f"{line},{received_us - last_us or ''},{first_us - second_us or ''},"
        f"{last_us - first_us or ''},"
        f"{_unless(price, first)},{_unless(price, high)},{_unless(price, low)},"
        f"{tickers.index(ticker) or ''},{_place(benchmark, benchmarks)},{odd_us or ''}"
    )
    return line.rstrip(",")


def _text(value: Decimal | None) -> str:
    return "" if value is None else str(value)


def _unless(known: str, value: Decimal) -> str:
    text = str(value)
    return "" if text == known else text


def _place(benchmark: str | None, benchmarks: Sequence[str]) -> int | str:
    if benchmark is None:
        return _NONE if benchmarks else ""
    return benchmarks.index(benchmark) or ""


_BLANKS = ("",) * 12


def _second(row: PackedRow, line: str) -> Second:
    fields = line.split(",")
    fields += _BLANKS[len(fields) - 1 :]
    (seconds, price, benchmark_price, day_volume, received_us, first_us, last_us, first, high, low,
     ticker, benchmark, odd_us) = fields  # fmt: skip
    second_us = row.start_us + int(seconds) * SECOND_US + int(odd_us or 0)
    from_us = second_us + int(first_us or 0)
    to_us = from_us + int(last_us or 0)
    last = Decimal(price)
    return Second(
        row.tickers[int(ticker or 0)],
        Micros(second_us),
        Micros(from_us),
        Decimal(first) if first else last,
        Decimal(high) if high else last,
        Decimal(low) if low else last,
        Micros(to_us),
        last,
        Micros(to_us + int(received_us or 0)),
        _named(benchmark, row.benchmarks),
        Decimal(benchmark_price) if benchmark_price else None,
        Decimal(day_volume) if day_volume else None,
    )


def _named(place: str, benchmarks: Sequence[str]) -> str | None:
    if place == _NONE or not benchmarks:
        return None
    return benchmarks[int(place or 0)]
