"""Live and replayed are the same: both promises, on the recorded demo, through a real worker."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from signals import names
from streams.brokers import Broker
from tests.chaos.outcome import (
    Run,
    check_exact,
    check_once,
    check_same_ending,
    recorded_run,
    replayed_run,
)
from tests.chaos.real import (
    RealWorker,
    World,
    make_real_topics,
    recorded_world,
    send,
    settings_for,
    wait_until_done,
)

pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def world() -> World:
    return recorded_world()


@pytest.fixture(scope="module")
def replayed(world: World) -> Run:
    return replayed_run(world)


def _run_live(
    broker: Broker, prefix: str, folder: Path, world: World, *, partitions: int = 4
) -> Run:
    settings = settings_for(broker, prefix)
    make_real_topics(settings, partitions=partitions)
    with RealWorker(settings, folder) as worker:
        worker.wait_until_ready(90)
        asyncio.run(send(settings, world))
        wait_until_done(settings, [worker])
        assert worker.stop() == 0
    return recorded_run(settings, folder / "recording")


def test_the_demo_replayed_is_what_it_was_live(
    broker: Broker, prefix: str, tmp_path: Path, world: World, replayed: Run
) -> None:
    live = _run_live(broker, prefix, tmp_path, world)

    assert len(replayed.ending().stories) > 10
    assert check_once(live, replayed) == 0
    check_exact(live)
    check_same_ending(live, replayed)
    assert live.topics[names.DEAD_LETTERS] == []


@pytest.mark.parametrize("partitions", [1, 3, 12])
def test_the_number_of_partitions_changes_nothing(
    kafka_broker: Broker, prefix: str, tmp_path: Path, partitions: int
) -> None:
    world = recorded_world([date(2025, 11, 3)], ("CIFR", "IREN", "MSFT"))
    live = _run_live(kafka_broker, prefix, tmp_path, world, partitions=partitions)
    replayed = replayed_run(world)

    check_once(live, replayed)
    check_exact(live)
    check_same_ending(live, replayed)
