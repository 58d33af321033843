"""Small worlds of one ticker: prices and headlines that lie where a difference could be made.

All prices are made by hand.
"""

from collections.abc import Iterable
from random import Random
from typing import Any

from signals import names
from signals.fold import Agent, Output
from signals.messages import Headline, Micros, PriceSample
from signals.policy import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Policy
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

FRIDAY = "2025-10-31T20:00:00Z"
_START_US, _SPAN_US = us("2025-11-03T13:00:00Z"), 31 * HOUR_US
_READINGS = {
    "contract": (reading("IREN", worth="9.7"),),
    "larger contract": (reading("IREN", worth="97"),),
    "lease": (reading("IREN", "AMZN", worth="5.5"),),
}
# Moves without an event are watched at two thresholds: one seldom reached, one often.
POLICIES = (Policy(), Policy(unexplained_z=1.0, unexplained_raw=0.02))
_OPENS = (us(OPEN), us("2025-11-04T14:30:00Z"))
_CLOSES = (us(CLOSE), us("2025-11-04T21:00:00Z"))

Journal = list[Output]


def agents_of(policy: Policy) -> dict[str, Agent]:
    return {agent.reads: agent for agent in agents(_READINGS, policy=policy)}


def journal_of(inputs: Iterable[Headline | PriceSample], policy: Policy) -> Journal:
    """The journal records of one ticker that come of inputs in the order given."""
    declared = agents_of(policy)
    pipeline = Pipeline([declared[names.HEADLINES], declared[names.PRICES]])
    return [
        output
        for message in inputs
        for output in pipeline.feed(*as_input(message))
        if (output.topic, output.key) == (names.JOURNAL, "IREN")
    ]


class World:
    """Draws inputs that lie where a difference could be made."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._events: list[int] = []

    def inputs(self, *, shuffled: float, repeats: int) -> list[Headline | PriceSample]:
        random = self._random
        found: list[Any] = []
        if random.random() < 0.8:
            found += history("IREN", "100.00", until=FRIDAY, days=random.choice((3, 25)))
        if random.random() < 0.8:
            found.append(trade("IREN", "100", at=us(FRIDAY) - MINUTE_US))
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
