"""Put agents on Faust: one stream an agent, their state read back at every assignment.

Faust gives the group membership, the fetching, the commit and the life of a worker. State does not
go through Faust's tables: see agents/rows.py and agents/recovery.py.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import faust
from prometheus_client import CollectorRegistry

from agents import faust_repairs
from agents.ending import end_process
from agents.links import Links, Producer, connect
from agents.raw_schema import RawSchema
from agents.recovery import AssignmentLost, recover
from agents.runner import Runner, Worker
from agents.turnstile import Turnstile
from signals.fold import Agent
from streams.clock import monotonic_s
from streams.metrics import Metrics
from streams.settings import Settings
from streams.topics import CHANGELOG_CONFIG, TOPICS, Topic

__all__ = ["Shell", "build_shell", "changelog_topics", "create_app"]

logger = logging.getLogger(__name__)


def changelog_topics(
    settings: Settings, agents: Sequence[Agent], topics: Sequence[Topic] = TOPICS
) -> tuple[Topic, ...]:
    """Return the topics that hold the state of the agents that keep any."""
    by_name = {topic.name: topic for topic in topics}
    return tuple(
        Topic(
            name=_changelog_name(settings, agent),
            key="the input's key, a zero byte, the part's name",
            message=None,
            partitions=by_name[agent.reads].partitions,
            stateful=True,
            config=CHANGELOG_CONFIG,
        )
        for agent in agents
        if agent.rows
    )


def _changelog_name(settings: Settings, agent: Agent) -> str:
    return f"{settings.group}-{agent.name}-changelog"


@dataclass(slots=True)
class Shell:
    """A worker's parts, wired; ``is_recovered`` says whether its assignment has its state."""

    settings: Settings
    app: faust.App
    metrics: Metrics
    links: Links
    runners: tuple[Runner, ...]
    end: Callable[[str, BaseException], None]
    is_recovered: bool = False

    async def on_assigned(self, app: Any, **_: Any) -> None:
        """Read the state of the assigned partitions back; Faust waits before records flow."""
        self.is_recovered = False
        try:
            await self._recover(app.consumer_generation_id, app.consumer.assignment())
        except AssignmentLost:
            logger.warning("assigned anew while the state was read back")
        except Exception as error:  # noqa: BLE001 - Faust would log it and let the records flow
            self.end("recovery", error)

    async def _recover(self, generation: int, assigned: set[Any]) -> None:
        begun = monotonic_s()
        await self.links.start()
        state = [await self._state(runner, generation, assigned) for runner in self.runners]
        for runner, partitions in zip(self.runners, state, strict=True):
            runner.assign(generation, partitions)
        self.is_recovered = True
        seconds = monotonic_s() - begun
        self.metrics.recovery_seconds.set(seconds)
        rows = sum(len(partition) for partitions in state for partition in partitions.values())
        logger.info(
            "ready with %d partitions and %d rows after %.2f s", len(assigned), rows, seconds
        )

    async def _state(self, runner: Runner, generation: int, assigned: set[Any]) -> dict[int, Any]:
        settings, agent = self.settings, runner.agent
        topic = settings.prefix + agent.reads
        numbers = {tp.partition for tp in assigned if tp.topic == topic}
        if not agent.rows:
            return {}
        kept = runner.kept(generation, numbers)
        return kept | await recover(
            agent,
            bootstrap=settings.broker,
            group=settings.group,
            input_topic=topic,
            changelog=runner.changelog,
            partitions=numbers - kept.keys(),
            still_ours=lambda: (
                generation == self.app.consumer_generation_id and not self.app.should_stop
            ),
        )


def create_app(
    settings: Settings,
    registry: CollectorRegistry,
    agents: Sequence[Agent],
    *,
    topics: Sequence[Topic] = TOPICS,
) -> faust.App:
    """Return a Faust application that runs the agents; nothing is connected yet."""
    return build_shell(settings, registry, agents, topics=topics).app


def build_shell(
    settings: Settings,
    registry: CollectorRegistry,
    agents: Sequence[Agent],
    *,
    topics: Sequence[Topic] = TOPICS,
    producers: Callable[[], tuple[Producer, Producer]] | None = None,
    end: Callable[[str, BaseException], None] = end_process,
) -> Shell:
    """Return the parts of a worker.

    Args:
        settings: the broker, the prefix, the group and the worker's name.
        registry: where the metrics are registered.
        agents: the declarations, in any order.
        topics: the registry that the agents' topics and outputs are in.
        producers: gives the producers of outputs and rows, where a test wraps them.
        end: called with the place and the error that ends the process.

    Raises: ConfigError where the installed Faust is not the one that is repaired.
    """
    faust_repairs.install()
    app = _faust_app(settings)
    metrics = Metrics(registry)
    client_id = f"{settings.group}-{settings.worker}"
    links = Links(producers or partial(connect, settings.broker, client_id), prefix=settings.prefix)
    shared = Worker(
        topics={topic.name: topic for topic in topics},
        links=links,
        metrics=metrics,
        turnstile=Turnstile(),
        end=end,
    )
    runners = tuple(
        Runner(agent, shared, changelog=settings.prefix + _changelog_name(settings, agent))
        for agent in agents
    )
    shell = Shell(settings, app, metrics, links, runners, end)
    for runner in runners:
        _add_agent(app, runner, settings.prefix, shared.topics)
    signal: Any = app.on_rebalance_complete
    signal.connect(shell.on_assigned, weak=False)
    return shell


def _add_agent(app: Any, runner: Runner, prefix: str, topics: Mapping[str, Topic]) -> None:
    name = prefix + topics[runner.agent.reads].name
    topic = app.topic(name, schema=RawSchema(key_type=bytes, value_type=bytes), internal=False)

    async def run(stream: Any) -> None:
        await runner.run(app, aiter(stream.channel).queue)

    app.agent(topic, name=runner.agent.name)(run)


class _App(faust.App):
    """A Faust application that leaves nothing where it was started: all state is in Kafka."""

    def _create_directories(self) -> None:
        """Make no folder for tables: there are none, and a container's may be read-only."""


def _faust_app(settings: Settings) -> faust.App:
    return _App(
        settings.group,
        broker=[f"kafka://{part.strip()}" for part in settings.broker.split(",")],
        broker_client_id=f"{settings.group}-{settings.worker}",
        consumer_group_instance_id=f"{settings.group}-{settings.worker}",
        broker_session_timeout=10.0,
        broker_heartbeat_interval=1.0,
        broker_request_timeout=40.0,
        broker_commit_interval=1.0,
        broker_max_poll_records=5000,
        stream_buffer_maxsize=20_000,
        stream_recovery_delay=0.0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        autodiscover=False,
        store="memory://",
    )
