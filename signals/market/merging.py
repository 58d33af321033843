"""Two halves of a second made one, in whatever order they came."""

from decimal import Decimal

from signals.messages import Second

__all__ = ["add_to_second", "merge_seconds"]


def add_to_second(known: Second, told: Second) -> Second:
    """Return a second with what is told of it merged in; ``known`` itself if that adds nothing.

    What was known already is not known anew because it is told again later.
    """
    merged = merge_seconds(known, told)
    return known if merged._replace(received_us=known.received_us) == known else merged


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


def _last_order(second: Second) -> tuple[int, Decimal, Decimal, str]:
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
