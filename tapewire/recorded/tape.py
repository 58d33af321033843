"""The demo's price tape: real days from ``daily.csv``, synthetic minutes between their figures."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import Literal

from signals.errors import ConfigError
from signals.messages import Micros, PriceSample
from streams.sources.benchmarks import Benchmarks
from streams.sources.sessions import market_of
from streams.sources.times import to_iso
from tapewire.recorded.minutes import Figures, draw_minutes

__all__ = ["DAYS", "TICKERS", "read_tape", "write_tape"]

TICKERS = (
    "AMD", "AMZN", "AVGO", "CIFR", "CRWV", "DELL", "GOOGL", "INTC", "IREN", "META", "MSFT", "NVDA",
    "ORCL", "QQQ", "SMH", "SPY", "TSLA",
)  # fmt: skip
# The days that have minutes; all other days of daily.csv give a daily record alone.
DAYS = tuple(
    date.fromisoformat(day)
    for day in (
        "2025-10-31", "2025-11-03", "2025-11-04", "2025-11-05", "2025-12-16", "2025-12-17",
    )
)  # fmt: skip
_MINUTE_US = 60_000_000
_SESSION_MINUTES = 390
_DELAY_US = 500_000  # a bar reaches the source half a second after its end
_MINUTE_SOURCE = "synthetic-minutes"
_DAILY_SOURCE = "daily-figures"
_COLUMNS = (
    "time", "ticker", "open", "high", "low", "close", "volume", "end", "kind", "received_at",
    "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    ticker: str
    day: date
    figures: Figures


def read_tape(
    *, days: Sequence[date] = DAYS, tickers: Sequence[str] = TICKERS, minutes: int = 1
) -> Iterator[PriceSample]:
    """Yield the tape's records in order of receipt: bars, and a daily record a close.

    Daily records begin in May 2025, so that beta and volatility have their history, and end with
    the last of ``days``. Each record carries SPY as known at its receipt, whether or not SPY is
    among the tickers.

    Args:
        days: which days have bars, out of ``DAYS``.
        tickers: which tickers, out of ``TICKERS``.
        minutes: the length of a bar; it divides the 390 minutes of a session.
    Raises: ConfigError for a day, a ticker or bars that the tape does not have.
    """
    _check(days, tickers, minutes)
    wanted = frozenset(tickers)
    benchmarks = Benchmarks(
        sample for day in _days() if day.ticker == "SPY" for sample in _samples(day, days, minutes)
    )
    last = max(days, default=None)
    for day, rows in _by_day():
        if last is not None and day > last:
            return
        samples = [
            sample
            for row in rows
            if row.ticker in wanted
            for sample in _samples(row, days, minutes)
        ]
        samples.sort(key=lambda sample: (sample.received_us, sample.kind, sample.ticker))
        for sample in samples:
            yield benchmarks.stamp(sample)


def write_tape(
    path: Path,
    *,
    days: Sequence[date] = DAYS,
    tickers: Sequence[str] = TICKERS,
    minutes: int = 1,
) -> int:
    """Write the tape as CSV that ``read_prices`` reads back to the same records; return how many.

    The column ``source`` says of every row whether it is real (daily-figures) or synthetic.
    Without SPY among the tickers the file's records have no benchmark.
    """
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_COLUMNS)
        for sample in read_tape(days=days, tickers=tickers, minutes=minutes):
            rows.writerow(_cells(sample))
            count += 1
    return count


def _check(days: Iterable[date], tickers: Iterable[str], minutes: int) -> None:
    if minutes < 1 or _SESSION_MINUTES % minutes:
        raise ConfigError(f"bars must divide {_SESSION_MINUTES} minutes, was {minutes}; take 5")
    for day in days:
        if day not in DAYS:
            choices = ", ".join(str(known) for known in DAYS)
            raise ConfigError(f"the tape has no minutes of {day}; it has {choices}")
    for ticker in tickers:
        if ticker not in TICKERS:
            raise ConfigError(f"the tape has no {ticker!r}; it has {', '.join(TICKERS)}")


@cache
def _days() -> tuple[_Day, ...]:
    """Return the figures of daily.csv, by day, then ticker."""
    text = (files("tapewire.recorded") / "daily.csv").read_text(encoding="utf-8")
    found = [
        _Day(ticker=row["ticker"], day=date.fromisoformat(row["date"]), figures=_figures(row))
        for row in csv.DictReader(text.splitlines())
    ]
    return tuple(sorted(found, key=lambda row: (row.day, row.ticker)))


def _figures(row: Mapping[str, str]) -> Figures:
    cents = {name: int(Decimal(row[name]) * 100) for name in ("open", "high", "low", "close")}
    return Figures(volume=int(row["volume"]), **cents)


def _by_day() -> Iterator[tuple[date, list[_Day]]]:
    grouped: dict[date, list[_Day]] = {}
    for row in _days():
        grouped.setdefault(row.day, []).append(row)
    yield from grouped.items()


def _samples(row: _Day, days: Sequence[date], minutes: int) -> list[PriceSample]:
    """Return a ticker's bars of a day, if it has them, and its daily record."""
    market = market_of(row.ticker)
    if market is None:
        raise AssertionError(f"{row.ticker} is on no market")
    open_us, close_us = market.session(row.day)
    daily = _sample(row.ticker, row.figures, kind="daily", span=(open_us, close_us))
    if row.day not in days:
        return [daily]
    drawn = draw_minutes(row.figures, seed=f"{row.ticker} {row.day}")
    bars = [_merge(drawn[at : at + minutes]) for at in range(0, len(drawn), minutes)]
    length_us = minutes * _MINUTE_US
    starts = range(open_us, close_us, length_us)
    volumes = accumulate(bar.volume for bar in bars)
    return [
        *(
            replace(
                _sample(row.ticker, bar, kind="bar", span=(start_us, start_us + length_us)),
                day_volume=Decimal(volume),
            )
            for start_us, bar, volume in zip(starts, bars, volumes, strict=True)
        ),
        daily,
    ]


def _merge(minutes: Sequence[Figures]) -> Figures:
    return Figures(
        open=minutes[0].open,
        high=max(minute.high for minute in minutes),
        low=min(minute.low for minute in minutes),
        close=minutes[-1].close,
        volume=sum(minute.volume for minute in minutes),
    )


def _sample(
    ticker: str, figures: Figures, *, kind: Literal["bar", "daily"], span: tuple[int, int]
) -> PriceSample:
    return PriceSample(
        ticker=ticker,
        kind=kind,
        event_us=Micros(span[0]),
        end_us=Micros(span[1]),
        received_us=Micros(span[1] + _DELAY_US),
        source=_MINUTE_SOURCE if kind == "bar" else _DAILY_SOURCE,
        open=_price(figures.open),
        high=_price(figures.high),
        low=_price(figures.low),
        close=_price(figures.close),
        volume=Decimal(figures.volume),
    )


def _price(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _cells(sample: PriceSample) -> tuple[object, ...]:
    """Return the sample's row, in the order of ``_COLUMNS``."""
    end_us = sample.event_us if sample.end_us is None else sample.end_us
    return (
        to_iso(sample.event_us),
        sample.ticker,
        sample.open,
        sample.high,
        sample.low,
        sample.close,
        sample.volume,
        to_iso(end_us),
        sample.kind,
        to_iso(sample.received_us),
        sample.source,
    )
