"""Decimals from Yahoo's binary numbers, with no digit that Yahoo did not mean."""

import struct
from decimal import ROUND_HALF_EVEN, Decimal
from math import isfinite

__all__ = ["decimal_of", "rounded"]

_LARGEST = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
# Six digits always survive single precision, nine always name one number of it.
_DIGITS = range(6, 10)


def decimal_of(value: float) -> Decimal:
    """Return the shortest decimal that is the same number in single precision.

    Yahoo keeps prices in single precision, and its JSON shows them as doubles: 47.52 comes as
    47.520000457763672. All 252 closes of a recorded year are such numbers. The shortest text that
    reads back as the same single is what was meant, to the seven digits that a single holds.

    Args:
        value: finite, within the range of single precision.
    Raises: ValueError for any other.
    """
    if not isfinite(value) or abs(value) > _LARGEST:
        raise ValueError(f"must be finite and in single precision, was {value!r}")
    single = struct.pack("<f", value)
    for digits in _DIGITS:
        text = f"{value:.{digits}g}"
        if struct.pack("<f", float(text)) == single:
            break
    # Without an exponent: 1E+8 is a way to write it that readers of prices need not know.
    return Decimal(format(Decimal(text), "f"))


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Return the value with at most so many decimals, without zeros at the end."""
    text = format(value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN), "f")
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
