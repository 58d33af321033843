from decimal import Decimal
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from signals.market.bands import band_of

_PRICES = st.floats(min_value=1e-6, max_value=1e9)


@given(low=_PRICES, high=_PRICES)
def test_band_of_decimals_lies_within_that_of_floats(low: float, high: float) -> None:
    lowest, highest = band_of(low, high)

    assert Decimal(low) <= lowest <= Decimal(low) * Decimal("1.00000001")
    assert Decimal(high) * Decimal("0.99999999") <= highest <= Decimal(high)


def test_band_without_bounds_holds_every_price() -> None:
    lowest, highest = band_of(-inf, inf)

    assert lowest < 0
    assert highest > 10**12
