"""Start, watch and kill workers of toy agents; fill and read topics."""

import asyncio
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.app import changelog_topics
from streams.codec import decode, encode
from streams.settings import Settings
from streams.topic_admin import apply_topics
from tests.agents.toys import CHAIN, TOYS, Toy, toy

SCRIPT = Path(__file__).with_name("worker.py")


class WorkerProcess:
    """A worker in a process of its own, ended with the test."""

    def __init__(self, settings: Settings, folder: Path, **environment: str) -> None:
        number = len(list(folder.glob("*.log")))
        self.log = folder / f"{settings.worker}-{number}.log"
        variables = {
            "TAPEWIRE_BROKER": settings.broker,
            "TAPEWIRE_PREFIX": settings.prefix,
            "TAPEWIRE_GROUP": settings.group,
            "TAPEWIRE_WORKER": settings.worker,
            "TAPEWIRE_WEB_PORT": "0",
        }
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            env={**os.environ, **variables, **environment},
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def get(self, page: str) -> tuple[int, str]:
        """Return status and text of a page; 0 while nothing is served."""
        port = re.search(r"PORT (\d+)", self.log.read_text())
        if port is None:
            return 0, ""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}{page}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_until_ready(self, timeout_s: float = 40.0) -> float:
        """Return the seconds until the worker said that it is ready."""
        begun = time.monotonic()
        self.wait_for(lambda: self.get("/readyz")[0] == 200, timeout_s)
        return time.monotonic() - begun

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            state = self.process.poll()
            assert state is None, f"the worker ended with {state}: {self.tail()}"
            assert time.monotonic() < deadline, f"not in {timeout_s} s: {self.tail()}"
            time.sleep(0.1)

    def metric(self, name: str) -> float:
        """Return the sum of a metric's samples."""
        lines = self.get("/metrics")[1].splitlines()
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in lines if re.match(name + r"[ {]", line)
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, timeout_s: float = 30.0) -> int:
        self.process.terminate()
        return self.process.wait(timeout_s)

    def tail(self) -> str:
        return self.log.read_text()[-3000:]


def make_topics(settings: Settings) -> None:
    extra = (*TOYS, *changelog_topics(settings, CHAIN, TOYS))
    asyncio.run(apply_topics(settings.broker, settings.prefix, extra))


async def fill(settings: Settings, numbers: Iterable[int], key: Callable[[int], str]) -> None:
    """Append the toys of the numbers to the first topic."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, linger_ms=5)
    await producer.start()
    try:
        for number in numbers:
            value = encode(toy(number))
            await producer.send(settings.prefix + TOYS[0].name, value, key=key(number).encode())
        await producer.flush()
    finally:
        await producer.stop()


async def ends(settings: Settings, *names: str) -> list[int]:
    """Return how many records each topic has had."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, enable_auto_commit=False)
    await consumer.start()
    try:
        counts = []
        for name in names:
            tps = await _partitions(consumer, settings.prefix + name)
            counts.append(sum((await consumer.end_offsets(tps)).values()))
        return counts
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    await consumer._client._wait_on_metadata(topic)
    return [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]


async def read_all(settings: Settings, name: str) -> list:
    """Return every record of a topic, by partition and offset."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, enable_auto_commit=False)
    await consumer.start()
    try:
        tps = await _partitions(consumer, settings.prefix + name)
        consumer.assign(tps)
        await consumer.seek_to_beginning(*tps)
        left = {tp: end for tp, end in (await consumer.end_offsets(tps)).items() if end}
        records = []
        while left:
            for tp, batch in (await consumer.getmany(timeout_ms=500)).items():
                records += batch
                if tp in left and batch[-1].offset + 1 >= left[tp]:
                    del left[tp]
        return sorted(records, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


async def toys(settings: Settings, name: str) -> list[tuple[str, Toy]]:
    """Return key and message of every record of a topic."""
    found = await read_all(settings, name)
    return [(record.key.decode(), decode(record.value, Toy)) for record in found]


def expected(numbers: Iterable[int], key: Callable[[int], str]) -> dict[int, tuple[int, int]]:
    """Return count and sum of its key at every number, by folding the numbers in order."""
    state: dict[str, tuple[int, int]] = {}
    result = {}
    for number in numbers:
        n, total = state.get(key(number), (0, 0))
        state[key(number)] = result[number] = n + 1, total + number
    return result
