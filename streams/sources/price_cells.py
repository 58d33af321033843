"""What single cells of a price file say: a time, a figure, or a fault with the field's name."""

import re
import struct
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from signals.errors import BadReason
from signals.messages import Micros
from streams.sources.times import instant_us, parse_instant

__all__ = [
    "EMPTY",
    "LONGEST_CELL",
    "Cell",
    "CellFault",
    "figure",
    "instant",
    "moment",
    "single_figure",
    "single_text",
]

# A time that the file holds as a number is an int, microseconds since 1970; all else is text.
Cell = str | int

EMPTY = "must be given, the cell is empty"
LONGEST_CELL = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a price looks like: no exponent, no NaN, no thousands separator.
_DECIMAL = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)
_MICROS = re.compile(r"\d{1,18}", re.ASCII)
_SINGLE_DIGITS = range(1, 10)  # nine significant digits tell any two single floats apart


class CellFault(Exception):  # noqa: N818  # it is what a cell has; the error names file and line
    """What is wrong with one field of a row, before its file and line are known."""

    def __init__(self, reason: BadReason, field: str, detail: str) -> None:
        super().__init__(reason, field, detail)
        self.reason: BadReason = reason
        self.field = field
        self.detail = detail


def moment(cell: Cell, field: str) -> Micros:
    """Return the time of a cell: an int, digits in a field ``…_us``, or ISO 8601 text.

    Raises: CellFault.
    """
    if isinstance(cell, int):
        return Micros(cell)
    if not cell:
        raise CellFault("missing_field", field, EMPTY)
    if field.endswith("_us"):
        if not _MICROS.fullmatch(cell):
            detail = f"must be microseconds since 1970 like 1762169820000000, was {cell!r:.60}"
            raise CellFault("bad_value", field, detail)
        return Micros(int(cell))
    try:
        return instant(cell)
    except (ValueError, OverflowError) as error:
        raise CellFault("bad_value", field, str(error)) from error


@lru_cache(maxsize=16_384)  # all tickers of a minute have one text
def instant(text: str) -> Micros:
    """Return the microseconds of ISO 8601 text, as ``parse_instant`` reads it, but sooner.

    Raises: ValueError or OverflowError.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return instant_us(parse_instant(text))
    if parsed.tzinfo is None:
        return instant_us(parse_instant(text))
    since = parsed - _EPOCH
    return Micros((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def figure(cell: Cell, field: str) -> Decimal:
    """Return the decimal of a cell. Raises: CellFault."""
    try:
        return _decimal(cell)
    except ValueError:
        if not cell:
            raise CellFault("missing_field", field, EMPTY) from None
        detail = f'must be a decimal like "73.07", was {cell!r:.60}'
        raise CellFault("bad_value", field, detail) from None


@lru_cache(maxsize=65_536)  # prices and round lots repeat
def _decimal(cell: Cell) -> Decimal:
    if isinstance(cell, int) or not _DECIMAL.fullmatch(cell):  # an int is a time
        raise ValueError
    return Decimal(cell)


def single_figure(cell: Cell, field: str) -> Decimal:
    """Return what a provider of single floats meant: 47.4775 for ``47.477500915527344``.

    Yahoo keeps prices as single floats, and a file holds their digits as doubles. A figure that is
    exactly a single float of more digits than such a one holds becomes the shortest that names it.

    Raises: CellFault.
    """
    exact = figure(cell, field)
    if len(exact.as_tuple().digits) <= _SINGLE_DIGITS[-1]:
        return exact
    shortest = single_text(float(exact))
    return exact if shortest is None else Decimal(shortest)


def single_text(value: float) -> str | None:
    """Return the shortest decimal that names a single float, None for a double that is none."""
    packed = struct.pack("f", value)
    if struct.unpack("f", packed)[0] != value:
        return None
    texts = (f"{value:.{digits}g}" for digits in _SINGLE_DIGITS)
    shortest = next(text for text in texts if struct.pack("f", float(text)) == packed)
    return format(Decimal(shortest), "f")
