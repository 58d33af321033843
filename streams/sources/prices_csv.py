"""Price rows from CSV with a header."""

import csv
from collections.abc import Collection, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path

from streams.sources.faults import open_file
from streams.sources.places import Place
from streams.sources.price_cells import LONGEST_CELL, CellFault
from streams.sources.price_table import Skip

__all__ = ["CsvTable"]

_CHUNK = 1024 * 1024
_ONE = ("",)


class CsvTable:
    """A CSV file in UTF-8, of which one row at a time is held."""

    def __init__(self, path: Path) -> None:
        """Read the header. Raises: ConfigError for a file that cannot be opened."""
        self.path = path
        self.header = next(self._lines(), (1, []))[1]
        self.header = [name.strip() for name in self.header]

    def rows(
        self, skip: Skip | None = None
    ) -> Iterator[tuple[int, Sequence[str], CellFault | None]]:
        """Yield line numbers and cells without blanks around them; empty lines are passed over."""
        yield from self._rows(self._lines(), skip)

    def naming(self, tickers: Collection[str]) -> Iterator[Sequence[str]]:
        """Yield the cells of rows without a fault; those that name no ticker are mostly left out.

        The others are found by their text, before they are taken apart.
        """
        for _, cells, fault in self._rows(self._lines(tickers), None):
            if fault is None:
                yield cells

    def _rows(
        self, lines: Iterator[tuple[int, list[str]]], skip: Skip | None
    ) -> Iterator[tuple[int, list[str], CellFault | None]]:
        next(lines, None)
        width = len(self.header)
        for line, cells in lines:
            if skip is not None and skip(cells):
                continue
            cells += _ONE if len(cells) >= width else [""] * (1 + width - len(cells))
            text = "".join(cells)
            if text and text.isprintable() and " " not in text and len(text) <= LONGEST_CELL:
                yield line, cells, None  # nothing to strip, and no cell is too long or not UTF-8
            elif text.strip():
                stripped = [cell.strip() for cell in cells]
                yield line, stripped, self._fault_of(stripped)

    def may_name(self, tickers: Collection[str]) -> bool:
        """Return whether the bytes of one of the tickers stand anywhere in the file."""
        wanted = [ticker.encode() for ticker in tickers]
        overlap = max(map(len, wanted), default=1) - 1
        before = b""
        with open_file(self.path) as file:
            while chunk := file.read(_CHUNK):
                text = before + chunk
                if any(ticker in text for ticker in wanted):
                    return True
                before = text[-overlap:] if overlap else b""
        return False

    def _fault_of(self, cells: Sequence[str]) -> CellFault | None:
        """Return what is wrong with a row's text, whatever the columns mean."""
        for name, cell in zip(self.header, cells, strict=False):
            if len(cell) > LONGEST_CELL:
                detail = f"must be at most {LONGEST_CELL} characters, was {cell!r:.60}"
                return CellFault("bad_value", name, detail)
            if not cell.isascii() and any("\ud800" <= sign <= "\udfff" for sign in cell):
                return CellFault("invalid_utf8", name, f"must be UTF-8, was {cell!r:.60}")
        return None

    def _lines(self, naming: Collection[str] = ("",)) -> Iterator[tuple[int, list[str]]]:
        file = open_file(self.path)
        # Bytes that are not UTF-8 stay marked, so that their row can be named.
        with TextIOWrapper(
            file, encoding="utf-8-sig", errors="surrogateescape", newline=""
        ) as text:
            rows = csv.reader(text if "" in naming else _naming(text, naming))
            try:
                for cells in rows:
                    yield rows.line_num, cells
            except csv.Error as error:
                place = Place(self.path, rows.line_num)
                raise place.fault("bad_value", "", f"is no CSV: {error}") from error


def _naming(lines: Iterator[str], tickers: Collection[str]) -> Iterator[str]:
    """Yield the first line and those that have one of the tickers in their text.

    From the first quotation mark on all of them, since a quoted cell may go over several lines.
    """
    for number, line in enumerate(lines):
        if '"' in line:
            yield line
            yield from lines
        elif number == 0 or any(ticker in line for ticker in tickers):
            yield line
