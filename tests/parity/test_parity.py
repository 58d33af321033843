"""The short form of ``make parity``: a replay, another order, and two brokers with kills."""

from collections import Counter
from pathlib import Path

import pytest

from signals.messages import Headline
from streams.brokers import Broker
from tests.parity.running import Parity, compare_ends, run_setup
from tests.parity.setups import ALL, SHORT, Setup
from tests.parity.worlds import WORLDS

pytestmark = pytest.mark.timeout(420)
_WORLD = "one day"
_SEED = 20251103
_FIRST, _OTHER_ORDER, _EMBEDDED, _KAFKA = SHORT


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Parity:
    return run_setup(_FIRST, _SEED, _WORLD, tmp_path_factory.mktemp("parity") / "first", None)


def _check(run: Parity, first: Parity) -> None:
    assert [shown for compared in run.exact for shown in compared.shown] == []
    assert run.different == 0
    assert compare_ends(first, run).different == []
    assert run.end.sha256() == first.end.sha256()


def test_there_is_enough_in_a_run_to_differ(first: Parity) -> None:
    counts = first.end.counts()
    languages = Counter(m.lang for m in WORLDS[_WORLD]() if isinstance(m, Headline))

    assert first.different == 0
    assert min(counts["story"], counts["reaction"], counts["report"]) > 0
    assert counts["reaction"] > 40
    assert min(languages["ko"], languages["en"]) > 10
    assert all(compared.found.equal > 50 for compared in first.exact)


def test_a_replay_in_another_order_ends_the_same(first: Parity, tmp_path: Path) -> None:
    _check(run_setup(_OTHER_ORDER, _SEED + 1, _WORLD, tmp_path / "other", None), first)


def test_a_killed_worker_on_the_embedded_broker_ends_the_same(
    embedded_broker: Broker, first: Parity, tmp_path: Path
) -> None:
    _check(run_setup(_EMBEDDED, _SEED + 2, _WORLD, tmp_path / "embedded", embedded_broker), first)


def test_two_killed_workers_on_kafka_end_the_same(
    kafka_broker: Broker, first: Parity, tmp_path: Path
) -> None:
    _check(run_setup(_KAFKA, _SEED + 3, _WORLD, tmp_path / "kafka", kafka_broker), first)


def test_the_long_form_has_twenty_runs_and_all_that_they_must_show() -> None:
    kafka = {(s.partitions, s.workers, s.kills > 0) for s in ALL if s.broker == "kafka"}

    assert len(ALL) >= 20
    assert kafka == {(p, w, k) for p in (1, 3, 12) for w in (1, 2) for k in (False, True)}
    assert {s.kills > 0 for s in ALL if s.broker == "embedded"} == {False, True}
    assert len({s.order for s in ALL if s.broker is None}) >= 5
    assert len(set(ALL)) == len(ALL)


def test_a_set_up_is_told_in_words() -> None:
    assert str(Setup(broker="kafka", partitions=1, workers=2, kills=3, shuffled=True)) == (
        "kafka, 1 partition, 2 workers, shuffled"
    )
    assert str(Setup(order="at random", repeated=True)) == "replay, at random, all twice"
