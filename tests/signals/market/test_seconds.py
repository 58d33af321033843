"""Trades and bars merged by second, and when a second is sent."""

import itertools
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals import names
from signals.errors import BadMessage
from signals.fold import Output, apply_changes
from signals.market.merging import merge_seconds
from signals.market.seconds import sample_prices_step
from signals.messages import Daily, PriceSample, Second
from signals.policy import MINUTE_US, SECOND_US, Policy
from tests.builders import OPEN, bar, daily, second, trade, us

_AT = us(OPEN)


@st.composite
def _seconds(draw: st.DrawFn) -> Second:
    prices = sorted(draw(st.lists(st.integers(95, 105), min_size=3, max_size=3)))
    at = _AT + draw(st.integers(0, 3))
    return second(
        at,
        str(prices[1]),
        low=Decimal(prices[0]),
        high=Decimal(prices[2]),
        last_us=at + draw(st.integers(0, 2)),
        last=Decimal(draw(st.sampled_from(prices))),
        day_volume=draw(st.none() | st.integers(1, 3).map(Decimal)),
        received_us=at + draw(st.integers(0, 9)),
        benchmark=draw(st.sampled_from([None, "SPY", "QQQ"])),
        benchmark_price=draw(st.none() | st.integers(1, 3).map(Decimal)),
    )


@given(one=_seconds(), two=_seconds(), three=_seconds())
def test_merging_does_not_depend_on_order_or_grouping(
    one: Second, two: Second, three: Second
) -> None:
    assert merge_seconds(one, one) == one
    assert merge_seconds(one, two) == merge_seconds(two, one)
    left = merge_seconds(merge_seconds(one, two), three)
    assert left == merge_seconds(one, merge_seconds(two, three))


def _send(samples: Sequence[PriceSample], *, policy: Policy | None = None) -> list[Output]:
    step, rows, found = sample_prices_step(policy or Policy()), {}, []
    for sample in samples:
        changes, outputs = step(rows, sample.ticker, sample)
        rows = apply_changes(rows, changes)
        found += outputs
    return found


def _sent(samples: Sequence[PriceSample]) -> list[tuple[int, str, str]]:
    """The seconds sent: seconds after the open, low to high, last."""
    return [
        ((o.message.second_us - _AT) // SECOND_US, f"{o.message.low}-{o.message.high}",
         str(o.message.last))
        for o in _send(samples)
        if isinstance(o.message, Second)
    ]  # fmt: skip


def test_bar_becomes_an_opening_and_a_closing_second() -> None:
    opening, closing = [o.message for o in _send([bar("IREN", ("70", "74", "69", "73"), at=OPEN)])]

    assert isinstance(opening, Second)
    assert isinstance(closing, Second)
    assert (opening.second_us, opening.first, opening.high, opening.low) == (_AT, 70, 70, 70)
    assert closing.second_us == _AT + 59 * SECOND_US
    assert (closing.high, closing.low, closing.last) == (74, 69, 73)


def test_a_bars_first_price_is_set_against_the_benchmark_of_its_start() -> None:
    prices, end = ("70", "74", "69", "73"), {"benchmark": "SPY", "benchmark_price": Decimal(605)}
    both = {**end, "benchmark_open": Decimal(600)}
    for stamped, opened in ((end, (None, None)), (both, ("SPY", 600))):
        opening, closing = [o.message for o in _send([bar("IREN", prices, at=OPEN, **stamped)])]

        assert isinstance(opening, Second)
        assert isinstance(closing, Second)
        assert (opening.benchmark, opening.benchmark_price) == opened
        assert (closing.benchmark, closing.benchmark_price) == ("SPY", 605)


def test_bar_of_one_second_is_one_second() -> None:
    (only,) = _send([bar("IREN", ("70", "74", "69", "73"), at=OPEN, span_us=SECOND_US)])

    assert isinstance(only.message, Second)
    assert (only.message.first, only.message.last) == (70, 73)
    assert (only.message.low, only.message.high) == (69, 74)


def test_second_is_sent_when_it_opens_and_again_when_it_moved() -> None:
    assert _sent(
        [
            trade("IREN", "100", at=_AT),
            trade("IREN", "100.1", at=_AT + 1),  # within the step of 0.2 %
            trade("IREN", "101", at=_AT + 2),
        ]
    ) == [(0, "100-100", "100"), (0, "100-101", "101")]


def test_second_is_sent_whole_when_a_later_one_opens() -> None:
    assert _sent(
        [
            trade("IREN", "100", at=_AT),
            trade("IREN", "100.1", at=_AT + 1),
            trade("IREN", "100.1", at=_AT + SECOND_US),
            trade("IREN", "100.1", at=_AT + 2 * SECOND_US),
        ]
    ) == [
        (0, "100-100", "100"),
        (0, "100-100.1", "100.1"),
        (1, "100.1-100.1", "100.1"),
        (2, "100.1-100.1", "100.1"),
    ]


def test_second_is_sent_again_for_a_late_sample() -> None:
    assert _sent(
        [
            trade("IREN", "100", at=_AT),
            trade("IREN", "100", at=_AT + SECOND_US),
            trade("IREN", "99.9", at=_AT + 5, received_s=9),
        ]
    )[-1] == (0, "99.9-100", "99.9")


def test_daily_record_closes_the_last_second() -> None:
    inputs = [
        trade("IREN", "100", at=_AT),
        trade("IREN", "100.1", at=_AT + 1),
        daily("IREN", "100.1", at=_AT + SECOND_US),
    ]
    outputs = _send(inputs)

    assert _sent(inputs)[-1] == (0, "100-100.1", "100.1")
    assert isinstance(outputs[-1].message, Daily)


def test_second_that_a_later_record_sets_free_is_known_from_that_record() -> None:
    held = trade("IREN", "100.1", at=_AT + 1)
    later = trade("IREN", "100", at=_AT + 3 * SECOND_US)
    outputs = _send([trade("IREN", "100", at=_AT), held, later])

    freed = [o.message for o in outputs if isinstance(o.message, Second) and o.message.high > 100]
    assert [message.received_us for message in freed] == [later.received_us]


def test_repeated_sample_is_not_sent_again() -> None:
    samples = [trade("IREN", str(100 + n), at=_AT + n * 400_000) for n in range(4)]

    assert _send([s for s in samples for _ in range(2)]) == _send(samples)


@settings(max_examples=50)
@given(order=st.permutations(range(6)))
def test_whatever_the_order_a_second_ends_the_same(order: list[int]) -> None:
    samples = [
        trade("IREN", f"{100 + n % 3 / 10:.1f}", at=_AT + n * 350_000, received_s=3)
        for n in range(6)
    ]
    end = trade("IREN", "100", at=_AT + 60 * SECOND_US)
    merged: dict[int, Second] = {}
    for output in _send([*(samples[i] for i in order), end]):
        message = output.message
        assert isinstance(message, Second)
        known = merged.get(message.second_us)
        message = message._replace(received_us=_AT)
        merged[message.second_us] = merge_seconds(known, message) if known else message

    expected: dict[int, list[Decimal]] = {}
    for sample in samples:
        prices = expected.setdefault(sample.event_us - sample.event_us % SECOND_US, [])
        prices.append(sample.price)
    for second_us, prices in expected.items():
        found = merged[second_us]
        assert (found.first, found.last) == (prices[0], prices[-1])
        assert (found.low, found.high) == (min(prices), max(prices))


def test_price_that_comes_too_late_is_refused_as_late() -> None:
    allowed_s = Policy().price_late_us / SECOND_US
    step = sample_prices_step(Policy())

    _, sent = step({}, "IREN", trade("IREN", "100", at=OPEN, received_s=allowed_s))
    assert len(sent) == 1
    with pytest.raises(BadMessage, match="is allowed") as caught:
        step({}, "IREN", trade("IREN", "100", at=OPEN, received_s=allowed_s + 1))
    assert caught.value.reason == "late"


def test_bar_is_late_from_its_end_not_from_its_start() -> None:
    hour = bar("IREN", ("1", "1", "1", "1"), at=OPEN, span_us=60 * MINUTE_US)

    assert len(_send([hour])) == 2


def test_daily_record_is_never_too_late() -> None:
    (output,) = _send([daily("IREN", "100", at=OPEN, received_s=86_400)])

    assert isinstance(output.message, Daily)
    assert output.topic == names.JOURNAL


def test_outputs_carry_the_earlier_of_event_time_and_receipt() -> None:
    early = trade("IREN", "100", at=_AT + 500_000, received_s=-1)

    assert [o.event_us for o in _send([early])] == [early.received_us]
    assert all(
        o.event_us == o.message.second_us
        for o in itertools.islice(_send([trade("IREN", "100", at=_AT + 500_000)]), 1)
        if isinstance(o.message, Second)
    )
