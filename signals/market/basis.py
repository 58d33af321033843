"""Prices made comparable with one price before them: splits counted in, suspected ones marked."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from signals.market.splits import ONE, Jump, factor_between, jumps_of
from signals.messages import Second, Split

__all__ = ["Basis", "basis_after"]

_NONE = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The splits, and the jumps that look like one, after a price.

    Attributes:
        time_us: when the price was made.
        splits: those that take effect later, ascending.
        jumps: ascending.
    """

    time_us: int
    splits: tuple[Split, ...] = ()
    jumps: tuple[Jump, ...] = ()

    def factor(self, second_us: int) -> Decimal:
        """Return by how much a price of that second is multiplied to compare with the base."""
        return factor_between(self.splits, self.time_us, second_us) if self.splits else ONE

    def suspected(self, second_us: int) -> Fraction:
        """Return the splits up to a second that are only suspected, as one ratio; 1 for none."""
        i = bisect_right(self.jumps, second_us, key=_second_us) if self.jumps else 0
        return self.jumps[i - 1].ratio if i else _NONE

    def is_suspect(self, second_us: int) -> bool:
        """Return whether a price of that second may stand on another number of shares."""
        return bool(self.jumps) and self.suspected(second_us) != 1

    def received_us(self, second_us: int) -> int:
        """Return when the last of the splits up to a second was received; 0 without one."""
        between = (split.received_us for split in self.splits if split.effective_us <= second_us)
        return max(between, default=0)


def basis_after(
    price: Decimal, time_us: int, seconds: Iterable[Second], splits: Sequence[Split]
) -> Basis:
    """Return what makes later prices comparable with one.

    Args:
        price: the base.
        time_us: when it was made.
        seconds: the later prices, ascending.
        splits: of the ticker, ascending.
    """
    return Basis(
        time_us=time_us,
        splits=tuple(split for split in splits if split.effective_us > time_us),
        jumps=jumps_of(price, time_us, seconds, splits),
    )


def _second_us(jump: Jump) -> int:
    return jump.second_us
