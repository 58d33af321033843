"""Packing the path is a saving only: without it exactly the same comes out."""

from random import Random

import pytest
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from signals import names
from signals.fold import Draft, Row, apply_changes
from signals.market import path as path_module
from signals.market.packing import PackedRow, packed_until
from signals.market.path import Path
from signals.messages import Micros, Second
from signals.policy import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Policy
from streams.codec import encode, encode_row
from tests.builders import OPEN, canonical, headline, history, trade, us
from tests.signals.reactions.price_worlds import (
    FRIDAY,
    POLICIES,
    Journal,
    World,
    agents_of,
    journal_of,
)


def _never(_: int) -> int:
    return -1


class _Both:
    """Two states of one key, one of which is never packed."""

    def __init__(self, policy: Policy, patch: pytest.MonkeyPatch) -> None:
        self._step = agents_of(policy)[names.JOURNAL].step
        self._patch = patch
        self.rows: dict[str, Row] = {}
        self._raw: dict[str, Row] = {}

    def fold(self, journal: Journal) -> None:
        for record in journal:
            changes, packed = self._step(self.rows, record.key, record.message)
            with self._patch.context() as patch:
                patch.setattr(path_module, "packed_until", _never)
                raw_changes, raw = self._step(self._raw, record.key, record.message)
            assert [encode(o.message) for o in packed] == [encode(o.message) for o in raw]
            self.rows = apply_changes(self.rows, changes)
            self._raw = apply_changes(self._raw, raw_changes)
        assert _but_for_path(self.rows) == _but_for_path(self._raw)
        assert _seconds(self.rows) == _seconds(self._raw)

    @property
    def packed(self) -> list[PackedRow]:
        return [row for row in self.rows.values() if isinstance(row, PackedRow)]


def _but_for_path(rows: dict[str, Row]) -> dict[str, Row]:
    return {part: row for part, row in rows.items() if not part.startswith(("path:", "packed:"))}


def _seconds(rows: dict[str, Row]) -> list[Second]:
    return list(Path(Draft(rows)).between(Micros(0), Micros(2**60)))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    policy=st.sampled_from(POLICIES),
    shuffled=st.sampled_from((0.0, 0.05, 0.4)),
    repeats=st.integers(0, 6),
)
def test_packing_changes_no_output(
    seed: int, policy: Policy, shuffled: float, repeats: int
) -> None:
    inputs = World(seed).inputs(shuffled=shuffled, repeats=repeats)

    with pytest.MonkeyPatch.context() as patch:
        both = _Both(policy, patch)
        both.fold(journal_of(inputs, policy))

    note(f"packed rows in tens: {len(both.packed) // 10}")


@pytest.mark.parametrize("drift", [0.0, 0.00002, -0.00003])
def test_packing_changes_nothing_of_a_busy_day(
    drift: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(drift)
    told = [
        headline(title, at=us(OPEN) + minutes * MINUTE_US, id=f"wire:{minutes}")
        for title, minutes in (("contract", -60), ("lease", 45), ("larger contract", 170))
    ]
    price, prices = 100.0, []
    for n in range(4000):
        price *= 1 + drift + random.gauss(0, 0.0004)
        prices.append(trade("IREN", f"{price:.2f}", at=us(OPEN) + n * 5 * SECOND_US))
    late = headline("lease", at=us(OPEN) + HOUR_US, id="wire:late", received_us=us(OPEN) + DAY_US)
    inputs = canonical([*history("IREN", "100.00", until=FRIDAY), *told, *prices, late])
    both = _Both(POLICIES[1], monkeypatch)

    both.fold(journal_of(inputs, POLICIES[1]))

    assert len(both.packed) >= 60
    raw = [int(part.split(":")[1]) for part in both.rows if part.startswith("path:")]
    reached_us = prices[-1].event_us
    assert min(raw) * 10 * SECOND_US >= packed_until(reached_us)
    assert sum(len(encode_row(row)) for row in both.packed) < 20 * 4000
