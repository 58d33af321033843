"""Dated exchange rates: how many US dollars one unit was worth, by day."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from signals.messages import Micros

__all__ = ["DAY_US", "Rates"]

DAY_US = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Rates:
    """Units of a currency per euro, one row a business day.

    Attributes:
        source: where the figures come from.
        days: days since 1970, ascending.
        per_euro: by currency, one figure for each day as text; empty where none was published.
    """

    source: str
    days: Sequence[int]
    per_euro: Mapping[str, Sequence[str]]

    def to_usd(self, value: Decimal, currency: str, published_us: Micros | None) -> Decimal | None:
        """Return the value in US dollars by the last rate dated before the publish day.

        None for a currency without rates, a time before the first one, or no time at all.
        """
        if currency == "USD":
            return value
        if published_us is None:
            return None
        row = bisect_left(self.days, published_us // DAY_US) - 1
        dollar = self._rate("USD", row)
        own = Decimal(1) if currency == "EUR" else self._rate(currency, row)
        if dollar is None or own is None:
            return None
        with localcontext() as context:
            context.prec = 28
            return (value * dollar / own).quantize(Decimal(1))

    def _rate(self, currency: str, row: int) -> Decimal | None:
        figures = self.per_euro.get(currency)
        if figures is None or row < 0:
            return None
        return next(
            (Decimal(text) for text in figures[max(row - 5, 0) : row + 1][::-1] if text), None
        )
