"""The row of calm prices is a short cut only: without it exactly the same comes out.

Each journal record is folded into two states, one of which loses the row before every step. All
prices are made by hand.
"""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import event as note
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signals import names
from signals.fold import Draft, Output, Row, apply_changes
from signals.messages import Headline, PriceSample, Second
from signals.policy import HOUR_US, MINUTE_US, SECOND_US, Policy
from signals.reactions.rows import CalmRow, ClockRow
from signals.reactions.view import NO_TIME, View
from streams.codec import encode
from streams.tables import load_sessions
from tests.builders import OPEN, canonical, headline, history, trade, us
from tests.signals.reactions.price_worlds import FRIDAY, POLICIES, World, agents_of, journal_of


class _Both:
    """Two states of one key, with the row of calm prices and without it."""

    def __init__(self, policy: Policy) -> None:
        self._step = agents_of(policy)[names.JOURNAL].step
        self.rows: dict[str, Row] = {}
        self._bare: dict[str, Row] = {}
        self.seconds = self.calm = 0

    def fold(self, record: Output) -> None:
        self._count(record.message)
        changes, kept = self._step(self.rows, record.key, record.message)
        bare = {part: row for part, row in self._bare.items() if part != "calm"}
        bare_changes, without = self._step(bare, record.key, record.message)

        assert [encode(o.message) for o in kept] == [encode(o.message) for o in without]
        assert kept == without
        self.rows = apply_changes(self.rows, changes)
        self._bare = apply_changes(bare, bare_changes)
        assert _without_calm(self.rows) == _without_calm(self._bare)

    def _count(self, message: object) -> None:
        """Count the seconds, and those that the row says make no difference."""
        if not isinstance(message, Second):
            return
        self.seconds += 1
        calm: CalmRow | None = self.rows.get("calm")
        self.calm += (
            calm is not None
            and _clock(self.rows).reached_us <= message.second_us
            and calm.after_us < message.second_us < calm.until_us
            and calm.low < float(message.low) <= float(message.high) < calm.high
        )


def _without_calm(rows: dict[str, Row]) -> dict[str, Row]:
    rows = {part: row for part, row in rows.items() if part != "calm"}
    if "clock" in rows:  # calm seconds do not set it
        rows["clock"] = _clock(rows)
    return rows


def _clock(rows: dict[str, Row]) -> ClockRow:
    return View(Draft(rows), "IREN", NO_TIME, Policy(), load_sessions()).clock


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    policy=st.sampled_from(POLICIES),
    shuffled=st.sampled_from((0.0, 0.05, 0.4)),
    repeats=st.integers(0, 6),
)
# A step back into the band that looks like a split, after a price far off it.
@example(seed=44670579, policy=POLICIES[0], shuffled=0.0, repeats=0)
# A newest second that stands on both sides of what looks like a split.
@example(seed=488103551589, policy=POLICIES[0], shuffled=0.05, repeats=6)
def test_dropping_the_calm_row_changes_no_output(
    seed: int, policy: Policy, shuffled: float, repeats: int
) -> None:
    inputs = World(seed).inputs(shuffled=shuffled, repeats=repeats)
    both = _Both(policy)

    for record in journal_of(inputs, policy):
        both.fold(record)

    note(f"calm seconds in tenths: {10 * both.calm // max(both.seconds, 1)}")


# ---- that it is a short cut ----------------------------------------------------------------------


def _folded(inputs: Sequence[Headline | PriceSample]) -> _Both:
    both = _Both(Policy())
    for record in journal_of(inputs, Policy()):
        both.fold(record)
    return both


def test_nearly_all_seconds_of_a_quiet_day_are_calm() -> None:
    random, told = Random(1), headline("contract", at=us(OPEN) - HOUR_US)
    prices = [
        trade("IREN", f"{100 + random.uniform(-1, 1):.2f}", at=us(OPEN) + n * 7 * SECOND_US)
        for n in range(1000)
    ]
    both = _folded(canonical([*history("IREN", "100.00", until=FRIDAY), told, *prices]))

    # All but the first of an hour, of a session and of a horizon.
    assert both.seconds == 1000
    assert both.calm > 980


@pytest.mark.parametrize("price", ["103", "97", "103.01", "120", "50"])
def test_price_that_reaches_a_level_is_not_calm(price: str) -> None:
    told = headline("contract", at=us(OPEN) - HOUR_US)
    quiet = [trade("IREN", "100.5", at=us(OPEN) + n * SECOND_US) for n in range(90)]
    inputs = canonical([*history("IREN", "100.00", until=FRIDAY), told, *quiet])
    before = trade("IREN", "100", at=us(FRIDAY) - MINUTE_US)
    both = _folded([before, *inputs])
    calm = both.calm

    both.fold(*journal_of([trade("IREN", price, at=us(OPEN) + 95 * SECOND_US)], Policy()))

    assert both.calm == calm


def test_repeated_second_changes_nothing() -> None:
    told = headline("contract", at=us(OPEN) - HOUR_US)
    inputs = [told, *(trade("IREN", "100", at=us(OPEN) + n * SECOND_US) for n in range(50))]
    records = journal_of(canonical([*history("IREN", "100", until=FRIDAY), *inputs]), Policy())
    both = _Both(Policy())
    for record in records:
        both.fold(record)
    rows = dict(both.rows)

    both.fold(records[-1])

    assert both.rows == rows
