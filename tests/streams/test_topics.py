"""The registry of topics keeps what the joins and the replay lean on."""

import re

import pytest

from signals import names
from streams.topics import (
    ALERTS,
    CHANGELOG_CONFIG,
    DEAD_LETTERS,
    HEADLINES,
    JOURNAL,
    PRICES,
    REACTIONS,
    TOPICS,
    Topic,
)


def test_every_name_is_registered_once() -> None:
    registered = [topic.name for topic in TOPICS]

    assert sorted(registered) == sorted(getattr(names, name) for name in names.__all__)
    assert len(set(registered)) == len(registered)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_name_has_dots_only_and_a_version(topic: Topic) -> None:
    # Kafka's metrics take "." and "_" for the same, so that a name may hold one of them only.
    assert re.fullmatch(r"[a-z-]+(\.[a-z-]+)*\.v[0-9]+", topic.name)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_nothing_expires_by_its_event_time(topic: Topic) -> None:
    assert topic.config["retention.ms"] == "-1"
    assert topic.config["cleanup.policy"] == "delete"


def test_the_inputs_of_agents_with_state_keep_their_partitions() -> None:
    stateful = [topic for topic in TOPICS if topic.stateful]

    assert stateful == [HEADLINES, PRICES, JOURNAL, REACTIONS]


def test_a_large_headline_fits_its_dead_letter() -> None:
    largest = int(HEADLINES.config["max.message.bytes"])

    assert largest == 16 * 1024 * 1024
    assert int(DEAD_LETTERS.config["max.message.bytes"]) > largest + 4096, "its headers come on top"


def test_changelogs_are_compacted_in_small_segments() -> None:
    assert CHANGELOG_CONFIG["cleanup.policy"] == "compact"
    assert int(CHANGELOG_CONFIG["segment.bytes"]) == 32 * 1024 * 1024


def test_alerts_are_never_compacted() -> None:
    assert "compact" not in ALERTS.config["cleanup.policy"]
