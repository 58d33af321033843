"""Run a worker in the foreground until it is told to stop, or fails."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from agents.app import Shell, build_shell, changelog_topics
from agents.health import Health
from agents.links import Producer
from signals.errors import ConfigError, Unavailable
from signals.fold import Agent
from streams.settings import Settings
from streams.topics import TOPICS, Topic

__all__ = ["run_worker"]

logger = logging.getLogger(__name__)

_QUIET = ("faust", "mode", "aiokafka", "aiohttp")
_STOP_S = 30.0


def run_worker(
    settings: Settings,
    agents: Sequence[Agent],
    registry: CollectorRegistry,
    *,
    topics: Sequence[Topic] = TOPICS,
    producers: Callable[[], tuple[Producer, Producer]] | None = None,
    on_serving: Callable[[int], None] | None = None,
) -> int:
    """Run the agents until SIGTERM or SIGINT; return the exit code, 0 after a stop in good order.

    What fails between a fold and its acknowledgement ends the process at once, with exit code 1, or
    2 where the state does not belong to the topics.

    Args:
        settings: the broker, the prefix, the group, the worker's name, and where to serve.
        agents: the declarations, in any order.
        registry: where the metrics are registered.
        topics: the registry that the agents' topics and outputs are in.
        producers: gives the producers of outputs and rows, where a test wraps them.
        on_serving: called with the port of ``/metrics`` and ``/readyz``.

    Raises:
        ConfigError for topics that are missing or do not match.
        Unavailable where no broker answers.
    """
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    return asyncio.run(_run(settings, agents, registry, topics, producers, on_serving))


async def _run(
    settings: Settings,
    agents: Sequence[Agent],
    registry: CollectorRegistry,
    topics: Sequence[Topic],
    producers: Callable[[], tuple[Producer, Producer]] | None,
    on_serving: Callable[[int], None] | None,
) -> int:
    await _check_topics(settings, agents, topics)
    shell = build_shell(settings, registry, agents, topics=topics, producers=producers)
    health = Health(shell)
    port = await health.serve(settings.web_host, settings.web_port)
    logger.info("serving on %s:%d", settings.web_host, port)
    if on_serving is not None:
        on_serving(port)
    watch = asyncio.create_task(health.watch())
    try:
        return await _run_app(shell)
    finally:
        watch.cancel()
        await shell.links.stop()
        await health.close()


async def _run_app(shell: Shell) -> int:
    app: Any = shell.app
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.create_task(app.start())
    stopped = asyncio.create_task(stop.wait())
    crashed = asyncio.create_task(app._crashed.wait())
    try:
        await asyncio.wait({starting, stopped, crashed}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
        await asyncio.wait({stopped, crashed}, return_when=asyncio.FIRST_COMPLETED)
        if crashed.done():
            shell.end("Faust", app.crash_reason or RuntimeError("crashed"))
        logger.info("stopping")
        await asyncio.wait_for(app.stop(), _STOP_S)
    finally:
        for task in (starting, stopped, crashed):
            task.cancel()
    return 0


async def _check_topics(
    settings: Settings, agents: Sequence[Agent], topics: Sequence[Topic]
) -> None:
    """Refuse topics that are missing, or a changelog with other partitions than its input."""
    counts = await _partition_counts(settings)
    prefix = settings.prefix
    changelogs = changelog_topics(settings, agents, topics)
    names = [prefix + topic.name for topic in (*topics, *changelogs)]
    missing = [name for name in names if name not in counts]
    if missing:
        raise ConfigError(f"topics are missing: {', '.join(missing)}; run tapewire topics apply")
    inputs = [prefix + agent.reads for agent in agents if agent.rows]
    for source, changelog in zip(inputs, changelogs, strict=True):
        name = prefix + changelog.name
        if counts[source] != counts[name]:
            raise ConfigError(
                f"{name} has {counts[name]} partitions, its input {source} has {counts[source]}; "
                "state cannot follow a change of partitions: start with another group"
            )


async def _partition_counts(settings: Settings) -> dict[str, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    try:
        await admin.start()
        found = await admin.describe_topics()
    except (KafkaError, OSError) as error:
        raise Unavailable(f"no broker answers at {settings.broker}: {error}") from error
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in found}
