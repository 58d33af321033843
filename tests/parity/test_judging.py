"""A run that differs is told and fails: what ``make parity`` would say of a broken promise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from signals import names
from streams.codec import encode
from streams.recording import Recorded, write_recording
from streams.replay import Pipeline
from tests.builders import OPEN, agents, as_input, canonical, headline, history, reading, trade
from tests.chaos.real import World
from tests.parity import running
from tests.parity.__main__ import judge, main
from tests.parity.running import Parity, check_exact, end_of, repeats_of
from tests.parity.setups import Setup

_DECLARED = agents({"contract": (reading("IREN", "MSFT", worth="9.7"),)})
_RECORDED = (names.JOURNAL, names.REACTIONS, names.ALERTS)
Topics = Mapping[str, Sequence[tuple[bytes, bytes]]]
Make = Callable[[Topics], Parity]


def _world() -> World:
    return canonical(
        [
            *history("IREN", "60.00", until="2025-10-31T20:00:00Z"),
            headline("contract", at="2025-11-03T11:37:00Z"),
            trade("IREN", "73.07", at=OPEN),
            trade("IREN", "73.10", at="2025-11-03T15:00:00Z"),
        ]
    )


@cache
def _run() -> Topics:
    topics: dict[str, list[tuple[bytes, bytes]]] = {topic: [] for topic in _RECORDED}
    pipeline = Pipeline(_DECLARED)
    for message in _world():
        for output in pipeline.feed(*as_input(message)):
            if output.topic in topics:
                topics[output.topic].append((output.key.encode(), encode(output.message)))
    return topics


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make a run of records, whatever they are."""
    monkeypatch.setattr(running, "real_agents", lambda: _DECLARED)

    def make(topics: Topics) -> Parity:
        folder = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        write_recording(
            folder,
            {
                topic: [
                    Recorded(
                        topic=topic, partition=0, offset=n, key=key, value=value, timestamp_ms=1
                    )
                    for n, (key, value) in enumerate(records)
                ]
                for topic, records in topics.items()
            },
        )
        return Parity(
            setup=Setup(), seed=7, folder=folder, inputs=1, kills=(), repeats=repeats_of(folder),
            exact=check_exact(folder), end=end_of(folder), seconds=0.0,
        )  # fmt: skip

    return make


def test_runs_that_hold_both_promises_pass(made: Make, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge([made(_run()), made(_run())], seconds=1) == 0
    assert "2 runs, 0 kills, 0 records differ" in capsys.readouterr().out


@pytest.mark.parametrize("topic", [names.REACTIONS, names.ALERTS])
@pytest.mark.parametrize("at", [0, -1])
def test_a_record_that_its_inputs_do_not_give_fails(
    made: Make, capsys: pytest.CaptureFixture[str], topic: str, at: int
) -> None:
    (key, value), records = _run()[topic][at], list(_run()[topic])
    records[at] = (
        key,
        value.replace(b'"headline_ids":["', b'"headline_ids":["x').replace(
            b'"known_us":', b'"known_us":1'
        ),
    )
    assert records[at][1] != value

    assert judge([made(_run()), made({**_run(), topic: records})], seconds=1) == 1
    told = capsys.readouterr().out
    assert "NOT exact: replay, prices first, seed 7" in told
    assert f": {topic}, key IREN, " in told


def test_records_that_came_again_are_counted_and_fail_nothing(made: Make) -> None:
    again = made({topic: [*records, records[0]] for topic, records in _run().items()})

    assert (made(_run()).repeats, again.repeats) == (0, len(_RECORDED))
    assert judge([again], seconds=1) == 0


def test_a_record_that_is_missing_fails(made: Make, capsys: pytest.CaptureFixture[str]) -> None:
    records = _run()[names.ALERTS][:-1]

    assert judge([made(_run()), made({**_run(), names.ALERTS: records})], seconds=1) == 1
    assert "only in B: alerts.v1" in capsys.readouterr().out


def test_a_run_that_ends_otherwise_fails_though_it_is_exact(
    made: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    other = made(_run())
    empty = made(dict.fromkeys(_RECORDED, ()))

    assert empty.different == 0
    assert judge([other, replace(empty, seed=8)], seconds=1) == 1
    told = capsys.readouterr().out
    assert "NOT convergent: B is replay, prices first, seed 8" in told
    assert "stands only in A: reaction rx_" in told
    assert "end in 2 ways" in told


def test_wrong_usage_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in [
        (["--only", "1", "99"], "--only 99: there are runs 1 to 22"),
        (["--keep", str(tmp_path)], "is there already"),
    ]:
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 2
        assert said in capsys.readouterr().err
