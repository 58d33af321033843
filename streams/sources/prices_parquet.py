"""Price rows from Parquet, a batch of them held at a time; needs the extra ``parquet``."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from importlib import import_module
from itertools import repeat
from pathlib import Path
from types import ModuleType
from typing import Any

from signals.errors import ConfigError
from streams.sources.faults import open_file
from streams.sources.price_cells import LONGEST_CELL, Cell, CellFault, single_text
from streams.sources.price_form import NAMES
from streams.sources.price_table import Skip

__all__ = ["ParquetTable"]

_BATCH = 8192
_UNITS_PER_S = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

_Cells = Callable[[Any], Iterable[Cell]]


class ParquetTable:
    """A Parquet file with typed columns.

    Times are timestamps with a zone, dates, or integers in columns ``…_us``; figures are decimals,
    integers, or floats, which are taken by their shortest text; text says what it says in CSV.
    """

    def __init__(self, path: Path) -> None:
        """Read the names of the columns. Raises: ConfigError for a file that is no Parquet."""
        self.path = path
        self._arrow, self._parquet = _import_arrow()
        with self._opened() as file:
            self.header: list[str] = file.schema_arrow.names

    def rows(
        self, skip: Skip | None = None
    ) -> Iterator[tuple[int, Sequence[Cell], CellFault | None]]:
        """Yield row numbers from 1, and cells: times as integers, all else as text.

        Columns that mean nothing are not read, their cells are empty.

        Raises: ConfigError for a column of a type that has no place here, or a broken file.
        """
        number = 0
        wanted = [name for name in self.header if name in NAMES]
        with self._opened() as file:
            readers = {name: self._reader(name, file.schema_arrow.field(name)) for name in wanted}
            for batch in file.iter_batches(batch_size=_BATCH, columns=wanted):
                columns = [
                    readers[name](batch.column(name)) if name in readers else repeat("")
                    for name in self.header
                ]
                for cells in zip(*columns, repeat(""), strict=False):
                    number += 1
                    if skip is None or not skip(cells):
                        yield number, cells, None

    def naming(self, tickers: Collection[str]) -> Iterator[Sequence[Cell]]:
        """Yield the cells of the rows that name one of the tickers; all without such a column."""
        if "ticker" not in self.header:
            skip = None
        else:
            at, wanted = self.header.index("ticker"), frozenset[Cell](tickers)
            skip = lambda cells: cells[at] not in wanted  # noqa: E731
        for _, cells, _ in self.rows(skip):
            yield cells

    def may_name(self, tickers: Collection[str]) -> bool:
        """Return whether a row has one of the tickers."""
        if "ticker" not in self.header:
            return False
        with self._opened() as file:
            for batch in file.iter_batches(batch_size=_BATCH, columns=["ticker"]):
                if not set(tickers).isdisjoint(batch.column(0).to_pylist()):
                    return True
        return False

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """Open the file anew; what it lacks or where it is torn is one sentence."""
        with open_file(self.path) as raw:
            try:
                yield self._parquet.ParquetFile(raw, page_checksum_verification=True)
            except (self._arrow.ArrowException, OSError) as error:
                said = " ".join(str(error).split())[:160]
                raise ConfigError(
                    f"{self.path} is no whole Parquet file: {said}; write or copy it again"
                ) from error

    def _reader(self, name: str, field: Any) -> _Cells:
        """Return what turns a column's values into cells."""
        types, kind = self._arrow.types, field.type
        if types.is_timestamp(kind):
            if kind.tz is None:
                raise ConfigError(
                    f"{self.path}: the column {name} holds times without a zone; "
                    "write them with one (UTC), or as microseconds in a column …_us"
                )
            return self._moments(_UNITS_PER_S[kind.unit])
        if types.is_date(kind):
            return lambda column: [
                "" if day is None else day.isoformat() for day in _values(column)
            ]
        for is_kind, text_of in (
            (types.is_integer, str),
            (types.is_float64, _double_text),
            (types.is_float32, _single_text),
            (types.is_decimal, _decimal_text),
        ):
            if is_kind(kind):
                return lambda column: _texts(column, text_of)
        if types.is_dictionary(kind):
            kind = kind.value_type
        if types.is_string(kind) or types.is_large_string(kind):
            return lambda column: _texts(column, _stripped)
        if types.is_null(kind):
            return lambda column: repeat("", len(column))
        raise ConfigError(
            f"{self.path}: the column {name} is of the type {kind}; write times as timestamps "
            "with a zone, figures as decimals or doubles, and the rest as strings"
        )

    def _moments(self, units_per_s: int) -> _Cells:
        def read(column: Any) -> list[Cell]:
            counts = column.cast(self._arrow.int64()).to_pylist()
            return ["" if count is None else count * 1_000_000 // units_per_s for count in counts]

        return read


def _import_arrow() -> tuple[ModuleType, ModuleType]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise ConfigError(
            "Parquet needs pyarrow; install it with pip install 'tapewire[parquet]'"
        ) from error


def _values(column: Any) -> list[Any]:
    values: list[Any] = column.to_pylist()
    return values


def _texts(column: Any, text_of: Callable[[Any], str]) -> list[Cell]:
    return ["" if value is None else text_of(value) for value in _values(column)]


def _stripped(text: str) -> str:
    # As in CSV; what is too long is no figure and no ticker, and only its beginning is told.
    return text.strip()[: LONGEST_CELL + 1]


def _double_text(value: float) -> str:
    return _decimal_text(Decimal(repr(value)))


def _single_text(value: float) -> str:
    text = single_text(value) if abs(value) < float("inf") else None
    return _double_text(value) if text is None else text


def _decimal_text(value: Decimal) -> str:
    # The scale of a column is a matter of storage: 73.0700 is 73.07.
    return format(value.normalize(), "f") if value.is_finite() else str(value)
