"""Prices from CSV: trades, or bars of any interval, each with its benchmark as known then."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import Literal, cast

from signals.errors import BadMessage, ConfigError
from signals.market.markets import BENCHMARKS
from signals.messages import Micros, PriceSample
from streams.sources.benchmarks import Benchmarks
from streams.sources.faults import OnBad, open_file, report
from streams.sources.places import Place
from streams.sources.sessions import market_of, session_date
from streams.sources.times import instant_us, parse_instant

__all__ = ["INTERVALS", "Interval", "read_prices"]

Interval = Literal["1m", "1h", "1d"]
INTERVALS: tuple[Interval, ...] = ("1m", "1h", "1d")
_INTERVAL_US: Mapping[Interval, int] = {"1m": 60_000_000, "1h": 3_600_000_000}
_BAR_COLUMNS = ("open", "high", "low", "close")
_LONGEST_CELL = 256
# What a price looks like: no exponent, no NaN, no thousands separator.
_DECIMAL = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How a file's rows are read, decided by its header and arguments."""

    is_bars: bool
    bar: Interval | None
    source: str


def read_prices(
    path: Path,
    *,
    bar: Interval | None = None,
    source: str = "file",
    on_bad: OnBad | None = None,
    benchmarks: Mapping[str, str] | None = None,
) -> Iterator[PriceSample]:
    """Yield the price records of a CSV file with a header, in the file's order.

    Columns are ``time,ticker,price[,volume]`` for trades, ``time,ticker,open,high,low,close
    [,volume]`` for bars; times are ISO 8601 with an offset, and ``time`` is a bar's start. A bar
    ends after its interval, or at the column ``end`` where that is filled. A daily bar's ``time``
    may be a date alone; it runs from the session's open to its close (usually 09:30 to 16:00 in
    New York; 09:00 to 15:30 in Seoul for .KS and .KQ), and gives a bar and a ``daily`` record.
    Further columns: ``kind`` (bar or daily; a daily row gives a ``daily`` record alone),
    ``received_at`` (else a trade's time or a bar's end; a bar's is never before its end) and
    ``source``. Other columns are ignored.

    The benchmark is taken from the file's own rows of it, as known at the row's receipt. The file
    is read twice for that, and only the benchmarks' rows are held.

    Args:
        path: the file, UTF-8.
        bar: the interval of bars in a file without the column ``end``.
        source: for rows that name none.
        on_bad: called with each row's fault, and the reading goes on; raised when left out.
        benchmarks: the benchmark's ticker by market (MIC); where left out SPY for American tickers
            and ^KS11 for Korean ones.
    Raises: ConfigError for a file or header that cannot be read, BadMessage for a row.
    """
    if bar is not None and bar not in INTERVALS:
        raise ConfigError(f"--bar must be one of {', '.join(INTERVALS)}, was {bar!r}")
    chosen = BENCHMARKS if benchmarks is None else benchmarks
    wanted = frozenset(chosen.values())
    known = Benchmarks(
        (
            sample
            for place, cells, form in _rows(path, bar=bar, source=source)
            if cells.get("ticker") in wanted
            for sample in _samples_or_none(cells, place, form)
        ),
        chosen,
    )
    for place, cells, form in _rows(path, bar=bar, source=source):
        try:
            samples = _samples(cells, place, form)
        except BadMessage as error:
            report(error, on_bad)
            continue
        for sample in samples:
            yield known.stamp(sample)


def _rows(
    path: Path, *, bar: Interval | None, source: str
) -> Iterator[tuple[Place, dict[str, str], _Form]]:
    file = open_file(path)
    # Bytes that are not UTF-8 stay marked, so that their row can be named.
    with TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        rows = csv.reader(text)
        try:
            header = [name.strip() for name in next(rows, [])]
            form = _form(path, header, bar=bar, source=source)
            for cells in rows:
                if any(cell.strip() for cell in cells):
                    named = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
                    yield Place(path, rows.line_num), named, form
        except csv.Error as error:
            raise Place(path, rows.line_num).fault(
                "bad_value", "", f"is no CSV: {error}"
            ) from error


def _form(path: Path, header: list[str], *, bar: Interval | None, source: str) -> _Form:
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ConfigError(f"{path}:1 has the column {repeated[0]!r} twice; leave one")
    is_bars = "price" not in header
    wanted = ("time", "ticker", *(_BAR_COLUMNS if is_bars else ("price",)))
    missing = [name for name in wanted if name not in header]
    if missing:
        raise ConfigError(
            f"{path}:1 has no column {missing[0]!r}; the columns are time,ticker,price[,volume] "
            f"or time,ticker,open,high,low,close[,volume], the file has {','.join(header)[:200]!r}"
        )
    if is_bars and bar is None and "end" not in header:
        raise ConfigError(f"{path} holds bars; say how long with --bar 1m|1h|1d or a column end")
    if not is_bars and bar is not None:
        raise ConfigError(f"{path} holds trades (a column price); leave --bar out")
    return _Form(is_bars=is_bars, bar=bar, source=source)


def _samples_or_none(cells: Mapping[str, str], place: Place, form: _Form) -> list[PriceSample]:
    # The second pass reports the fault.
    try:
        return _samples(cells, place, form)
    except BadMessage:
        return []


def _samples(cells: Mapping[str, str], place: Place, form: _Form) -> list[PriceSample]:
    """Return what a row says: a trade, a bar, a daily record, or a daily bar's two."""
    for name, cell in cells.items():
        if len(cell) > _LONGEST_CELL:
            detail = f"must be at most {_LONGEST_CELL} characters, was {cell!r:.60}"
            raise place.fault("bad_value", name, detail)
        if not cell.isascii() and any("\ud800" <= sign <= "\udfff" for sign in cell):
            raise place.fault("invalid_utf8", name, f"must be UTF-8, was {cell!r:.60}")
    if not form.is_bars:
        return [_trade(cells, place, form)]
    kinds = _kinds(cells, place, form)
    start_us, end_us = _span(cells, place, form)
    return [_bar(cells, place, form, kind=kind, span=(start_us, end_us)) for kind in kinds]


def _trade(cells: Mapping[str, str], place: Place, form: _Form) -> PriceSample:
    event_us = _instant(cells, place, "time")
    try:
        return PriceSample(
            ticker=_text(cells, place, "ticker"),
            kind="trade",
            event_us=event_us,
            received_us=_received(cells, place, event_us),
            source=cells.get("source") or form.source,
            price=_decimal(cells, place, "price"),
            volume=_volume(cells, place),
        )
    except ValueError as error:
        raise _refused(place, error) from error


def _bar(
    cells: Mapping[str, str],
    place: Place,
    form: _Form,
    *,
    kind: Literal["bar", "daily"],
    span: tuple[Micros, Micros],
) -> PriceSample:
    prices = {name: _decimal(cells, place, name) for name in _BAR_COLUMNS}
    if prices["high"] < prices["low"]:
        detail = f"must not be below the low, was {prices['high']} with a low of {prices['low']}"
        raise place.fault("bad_value", "high", detail)
    received_us = _received(cells, place, span[1])
    if received_us < span[1]:
        # Nobody knows a bar before its end; taking it would be look-ahead.
        detail = f"must not be before the bar's end, was {cells['received_at']!r}"
        raise place.fault("bad_value", "received_at", detail)
    try:
        return PriceSample(
            ticker=_text(cells, place, "ticker"),
            kind=kind,
            event_us=span[0],
            end_us=span[1],
            received_us=received_us,
            source=cells.get("source") or form.source,
            volume=_volume(cells, place),
            open=prices["open"],
            high=prices["high"],
            low=prices["low"],
            close=prices["close"],
        )
    except ValueError as error:
        raise _refused(place, error) from error


def _kinds(
    cells: Mapping[str, str], place: Place, form: _Form
) -> tuple[Literal["bar", "daily"], ...]:
    kind = cells.get("kind", "")
    if kind in ("bar", "daily"):
        return (cast(Literal["bar", "daily"], kind),)
    if kind:
        raise place.fault("bad_value", "kind", f"must be bar or daily, was {kind!r:.60}")
    return ("bar", "daily") if form.bar == "1d" else ("bar",)


def _span(cells: Mapping[str, str], place: Place, form: _Form) -> tuple[Micros, Micros]:
    """Return a bar's start and end."""
    if cells.get("end"):
        return _instant(cells, place, "time"), _instant(cells, place, "end")
    if form.bar is None:
        raise place.fault("missing_field", "end", "must be given, or --bar for the whole file")
    if form.bar != "1d":
        start_us = _instant(cells, place, "time")
        return start_us, Micros(start_us + _INTERVAL_US[form.bar])
    ticker = _text(cells, place, "ticker")
    market = market_of(ticker)
    if market is None:
        detail = f"of {ticker!r:.60} has no known session; give the times with a column end"
        raise place.fault("bad_value", "ticker", detail)
    try:
        return market.session(session_date(_text(cells, place, "time"), market))
    except (ValueError, OverflowError) as error:
        raise place.fault("bad_value", "time", str(error)) from error


def _received(cells: Mapping[str, str], place: Place, known_us: Micros) -> Micros:
    return _instant(cells, place, "received_at") if cells.get("received_at") else known_us


def _text(cells: Mapping[str, str], place: Place, name: str) -> str:
    if not cells.get(name):
        raise place.fault("missing_field", name, "must be given, the cell is empty")
    return cells[name]


def _instant(cells: Mapping[str, str], place: Place, name: str) -> Micros:
    try:
        return instant_us(parse_instant(_text(cells, place, name)))
    except (ValueError, OverflowError) as error:
        raise place.fault("bad_value", name, str(error)) from error


def _decimal(cells: Mapping[str, str], place: Place, name: str) -> Decimal:
    text = _text(cells, place, name)
    if not _DECIMAL.fullmatch(text):
        raise place.fault("bad_value", name, f'must be a decimal like "73.07", was {text!r:.60}')
    return Decimal(text)


def _volume(cells: Mapping[str, str], place: Place) -> Decimal | None:
    return _decimal(cells, place, "volume") if cells.get("volume") else None


def _refused(place: Place, error: ValueError) -> BadMessage:
    field, _, detail = str(error).partition(" ")
    return place.fault("bad_value", field, detail)
