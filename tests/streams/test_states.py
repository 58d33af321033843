"""Rows of keys that are touched seldom lie in a file, and nobody can tell."""

from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.fold import KeyRows
from signals.policy import Policy
from signals.reactions.rows import ClockRow
from streams import states as states_module
from streams.assemble import assemble_agents
from streams.replay import replay_raw
from streams.sources.merge import canonical_order
from streams.states import States
from tapewire.recorded import read_recorded_headlines, read_tape


def _row(number: int) -> ClockRow:
    return ClockRow(number, number)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(
    keys=st.integers(1, 4),
    changes=st.lists(st.tuples(st.sampled_from("abcdefghij"), st.integers(0, 3)), max_size=60),
)
def test_states_are_a_dict_of_rows(keys: int, changes: list[tuple[str, int]]) -> None:
    states, expected = States(keys), dict[str, dict[str, ClockRow]]()
    for number, (key, part) in enumerate(changes):
        rows = states.get(key)
        assert (None if rows is None else dict(rows)) == expected.get(key)
        if rows is None:
            rows = KeyRows()
            states.put(key, rows)
        if part == 0:  # all of the key's rows go
            states.drop(key)
            expected.pop(key, None)
            continue
        rows.put(f"clock:{part}", _row(number))
        expected.setdefault(key, {})[f"clock:{part}"] = _row(number)

    for key in "abcdefghij":
        rows = states.get(key)
        assert (None if rows is None else dict(rows)) == expected.get(key)
        assert rows is None or set(rows.kinds["clock"]) == set(expected[key])


def test_memory_holds_two_generations_of_keys() -> None:
    states = States(10)
    for number in range(1000):
        states.put(str(number), KeyRows({"clock": _row(number)}))

    held = len(states.young) + len(states._old)
    order = Random(1).sample(range(1000), 1000)
    assert held <= 20
    assert all(states.get(str(number)) == {"clock": _row(number)} for number in order)
    assert len(states.young) + len(states._old) <= 20


def test_replay_is_the_same_however_few_keys_memory_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    days, tickers = (date(2025, 10, 31), date(2025, 11, 3)), ("IREN", "MSFT", "DELL", "AMZN", "SPY")
    prices = list(read_tape(days=days, tickers=tickers, minutes=15))
    headlines = list(read_recorded_headlines())

    def replayed() -> str:
        records = canonical_order(headlines, prices)
        return replay_raw(records, assemble_agents(Policy())).sha256()

    whole = replayed()
    monkeypatch.setattr(states_module.States.__init__, "__defaults__", (2,))

    assert replayed() == whole
