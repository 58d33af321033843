"""Whatever the interleaving and the repeats, every story and reaction ends the same.

Small random worlds are folded through the four agents in several orders. What the log itself keeps
in order stays so: the records of one key in one topic, as the stage before wrote them.
"""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signals.messages import Headline, Micros, PriceSample
from signals.policy import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Policy
from signals.reading.model import Reading
from signals.subjects import Relation, SubjectTables
from streams.replay import Pipeline
from tests.builders import (
    agents,
    bar,
    canonical,
    daily,
    feed,
    headline,
    history,
    reading,
    trade,
    us,
)
from tests.interleavings import ORDERS, at_random, depth_first, fold_in_order

_START_US = us("2025-11-03T13:00:00Z")  # an hour and a half before New York opens
_SPAN_US = 30 * HOUR_US
_TICKERS = ("IREN", "MSFT", "CIFR", "AMZN")
# A low bar for unexplained moves, so that small worlds have them.
_POLICY = Policy(unexplained_z=1.5, unexplained_raw=0.04)
_TABLES = SubjectTables(
    relations={"org:iren": (Relation(ticker="CIFR", reason="peer", since="2025-01-01"),)}
)
_READINGS: dict[str, tuple[Reading, ...]] = {
    "contract": (reading("IREN", "MSFT", worth="9.7"),),
    "contract, one party": (reading("IREN", worth="9.7"),),
    "contract, other party": (reading("MSFT", worth="9.71"),),
    "contract, no figure": (reading("IREN", "MSFT"),),
    "rumour": (reading("IREN", "MSFT", deal_status="rumored"),),
    "cancelled": (reading("IREN", "MSFT", worth="9.7", deal_status="cancelled"),),
    "larger contract": (reading("IREN", "MSFT", worth="97"),),
    "lease": (reading("CIFR", "AMZN", worth="5.5"),),
    "lease, three": (reading("CIFR", "AMZN", "IREN", worth="5.5"),),
    "talks": (reading("AMZN", "OPENAI", worth="10", deal_status="in_talks"),),
    "both": (reading("IREN", "MSFT", worth="9.7"), reading("CIFR", "AMZN", worth="5.5")),
    "control": (
        reading("MSFT", type="export_control", deal_status=None, direction="relax", authority="US"),
    ),
    "nothing": (),
}

World = list[Headline | PriceSample]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Headlines with revisions, trades, bars and closes of a day and a half."""
    found: World = []
    for number in range(draw(st.integers(2, 6))):
        found += draw(_items(number))
    tickers = draw(st.lists(st.sampled_from(_TICKERS), min_size=2, max_size=4, unique=True))
    for ticker in tickers:
        if draw(st.booleans()):
            found += history(ticker, "100.00", until="2025-10-31T20:00:00Z", days=24)
        found += [draw(_prices(ticker)) for _ in range(draw(st.integers(5, 15)))]
        if draw(st.booleans()):
            found.append(daily(ticker, draw(_PRICES), at="2025-11-03T21:00:00Z"))
        # The last second of a key is sent whole only when a later one opens.
        found.append(trade(ticker, "100", at=_START_US + _SPAN_US + DAY_US))
    return canonical(found)


_PRICES = st.sampled_from(["80", "94", "97", "99.9", "100", "100.1", "103.5", "106", "125"])
_TIMES = st.integers(0, _SPAN_US // MINUTE_US).map(lambda n: _START_US + n * MINUTE_US)


@st.composite
def _items(draw: st.DrawFn, number: int) -> World:
    titles = st.sampled_from(sorted(_READINGS))
    at = draw(_TIMES) + number
    delay_us = draw(st.sampled_from([0, 0, 3 * SECOND_US, 2 * HOUR_US, 4 * DAY_US]))
    found = [headline(draw(titles), at=at, id=f"wire:{number}", received_us=at + delay_us)]
    for revision in range(2, draw(st.sampled_from([1, 1, 2, 3])) + 1):
        later_us = found[-1].received_us + HOUR_US
        status: Any = draw(st.sampled_from(["usable", "usable", "withdrawn"]))
        changes = {"received_us": Micros(later_us), "revision": revision, "status": status}
        found.append(replace(found[-1], title=draw(titles), **changes))
    return list(found)


@st.composite
def _prices(draw: st.DrawFn, ticker: str) -> PriceSample:
    at = draw(_TIMES) + draw(st.sampled_from([0, 1, 400_000, 999_999]))
    delay_s = draw(st.sampled_from([0.0, 0.2, 90.0]))
    benchmark = {"benchmark": "SPY", "benchmark_price": Decimal(draw(_PRICES)) * 6}
    changes = draw(st.sampled_from([{}, benchmark]))
    if draw(st.booleans()):
        return trade(ticker, draw(_PRICES), at=at, received_s=delay_s, **changes)
    prices = [draw(_PRICES) for _ in range(2)]
    ordered = sorted((*prices, draw(_PRICES)), key=Decimal)
    shape = (prices[0], ordered[-1], ordered[0], prices[1])
    return bar(ticker, shape, at=at, received_s=delay_s, **changes)


def _permuted(world: World, random: Random) -> World:
    """Shuffle a key's own records too, where the lateness allows it: trades and bars by minutes."""
    return sorted(world, key=lambda m: m.received_us + random.randrange(20 * MINUTE_US))


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(world=worlds(), seed=st.integers(0, 2**16))
def test_any_interleaving_ends_in_the_same_stories_and_reactions(world: World, seed: int) -> None:
    declared = agents(_READINGS, policy=_POLICY, tables=_TABLES)
    expected = fold_in_order(world, declared, depth_first(), repeats=False)
    for name, order in ORDERS.items():
        assert fold_in_order(world, declared, order(), repeats=False) == expected, name
    shuffled = _permuted(world, Random(seed))
    assert fold_in_order(shuffled, declared, at_random(seed), repeats=False) == expected
    assert fold_in_order(shuffled, declared, at_random(seed + 1), repeats=True) == expected


@settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(world=worlds())
def test_an_alert_is_known_from_the_receipt_of_the_record_that_raised_it(world: World) -> None:
    # In order of receipt, what a record raises rests on it and on what was received before it:
    # deleting every later input leaves the alert as it is.
    pipeline = Pipeline(agents(_READINGS, policy=_POLICY, tables=_TABLES))
    seen: set[tuple[str, int]] = set()
    for message in world:
        for alert in feed(pipeline, [message]):
            assert alert.known_us == message.received_us, alert.kind
            assert (alert.alert_id, alert.revision) not in seen
            seen.add((alert.alert_id, alert.revision))
