"""Prices from a file: trades, bars, daily records and splits, with the benchmark as known then.

Columns are ``time,ticker,price[,volume]`` for trades, ``time,ticker,open,high,low,close
[,volume]`` for bars, ``time,ticker,ratio`` for splits; times are ISO 8601 with an offset (in
Parquet timestamps with a zone, too), and ``time`` is a bar's start. A bar ends after its
interval, or at the column ``end`` where that is filled. A daily bar's ``time`` may be a date
alone; it runs from the session's open to its close, and gives a bar and a ``daily`` record. A
split's may, too, and is then the session's open.

Further columns: ``kind`` (trade or split; bar, daily or split; a daily row gives a ``daily``
record alone), ``received_at`` (else a trade's or split's time or a bar's end; a bar's is never
before its end), ``source``, and ``day_volume`` (else added up from the volumes of the regular
session's rows, see ``DayVolumes``). ``time_us``, ``end_us`` and ``received_us`` are the times
in microseconds. Other columns are ignored. A file with Yahoo's columns (``Date,Open,…``) holds
the bars of the ticker that it is named after.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from signals.market.markets import BENCHMARKS
from signals.messages import PriceSample
from streams.sources.benchmarks import Benchmarks
from streams.sources.faults import OnBad, report
from streams.sources.places import Place
from streams.sources.price_cells import LONGEST_CELL, Cell, CellFault
from streams.sources.price_form import INTERVALS, Form, Interval, form_of
from streams.sources.price_rows import RowReader
from streams.sources.price_table import PriceTable, Skip
from streams.sources.prices_csv import CsvTable
from streams.sources.prices_parquet import ParquetTable

__all__ = ["INTERVALS", "PARQUET", "Interval", "benchmarks_of", "read_prices"]

PARQUET = frozenset({".parquet", ".pq"})  # by a file's suffix; anything else is CSV


def read_prices(
    path: Path,
    *,
    bar: Interval | None = None,
    source: str = "file",
    on_bad: OnBad | None = None,
    benchmarks: Mapping[str, str] | None = None,
    known: Benchmarks | None = None,
    only: Callable[[str], bool] | None = None,
) -> Iterator[PriceSample]:
    """Yield the price records of a CSV or Parquet file, in the file's order.

    The benchmark is taken from the file's own rows of it, as known at the row's receipt. A file
    that has such rows is read twice for that, and only they are held.

    Args:
        path: the file; CSV is UTF-8.
        bar: the interval of bars in a file without the column ``end``.
        source: for rows that name none.
        on_bad: called with each row's fault, and the reading goes on; raised when left out.
        benchmarks: the benchmark's ticker by market (MIC); where left out SPY for American tickers
            and ^KS11 for Korean ones.
        known: the prices of several files (``benchmarks_of``), instead of the file's own.
        only: the tickers whose rows are read; all where left out.
    Raises: ConfigError for a file or header that cannot be read, BadMessage for a row.
    """
    table = _open(path)
    form = form_of(path, table.header, bar=bar, source=source)
    reader = RowReader(form, known or benchmarks_of([path], bar=bar, benchmarks=benchmarks))
    if only is not None and form.ticker is not None and not only(form.ticker):
        return
    skip = None if only is None or form.ticker is not None else _skip(form.at["ticker"], only)
    for number, cells, fault in table.rows(skip):
        try:
            if fault is not None:
                raise fault
            samples = reader.samples(cells)
        except CellFault as error:
            bad = Place(path, number).fault(error.reason, error.field, error.detail)
            bad.__cause__ = error
            report(bad, on_bad)
            continue
        yield from samples


def benchmarks_of(
    paths: Iterable[Path],
    *,
    bar: Interval | None = None,
    benchmarks: Mapping[str, str] | None = None,
) -> Benchmarks | None:
    """Return the prices of the benchmarks in files, for ``read_prices``; None where none has any.

    Only the benchmarks' rows are read and held. A row with a fault is left to ``read_prices``.

    Args and raises: see ``read_prices``.
    """
    chosen = BENCHMARKS if benchmarks is None else benchmarks
    wanted = frozenset(chosen.values())
    tables = [
        (table, form_of(table.path, table.header, bar=bar, source="file"))
        for table in map(_open, paths)
    ]
    naming = [
        (table, form)
        for table, form in tables
        if (table.may_name(wanted) if form.ticker is None else form.ticker in wanted)
    ]
    if not naming:
        return None
    found = (sample for table, form in naming for sample in _samples_of(table, form, wanted))
    return Benchmarks(found, chosen)


def _open(path: Path) -> PriceTable:
    return ParquetTable(path) if path.suffix in PARQUET else CsvTable(path)


def _skip(at: int, only: Callable[[str], bool]) -> Skip:
    """Return what leaves out the rows of other tickers, by the cell where a row has its ticker."""

    @lru_cache(maxsize=16_384)
    def is_other(ticker: str) -> bool:
        return not only(ticker.strip())

    def skip(cells: Sequence[Cell]) -> bool:
        ticker = str(cells[at]) if 0 <= at < len(cells) else ""
        return is_other(ticker[:LONGEST_CELL])

    return skip


def _samples_of(table: PriceTable, form: Form, tickers: Collection[str]) -> Iterator[PriceSample]:
    reader = RowReader(form)
    at = form.at["ticker"]
    for cells in table.naming(tickers if form.ticker is None else ("",)):
        if (form.ticker or cells[at]) in tickers:
            with suppress(CellFault):
                yield from reader.samples(cells)
