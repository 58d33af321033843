"""What goes over the wire: an agent's outputs and dead letters, as Kafka records.

Every output is a CloudEvent in Kafka's binary form: ``ce_*`` headers beside the JSON value, so that
a consumer filters without decoding. Processing times stand in headers only:
``tapewire-ingested-us`` is when the first input of the way was appended, carried on to its outputs.

A dead letter is the key, the value and the headers of the record untouched, and then these headers
(of two with one name, the last counts):

    reason      one of signals.errors.BadReason
    path        where the fault is, like ``$.published_us``
    detail      what was expected and what was seen, at most 500 characters
    topic, partition, offset, timestamp    where the record lies; the timestamp in milliseconds
    agent       which agent could not read it
    exception   the class of the error
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from signals.errors import BadMessage
from signals.fold import Output
from signals.messages import Alert, Event, EventEntry, EventRelay, Micros
from signals.names import DEAD_LETTERS
from streams.codec import encode
from streams.topics import Topic

__all__ = ["INGESTED", "Headers", "Outgoing", "Position", "dead_letter", "outgoing", "received_us"]

INGESTED = "tapewire-ingested-us"
DEFAULT_LARGEST = 1024 * 1024  # of a topic without max.message.bytes, a little under Kafka's own
_OVERHEAD = 1024  # of a record batch, a record and the headers of bounded length, generously
_DETAIL = 500

Headers = Sequence[tuple[str, bytes]]


@dataclass(slots=True, kw_only=True)  # not frozen: made for every record, at half the cost
class Position:
    """Where an input record lies, and when it came in.

    ``topic`` is the name in the registry; ``ingested_us`` is the header of that name, else when
    this worker read the record.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    ingested_us: Micros


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """A record to be sent; ``message`` is None for a dead letter. ``topic`` has no prefix."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int
    ingested_us: Micros
    message: Any = None


def received_us(message: Any) -> Micros | None:
    """Return when the source held what a message rests on, None where the message does not say."""
    if (own := getattr(message, "received_us", None)) is not None:
        return Micros(own)
    if (event := getattr(message, "event", None)) is not None:
        return Micros(event.received_us)
    if (move := getattr(message, "move", None)) is not None:
        return Micros(move.known_us)
    return None


def outgoing(
    output: Output,
    *,
    cause: Position,
    agent: str,
    index: int,
    now_us: Micros,
    topics: Mapping[str, Topic],
) -> Outgoing:
    """Return the record of an output.

    Args:
        output: what the step gave.
        cause: the input that it comes from.
        index: its place among that input's outputs.
        agent: the agent's name.
        now_us: no record is stamped later, since Kafka refuses the future.
        topics: the registry by name.

    Raises:
        BadMessage where the record is larger than its topic takes.
        Anything else where the output makes no sense (a bug in the step).
    """
    topic = topics[output.topic]
    key, value = output.key.encode(), encode(output.message)
    headers = _cloud_event(output, f"{agent}:{cause.partition}:{cause.offset}:{index}", agent)
    headers.append((INGESTED, b"%d" % cause.ingested_us))
    largest = int(topic.config.get("max.message.bytes", DEFAULT_LARGEST))
    size = len(key) + len(value) + len(headers[0][1]) + _OVERHEAD
    if size > largest:
        detail = f"{agent} made {size} bytes of it for {output.topic}, which takes {largest}"
        raise BadMessage("output_too_large", "$", detail)
    return Outgoing(
        topic=output.topic,
        key=key,
        value=value,
        headers=headers,
        timestamp_ms=max(0, min(output.event_us, now_us) // 1000),
        ingested_us=cause.ingested_us,
        message=output.message,
    )


def _cloud_event(output: Output, fallback_id: str, agent: str) -> list[tuple[str, bytes]]:
    message = output.message
    seconds = datetime.fromtimestamp(output.event_us // 1_000_000, UTC).isoformat()[:19]
    return [
        ("ce_id", _identity(message, fallback_id).encode()),
        ("ce_specversion", b"1.0"),
        ("ce_type", _type(message).encode()),
        ("ce_source", b"/tapewire/" + agent.encode()),
        ("ce_time", f"{seconds}.{output.event_us % 1_000_000:06d}Z".encode()),
        ("content-type", b"application/json"),
    ]


def _identity(message: Any, fallback: str) -> str:
    if isinstance(message, Alert):
        return f"{message.alert_id}:{message.revision}"
    return str(getattr(message, "id", fallback))


def _type(message: Any) -> str:
    if isinstance(message, EventEntry | EventRelay):
        return f"tapewire.event.{message.event.type}"
    if isinstance(message, Event):
        return f"tapewire.event.{message.type}"
    if isinstance(message, Alert):
        return f"tapewire.alert.{message.kind}"
    return _type_of_class(type(message).__name__)


@cache
def _type_of_class(name: str) -> str:
    return "tapewire." + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def dead_letter(
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
    *,
    error: BadMessage,
    cause: Position,
    agent: str,
) -> Outgoing:
    """Return the dead letter of a record: all of it untouched, the reason in headers behind."""
    origin = error.__cause__ or error
    texts = {
        "reason": error.reason,
        "path": error.path[:_DETAIL],
        "detail": error.detail[:_DETAIL],
        "topic": cause.topic,
        "partition": str(cause.partition),
        "offset": str(cause.offset),
        "timestamp": str(cause.timestamp_ms),
        "agent": agent,
        "exception": type(origin).__name__,
        INGESTED: str(cause.ingested_us),
    }
    return Outgoing(
        topic=DEAD_LETTERS,
        key=key,
        value=value,
        headers=[
            *headers,
            *((name, text.encode(errors="replace")) for name, text in texts.items()),
        ],
        timestamp_ms=cause.timestamp_ms,
        ingested_us=cause.ingested_us,
    )
