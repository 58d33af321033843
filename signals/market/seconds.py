"""sample_prices: trades and bars of a ticker, merged by second.

A second is sent when it opens, again when it has moved by more than a set step, and once more, if
it differs from what was sent, when a later second opens or a late sample comes. Whoever folds
seconds merges them again, so a second that this step no longer remembers is not lost: a sample of
it is sent as a second of its own.

The state is two tuples (see ``OpenSecond``), because most samples only move the newest one: that
way takes two microseconds, and the row 200 bytes.
"""

from collections.abc import Mapping
from decimal import Decimal

from signals import names
from signals.errors import BadMessage
from signals.fold import EMPTY, Output, Result, Rows, Step
from signals.frozen import make
from signals.market.merging import OpenSecond, merge_open, second_of
from signals.messages import Daily, Micros, PriceSample, Second, Split
from signals.policy import SECOND_US, Policy

__all__ = ["ROWS", "sample_prices_step"]

_NEWEST, _BEFORE = "newest", "before"


# The rows of a ticker: the newest second, and the one before it.
ROWS: Mapping[str, type] = {_NEWEST: OpenSecond, _BEFORE: OpenSecond}


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
                return Result(outputs=(_split(sample),))

    return step


def _fold_trade(rows: Rows, ticker: str, sample: PriceSample, ratio: Decimal) -> Result:
    """Merge a trade; most follow the newest one, in its second or as the first of another."""
    newest: OpenSecond | None = rows.get(_NEWEST)
    if newest is not None and newest.last_us < sample.event_us:
        if sample.event_us < newest.second_us + SECOND_US:
            after = _with_trade(newest, sample)
            if not _is_far(after.last, after.sent, ratio):
                return make(Result, ({_NEWEST: after}, ()))
            sent = _sent(after, sample.received_us)
            return Result({_NEWEST: sent}, (_output(ticker, sent),))
        traded, output = _of_trade(ticker, sample)
        if newest.is_sent:
            return make(Result, ({_NEWEST: traded, _BEFORE: newest}, (output,)))
        before = _sent(newest, sample.received_us)
        return Result({_NEWEST: traded, _BEFORE: before}, (_output(ticker, before), output))
    return _fold(rows, ticker, (_of_trade(ticker, sample)[0],), ratio)


def _is_far(price: Decimal, sent: Decimal, ratio: Decimal) -> bool:
    """Return whether a price is more than a step from the one that was sent."""
    return abs(price - sent) > ratio * sent


def _with_trade(newest: OpenSecond, sample: PriceSample) -> OpenSecond:
    """Return the newest second with a trade that is the last in it."""
    second_us, first_us, first, high, low, _, _, received_us, _, _, known, _, sent = newest
    price, day_volume = sample.price, sample.day_volume
    assert price is not None  # a trade has one
    if day_volume is None or (known is not None and known > day_volume):
        day_volume = known
    return make(OpenSecond, (
        second_us, first_us, first,
        price if price > high else high,
        price if price < low else low,
        sample.event_us, price,
        sample.received_us if sample.received_us > received_us else received_us,
        sample.benchmark, sample.benchmark_price, day_volume, False, sent,
    ))  # fmt: skip


def _fold(rows: Rows, ticker: str, seconds: tuple[OpenSecond, ...], ratio: Decimal) -> Result:
    """Merge what a sample tells of its seconds, and send what that makes due."""
    draft = _Draft(rows, ticker, ratio)
    for second in seconds:
        draft.take(second)
    return draft.result()


class _Draft:
    """The two seconds of a ticker as one sample changes them, and what is due."""

    def __init__(self, rows: Rows, ticker: str, ratio: Decimal) -> None:
        self._rows, self._ticker, self._ratio = rows, ticker, ratio
        self._newest: OpenSecond | None = rows.get(_NEWEST)
        self._before: OpenSecond | None = rows.get(_BEFORE)
        self._due: list[Output] = []

    def take(self, second: OpenSecond) -> None:
        """Merge one second into what is known."""
        newest, before = self._newest, self._before
        if newest is None or second.second_us > newest.second_us:
            if newest is not None:
                self._before = newest if newest.is_sent else self._send(newest, second)
            self._newest = second
            self._due.append(_output(self._ticker, second))
        elif second.second_us == newest.second_us:
            self._newest = merged = merge_open(newest, second)
            if merged is not newest and (
                _is_far(second.high, merged.sent, self._ratio)
                or _is_far(second.low, merged.sent, self._ratio)
            ):
                self._newest = self._send(merged, second)
        elif before is not None and second.second_us == before.second_us:
            merged = merge_open(before, second)
            self._before = before if merged is before else self._send(merged, second)
        else:
            self._due.append(_output(self._ticker, second))

    def result(self) -> Result:
        """Return the rows that are not as they were, and the outputs."""
        changes = {
            part: row
            for part, row in ((_NEWEST, self._newest), (_BEFORE, self._before))
            if row is not self._rows.get(part)
        }
        return Result(changes=changes, outputs=tuple(self._due)) if changes or self._due else EMPTY

    def _send(self, second: OpenSecond, cause: OpenSecond) -> OpenSecond:
        """Send a second, known from the receipt of what caused it, and return it as sent."""
        sent = _sent(second, cause.received_us)
        self._due.append(_output(self._ticker, sent))
        return sent


def _close(rows: Rows, ticker: str, sample: PriceSample) -> Result:
    """Send the close, and before it the last second: the session is over, and so is that."""
    newest: OpenSecond | None = rows.get(_NEWEST)
    if newest is None or newest.is_sent:
        return Result(outputs=(_daily(sample),))
    received_us = max(newest.received_us, sample.received_us)
    sent = newest._replace(received_us=received_us, is_sent=True)
    return Result(changes={_NEWEST: sent}, outputs=(_output(ticker, sent), _daily(sample)))


def _sent(second: OpenSecond, cause_us: Micros) -> OpenSecond:
    """Return a second as one that is sent now, known from the receipt of what caused it."""
    (second_us, first_us, first, high, low, last_us, last, received_us, benchmark, benchmark_price,
     day_volume, _, _) = second  # fmt: skip
    if received_us < cause_us:
        received_us = cause_us
    return make(OpenSecond, (second_us, first_us, first, high, low, last_us, last, received_us,
                             benchmark, benchmark_price, day_volume, True, last))  # fmt: skip


def _late(sample: PriceSample, known_us: int, late_us: int) -> BadMessage:
    detail = (
        f"received {sample.received_us - known_us} after the price, at most {late_us} is allowed"
    )
    return BadMessage("late", "$.received_us", detail)


# ---- what samples say ----------------------------------------------------------------------------


def _of_trade(ticker: str, sample: PriceSample) -> tuple[OpenSecond, Output]:
    """Return a second that a trade opens, as it is sent, and what sends it."""
    event_us, price, received_us = sample.event_us, sample.price, sample.received_us
    benchmark, benchmark_price = sample.benchmark, sample.benchmark_price
    day_volume = sample.day_volume
    assert price is not None  # a trade has one
    second_us = event_us // SECOND_US * SECOND_US
    told = (second_us, event_us, price, price, price, event_us, price, received_us, benchmark,
            benchmark_price, day_volume)  # fmt: skip
    second = make(Second, (ticker, *told, "second"))
    known_us = received_us if received_us < second_us else second_us
    output = make(Output, (names.JOURNAL, ticker, second, known_us))
    return make(OpenSecond, (*told, True, price)), output


def _of_bar(sample: PriceSample) -> tuple[OpenSecond, ...]:
    """Return a bar's first second and its last.

    Its high and low are dated to its last second: from then on they are known to have been.
    """
    prices = (sample.open, sample.high, sample.low, sample.close)
    first, high, low, last = (price for price in prices if price is not None)
    assert sample.end_us is not None  # a bar has one, and the four prices
    opening = _opened(sample, sample.event_us, (first, first, first))
    closing = _opened(sample, Micros(sample.end_us - 1), (high, low, last))
    if opening.second_us == closing.second_us:
        return (_sent(merge_open(opening, closing), sample.received_us),)
    # What is known of the bar's end was not so at its start.
    benchmark = None if sample.benchmark_open is None else sample.benchmark
    opening = opening._replace(
        day_volume=None, benchmark=benchmark, benchmark_price=sample.benchmark_open
    )
    return (opening, closing)


def _opened(
    sample: PriceSample, event_us: Micros, prices: tuple[Decimal, Decimal, Decimal]
) -> OpenSecond:
    """Return a second of its own, as it is sent; ``prices`` are the high, the low and the last."""
    high, low, last = prices
    return OpenSecond(
        Micros(event_us - event_us % SECOND_US),
        event_us,
        last,
        high,
        low,
        event_us,
        last,
        sample.received_us,
        sample.benchmark,
        sample.benchmark_price,
        sample.day_volume,
        True,
        last,
    )


# ---- what goes out -------------------------------------------------------------------------------


def _output(ticker: str, second: OpenSecond) -> Output:
    second_us, received_us = second.second_us, second.received_us
    event_us = received_us if received_us < second_us else second_us
    return make(Output, (names.JOURNAL, ticker, second_of(ticker, second), event_us))


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
