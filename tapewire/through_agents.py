"""Raw records through real agents: topics, a group and a worker of their own, gone afterwards."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from signals import names
from signals.fold import Agent
from signals.messages import Headline, PriceSample
from streams.brokers import Broker, start_broker
from streams.brokers.process import free_port
from streams.clients import describe_partitions, open_admin
from streams.clock import now_us
from streams.last_state import LastState
from streams.pace import Pace
from streams.replay import Report
from streams.settings import Settings
from streams.topic_reader import StoredTopics, TopicReader
from tapewire.live_run import LiveRun, agents_run
from tapewire.replaying import Record
from tapewire.running import run_quietly

__all__ = ["Outcome", "run_through_agents"]

_PARTITIONS = 4
_REASON = "reason"  # header of a dead letter

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: its report, and the last state of everything."""

    report: Report
    last_state: LastState


def run_through_agents(
    records: Iterable[Record],
    agents: Sequence[Agent],
    settings: Settings,
    *,
    own_broker: str | None,
    pace: Pace,
    tell: Tell,
) -> Outcome:
    """Feed raw records to a worker, wait until they have gone the whole way, and read the end.

    Args:
        records: in the order in which they are fed.
        agents: what the worker runs: the rules and the policy of the settings.
        settings: the broker, unless it is our own, the policy and the rules.
        own_broker: the name of a broker to start for it, in a private folder.
        pace: how fast they are fed.
        tell: called with what is going on.
    Raises: Unavailable where a piece fails, with the end of its log.
    """
    with tempfile.TemporaryDirectory(prefix="tapewire-replay-") as private:
        folder = Path(private)
        with _broker(own_broker, folder, tell) as broker:
            run_settings = _own(settings, broker)
            try:
                with agents_run(
                    run_settings, folder, agents, partitions=_PARTITIONS, tell=tell, broker=broker
                ) as run:
                    return _run(run, records, pace, tell)
            finally:
                if broker is None:
                    tell("deleting the topics")
                    run_quietly(_delete_topics(run_settings))


@contextmanager
def _broker(name: str | None, folder: Path, tell: Tell) -> Iterator[Broker | None]:
    if name is None:
        yield None
        return
    tell(f"starting the {name} broker")
    with start_broker(name, folder / "broker") as broker:
        yield broker


def _own(settings: Settings, broker: Broker | None) -> Settings:
    """Return settings under which nothing else runs: the moment is in the prefix and the group."""
    name = f"replay-{now_us()}"
    return replace(
        settings,
        broker=settings.broker if broker is None else broker.bootstrap,
        prefix=f"{name}.",
        group=name,
        web_port=free_port(),
    )


def _run(run: LiveRun, records: Iterable[Record], pace: Pace, tell: Tell) -> Outcome:
    report, last_state = Report(), LastState()

    def counted() -> Iterator[Headline | PriceSample]:
        for topic, _, message in records:
            report.read[topic] += 1
            yield message

    run.feed(counted(), tell, pace)
    run.wait_until_done(tell)
    report.alerts = run.alerts()
    prefix = run.settings.prefix
    topics = [prefix + name for name in (*LastState.TOPICS, names.DEAD_LETTERS)]
    with TopicReader(run.settings.broker, topics) as reader:
        stored = StoredTopics(reader, prefix)
        for topic in LastState.TOPICS:
            for record in stored.read(topic):
                last_state.add(record.value)
        for record in stored.read(names.DEAD_LETTERS):
            reason = dict(record.headers).get(_REASON)
            report.dead[(reason or b"unknown").decode()] += 1
    return Outcome(report, last_state)


async def _delete_topics(settings: Settings) -> None:
    ours = [
        name
        for name in await describe_partitions(settings.broker)
        if name.startswith(settings.prefix)
    ]
    if ours:
        async with open_admin(settings.broker) as admin:
            await admin.delete_topics(ours)
