"""Source messages to the input topics: keys, timestamps, and when they were sent."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from signals import names
from signals.messages import Headline, Micros, PriceSample
from signals.policy import Policy
from streams.clock import now_us
from streams.codec import encode

__all__ = ["INGESTED", "LARGEST", "Refusal", "send_all", "timestamp_ms"]

INGESTED = "tapewire-ingested-us"  # header: the wall clock when the record was sent
LARGEST = Policy().headline_bytes
_WINDOW = 2000  # sends whose acknowledgement is awaited together


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A message that was not sent, and why, in one sentence."""

    id: str
    detail: str


async def send_all(
    producer: AIOKafkaProducer,
    messages: Iterable[Headline | PriceSample],
    *,
    prefix: str,
    largest: int = LARGEST,
    clock: Callable[[], Micros] = now_us,
) -> AsyncIterator[int | Refusal]:
    """Send messages in their order; yield counts as the broker acknowledges them, and refusals.

    Args:
        producer: started.
        messages: headlines go to their topic under their id, prices under their ticker.
        prefix: what stands before the topics' names.
        largest: bytes of a message, above which it is refused.
        clock: for the header ``tapewire-ingested-us``.
    Raises: aiokafka.errors.KafkaError for a send that fails; what was yielded before is there.
    """
    waiting: list[asyncio.Future[object]] = []
    for message in messages:
        value = encode(message)
        topic, key = _address(message)
        if len(value) > largest:
            yield Refusal(id=key, detail=f"has {len(value)} bytes, the door takes {largest}")
            continue
        waiting.append(
            await producer.send(
                f"{prefix}{topic}",
                key=key.encode(),
                value=value,
                timestamp_ms=timestamp_ms(message),
                headers=[(INGESTED, b"%d" % clock())],
            )
        )
        if len(waiting) >= _WINDOW:
            await asyncio.gather(*waiting)
            yield len(waiting)
            waiting = []
    await asyncio.gather(*waiting)
    if waiting:
        yield len(waiting)


def timestamp_ms(message: Headline | PriceSample) -> int:
    """Return a record's Kafka timestamp: the earlier of event time and receipt."""
    event_us = message.published_us if isinstance(message, Headline) else message.event_us
    return min(event_us, message.received_us) // 1000


def _address(message: Headline | PriceSample) -> tuple[str, str]:
    if isinstance(message, Headline):
        return names.HEADLINES, message.id
    return names.PRICES, message.ticker
