"""Source messages to the input topics: keys, timestamps, where they come from, when they went."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from signals import names
from signals.messages import Headline, Micros, PriceSample
from signals.policy import Policy
from streams.clock import now_us
from streams.codec import encode
from streams.positions import (
    FilePositions,
    address_of,
    event_us_of,
    moment_us_of,
    partition_of,
    position_headers,
    timestamp_ms,
)

__all__ = ["INGESTED", "LARGEST", "Outbox", "Refusal", "Tally", "send_all", "timestamp_ms"]

INGESTED = "tapewire-ingested-us"  # header: the wall clock when the record was sent
LARGEST = Policy().headline_bytes
_WINDOW = 2000  # sends whose acknowledgement is awaited together

Message = Headline | PriceSample


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A message that was not sent, and why, in one sentence."""

    id: str
    detail: str


async def send_all(
    producer: AIOKafkaProducer,
    messages: Iterable[Message],
    *,
    prefix: str,
    largest: int = LARGEST,
    clock: Callable[[], Micros] = now_us,
) -> AsyncIterator[int | Refusal]:
    """Send messages in their order; yield counts as the broker acknowledges them, and refusals.

    Nothing is said of where they come from, so a second run sends them again: see ``Outbox``.

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
        if len(value) > largest:
            yield _refusal(message, value, largest)
            continue
        topic = names.HEADLINES if isinstance(message, Headline) else names.PRICES
        waiting.append(
            await producer.send(
                f"{prefix}{topic}",
                key=address_of(message).encode(),
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


@dataclass(slots=True, kw_only=True)
class Tally:
    """How far an ingest has come.

    Attributes:
        sent: messages that the broker has acknowledged.
        held: messages that the topic had already.
        refused: messages and rows that were not sent.
        first_us, last_us: the earliest and latest event time of what was sent.
        at_us: the event time of the last message that was looked at.
    """

    sent: int = 0
    held: int = 0
    refused: int = 0
    first_us: Micros | None = None
    last_us: Micros | None = None
    at_us: Micros | None = None


class Outbox:
    """Sends the messages of sources to one topic, in order, each with where it comes from."""

    def __init__(
        self,
        producer: AIOKafkaProducer,
        topic: str,
        *,
        partitions: int,
        tally: Tally,
        refuse: Callable[[Refusal], None],
        largest: int = LARGEST,
        clock: Callable[[], Micros] = now_us,
    ) -> None:
        """Begin with nothing under way.

        Args:
            producer: started; one that is idempotent leaves no gap in a partition and repeats
                nothing.
            topic: with its prefix.
            partitions: how many the topic has.
            tally: kept up to date.
            refuse: told of each message that is too large.
            largest: bytes of a message, above which it is refused.
            clock: for the header ``tapewire-ingested-us``.
        """
        self._producer = producer
        self._topic = topic
        self._partitions = partitions
        self._tally = tally
        self._refuse = refuse
        self._largest = largest
        self._clock = clock
        self._under_way: deque[tuple[asyncio.Future[object], Micros]] = deque()

    async def send_file(
        self, source: str, messages: Iterable[Message], held: FilePositions | None
    ) -> AsyncGenerator[None, None]:
        """Send the messages of a file that the topic does not hold; yield now and then.

        Whoever iterates may stop: what is under way is told by ``flush``.

        Args:
            source: the file's name as a source.
            messages: all of the file, in its order.
            held: what the topic holds of it; None to send everything.
        Raises: ConfigError for a file that has changed since it was sent; aiokafka's KafkaError.
        """
        position = 0
        for position, message in enumerate(messages, start=1):
            if held is not None and await held.holds(message, position):
                self._tally.held += 1
                self._tally.at_us = event_us_of(message)
            else:
                await self._send(source, position, message)
            if position % (_WINDOW // 10) == 0:
                await asyncio.sleep(0)  # signals, and the sender's own work
                yield
        if held is not None:
            held.check_end(position)
        yield

    async def send_live(self, source: str, sample: PriceSample) -> None:
        """Send one message of a live source. Raises: aiokafka's KafkaError for an earlier one."""
        await self._send(source, moment_us_of(sample), sample)

    def settle(self) -> None:
        """Count what has been acknowledged, in order. Raises: KafkaError for a failed send."""
        while self._under_way and self._under_way[0][0].done():
            acknowledged, event_us = self._under_way.popleft()
            acknowledged.result()
            self._count(event_us)

    async def flush(self) -> None:
        """Return when all that is under way has been acknowledged. Raises: KafkaError."""
        while self._under_way:
            await asyncio.wait([self._under_way[0][0]])
            self.settle()

    async def _send(self, source: str, position: int, message: Message) -> None:
        value = encode(message)
        self._tally.at_us = event_us_of(message)
        if len(value) > self._largest:
            self._tally.refused += 1
            self._refuse(_refusal(message, value, self._largest))
            return
        key = address_of(message).encode()
        acknowledged = await self._producer.send(
            self._topic,
            key=key,
            value=value,
            partition=partition_of(key, self._partitions),
            timestamp_ms=timestamp_ms(message),
            headers=[(INGESTED, b"%d" % self._clock()), *position_headers(source, position)],
        )
        self._under_way.append((acknowledged, event_us_of(message)))
        self.settle()
        if len(self._under_way) >= _WINDOW:
            await self.flush()

    def _count(self, event_us: Micros) -> None:
        tally = self._tally
        tally.sent += 1
        if tally.first_us is None or event_us < tally.first_us:
            tally.first_us = event_us
        if tally.last_us is None or event_us > tally.last_us:
            tally.last_us = event_us


def _refusal(message: Message, value: bytes, largest: int) -> Refusal:
    detail = f"has {len(value)} bytes, the door takes {largest}"
    return Refusal(id=address_of(message), detail=detail)
