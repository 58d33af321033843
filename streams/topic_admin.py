"""Brings the topics of a broker into the state that the registry names; safe to repeat."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, for_code

from signals.errors import ConfigError, Unavailable
from streams.clock import monotonic_s
from streams.topics import TOPICS, Topic

__all__ = ["Change", "apply_topics", "wait_until_ready"]

_ALREADY_EXISTS = 36
_SET_ON_TOPIC = 1  # config_source of a value that was set on the topic itself
_MOST_COPIES = 3
_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was done about one topic, named with its prefix."""

    topic: str
    action: Literal["created", "altered", "unchanged"]
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Existing:
    partitions: int
    config: Mapping[str, str]  # what was set on the topic, without the broker's defaults


async def apply_topics(
    bootstrap: str,
    prefix: str,
    extra: Sequence[Topic] = (),
    *,
    partitions: int | None = None,
    timeout_s: float = 30.0,
) -> list[Change]:
    """Create the topics that are missing and alter those that differ; return what was done.

    Nothing is changed when one topic is refused. Every partition then has a leader that answers.

    Args:
        bootstrap: ``host:port``, several separated by commas.
        prefix: put before every name.
        extra: topics beside the registry's, like the changelogs of the agents.
        partitions: instead of each topic's own number, for all whose keys carry state.
        timeout_s: how long to wait for the leaders.

    Raises:
        ConfigError: an existing topic whose keys carry state has another number of partitions.
        Unavailable: the broker does not answer, or refuses.
    """
    wanted = {
        f"{prefix}{topic.name}": _with_partitions(topic, partitions) for topic in (*TOPICS, *extra)
    }
    async with _admin(bootstrap) as admin:
        existing = await _describe(admin, wanted)
        for name, topic in wanted.items():
            if name in existing:
                _refuse_repartition(name, topic, existing[name])
        await _create(admin, {n: t for n, t in wanted.items() if n not in existing})
        changes = [
            await _alter(admin, name, topic, existing[name])
            if name in existing
            else Change(topic=name, action="created", detail=f"{topic.partitions} partitions")
            for name, topic in wanted.items()
        ]
        counts = {name: _partitions_after(t, existing.get(name)) for name, t in wanted.items()}
        await _wait_for_leaders(admin, bootstrap, counts, timeout_s)
    return changes


async def wait_until_ready(
    bootstrap: str, partitions: Mapping[str, int], *, timeout_s: float = 30.0
) -> None:
    """Return when each of the topics has that many partitions, each with a leader that answers.

    Args:
        bootstrap: ``host:port``, several separated by commas.
        partitions: by topic name, with the prefix.
        timeout_s: how long to wait.

    Raises: Unavailable after ``timeout_s``, naming the topics that are not ready.
    """
    async with _admin(bootstrap) as admin:
        await _wait_for_leaders(admin, bootstrap, partitions, timeout_s)


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        yield admin
    except KafkaConnectionError as error:
        raise Unavailable(
            f"no Kafka broker answers at {bootstrap}; start one, or set TAPEWIRE_BROKER"
        ) from error
    except KafkaError as error:
        raise Unavailable(f"the broker at {bootstrap} did not do it: {error}") from error
    finally:
        await admin.close()


def _with_partitions(topic: Topic, partitions: int | None) -> Topic:
    return replace(topic, partitions=partitions) if partitions and _is_stateful(topic) else topic


def _is_stateful(topic: Topic) -> bool:
    # A changelog holds the rows of the input's partition of the same number.
    return topic.stateful or topic.config.get("cleanup.policy") == "compact"


def _refuse_repartition(name: str, topic: Topic, existing: _Existing) -> None:
    if _is_stateful(topic) and existing.partitions != topic.partitions:
        raise ConfigError(
            f"{name} has {existing.partitions} partitions and cannot be given {topic.partitions}, "
            "since the state under its keys is tied to them; to migrate, apply the topics under "
            "a new TAPEWIRE_PREFIX and replay the recorded input into them"
        )


def _partitions_after(topic: Topic, existing: _Existing | None) -> int:
    return max(topic.partitions, existing.partitions) if existing else topic.partitions


async def _partition_lists(admin: AIOKafkaAdminClient) -> dict[str, list[Any]]:
    # All topics: asked for by name, the embedded broker makes the ones that it does not have.
    return {found["topic"]: found["partitions"] for found in await admin.describe_topics()}


async def _describe(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, _Existing]:
    lists = await _partition_lists(admin)
    present = [name for name in names if name in lists]
    if not present:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in present]
    existing = {}
    for response in await admin.describe_configs(resources):
        for code, message, _, name, entries in response.resources:
            _raise_for(code, name, message)
            config = {entry[0]: entry[1] for entry in entries if entry[3] == _SET_ON_TOPIC}
            existing[name] = _Existing(partitions=len(lists[name]), config=config)
    return existing


async def _create(admin: AIOKafkaAdminClient, topics: Mapping[str, Topic]) -> None:
    if not topics:
        return
    cluster = await admin.describe_cluster()
    copies = min(_MOST_COPIES, len(cluster["brokers"]))
    new = [
        NewTopic(name, topic.partitions, copies, topic_configs=dict(topic.config))
        for name, topic in topics.items()
    ]
    response = await admin.create_topics(new)
    for name, code, message in response.topic_errors:
        if code != _ALREADY_EXISTS:  # somebody else applies the same registry at this moment
            _raise_for(code, name, message)


async def _alter(
    admin: AIOKafkaAdminClient, name: str, topic: Topic, existing: _Existing
) -> Change:
    details = []
    if existing.partitions < topic.partitions:
        await admin.create_partitions({name: NewPartitions(topic.partitions)})
        details.append(f"partitions {existing.partitions} -> {topic.partitions}")
    differing = {
        setting: value
        for setting, value in topic.config.items()
        if existing.config.get(setting) != value
    }
    if differing:
        # The request replaces all that is set on the topic: what others have set goes along.
        config = {**existing.config, **differing}
        resource = ConfigResource(ConfigResourceType.TOPIC, name, config)
        for response in await admin.alter_configs([resource]):
            for code, message, _, _ in response.resources:
                _raise_for(code, name, message)
        details += [
            f"{setting} {existing.config.get(setting, '(default)')} -> {value}"
            for setting, value in sorted(differing.items())
        ]
    if details:
        return Change(topic=name, action="altered", detail=", ".join(details))
    kept = existing.partitions > topic.partitions
    note = f"keeps {existing.partitions} partitions: none is ever removed" if kept else ""
    return Change(topic=name, action="unchanged", detail=note)


async def _wait_for_leaders(
    admin: AIOKafkaAdminClient, bootstrap: str, partitions: Mapping[str, int], timeout_s: float
) -> None:
    deadline_s = monotonic_s() + timeout_s
    while True:
        lists = await _partition_lists(admin)
        waiting = [
            name
            for name, count in partitions.items()
            if not _has_leaders(lists.get(name, []), count)
        ]
        if not waiting:
            break
        if monotonic_s() > deadline_s:
            raise Unavailable(f"after {timeout_s:.0f} s without a leader: {', '.join(waiting)}")
        await asyncio.sleep(_POLL_S)
    await _ask_leaders(bootstrap, partitions, timeout_s)


async def _ask_leaders(bootstrap: str, partitions: Mapping[str, int], timeout_s: float) -> None:
    # Kafka names a leader a moment before that one takes records: ask each until it answers.
    all_partitions = [
        TopicPartition(name, number)
        for name, count in partitions.items()
        for number in range(count)
    ]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, request_timeout_ms=int(timeout_s * 1000)
    )
    # Assigned before the start: else it learns of one topic a try, 0.1 s each.
    consumer.assign(all_partitions)
    try:
        await consumer.start()
        await consumer.end_offsets(all_partitions)
    finally:
        await consumer.stop()


def _has_leaders(partitions: Sequence[Any], count: int) -> bool:
    return len(partitions) == count and all(found["leader"] >= 0 for found in partitions)


def _raise_for(code: int, name: str, message: str | None) -> None:
    if code:
        kind = for_code(code)
        raise Unavailable(
            f"the broker refused {name}: {kind.__name__}: {message or kind.description}"
        )
