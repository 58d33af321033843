"""A killed worker is ready again soon, however often its rows have been written."""

import asyncio
import time

import pytest
from aiokafka import AIOKafkaProducer

from agents.folding import checksum
from agents.links import Links, connect
from agents.rows import Partition
from streams.clock import now_us
from streams.codec import encode
from streams.settings import Settings
from tests.agents.toys import COUNT, B, C, Count, toy
from tests.chaos.harness import WorkerProcess, make_topics, toys

pytestmark = pytest.mark.chaos

WRITES, KEYS, PARTITIONS = 2_000_000, 5_000, 4
ROUNDS = WRITES // KEYS


def _count(number: int, round_: int) -> Count:
    return Count(last=number, n=round_, total=round_ * number, pad="x" * 100)


async def _write(settings: Settings) -> float:
    """Write every key's row so often, with the worker's own classes: a batch a round.

    The rows are put as the fold puts them and go through the same sweep, cursor and record batch;
    what is left out is the decoding and folding of 2 million messages.
    Returns: rows written a second.
    """
    links = Links(lambda: connect(settings.broker, "test"), prefix=settings.prefix)
    await links.start()
    changelog = f"{settings.prefix}{settings.group}-{COUNT.name}-changelog"
    partitions = [Partition(COUNT, number) for number in range(PARTITIONS)]
    begun = time.monotonic()
    for round_ in range(1, ROUNDS + 1):
        written = {}
        for partition in partitions:
            changed = {}
            for number in range(partition.number, KEYS, PARTITIONS):
                partition.put(f"K{number}", "count", _count(number, round_))
                changed[f"K{number}", "count"] = round_ - 1
            cursor = (round_ - 1, checksum(b"{}"))
            written[partition.number] = partition.records(changed, cursor, 0)
        bases = await links.write(changelog, written, now_ms=now_us() // 1000)
        for partition in partitions:
            partition.committed(bases[partition.number], written[partition.number])
    await links.stop()
    return WRITES / (time.monotonic() - begun)


async def _send(settings: Settings, records: list[tuple[int, bytes, bytes]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, linger_ms=5)
    await producer.start()
    for partition, key, value in records:
        await producer.send(settings.prefix + B.name, value, key=key, partition=partition)
    await producer.stop()


@pytest.mark.timeout(240)
def test_ready_within_20_s_after_2_million_writes(kafka_broker, prefix, tmp_path):
    group = prefix.strip(".")
    settings = Settings(broker=kafka_broker.bootstrap, prefix=prefix, group=group)
    make_topics(settings)
    inputs = [(p, b"K", b"{}") for p in range(PARTITIONS) for _ in range(ROUNDS)]
    asyncio.run(_send(settings, inputs))  # the offsets that the state stands on
    rate = asyncio.run(_write(settings))
    with WorkerProcess(settings, tmp_path) as worker:
        worker.wait_until_ready(60)
        worker.kill()
    begun = time.monotonic()
    with WorkerProcess(settings, tmp_path) as worker:
        worker.wait_until_ready(60)
        ready_s = time.monotonic() - begun
        recovery_s = worker.metric("tapewire_recovery_seconds")
        print(
            f"\n{WRITES} writes at {rate:.0f} a second; "
            f"ready after {ready_s:.1f} s, of which {recovery_s:.2f} s read the state"
        )
        assert worker.metric("tapewire_state_rows") == KEYS
        probes = [(n % PARTITIONS, f"K{n}".encode(), encode(toy(10_000 + n))) for n in range(KEYS)]
        asyncio.run(_send(settings, probes))
        worker.wait_for(lambda: worker.metric("tapewire_lag_records") == 0, 60)
        worker.wait_for(lambda: len(asyncio.run(toys(settings, C.name))) >= KEYS, 60)
    answers = dict(asyncio.run(toys(settings, C.name)))
    wrong = [n for n in range(KEYS) if answers[f"K{n}"].n != ROUNDS + 1]
    assert not wrong, f"{len(wrong)} of {KEYS} keys were not read back: {wrong[:5]}"
    assert ready_s < 20
