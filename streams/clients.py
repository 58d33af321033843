"""Kafka clients for programs that are no agents: opened, closed, and their faults in one sentence.

A consumer here has no group: it commits nothing, and nobody's partitions move because of it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from signals.errors import Unavailable

__all__ = [
    "describe_partitions",
    "open_admin",
    "open_consumer",
    "open_producer",
    "partitions_of",
    "read_to_end",
]

_LARGEST = 16 * 1024 * 1024  # what the registry lets a headline or a dead letter be
_FETCH_WAIT_MS = 100
_POLL_MS = 200


@asynccontextmanager
async def open_consumer(
    bootstrap: str, *, group: str | None = None, fetch_bytes: int = _LARGEST
) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a consumer of raw bytes without an assignment.

    Args:
        bootstrap: ``host:port``, several separated by commas.
        group: only to ask for that group's offsets; it is never joined.
        fetch_bytes: of a partition at a time; a larger record comes alone.
    Raises: Unavailable where the broker does not answer, or refuses.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        max_partition_fetch_bytes=fetch_bytes,
    )
    async with _saying_why(bootstrap):
        try:
            await consumer.start()
            # One turn of the loop, for its tasks to begin: stop() cancels, then awaits them, and
            # a task that never began raises there in place of what went wrong.
            await asyncio.sleep(0)
            yield consumer
        finally:
            await consumer.stop()


@asynccontextmanager
async def open_producer(
    bootstrap: str, *, idempotent: bool = False
) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a producer of raw bytes whose sends are acknowledged by all replicas.

    Args:
        bootstrap: ``host:port``, several separated by commas.
        idempotent: the broker takes each send of this producer once and in order, or refuses it
            and what comes after it to that partition.
    Raises: Unavailable where the broker does not answer, or refuses.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=idempotent,
        linger_ms=5,
        max_request_size=_LARGEST,
    )
    async with _saying_why(bootstrap):
        try:
            await producer.start()
            yield producer
        finally:
            await producer.stop()


@asynccontextmanager
async def open_admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield an admin client. Raises: Unavailable where the broker does not answer, or refuses."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    async with _saying_why(bootstrap):
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()


async def describe_partitions(bootstrap: str) -> dict[str, int]:
    """Return how many partitions each topic of the broker has.

    Raises: Unavailable for a broker that does not answer.
    """
    async with open_admin(bootstrap) as admin:
        # All topics: asked for by name, a broker may create the ones that it does not have.
        described = await admin.describe_topics()
    return {found["topic"]: len(found["partitions"]) for found in described}


async def partitions_of(bootstrap: str, topics: Iterable[str]) -> list[TopicPartition]:
    """Return the partitions of topics, by topic and number.

    Raises: Unavailable for a topic that is not there, or a broker that does not answer.
    """
    counts = await describe_partitions(bootstrap)
    wanted = list(topics)
    missing = [topic for topic in wanted if not counts.get(topic)]
    if missing:
        raise Unavailable(
            f"the topic {missing[0]} is not there; run tapewire topics apply, "
            "or check TAPEWIRE_PREFIX"
        )
    return [TopicPartition(topic, number) for topic in wanted for number in range(counts[topic])]


async def read_to_end(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> AsyncIterator[ConsumerRecord]:
    """Yield the records of partitions from their beginning to their end as it is now.

    Each partition's records come in order; between partitions there is none.
    """
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    ends = await consumer.end_offsets(partitions)
    left = set(partitions)
    while left:
        for partition in sorted(left):
            if await consumer.position(partition) >= ends[partition]:
                left.discard(partition)
        batches = await consumer.getmany(*left, timeout_ms=_POLL_MS) if left else {}
        for partition, records in batches.items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record


@asynccontextmanager
async def _saying_why(bootstrap: str) -> AsyncIterator[None]:
    try:
        yield
    except KafkaConnectionError as error:
        raise Unavailable(
            f"no Kafka broker answers at {bootstrap}; start one, or set TAPEWIRE_BROKER"
        ) from error
    except KafkaError as error:
        raise Unavailable(f"the broker at {bootstrap} refused: {error}") from error
