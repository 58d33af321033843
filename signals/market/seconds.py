"""sample_prices: trades and bars of a ticker, merged by second.

A second is sent when it opens, again when it has moved by more than a set step, and once more, if
it differs from what was sent, when a later second opens or a late sample comes. Whoever folds
seconds merges them again, so a second that this step no longer remembers is not lost: a sample of
it is sent as a second of its own.

The state is the two newest seconds as they are merged so far, and the last price that was sent of
the newest one where it has changed since.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from signals import names
from signals.errors import BadMessage
from signals.fold import EMPTY, NO_CHANGE, Output, Result, Rows, Step
from signals.frozen import make
from signals.market.merging import add_to_second, merge_seconds
from signals.messages import Daily, Micros, PriceSample, Second, Split
from signals.policy import SECOND_US, Policy

__all__ = ["ROWS", "sample_prices_step"]

_NEWEST, _BEFORE, _UNSENT = "newest", "before", "unsent"


class Unsent(NamedTuple):
    """The newest second is not as it was sent; ``sent`` was its last price then."""

    sent: Decimal


# The rows of a ticker: the newest second, the one before it, which was sent as it stands, and what
# was sent of the newest where that stands otherwise.
ROWS: Mapping[str, type] = {_NEWEST: Second, _BEFORE: Second, _UNSENT: Unsent}


def sample_prices_step(policy: Policy) -> Step:
    """Return the step of sample_prices: state per ticker, seconds, closes and splits out."""
    late_us = policy.price_late_us
    ratio = Decimal(str(policy.price_step))

    def step(rows: Rows, ticker: str, sample: PriceSample) -> Result:
        match sample.kind:
            case "trade":
                if sample.received_us - sample.event_us > late_us:
                    raise _late(sample, sample.event_us, late_us)
                return _fold_trade(rows, ticker, sample, ratio)
            case "bar":
                known_us = sample.end_us or sample.event_us
                if sample.received_us - known_us > late_us:
                    raise _late(sample, known_us, late_us)
                return _fold(rows, ticker, _of_bar(sample), ratio)
            case "daily":
                return _close(rows, ticker, sample)
            case "split":
                return NO_CHANGE, (_split(sample),)

    return step


def _fold_trade(rows: Rows, ticker: str, sample: PriceSample, ratio: Decimal) -> Result:
    """Merge a trade; most follow the newest one, in its second or as the first of another."""
    newest: Second | None = rows.get(_NEWEST)
    if newest is None or newest.last_us >= sample.event_us:
        return _fold(rows, ticker, (_of_trade(ticker, sample),), ratio)
    unsent: Unsent | None = rows.get(_UNSENT)
    if sample.event_us >= newest.second_us + SECOND_US:
        traded = _of_trade(ticker, sample)
        output = _output(ticker, traded)
        if unsent is None:
            return {_NEWEST: traded, _BEFORE: newest}, (output,)
        before = _known_from(newest, sample.received_us)
        changes = {_NEWEST: traded, _BEFORE: before, _UNSENT: None}
        return changes, (_output(ticker, before), output)
    after = _with_trade(newest, sample)
    if not _is_far(after.last, newest.last if unsent is None else unsent.sent, ratio):
        if unsent is None:
            return {_NEWEST: after, _UNSENT: Unsent(newest.last)}, ()
        return {_NEWEST: after}, ()
    changed = {_NEWEST: after} if unsent is None else {_NEWEST: after, _UNSENT: None}
    return changed, (_output(ticker, after),)


def _is_far(price: Decimal, sent: Decimal, ratio: Decimal) -> bool:
    """Return whether a price is more than a step from the one that was sent."""
    return abs(price - sent) > ratio * sent


def _with_trade(newest: Second, sample: PriceSample) -> Second:
    """Return the newest second with a trade that is the last in it."""
    ticker, second_us, first_us, first, high, low, _, _, received_us, _, _, known, kind = newest
    price, day_volume = sample.price, sample.day_volume
    assert price is not None  # a trade has one
    if day_volume is None or (known is not None and known > day_volume):
        day_volume = known
    return make(Second, (
        ticker, second_us, first_us, first,
        price if price > high else high,
        price if price < low else low,
        sample.event_us, price,
        sample.received_us if sample.received_us > received_us else received_us,
        sample.benchmark, sample.benchmark_price, day_volume, kind,
    ))  # fmt: skip


def _fold(rows: Rows, ticker: str, seconds: tuple[Second, ...], ratio: Decimal) -> Result:
    """Merge what a sample tells of its seconds, and send what that makes due."""
    draft = _Draft(rows, ticker, ratio)
    for second in seconds:
        draft.take(second)
    return draft.result()


class _Draft:
    """The two seconds of a ticker as one sample changes them, and what is due."""

    def __init__(self, rows: Rows, ticker: str, ratio: Decimal) -> None:
        self._rows, self._ticker, self._ratio = rows, ticker, ratio
        self._newest: Second | None = rows.get(_NEWEST)
        self._before: Second | None = rows.get(_BEFORE)
        self._unsent: Unsent | None = rows.get(_UNSENT)
        self._due: list[Output] = []

    def take(self, second: Second) -> None:
        """Merge one second into what is known."""
        newest, before = self._newest, self._before
        if newest is None or second.second_us > newest.second_us:
            if newest is not None:
                is_sent = self._unsent is None
                self._before = newest if is_sent else self._send(newest, second)
            self._newest, self._unsent = second, None
            self._due.append(_output(self._ticker, second))
        elif second.second_us == newest.second_us:
            self._take_newest(newest, second)
        elif before is not None and second.second_us == before.second_us:
            merged = add_to_second(before, second)
            self._before = before if merged is before else self._send(merged, second)
        else:
            self._due.append(_output(self._ticker, second))

    def _take_newest(self, newest: Second, second: Second) -> None:
        """Merge what is told of the newest second, and send that when it has moved far."""
        self._newest = merged = add_to_second(newest, second)
        if merged is newest:
            return
        sent = newest.last if self._unsent is None else self._unsent.sent
        if _is_far(second.high, sent, self._ratio) or _is_far(second.low, sent, self._ratio):
            self._newest, self._unsent = self._send(merged, second), None
        else:
            self._unsent = Unsent(sent)

    def result(self) -> Result:
        """Return the rows that are not as they were, and the outputs."""
        now = ((_NEWEST, self._newest), (_BEFORE, self._before), (_UNSENT, self._unsent))
        changes = {part: row for part, row in now if row != self._rows.get(part)}
        return (changes, tuple(self._due)) if changes or self._due else EMPTY

    def _send(self, second: Second, cause: Second) -> Second:
        """Send a second, known from the receipt of what caused it, and return it as sent."""
        sent = _known_from(second, cause.received_us)
        self._due.append(_output(self._ticker, sent))
        return sent


def _close(rows: Rows, ticker: str, sample: PriceSample) -> Result:
    """Send the close, and before it the last second: the session is over, and so is that."""
    newest: Second | None = rows.get(_NEWEST)
    if newest is None or _UNSENT not in rows:
        return NO_CHANGE, (_daily(sample),)
    sent = _known_from(newest, sample.received_us)
    changes = {_NEWEST: sent, _UNSENT: None}
    return changes, (_output(ticker, sent), _daily(sample))


def _known_from(second: Second, cause_us: Micros) -> Second:
    """Return a second as it is sent now, known from the receipt of what caused it."""
    return second if second.received_us >= cause_us else second._replace(received_us=cause_us)


def _late(sample: PriceSample, known_us: int, late_us: int) -> BadMessage:
    detail = (
        f"received {sample.received_us - known_us} after the price, at most {late_us} is allowed"
    )
    return BadMessage("late", "$.received_us", detail)


# ---- what samples say ----------------------------------------------------------------------------


def _of_trade(ticker: str, sample: PriceSample) -> Second:
    """Return a second that a trade opens."""
    event_us, price = sample.event_us, sample.price
    assert price is not None  # a trade has one
    return make(Second, (ticker, event_us // SECOND_US * SECOND_US, event_us, price, price, price,
                         event_us, price, sample.received_us, sample.benchmark,
                         sample.benchmark_price, sample.day_volume, "second"))  # fmt: skip


def _of_bar(sample: PriceSample) -> tuple[Second, ...]:
    """Return a bar's first second and its last.

    Its high and low are dated to its last second: from then on they are known to have been.
    """
    prices = (sample.open, sample.high, sample.low, sample.close)
    first, high, low, last = (price for price in prices if price is not None)
    assert sample.end_us is not None  # a bar has one, and the four prices
    opening = _opened(sample, sample.event_us, (first, first, first))
    closing = _opened(sample, Micros(sample.end_us - 1), (high, low, last))
    if opening.second_us == closing.second_us:
        return (merge_seconds(opening, closing),)
    # What is known of the bar's end was not so at its start.
    benchmark = None if sample.benchmark_open is None else sample.benchmark
    opening = opening._replace(
        day_volume=None, benchmark=benchmark, benchmark_price=sample.benchmark_open
    )
    return (opening, closing)


def _opened(
    sample: PriceSample, event_us: Micros, prices: tuple[Decimal, Decimal, Decimal]
) -> Second:
    """Return a second of its own; ``prices`` are the high, the low and the last."""
    high, low, last = prices
    return Second(
        ticker=sample.ticker,
        second_us=Micros(event_us - event_us % SECOND_US),
        first_us=event_us,
        first=last,
        high=high,
        low=low,
        last_us=event_us,
        last=last,
        received_us=sample.received_us,
        benchmark=sample.benchmark,
        benchmark_price=sample.benchmark_price,
        day_volume=sample.day_volume,
    )


# ---- what goes out -------------------------------------------------------------------------------


def _output(ticker: str, second: Second) -> Output:
    second_us, received_us = second.second_us, second.received_us
    event_us = received_us if received_us < second_us else second_us
    return make(Output, (names.JOURNAL, ticker, second, event_us))


def _daily(sample: PriceSample) -> Output:
    assert sample.close is not None  # a daily record has both
    assert sample.end_us is not None
    daily = Daily(
        ticker=sample.ticker,
        close_us=sample.end_us,
        close=sample.close,
        received_us=sample.received_us,
        benchmark=sample.benchmark,
        benchmark_close=sample.benchmark_price,
        volume=sample.volume,
    )
    event_us = Micros(min(sample.end_us, sample.received_us))
    return Output(topic=names.JOURNAL, key=sample.ticker, message=daily, event_us=event_us)


def _split(sample: PriceSample) -> Output:
    assert sample.ratio is not None  # a split has one
    split = Split(
        ticker=sample.ticker,
        effective_us=sample.event_us,
        ratio=sample.ratio,
        received_us=sample.received_us,
    )
    event_us = Micros(min(sample.event_us, sample.received_us))
    return Output(topic=names.JOURNAL, key=sample.ticker, message=split, event_us=event_us)
