"""A port: the rows of a price file, whatever it is made of."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from streams.sources.price_cells import Cell, CellFault

__all__ = ["PriceTable", "Skip"]

Skip = Callable[[Sequence[Cell]], bool]


class PriceTable(Protocol):
    """A file with named columns, read row by row as often as wanted."""

    @property
    def path(self) -> Path:
        """Return the file."""

    @property
    def header(self) -> Sequence[str]:
        """Return the names of the columns."""

    def rows(
        self, skip: Skip | None = None
    ) -> Iterator[tuple[int, Sequence[Cell], CellFault | None]]:
        """Yield each row's number, as a person would find it, its cells by the header, its fault.

        One empty cell more than there are columns stands at the end, so that -1 is the place of a
        column that the file has not. A shorter row has been filled up with empty cells.
        The fault is one of text alone: bytes that are no UTF-8, or a cell that is too long.

        Args:
            skip: asked of a row's first cells, as the file has them, whether to leave it out.
        Raises: BadMessage or ConfigError for a file that cannot be read any further.
        """

    def naming(self, tickers: Collection[str]) -> Iterator[Sequence[Cell]]:
        """Yield the cells of rows without a fault, of those that name one of the tickers all.

        Args and raises: see ``rows``.
        """

    def may_name(self, tickers: Collection[str]) -> bool:
        """Return whether a row may have one of the tickers: False only where none has."""
