"""The real agents over a broker: a world to feed them with, and their workers."""

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from pathlib import Path

from agents.app import changelog_topics
from signals import names
from signals.fold import Agent
from signals.messages import Headline, PriceSample
from signals.policy import Policy
from streams.assemble import assemble_agents
from streams.brokers import Broker
from streams.brokers.process import free_port
from streams.clients import open_producer
from streams.ingest import Refusal, send_all
from streams.settings import Settings
from streams.sources.merge import canonical_order
from streams.topic_admin import apply_topics
from tapewire.recorded import read_recorded_headlines, read_tape
from tests.chaos.harness import WorkerProcess, ends, lags

DAYS = (date(2025, 11, 3), date(2025, 11, 4))
TICKERS = ("AMZN", "CIFR", "DELL", "IREN", "MSFT", "NVDA", "SPY")
STAGES = (names.HEADLINES, names.PRICES, names.JOURNAL, names.REACTIONS)

World = Sequence[Headline | PriceSample]


def recorded_world(days: Sequence[date] = DAYS, tickers: Sequence[str] = TICKERS) -> World:
    """Return the demo's headlines up to the end of the days, and the tape, in canonical order."""
    prices = list(read_tape(days=days, tickers=tickers))
    until_us = max(price.received_us for price in prices)
    headlines = [h for h in read_recorded_headlines() if h.received_us <= until_us]
    return [message for _, _, message in canonical_order(headlines, prices)]


@cache
def real_agents() -> tuple[Agent, ...]:
    return assemble_agents(Policy())


# ---- a worker, and what it is fed with -----------------------------------------------------------


class RealWorker(WorkerProcess):
    """``tapewire worker`` in a process of its own, under a hash seed that its log begins with."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        number = len(list(folder.glob("*.log")))
        self.log = folder / f"{settings.worker}-{number}.log"
        port, seed = free_port(), random.randrange(2**32)
        variables = {
            "PYTHONHASHSEED": str(seed),
            "TAPEWIRE_BROKER": settings.broker,
            "TAPEWIRE_PREFIX": settings.prefix,
            "TAPEWIRE_GROUP": settings.group,
            "TAPEWIRE_WORKER": settings.worker,
            "TAPEWIRE_WEB_PORT": str(port),
        }
        with self.log.open("wb", buffering=0) as log:
            log.write(f"PORT {port}\nPYTHONHASHSEED {seed}\n".encode())
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tapewire", "worker"],
                env={**os.environ, **variables},
                cwd=folder,  # Faust leaves a folder where it runs
                stdout=log,
                stderr=subprocess.STDOUT,
            )


def settings_for(broker: Broker, prefix: str, worker: str = "worker-0") -> Settings:
    group = prefix.strip(".")
    return Settings(broker=broker.bootstrap, prefix=prefix, group=group, worker=worker)


def make_real_topics(settings: Settings, *, partitions: int = 4) -> None:
    extra = changelog_topics(settings, real_agents())
    asyncio.run(apply_topics(settings.broker, settings.prefix, extra, partitions=partitions))


async def send(settings: Settings, messages: Iterable[Headline | PriceSample]) -> None:
    """Append headlines and prices in their order."""
    async with open_producer(settings.broker) as producer:
        async for answer in send_all(producer, messages, prefix=settings.prefix):
            assert not isinstance(answer, Refusal), answer


class Bursts(threading.Thread):
    """Appends a world in bursts, up to where it is told to; ``sent`` says how far it is."""

    def __init__(self, settings: Settings, world: World, *, burst: int = 50) -> None:
        super().__init__(daemon=True)
        self.sent = 0
        self._settings, self._world, self._burst = settings, world, burst
        self._until = 0

    def allow(self, share: float) -> None:
        """Let a share (0 to 1) of the world go out."""
        self._until = round(share * len(self._world))

    def run(self) -> None:
        asyncio.run(self._feed())

    async def _feed(self) -> None:
        async with open_producer(self._settings.broker) as producer:
            while self.sent < len(self._world):
                end = min(self.sent + self._burst, self._until)
                part = self._world[self.sent : end]
                async for answer in send_all(producer, part, prefix=self._settings.prefix):
                    assert not isinstance(answer, Refusal), answer
                self.sent = end
                await asyncio.sleep(0.02)

    def finish(self) -> None:
        """Let everything go out, and return when it is there."""
        self.allow(1)
        self.join(60)
        assert self.sent == len(self._world)


def wait_until_done(
    settings: Settings, workers: Sequence[WorkerProcess], *, timeout_s: float = 180.0
) -> None:
    """Return when every record has gone the whole way and is committed.

    A stage commits after its outputs are there, so the stages are asked in the order of the way.
    """
    deadline = time.monotonic() + timeout_s
    while any(left := asyncio.run(lags(settings, STAGES))):
        for worker in workers:
            assert worker.process.poll() is None, worker.tail()
        assert time.monotonic() < deadline, f"{left} are left: {workers[0].tail()}"
        time.sleep(0.3)


def out(settings: Settings) -> int:
    """Return how many records the agents have written, on all topics."""
    return sum(asyncio.run(ends(settings, names.JOURNAL, names.REACTIONS, names.ALERTS)))
