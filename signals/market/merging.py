"""Two halves of a second made one, in whatever order they came."""

from decimal import Decimal
from typing import NamedTuple

from signals.frozen import make
from signals.messages import Micros, Second

__all__ = ["OpenSecond", "merge_open", "merge_seconds", "second_of"]


class OpenSecond(NamedTuple):
    """A second as it is merged so far.

    ``is_sent`` says whether it was sent as it stands; ``sent`` is the last price of what was sent,
    and one far from it has the second sent again at once. The others are those of ``Second``.
    """

    second_us: Micros
    first_us: Micros
    first: Decimal
    high: Decimal
    low: Decimal
    last_us: Micros
    last: Decimal
    received_us: Micros
    benchmark: str | None
    benchmark_price: Decimal | None
    day_volume: Decimal | None
    is_sent: bool
    sent: Decimal


def second_of(ticker: str, open_second: OpenSecond) -> Second:
    """Return the message that tells a second as it is merged so far.

    By place, which takes half the time.
    """
    (second_us, first_us, first, high, low, last_us, last, received_us, benchmark, benchmark_price,
     day_volume, _, _) = open_second  # fmt: skip
    return make(Second, (ticker, second_us, first_us, first, high, low, last_us, last, received_us,
                         benchmark, benchmark_price, day_volume, "second"))  # fmt: skip


def merge_open(one: OpenSecond, other: OpenSecond) -> OpenSecond:
    """Return both halves of a second as one, or ``one`` itself where the other adds nothing.

    See ``merge_seconds``, whose rules these are.
    """
    first_us, first = min((one.first_us, one.first), (other.first_us, other.first))
    later = max(one, other, key=_last_order)
    day_volume = _larger(one.day_volume, other.day_volume)
    high, low = max(one.high, other.high), min(one.low, other.low)
    told = (first_us, first, high, low, later.last_us, later.last, later.benchmark,
            later.benchmark_price, day_volume)  # fmt: skip
    if told == (one.first_us, one.first, one.high, one.low, one.last_us, one.last, one.benchmark,
                one.benchmark_price, one.day_volume):  # fmt: skip
        return one
    return one._replace(
        first_us=first_us,
        first=first,
        high=high,
        low=low,
        last_us=later.last_us,
        last=later.last,
        received_us=max(one.received_us, other.received_us),
        benchmark=later.benchmark,
        benchmark_price=later.benchmark_price,
        day_volume=day_volume,
        is_sent=False,
    )


def merge_seconds(one: Second, other: Second) -> Second:
    """Return both halves of a second as one, whichever came first.

    First and last go by event time; of two samples at one microsecond the lower price is the first
    and the higher the last, so that the order of arrival does not matter. The benchmark's price is
    that of the last sample, ``day_volume`` the larger: a second that is sent again, or sent in
    parts, holds what it held before.
    """
    if _holds(other, one):
        return other
    first_us, first = min((one.first_us, one.first), (other.first_us, other.first))
    later = max(one, other, key=_last_order)
    return Second(
        ticker=one.ticker,
        second_us=one.second_us,
        first_us=first_us,
        first=first,
        high=max(one.high, other.high),
        low=min(one.low, other.low),
        last_us=later.last_us,
        last=later.last,
        received_us=max(one.received_us, other.received_us),
        benchmark=later.benchmark,
        benchmark_price=later.benchmark_price,
        day_volume=_larger(one.day_volume, other.day_volume),
    )


def _holds(whole: Second, part: Second) -> bool:
    """Return whether all of a part is in the whole: nearly always, of a second sent again."""
    return (
        whole.last_us > part.last_us
        and whole.first_us == part.first_us
        and whole.first <= part.first
        and whole.high >= part.high
        and whole.low <= part.low
        and whole.received_us >= part.received_us
        and _larger(whole.day_volume, part.day_volume) == whole.day_volume
    )


def _last_order(second: Second | OpenSecond) -> tuple[int, Decimal, Decimal, str]:
    """Return what decides which half holds the last price; of equals, the higher benchmark."""
    price = second.benchmark_price
    return (
        second.last_us,
        second.last,
        Decimal(0) if price is None else price,
        second.benchmark or "",
    )


def _larger(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
