"""Start, watch and kill workers of toy agents; fill and read topics."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.app import changelog_topics
from agents.recovery import recover
from signals.fold import Agent
from streams.codec import decode, encode
from streams.group_lag import GroupLag
from streams.settings import Settings
from streams.topic_admin import apply_topics
from tests.agents.toys import CHAIN, COUNT, COUNT_AGAIN, KEPT, TOYS, Toy, toy

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

    def kill_behind(self, sent: Callable[[], int], *, more: int = 200) -> None:
        """Kill the worker where it stands, when more records than it has seen wait for it.

        On a quiet machine a worker is at the end of its topics most of the time: so it is stopped
        first, in the middle of whatever it does, and killed when more has been sent.
        """
        self.process.send_signal(signal.SIGSTOP)
        wanted, deadline = sent() + more, time.monotonic() + 30
        while sent() < wanted:
            assert time.monotonic() < deadline, f"{sent()} of {wanted} records sent"
            time.sleep(0.02)
        self.kill()

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


class Feed(threading.Thread):
    """Appends toys in bursts, ten a second, until it is stopped; ``count`` says how many."""

    def __init__(self, settings: Settings, key: Callable[[int], str], *, rate: int) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self._settings, self._key, self._burst = settings, key, rate // 10
        self._stopped = threading.Event()

    def run(self) -> None:
        asyncio.run(self._feed())

    async def _feed(self) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._settings.broker, linger_ms=5)
        await producer.start()
        topic = self._settings.prefix + TOYS[0].name
        try:
            while not self._stopped.is_set():
                for number in range(self.count, self.count + self._burst):
                    value = encode(toy(number))
                    await producer.send(topic, value, key=self._key(number).encode())
                await producer.flush()
                self.count += self._burst
                await asyncio.sleep(0.1)
        finally:
            await producer.stop()

    def finish(self) -> int:
        """Stop and return how many were appended."""
        self._stopped.set()
        self.join(30)
        return self.count


def left_at_the_end(settings: Settings) -> tuple[int, int]:
    """Return how many records the first and the last topic have had."""
    first, last = asyncio.run(ends(settings, TOYS[0].name, TOYS[3].name))
    return first, last


def check_outputs(settings: Settings, count: int, key: Callable[[int], str]) -> int:
    """Assert that every number came out once by id, with the right content; return the repeats."""
    right = expected(range(count), key)
    found = asyncio.run(toys(settings, TOYS[3].name))
    for where, message in found:
        assert where == key(message.number)
        assert message.id == f"d:{message.number}"
        assert (message.n, message.total) == right[message.number]
    assert {message.number for _, message in found} == set(right)
    return len(found) - len(right)


def check_state(settings: Settings, count: int, key: Callable[[int], str]) -> None:
    """Assert that the next recovery gives every key its exact rows, in both agents with state."""
    last: dict[str, tuple[int, int, list[int]]] = {}
    for number in range(count):
        n, total, seen = last.get(key(number), (0, 0, []))
        last[key(number)] = n + 1, total + number, [*seen, number][-KEPT:]
    for agent in (COUNT, COUNT_AGAIN):
        state = asyncio.run(_state(settings, agent))
        wrong = [
            name
            for name, (n, total, seen) in last.items()
            if _kept(state, name) != (n, total, seen)
        ]
        assert not wrong, f"{len(wrong)} of {len(last)} keys of {agent.name}: {wrong[:5]}"


def _kept(state: dict, name: str) -> tuple[int, int, list[int]]:
    owners = [rows for p in state.values() if (rows := p.rows(name))]
    assert len(owners) == 1, f"{name} has state in {len(owners)} partitions"
    rows = dict(owners[0])
    counted = rows.pop("count")
    return counted.n, counted.total, sorted(row.number for row in rows.values())


async def _state(settings: Settings, agent: Agent) -> dict:
    return await recover(
        agent,
        bootstrap=settings.broker,
        group=settings.group,
        input_topic=settings.prefix + agent.reads,
        changelog=f"{settings.prefix}{settings.group}-{agent.name}-changelog",
        partitions=range(4),
        still_ours=lambda: True,
    )


async def lags(settings: Settings, stages: Iterable[str]) -> list[int]:
    """Return how many records of each stage are not committed, in the order of the way."""
    async with GroupLag(settings.broker, settings.group) as lag:
        asked = [await lag.ask(settings.prefix + name) for name in stages]
    return [total - done for done, total in asked]


def wait_until_drained(settings: Settings, count: int, workers: Iterable[WorkerProcess]) -> None:
    """Return when every record of every topic has been folded and is committed.

    A stage commits after its outputs are there, so the stages are asked in the order of the way. A
    worker's own lag would not do: it is a second old, and repeats hide that outputs are missing.
    """
    deadline = time.monotonic() + 90
    watched = list(workers)
    stages = [agent.reads for agent in CHAIN]
    while True:
        left = asyncio.run(lags(settings, stages))
        out = left_at_the_end(settings)[1]
        ready = all(worker.get("/readyz")[0] == 200 for worker in watched)
        if ready and not any(left) and out >= count:
            return
        for worker in watched:
            assert worker.process.poll() is None, worker.tail()
        assert time.monotonic() < deadline, f"{out} of {count} came out, lags {left}"
        time.sleep(0.5)
