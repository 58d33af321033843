"""A private live run: topics and a worker of our own, fed once, and stopped again."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from agents.app import changelog_topics
from signals.errors import Unavailable
from signals.fold import Agent
from signals.messages import Alert, Headline, PriceSample
from streams.brokers import Broker, start_broker
from streams.brokers.process import Supervised, free_port
from streams.clients import open_producer
from streams.clock import monotonic_s
from streams.group_lag import GroupLag
from streams.ingest import Refusal, send_all
from streams.pace import Pace
from streams.recorder import record_topics
from streams.recording import Manifest
from streams.settings import PREFIX, Settings
from streams.sinks.stored_alerts import read_stored_alerts
from streams.topic_admin import apply_topics
from tapewire.running import run_quietly

__all__ = ["LiveRun", "agents_run", "live_run"]

_READY_S = 60.0
_STALLED_S = 60.0
_POLL_S = 0.2
_BURST = 500

Message = Headline | PriceSample
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """A broker with topics and one worker that is ready; ``broker`` is None for somebody else's."""

    settings: Settings
    broker: Broker | None
    worker: Supervised
    agents: Sequence[Agent]

    def feed(self, messages: Iterable[Message], tell: Tell, pace: Pace | None = None) -> int:
        """Send source messages in their order, when they are due; return how many.

        Raises: Unavailable where the broker fails, or the door refuses one.
        """
        return run_quietly(self._feed(messages, tell, pace or Pace(0)))

    def wait_until_done(self, tell: Tell) -> None:
        """Return when all that was sent has gone the whole way.

        An agent commits after its outputs are acknowledged, so once it is at the end of its topic,
        the next one's topic has its last record: the agents are asked in the order of the way.

        Raises: Unavailable with the end of the log, where the worker ends or makes no progress.
        """
        run_quietly(self._wait_until_done(tell))

    def alerts(self) -> list[Alert]:
        """Return the alerts, in the order in which they became known."""
        return run_quietly(read_stored_alerts(self.settings.broker, self.settings.prefix))

    def record(self, topics: Sequence[str], folder: Path) -> Manifest:
        """Write topics into a recording."""
        settings = self.settings
        return run_quietly(record_topics(settings.broker, settings.prefix, topics, folder))

    async def _feed(self, messages: Iterable[Message], tell: Tell, pace: Pace) -> int:
        sent = 0
        async with open_producer(self.settings.broker) as producer:
            async for burst in _bursts(messages, pace):
                async for answer in send_all(producer, burst, prefix=self.settings.prefix):
                    if isinstance(answer, Refusal):
                        raise Unavailable(f"{answer.id} {answer.detail}")
                    sent += answer
                tell(f"{sent:,} records sent")
                self.check()
        return sent

    async def _wait_until_done(self, tell: Tell) -> None:
        seen, since_s = -1, monotonic_s()
        async with GroupLag(self.settings.broker, self.settings.group) as lag:
            while True:
                stages = [
                    (agent.name, *await lag.ask(f"{self.settings.prefix}{agent.reads}"))
                    for agent in self.agents
                ]
                if all(done >= total for _, done, total in stages):
                    return
                folded = sum(done for _, done, _ in stages)
                tell(", ".join(f"{name} {done:,} of {total:,}" for name, done, total in stages))
                if folded != seen:
                    seen, since_s = folded, monotonic_s()
                elif monotonic_s() - since_s > _STALLED_S:
                    raise Unavailable(
                        f"no agent has moved for {_STALLED_S:.0f} s: {stages}; the end of "
                        f"{self.worker.log}:\n{self.worker.last_lines()}"
                    )
                self.check()
                await asyncio.sleep(_POLL_S)

    def check(self) -> None:
        """Raise Unavailable with the end of the log, if the worker or the broker has ended."""
        if self.broker is not None and not self.broker.is_alive():
            raise Unavailable(f"the {self.broker.name} broker has ended; see {self.broker.log}")
        if not self.worker.is_alive():
            raise Unavailable(
                f"the worker has ended with exit code {self.worker.wait(1)}; the end of its log:\n"
                f"{self.worker.last_lines()}"
            )


@contextmanager
def live_run(
    broker_name: str, folder: Path, agents: Sequence[Agent], *, partitions: int, tell: Tell
) -> Iterator[LiveRun]:
    """Yield a run that is ready, and end its worker and its broker afterwards.

    Args:
        broker_name: ``embedded`` or ``kafka``.
        folder: for the broker's data and the logs; it is the run's own.
        agents: what the worker runs too.
        partitions: of the topics whose keys carry state.
        tell: called with what is going on.
    Raises: ConfigError or Unavailable, where a piece does not come up; with the end of its log.
    """
    tell(f"starting the {broker_name} broker")
    with start_broker(broker_name, folder / "broker") as broker:
        settings = Settings(broker=broker.bootstrap, group="demo", web_port=free_port())
        with agents_run(
            settings, folder, agents, partitions=partitions, tell=tell, broker=broker
        ) as run:
            yield run


@contextmanager
def agents_run(
    settings: Settings,
    folder: Path,
    agents: Sequence[Agent],
    *,
    partitions: int,
    tell: Tell,
    broker: Broker | None = None,
) -> Iterator[LiveRun]:
    """Yield a run on a broker that is there, and end its worker afterwards; its topics stay.

    Args:
        settings: broker, prefix and group, which are the run's own, the policy and the rules.
        folder: for the worker's log; it is the run's own.
        agents: what the worker runs too.
        partitions: of the topics whose keys carry state.
        tell: called with what is going on.
        broker: to be watched, where it is our own.
    Raises: ConfigError or Unavailable, where a piece does not come up; with the end of its log.
    """
    tell("creating the topics")
    changelogs = changelog_topics(settings, agents)
    run_quietly(apply_topics(settings.broker, settings.prefix, changelogs, partitions=partitions))
    tell("starting the worker")
    worker = _start_worker(settings, folder / "worker.log")
    try:
        run = LiveRun(settings=settings, broker=broker, worker=worker, agents=agents)
        _wait_until_ready(run)
        yield run
    finally:
        worker.stop()


async def _bursts(messages: Iterable[Message], pace: Pace) -> AsyncIterator[list[Message]]:
    """Yield messages that are due, some at a time.

    They are read in a thread: where they come from a broker, an event loop of their own runs there.
    """
    iterator = iter(messages)
    while ahead := await asyncio.to_thread(lambda: list(islice(iterator, _BURST))):
        burst: list[Message] = []
        for message in ahead:
            if burst and pace.wait_s(message.received_us) > 0:
                yield burst
                burst = []
            if (wait_s := pace.wait_s(message.received_us)) > 0:
                await asyncio.sleep(wait_s)
            burst.append(message)
        yield burst


def _start_worker(settings: Settings, log: Path) -> Supervised:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    for name in ("broker", "prefix", "group", "web_port"):
        environment[f"{PREFIX}{name.upper()}"] = str(getattr(settings, name))
    for name in ("policy", "rules"):
        if (path := getattr(settings, name)) is not None:
            environment[f"{PREFIX}{name.upper()}"] = str(path)
    # -P: a folder named tapewire where the user stands is not the package.
    command = [sys.executable, "-P", "-m", "tapewire", "worker"]
    return Supervised(command, log=log, environment=environment)


def _wait_until_ready(run: LiveRun) -> None:
    address = f"http://{run.settings.web_host}:{run.settings.web_port}/readyz"
    started_s = monotonic_s()
    while True:
        run.check()
        try:
            with urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            pass  # not listening yet, or 503 while it reads its state back
        if monotonic_s() - started_s > _READY_S:
            raise Unavailable(
                f"the worker is not ready after {_READY_S:.0f} s; the end of its log:\n"
                f"{run.worker.last_lines()}"
            )
        time.sleep(_POLL_S)
