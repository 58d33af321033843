"""sample_prices: trades and bars of a ticker, merged by second.

A second is sent when it opens, again when it has moved by more than a set step, and once more, if
it differs from what was sent, when a later second opens or a late sample comes. Whoever folds
seconds merges them again, so a second that this step no longer remembers is not lost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from signals import names
from signals.errors import BadMessage
from signals.fold import EMPTY, Output, Result, Rows, Step
from signals.messages import Daily, Micros, PriceSample, Second
from signals.policy import SECOND_US, Policy

__all__ = ["RecentRow", "merge_seconds", "sample_prices_step"]

_RECENT = "recent"
_REMEMBERED = 4  # seconds of a ticker; older ones are merged by whoever folds them


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentRow:
    """The latest seconds of a ticker, ascending, and for each what was last sent of it."""

    merged: tuple[Second, ...]
    sent: tuple[Second, ...]


def sample_prices_step(policy: Policy) -> Step:
    """Return the step of sample_prices: state per ticker, seconds and daily closes out."""

    def step(rows: Rows, ticker: str, sample: PriceSample) -> Result:
        _check(sample, policy)
        row: RecentRow = rows.get(_RECENT) or RecentRow(merged=(), sent=())
        merged = {second.second_us: second for second in row.merged}
        if sample.kind == "daily":
            # The session is over, and so is its last second.
            due = _due(merged, row, sample, step=None)
            outputs = (*map(_output, due), _daily(sample))
            return Result(changes=_folded(row, merged, due), outputs=outputs)
        is_news = False
        for second in _seconds(sample):
            known = merged.get(second.second_us)
            now = second if known is None else merge_seconds(known, second)
            is_news = is_news or now != known
            merged[now.second_us] = now
        if not is_news:
            return EMPTY
        due = _due(merged, row, sample, step=Decimal(str(policy.price_step)))
        outputs = tuple(map(_output, due))
        return Result(changes=_folded(row, merged, due), outputs=outputs)

    return step


def _folded(
    row: RecentRow, merged: dict[Micros, Second], due: Sequence[Second]
) -> Mapping[str, RecentRow]:
    """Return the row as it stands when the seconds that are due are sent."""
    sent = {second.second_us: second for second in (*row.sent, *due)}
    kept = sorted(merged)[-_REMEMBERED:]
    after = RecentRow(
        merged=tuple(merged[key] for key in kept),
        sent=tuple(sent[key] for key in kept if key in sent),
    )
    return {} if after == row else {_RECENT: after}


def merge_seconds(one: Second, other: Second) -> Second:
    """Return both halves of a second as one, whichever came first.

    First and last go by event time; of two samples at one microsecond the lower price is the first
    and the higher the last, so that the order of arrival does not matter. ``volume`` is the larger:
    a second that is sent again holds what it held before.
    """
    first = min((one.first_us, one.first), (other.first_us, other.first))
    last = max((one.last_us, one.last), (other.last_us, other.last))
    volumes = [second.volume for second in (one, other) if second.volume is not None]
    later = max(one, other, key=_last_order)
    return replace(
        one,
        first_us=first[0],
        first=first[1],
        high=max(one.high, other.high),
        low=min(one.low, other.low),
        last_us=last[0],
        last=last[1],
        volume=max(volumes) if volumes else None,
        received_us=max(one.received_us, other.received_us),
        benchmark=later.benchmark,
        benchmark_price=later.benchmark_price,
    )


def _last_order(second: Second) -> tuple[int, Decimal, Decimal, str]:
    """Return what the benchmark's price goes by: that of the last sample, the higher of two."""
    price = second.benchmark_price
    return (
        second.last_us,
        second.last,
        Decimal(0) if price is None else price,
        second.benchmark or "",
    )


def _check(sample: PriceSample, policy: Policy) -> None:
    known_us = sample.event_us if sample.end_us is None else sample.end_us
    late_us = sample.received_us - known_us
    if late_us > policy.price_late_us and sample.kind != "daily":
        detail = f"received {late_us} after the price, at most {policy.price_late_us} is allowed"
        raise BadMessage("late", "$.received_us", detail)


def _daily(sample: PriceSample) -> Output:
    if sample.close is None or sample.end_us is None:
        raise BadMessage("missing_field", "$.close", "must be given in a daily record")
    daily = Daily(
        ticker=sample.ticker,
        close_us=sample.end_us,
        close=sample.close,
        received_us=sample.received_us,
        benchmark=sample.benchmark,
        benchmark_close=sample.benchmark_price,
    )
    event_us = min(sample.end_us, sample.received_us)
    return Output(topic=names.JOURNAL, key=sample.ticker, message=daily, event_us=Micros(event_us))


def _seconds(sample: PriceSample) -> Iterable[Second]:
    """Return what a sample tells of each second: a trade of one, a bar of its first and its last.

    A bar's high and low are dated to its last second: from then on they are known to have been.
    """
    if sample.price is not None and sample.kind == "trade":
        price = sample.price
        return (_second(sample, sample.event_us, price, high=price, low=price),)
    if sample.open is None or sample.close is None or sample.end_us is None:
        raise BadMessage("missing_field", "$.open", f"must be given in a {sample.kind}")
    high = sample.close if sample.high is None else sample.high
    low = sample.close if sample.low is None else sample.low
    opening = _second(sample, sample.event_us, sample.open, high=sample.open, low=sample.open)
    closing = _second(sample, Micros(sample.end_us - 1), sample.close, high=high, low=low)
    if opening.second_us == closing.second_us:
        return (merge_seconds(opening, closing),)
    return (replace(opening, volume=None), closing)


def _second(
    sample: PriceSample, event_us: Micros, price: Decimal, *, high: Decimal, low: Decimal
) -> Second:
    return Second(
        ticker=sample.ticker,
        second_us=Micros(event_us - event_us % SECOND_US),
        first_us=event_us,
        first=price,
        high=high,
        low=low,
        last_us=event_us,
        last=price,
        volume=sample.volume,
        received_us=sample.received_us,
        benchmark=sample.benchmark,
        benchmark_price=sample.benchmark_price,
    )


def _due(
    merged: dict[Micros, Second], row: RecentRow, sample: PriceSample, *, step: Decimal | None
) -> tuple[Second, ...]:
    """Return the seconds to send; the newest only past ``step`` (ratio), if that is given.

    What a sample sets free is known from its receipt, whenever its own samples came.
    """
    newest = max(merged, default=0)
    sent = {second.second_us: second for second in row.sent}
    due = []
    for key in sorted(merged):
        second, before = merged[key], sent.get(key)
        if before is not None:
            if second == before or replace(second, received_us=before.received_us) == before:
                continue
            if step is not None and key == newest and not _moved(second, before, step):
                continue
        if second.received_us < sample.received_us:
            second = merged[key] = replace(second, received_us=sample.received_us)
        due.append(second)
    return tuple(due)


def _moved(now: Second, before: Second, ratio: Decimal) -> bool:
    step = ratio * before.last
    return (
        abs(now.last - before.last) > step
        or now.high - before.high > step
        or before.low - now.low > step
    )


def _output(second: Second) -> Output:
    event_us = Micros(min(second.second_us, second.received_us))
    return Output(topic=names.JOURNAL, key=second.ticker, message=second, event_us=event_us)
