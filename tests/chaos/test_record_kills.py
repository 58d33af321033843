"""A recording that is killed at any point, and started again, holds every record once."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic

from signals.errors import ConfigError
from streams.brokers import Broker
from streams.clients import open_admin, open_consumer, open_producer, partitions_of, read_to_end
from streams.clock import monotonic_s
from streams.recorder import recorded_of
from streams.recording import read_recording
from streams.recordings.records import Recorded
from streams.settings import PREFIX
from streams.topic_admin import wait_until_ready

pytest.importorskip("pyarrow")

RECORDS = 30_000
PARTITIONS = 3
KILLS = 4

pytestmark = pytest.mark.chaos

# As tapewire record does it, but with small files.
_SMALL_FILES = """
import sys
import streams.recorder as recorder
import streams.recordings.partition as partition
recorder.Recorder.__init__.__kwdefaults__["file_bytes"] = 40_000
partition._GROUP_RECORDS = 100
from tapewire.cli import main
sys.exit(main(sys.argv[1:]))
"""


async def fill(broker: Broker, topic: str, count: int) -> None:
    async with open_admin(broker.bootstrap) as admin:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    await wait_until_ready(broker.bootstrap, {topic: PARTITIONS})
    draw = random.Random(3)
    async with open_producer(broker.bootstrap) as producer:
        for number in range(count):
            await producer.send(
                topic, draw.randbytes(200), key=b"%d" % number, partition=number % PARTITIONS
            )
        await producer.flush()


async def held_in(broker: Broker, topic: str) -> list[Recorded]:
    partitions = await partitions_of(broker.bootstrap, [topic])
    async with open_consumer(broker.bootstrap) as consumer:
        found = [recorded_of(item, "a") async for item in read_to_end(consumer, partitions)]
    return sorted(found, key=lambda item: (item.partition, item.offset))


@contextmanager
def recording(
    broker: Broker, prefix: str, folder: Path, *more: str
) -> Iterator[subprocess.Popen[str]]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    words = ["record", "--out", str(folder), "--broker", broker.bootstrap, "--prefix", prefix]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _SMALL_FILES, *words, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def whole_files(folder: Path) -> int:
    return sum(not path.name.startswith(".") for path in folder.rglob("*.parquet"))


def wait_for_files(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline_s = monotonic_s() + 60
    while process.poll() is None and whole_files(folder) < count:
        assert monotonic_s() < deadline_s
        time.sleep(0.005)


async def test_killed_again_and_again_it_holds_every_record_once(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    folder = tmp_path / "recording"
    await fill(broker, f"{prefix}a", RECORDS)

    for _ in range(KILLS):
        with recording(broker, prefix, folder) as process:
            await asyncio.to_thread(wait_for_files, folder, whole_files(folder) + 5, process)
            assert process.poll() is None, "it was done before it could be killed"
            process.kill()
    with pytest.raises(ConfigError, match="was cut off"):
        list(read_recording(folder, "a"))
    # The last kill mostly comes in the middle of a file, and sometimes between two.
    is_torn = any(folder.rglob("*.torn"))
    with recording(broker, prefix, folder) as process:
        out, errors = process.communicate(timeout=120)

    assert process.returncode == 0, errors
    assert "already there 0," not in out
    assert ("was torn" in errors) == is_torn
    assert list(read_recording(folder, "a")) == await held_in(broker, f"{prefix}a")
    assert not list(folder.rglob("*.torn"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_in_good_order(
    embedded_broker: Broker, prefix: str, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "recording"
    await fill(embedded_broker, f"{prefix}a", RECORDS)
    with recording(embedded_broker, prefix, folder) as process:
        await asyncio.to_thread(wait_for_files, folder, 3, process)
        process.send_signal(number)
        out, errors = process.communicate(timeout=60)

    held = list(read_recording(folder, "a"))
    assert process.returncode == 130, errors
    assert out.startswith(f"recorded {len(held)} records, already there 0, ")
    assert out.endswith("; stopped, the same command goes on from here\n")
    with recording(embedded_broker, prefix, folder) as process:
        process.communicate(timeout=120)
    assert list(read_recording(folder, "a")) == await held_in(embedded_broker, f"{prefix}a")


async def test_a_signal_is_how_following_ends(
    embedded_broker: Broker, prefix: str, tmp_path: Path
) -> None:
    folder = tmp_path / "recording"
    await fill(embedded_broker, f"{prefix}a", 2000)
    with recording(embedded_broker, prefix, folder, "--follow") as process:
        await asyncio.to_thread(wait_for_files, folder, 3, process)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 0, errors
    assert len(list(read_recording(folder, "a"))) > 0
