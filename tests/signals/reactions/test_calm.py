"""The row of calm prices is a short cut only: without it exactly the same comes out.

Each journal record is folded into two states, one of which loses the row before every step. All
prices are made by hand.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import event as note
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signals import names
from signals.fold import Agent, Output, Row, apply_changes
from signals.messages import Headline, Micros, PriceSample, Second
from signals.policy import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Policy
from signals.reactions.rows import CalmRow, ClockRow
from streams.codec import encode
from streams.replay import Pipeline
from tests.builders import (
    CLOSE,
    OPEN,
    agents,
    as_input,
    bar,
    canonical,
    daily,
    headline,
    history,
    reading,
    trade,
    us,
)

_FRIDAY = "2025-10-31T20:00:00Z"
_START_US, _SPAN_US = us("2025-11-03T13:00:00Z"), 31 * HOUR_US
_READINGS = {
    "contract": (reading("IREN", worth="9.7"),),
    "larger contract": (reading("IREN", worth="97"),),
    "lease": (reading("IREN", "AMZN", worth="5.5"),),
}
# Moves without an event are watched at two thresholds: one seldom reached, one often.
_POLICIES = (Policy(), Policy(unexplained_z=1.0, unexplained_raw=0.02))
_OPENS = (us(OPEN), us("2025-11-04T14:30:00Z"))
_CLOSES = (us(CLOSE), us("2025-11-04T21:00:00Z"))

Journal = list[Output]


def _agents(policy: Policy) -> dict[str, Agent]:
    return {agent.reads: agent for agent in agents(_READINGS, policy=policy)}


def _journal(inputs: Iterable[Headline | PriceSample], policy: Policy) -> Journal:
    """The journal records of one ticker that come of inputs in the order given."""
    declared = _agents(policy)
    pipeline = Pipeline([declared[names.HEADLINES], declared[names.PRICES]])
    return [
        output
        for message in inputs
        for output in pipeline.feed(*as_input(message))
        if (output.topic, output.key) == (names.JOURNAL, "IREN")
    ]


class _Both:
    """Two states of one key, with the row of calm prices and without it."""

    def __init__(self, policy: Policy) -> None:
        self._step = _agents(policy)[names.JOURNAL].step
        self.rows: dict[str, Row] = {}
        self._bare: dict[str, Row] = {}
        self.seconds = self.calm = 0

    def fold(self, record: Output) -> None:
        self._count(record.message)
        kept = self._step(self.rows, record.key, record.message)
        bare = {part: row for part, row in self._bare.items() if part != "calm"}
        without = self._step(bare, record.key, record.message)

        assert [encode(o.message) for o in kept.outputs] == [
            encode(o.message) for o in without.outputs
        ]
        assert kept.outputs == without.outputs
        self.rows = apply_changes(self.rows, kept.changes)
        self._bare = apply_changes(bare, without.changes)
        assert _without_calm(self.rows) == _without_calm(self._bare)

    def _count(self, message: object) -> None:
        """Count the seconds, and those that the row says make no difference."""
        if not isinstance(message, Second):
            return
        self.seconds += 1
        calm: CalmRow | None = self.rows.get("calm")
        clock: ClockRow | None = self.rows.get("clock")
        self.calm += (
            calm is not None
            and clock is not None
            and clock.reached_us <= message.second_us
            and calm.after_us < message.second_us < calm.until_us
            and calm.low < float(message.low) <= float(message.high) < calm.high
        )


def _without_calm(rows: dict[str, Row]) -> dict[str, Row]:
    return {part: row for part, row in rows.items() if part != "calm"}


# ---- small worlds --------------------------------------------------------------------------------


class _World:
    """Draws inputs that lie where a difference could be made."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._events: list[int] = []

    def inputs(self, *, shuffled: float, repeats: int) -> list[Headline | PriceSample]:
        random = self._random
        found: list[Any] = []
        if random.random() < 0.8:
            found += history("IREN", "100.00", until=_FRIDAY, days=random.choice((3, 25)))
        if random.random() < 0.8:
            found.append(trade("IREN", "100", at=us(_FRIDAY) - MINUTE_US))
        found += [self._headline() for _ in range(random.randint(0, 3))]
        found += [self._split() for _ in range(random.choice((0, 0, 1, 2)))]
        found += self._prices(random.randint(10, 60))
        found += [self._bar() for _ in range(random.randint(0, 4))]
        for close_us in _CLOSES:
            if random.random() < 0.6:
                found.append(daily("IREN", self._price(), at=close_us))
        found += random.choices(found, k=repeats)
        return self._disordered(canonical(found), shuffled)

    def _headline(self) -> Headline:
        at_us = _START_US + self._random.randrange(_SPAN_US)
        if self._random.random() < 0.3:
            at_us -= at_us % SECOND_US
        self._events.append(at_us)
        title = self._random.choice(sorted(_READINGS))
        late_us = self._random.choice((0, 0, SECOND_US, 5 * HOUR_US, 4 * DAY_US))
        return headline(title, at=at_us, id=f"wire:{at_us}", received_us=at_us + late_us)

    def _split(self) -> PriceSample:
        at_us = self._random.choice(_OPENS)
        ratio = self._random.choice(("2", "10", "0.1", "1"))
        return PriceSample(
            ticker="IREN",
            kind="split",
            event_us=at_us,
            received_us=Micros(at_us + self._random.randint(-DAY_US, DAY_US)),
            source="actions",
            ratio=trade("IREN", ratio, at=at_us).price,
        )

    def _prices(self, count: int) -> list[PriceSample]:
        found = []
        price, at_us = 100.0, _START_US
        for _ in range(count):
            draw = self._random.random()
            if draw < 0.55:  # it goes on quietly
                at_us += self._random.randrange(1, 120) * SECOND_US
                price *= 1 + self._random.uniform(-0.004, 0.004)
                found.append(trade("IREN", f"{price:.3f}", at=at_us + self._random.randrange(9)))
                continue
            near_us = self._random.choice((200_000, SECOND_US))
            at_us = self._time() if draw < 0.8 else at_us + near_us
            found.append(trade("IREN", self._price(), at=max(at_us, 1)))
        return found

    def _bar(self) -> PriceSample:
        prices = sorted((self._price() for _ in range(4)), key=float)
        low, one, other, high = prices
        return bar("IREN", (one, high, low, other), at=self._time() // SECOND_US * SECOND_US)

    def _price(self) -> str:
        """A price at, or just off, a level, a threshold or a split; else a calm one."""
        level = self._random.choice((0.02, 0.03, 0.05, 0.10, 0.20, 0.0, 0.0))
        price = 100 * (1 + self._random.choice((1, -1)) * level)
        price *= self._random.choice((1, 1, 1, 1, 1, 0.5, 0.1, 2, 10))
        off = self._random.choice((0.0, 0.0, 0.0001, -0.0001, 0.01, -0.01))
        return f"{max(price + off, 0.01):.4f}"

    def _time(self) -> int:
        """A time about a boundary: of a session, an hour, an event, a horizon; or any."""
        edges = [*_OPENS, *_CLOSES, _START_US + self._random.randrange(30) * HOUR_US]
        for at_us in self._events:
            edges += [at_us, *(at_us + minutes * MINUTE_US for minutes in (1, 5, 30, 60))]
        off = self._random.choice((0, 0, 1, -1, SECOND_US, -SECOND_US, 30 * SECOND_US))
        if self._random.random() < 0.3:
            return _START_US + self._random.randrange(_SPAN_US)
        return self._random.choice(edges) + off

    def _disordered(self, inputs: list[Any], part: float) -> list[Any]:
        """Let a part of the records come some places later."""
        places = [
            at + (self._random.randint(1, 25) if self._random.random() < part else 0)
            for at in range(len(inputs))
        ]
        order = sorted(range(len(inputs)), key=lambda at: (places[at], at))
        return [inputs[at] for at in order]


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    policy=st.sampled_from(_POLICIES),
    shuffled=st.sampled_from((0.0, 0.05, 0.4)),
    repeats=st.integers(0, 6),
)
# A step back into the band that looks like a split, after a price far off it.
@example(seed=44670579, policy=_POLICIES[0], shuffled=0.0, repeats=0)
# A newest second that stands on both sides of what looks like a split.
@example(seed=488103551589, policy=_POLICIES[0], shuffled=0.05, repeats=6)
def test_dropping_the_calm_row_changes_no_output(
    seed: int, policy: Policy, shuffled: float, repeats: int
) -> None:
    inputs = _World(seed).inputs(shuffled=shuffled, repeats=repeats)
    both = _Both(policy)

    for record in _journal(inputs, policy):
        both.fold(record)

    note(f"calm seconds in tenths: {10 * both.calm // max(both.seconds, 1)}")


# ---- that it is a short cut ----------------------------------------------------------------------


def _folded(inputs: Sequence[Headline | PriceSample]) -> _Both:
    both = _Both(Policy())
    for record in _journal(inputs, Policy()):
        both.fold(record)
    return both


def test_nearly_all_seconds_of_a_quiet_day_are_calm() -> None:
    random, told = Random(1), headline("contract", at=us(OPEN) - HOUR_US)
    prices = [
        trade("IREN", f"{100 + random.uniform(-1, 1):.2f}", at=us(OPEN) + n * 7 * SECOND_US)
        for n in range(1000)
    ]
    both = _folded(canonical([*history("IREN", "100.00", until=_FRIDAY), told, *prices]))

    # All but the first of an hour, of a session and of a horizon.
    assert both.seconds == 1000
    assert both.calm > 980


@pytest.mark.parametrize("price", ["103", "97", "103.01", "120", "50"])
def test_price_that_reaches_a_level_is_not_calm(price: str) -> None:
    told = headline("contract", at=us(OPEN) - HOUR_US)
    quiet = [trade("IREN", "100.5", at=us(OPEN) + n * SECOND_US) for n in range(90)]
    inputs = canonical([*history("IREN", "100.00", until=_FRIDAY), told, *quiet])
    before = trade("IREN", "100", at=us(_FRIDAY) - MINUTE_US)
    both = _folded([before, *inputs])
    calm = both.calm

    both.fold(*_journal([trade("IREN", price, at=us(OPEN) + 95 * SECOND_US)], Policy()))

    assert both.calm == calm


def test_repeated_second_changes_nothing() -> None:
    told = headline("contract", at=us(OPEN) - HOUR_US)
    inputs = [told, *(trade("IREN", "100", at=us(OPEN) + n * SECOND_US) for n in range(50))]
    records = _journal(canonical([*history("IREN", "100", until=_FRIDAY), *inputs]), Policy())
    both = _Both(Policy())
    for record in records:
        both.fold(record)
    rows = dict(both.rows)

    both.fold(records[-1])

    assert both.rows == rows
