"""Splits: prices on both sides of one, and jumps that look like one but that no record tells of.

Prices are kept as they were traded, so a ten-for-one split looks like a fall of 90 %. A record of
it makes the prices comparable. Without a record, a step between two prices that follow each other
of nearly a whole ratio (half, a tenth, twice ...) is taken to be a split that nobody told of: what
is measured across it is flagged and has no figure, never a move of 50 %. A record with a ratio of 1
says that it was none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from signals.market.bands import Band, band_of
from signals.messages import Micros, Second, Split
from signals.policy import SECOND_US

__all__ = [
    "LEAST_STEP",
    "MOST_STEP",
    "ONE",
    "Jump",
    "SplitsRow",
    "add_split",
    "extremes_of",
    "factor_between",
    "jump_of",
    "jumps_of",
]

ONE = Decimal(1)
# The ratios of nearly all splits and reverse splits of listed shares. Three-for-two is left out: a
# fall of a third is more often a fall.
_RATIOS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 16, 20, 25, 30, 40, 50, 100)
# The share itself moves overnight, too: of 173,000 nights of 105 American shares (2019 to 2026)
# 15 % moved it by more than 2 %, under 2 % by more than 6 %. None halved or doubled it; the deepest
# real falls were 45 % and 38 %.
_NEAR = 1.06
LEAST_STEP, MOST_STEP = 0.55, 1.8  # between them no step is near a ratio
_LOWEST = 0.75  # of a price; from there to 0.75 * MOST_STEP of it is no such step


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitsRow:
    """The splits of a ticker, ascending by when they take effect."""

    splits: tuple[Split, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """From ``second_us`` the prices look as if each share had become ``ratio``: 2, 10, 1/4 ...

    ``ratio`` is that of all jumps so far: one bad price that looks like a split, and the price
    after it that looks like the reverse, leave a ratio of 1.
    """

    second_us: Micros
    ratio: Fraction


def add_split(row: SplitsRow | None, split: Split) -> SplitsRow | None:
    """Return the row with a split added; None if it says nothing new.

    Of two records of one moment the later receipt stands, which may correct the other.
    """
    splits = {} if row is None else {old.effective_us: old for old in row.splits}
    known = splits.get(split.effective_us)
    if known is not None and (known.received_us, known.ratio) >= (split.received_us, split.ratio):
        return None
    splits[split.effective_us] = split
    return SplitsRow(splits=tuple(splits[effective_us] for effective_us in sorted(splits)))


def factor_between(splits: Sequence[Split], from_us: int, to_us: int) -> Decimal:
    """Return by how much the price at ``to_us`` has to be multiplied to compare with ``from_us``'s.

    A split counts that takes effect after ``from_us`` and no later than ``to_us``.
    """
    factor = ONE
    for split in splits:
        if from_us < split.effective_us <= to_us:
            factor *= split.ratio
    return factor


def jump_of(earlier: Decimal, later: Decimal) -> Fraction | None:
    """Return the split that the step from one price to the next looks like, None for no split."""
    step = float(later) / float(earlier)
    if LEAST_STEP < step < MOST_STEP:
        return None
    for ratio in _RATIOS:
        if _is_near_one(step * ratio):
            return Fraction(ratio)
        if _is_near_one(step / ratio):
            return Fraction(1, ratio)
    return None


def _is_near_one(step: float) -> bool:
    # As near from above as from below: a bad price and the one after it look alike.
    return step <= _NEAR and step * _NEAR >= 1.0


def jumps_of(
    price: Decimal, time_us: int, seconds: Iterable[Second], splits: Sequence[Split]
) -> tuple[Jump, ...]:
    """Return where prices that follow each other look like a split that no record tells of.

    Args:
        price: what the first second is compared with.
        time_us: when it was made.
        seconds: ascending.
        splits: between two prices with a record between them nothing is suspected.
    """
    found: list[Jump] = []
    ratio = Fraction(1)
    low, high = _steady(price)
    for second in seconds:
        if low < second.first < high and low < second.last < high:
            price, time_us = second.last, second.second_us
            continue  # nearly all of them
        suspected = jump_of(price, second.first)
        if suspected is not None and not _is_told(splits, time_us, second.second_us):
            ratio *= suspected
            found.append(Jump(second_us=second.second_us, ratio=ratio))
        inside = None if second.first == second.last else jump_of(second.first, second.last)
        if inside is not None:
            # Such a second stands on both sides, and is suspect itself.
            at_us = second.second_us if ratio == 1 else second.second_us + SECOND_US
            ratio *= inside
            found.append(Jump(second_us=Micros(at_us), ratio=ratio))
        price, time_us = second.last, second.second_us
        low, high = _steady(price)
    return tuple(found)


def _steady(price: Decimal) -> Band:
    """Return the prices around one of which no two make a step that looks like a split."""
    return band_of(_LOWEST * float(price), _LOWEST * MOST_STEP * float(price))


def extremes_of(second: Second) -> tuple[Decimal, Decimal]:
    """Return a second's high and low, less one that looks like a split between its other prices.

    A single bad price among good ones is no extreme; what lies between first and last remains.
    """
    first, last = second.first, second.last
    high = second.high if _is_sound(second.high, second) else max(first, last)
    low = second.low if _is_sound(second.low, second) else min(first, last)
    return high, low


def _is_sound(price: Decimal, second: Second) -> bool:
    return jump_of(second.first, price) is None or jump_of(second.last, price) is None


def _is_told(splits: Sequence[Split], from_us: int, to_us: int) -> bool:
    return any(from_us < split.effective_us <= to_us for split in splits)
