import asyncio
import socket
from collections.abc import Mapping
from dataclasses import replace

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from signals.errors import ConfigError, Unavailable
from streams.brokers import Broker
from streams.topic_admin import Change, apply_topics, wait_until_ready
from streams.topics import CHANGELOG_CONFIG, EVENTS, HEADLINES, JOURNAL, TOPICS, Topic

CHANGELOG = Topic(
    name="folds-changelog", key="the input's key", message=None, config=CHANGELOG_CONFIG
)


async def _topics(broker: Broker) -> dict[str, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        found = await admin.describe_topics()
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in found}


async def _config(broker: Broker, topic: str) -> Mapping[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        (response,) = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic)]
        )
    finally:
        await admin.close()
    ((_, _, _, _, entries),) = response.resources
    return {entry[0]: entry[1] for entry in entries}


async def _set_on_topic(broker: Broker, topic: str, config: Mapping[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, dict(config))])
    finally:
        await admin.close()


def _actions(changes: list[Change]) -> set[str]:
    return {change.action for change in changes}


async def test_missing_topics_are_created_with_their_partitions(
    broker: Broker, prefix: str
) -> None:
    changes = await apply_topics(broker.bootstrap, prefix, [CHANGELOG])

    assert _actions(changes) == {"created"}
    wanted = {f"{prefix}{topic.name}": topic.partitions for topic in (*TOPICS, CHANGELOG)}
    found = await _topics(broker)
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("topic", [HEADLINES, JOURNAL, CHANGELOG], ids=lambda topic: topic.name)
async def test_a_created_topic_has_the_config_of_the_registry(
    broker: Broker, prefix: str, topic: Topic
) -> None:
    await apply_topics(broker.bootstrap, prefix, [CHANGELOG])

    found = await _config(broker, f"{prefix}{topic.name}")
    assert {name: found[name] for name in topic.config} == topic.config


async def test_a_second_run_changes_nothing(broker: Broker, prefix: str) -> None:
    await apply_topics(broker.bootstrap, prefix, [CHANGELOG])

    assert _actions(await apply_topics(broker.bootstrap, prefix, [CHANGELOG])) == {"unchanged"}


async def test_runs_at_once_agree(broker: Broker, prefix: str) -> None:
    runs = [apply_topics(broker.bootstrap, prefix) for _ in range(3)]

    for changes in await asyncio.gather(*runs):
        assert _actions(changes) <= {"created", "unchanged"}


@pytest.mark.parametrize("count", [1, 3, 12])
async def test_a_number_of_partitions_is_set_for_all_that_carry_state(
    broker: Broker, prefix: str, count: int
) -> None:
    await apply_topics(broker.bootstrap, prefix, [CHANGELOG], partitions=count)

    found = await _topics(broker)
    assert found[f"{prefix}{JOURNAL.name}"] == count
    assert found[f"{prefix}{CHANGELOG.name}"] == count
    assert found[f"{prefix}{EVENTS.name}"] == EVENTS.partitions


async def test_the_partitions_of_a_stateful_topic_never_change(broker: Broker, prefix: str) -> None:
    await apply_topics(broker.bootstrap, prefix, partitions=3)
    extra = Topic(name="another", key="any", message=None)

    with pytest.raises(ConfigError, match="replay the recorded input"):
        await apply_topics(broker.bootstrap, prefix, [extra], partitions=4)

    found = await _topics(broker)
    assert found[f"{prefix}{JOURNAL.name}"] == 3
    assert f"{prefix}another" not in found  # refused before anything was changed


async def test_the_partitions_of_a_changelog_never_change(broker: Broker, prefix: str) -> None:
    await apply_topics(broker.bootstrap, prefix, [CHANGELOG])

    with pytest.raises(ConfigError, match="has 12 partitions and cannot be given 13"):
        await apply_topics(broker.bootstrap, prefix, [replace(CHANGELOG, partitions=13)])


async def test_a_topic_without_state_gets_more_partitions(broker: Broker, prefix: str) -> None:
    few = Topic(name="notes", key="any", message=None, partitions=2)
    await apply_topics(broker.bootstrap, prefix, [few])

    *_, change = await apply_topics(broker.bootstrap, prefix, [replace(few, partitions=5)])

    assert change == Change(topic=f"{prefix}notes", action="altered", detail="partitions 2 -> 5")
    assert (await _topics(broker))[f"{prefix}notes"] == 5


async def test_a_topic_without_state_keeps_what_it_has_beyond_the_registry(
    broker: Broker, prefix: str
) -> None:
    many = Topic(name="notes", key="any", message=None, partitions=5)
    await apply_topics(broker.bootstrap, prefix, [many])

    *_, change = await apply_topics(broker.bootstrap, prefix, [replace(many, partitions=2)])

    assert change.action == "unchanged"
    assert "keeps 5 partitions" in change.detail


async def test_a_differing_setting_is_altered_and_others_stay(broker: Broker, prefix: str) -> None:
    await apply_topics(broker.bootstrap, prefix)
    journal = f"{prefix}{JOURNAL.name}"
    await _set_on_topic(broker, journal, {"retention.ms": "1000", "flush.messages": "77"})

    changes = await apply_topics(broker.bootstrap, prefix)

    (altered,) = (change for change in changes if change.action == "altered")
    assert altered.topic == journal
    assert "retention.ms 1000 -> -1" in altered.detail
    found = await _config(broker, journal)
    assert found["retention.ms"] == "-1"
    assert found["flush.messages"] == "77"


async def test_a_broker_that_does_not_answer_is_unavailable() -> None:
    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        bootstrap = f"127.0.0.1:{closed.getsockname()[1]}"

        with pytest.raises(Unavailable, match=f"no Kafka broker answers at {bootstrap}"):
            await apply_topics(bootstrap, "t.")


async def test_a_topic_that_never_comes_is_named(broker: Broker, prefix: str) -> None:
    with pytest.raises(Unavailable, match=f"without a leader: {prefix}nowhere"):
        await wait_until_ready(broker.bootstrap, {f"{prefix}nowhere": 1}, timeout_s=0.2)
