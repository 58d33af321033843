"""The registry of topics: one line each, with key, message, partitions and retention."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from signals import names
from signals.messages import Alert, Event, Headline, Journal, PriceSample, Reactions

__all__ = [
    "ALERTS",
    "CHANGELOG_CONFIG",
    "DEAD_LETTERS",
    "EVENTS",
    "HEADLINES",
    "JOURNAL",
    "PRICES",
    "REACTIONS",
    "TOPICS",
    "Topic",
]

_LARGEST = str(16 * 1024 * 1024)  # what a broker takes for a headline
# A dead letter is the record whole, with headers of its own: it must fit whatever its record was.
_LARGEST_LETTER = str(16 * 1024 * 1024 + 64 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic.

    Attributes:
        name: without the prefix of the settings.
        key: what the key is, in words.
        message: the type of the value; None for bytes of any kind.
        partitions: how many a new topic gets.
        stateful: an agent keeps state under this topic's keys, tied to its offsets, so that the
            partition count of an existing topic never changes in place.
        config: the broker's topic settings.
    """

    name: str
    key: str
    message: Any
    partitions: int = 12
    stateful: bool = False
    config: Mapping[str, str] = field(default_factory=dict)


# Event time is the record's timestamp, and a replay needs the whole topic: kept for ever.
_FOR_EVER = {"cleanup.policy": "delete", "retention.ms": "-1"}
_LARGE = _FOR_EVER | {"max.message.bytes": _LARGEST}

HEADLINES = Topic(
    name=names.HEADLINES,
    key="the headline's id",
    message=Headline,
    stateful=True,
    config=_LARGE,
)
PRICES = Topic(
    name=names.PRICES, key="the ticker", message=PriceSample, stateful=True, config=_FOR_EVER
)
EVENTS = Topic(name=names.EVENTS, key="the event's identity", message=Event, config=_FOR_EVER)
JOURNAL = Topic(
    name=names.JOURNAL,
    key="the subject: a ticker, or the id of something without one",
    message=Journal,
    stateful=True,
    config=_FOR_EVER,
)
REACTIONS = Topic(
    name=names.REACTIONS,
    key="the anchor: the subject that the story lives on",
    message=Reactions,
    stateful=True,
    config=_FOR_EVER,
)
ALERTS = Topic(name=names.ALERTS, key="the anchor", message=Alert, config=_FOR_EVER)
DEAD_LETTERS = Topic(
    name=names.DEAD_LETTERS,
    key="the key of the message that could not be read",
    message=None,
    partitions=1,
    config=_FOR_EVER | {"max.message.bytes": _LARGEST_LETTER},
)

TOPICS = (HEADLINES, PRICES, EVENTS, JOURNAL, REACTIONS, ALERTS, DEAD_LETTERS)

# Faust reads a changelog whole at every assignment: small segments let the broker compact it.
CHANGELOG_CONFIG: Mapping[str, str] = {
    "cleanup.policy": "compact",
    "retention.ms": "-1",
    "segment.bytes": str(32 * 1024 * 1024),
    "segment.ms": str(10 * 60 * 1000),
    "min.compaction.lag.ms": str(60 * 60 * 1000),
    "max.message.bytes": _LARGEST,
}
