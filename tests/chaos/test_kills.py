"""Workers that are killed, paused, or whose sends fail: nothing is lost, nothing counted twice."""

import asyncio
import signal
import time

import pytest

from streams.settings import Settings
from tests.chaos.harness import (
    Feed,
    WorkerProcess,
    check_outputs,
    check_state,
    fill,
    left_at_the_end,
    make_topics,
    wait_until_drained,
)

pytestmark = pytest.mark.chaos


def key(number: int) -> str:
    return f"K{number % 40}"


def _settings(broker, prefix: str, worker: str = "worker-0") -> Settings:
    group = prefix.strip(".")
    return Settings(broker=broker.bootstrap, prefix=prefix, group=group, worker=worker)


def test_three_kills_lose_nothing_and_double_nothing(broker, prefix, tmp_path):
    settings = _settings(broker, prefix)
    make_topics(settings)
    feed = Feed(settings, key, rate=400)
    feed.start()
    out = 0
    for _ in range(3):
        with WorkerProcess(settings, tmp_path) as worker:
            _wait_for_output(worker, settings, out + 100)
            worker.kill_behind(lambda: feed.count)
        fed, out = left_at_the_end(settings)
        assert fed > out, "work must be left at the kill"
    with WorkerProcess(settings, tmp_path) as worker:
        _wait_for_output(worker, settings, out)
        count = feed.finish()
        wait_until_drained(settings, count, [worker])
        assert worker.stop() == 0
    check_outputs(settings, count, key)
    check_state(settings, count, key)


def test_a_send_that_fails_ends_the_worker_and_nothing_is_missing(
    embedded_broker, prefix, tmp_path
):
    settings = _settings(embedded_broker, prefix)
    make_topics(settings)
    count = 3000
    asyncio.run(fill(settings, range(count), key))
    with WorkerProcess(settings, tmp_path, TOY_FAIL_AFTER="1500") as worker:
        assert worker.process.wait(60) == 1
        assert "the send that the test lets fail" in worker.tail()
    assert left_at_the_end(settings)[1] < count
    with WorkerProcess(settings, tmp_path) as worker:
        wait_until_drained(settings, count, [worker])
        assert worker.stop() == 0
    check_outputs(settings, count, key)
    check_state(settings, count, key)


def test_one_of_two_workers_is_killed(kafka_broker, prefix, tmp_path):
    first, second = (_settings(kafka_broker, prefix, f"worker-{n}") for n in range(2))
    make_topics(first)
    feed = Feed(first, key, rate=400)
    feed.start()
    with WorkerProcess(first, tmp_path) as survivor, WorkerProcess(second, tmp_path) as killed:
        _wait_for_both(survivor, killed)
        killed.kill_behind(lambda: feed.count)
        fed, out = left_at_the_end(first)
        assert fed > out, "work must be left at the kill"
        _wait_for_output(survivor, first, out + 400)
        count = feed.finish()
        wait_until_drained(first, count, [survivor])
        assert survivor.stop() == 0
    check_outputs(first, count, key)
    check_state(first, count, key)


def test_a_worker_paused_under_load_leaves_every_key_exact(kafka_broker, prefix, tmp_path):
    quiet, busy = 20_000, 40
    first, second = (_settings(kafka_broker, prefix, f"worker-{n}") for n in range(2))
    make_topics(first)

    def busy_key(number: int) -> str:
        return f"Q{number}" if number < quiet else f"K{number % busy}"

    feed = Feed(first, busy_key, rate=500)
    asyncio.run(fill(first, range(quiet), busy_key))
    feed.count = quiet
    with WorkerProcess(first, tmp_path) as survivor, WorkerProcess(second, tmp_path) as paused:
        wait_until_drained(first, quiet, [survivor, paused])
        feed.start()
        _wait_for_both(survivor, paused)
        paused.process.send_signal(signal.SIGSTOP)
        out = left_at_the_end(first)[1]
        time.sleep(25)
        paused.process.send_signal(signal.SIGCONT)
        assert left_at_the_end(first)[1] > out
        time.sleep(3)
        count = feed.finish()
        wait_until_drained(first, count, [survivor, paused])
        assert survivor.stop() == 0
        assert paused.stop() == 0
    check_outputs(first, count, busy_key)
    check_state(first, count, busy_key)


def _wait_for_output(worker: WorkerProcess, settings: Settings, more_than: int) -> None:
    worker.wait_for(lambda: left_at_the_end(settings)[1] > more_than, 60)


def _wait_for_both(one: WorkerProcess, other: WorkerProcess) -> None:
    """Return when both workers have folded records since they share the partitions."""

    def both() -> bool:
        return all(worker.get("/readyz")[0] == 200 for worker in (one, other))

    one.wait_for(both, 60)
    before = [worker.metric("tapewire_records_in_total") for worker in (one, other)]

    def moved() -> bool:
        now = [worker.metric("tapewire_records_in_total") for worker in (one, other)]
        return both() and all(b > a + 50 for a, b in zip(before, now, strict=True))

    one.wait_for(moved, 60)
