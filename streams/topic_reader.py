"""Topics of a broker read by programs that are not asynchronous, a partition at a time or several.

Nothing is committed, and no group is joined. Each partition is an iterator of its own, so that they
can be merged; while one is waited for, the others are fetched ahead.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiokafka import ConsumerRecord, TopicPartition

from streams.clients import open_consumer, partitions_of
from streams.recorder import recorded_of
from streams.recordings.records import Recorded

__all__ = ["StoredTopics", "TopicReader"]

_POLL_MS = 200
_RECORDS = 500
_FETCH_BYTES = 1024 * 1024  # of each partition: a merge holds something of all of them


class TopicReader:
    """Reads partitions from an offset to their end as it was when it was opened.

    ::

        with TopicReader("127.0.0.1:9092", ["tapewire.alerts.v1"]) as reader:
            for partition in reader.partitions:
                for record in reader.read(partition): …

    Attributes:
        partitions: by topic and number; begins and ends are their offsets.
    """

    def __init__(self, bootstrap: str, topics: Sequence[str]) -> None:
        """Prepare; nothing is opened yet. Topics are named with their prefix."""
        self.partitions: list[TopicPartition] = []
        self.begins: dict[TopicPartition, int] = {}
        self.ends: dict[TopicPartition, int] = {}
        self._bootstrap = bootstrap
        self._topics = topics
        self._loop = asyncio.new_event_loop()
        self._resources = AsyncExitStack()

    def __enter__(self) -> Self:
        """Connect. Raises: Unavailable where the broker does not answer, or has no such topic."""
        try:
            self._loop.run_until_complete(self._open())
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Disconnect; a fault of the broker is raised as Unavailable."""
        try:
            return self._loop.run_until_complete(self._resources.__aexit__(kind, error, trace))
        finally:
            self._loop.close()

    def offset_at(self, partition: TopicPartition, moment_ms: int) -> int:
        """Return the first offset that is stamped at a moment or later, else the end."""
        asked = self._consumer.offsets_for_times({partition: max(moment_ms, 0)})
        found = self._loop.run_until_complete(asked)[partition]
        return min(found.offset, self.ends[partition]) if found else self.ends[partition]

    def read(self, partition: TopicPartition, start: int | None = None) -> Iterator[ConsumerRecord]:
        """Yield the records of a partition, from an offset or its beginning."""
        end = self.ends[partition]
        at = max(self.begins[partition], start or 0)
        if at >= end:
            return
        self._loop.run_until_complete(self._begin(partition, at))
        while True:
            at, records = self._loop.run_until_complete(self._go_on(partition, end))
            for record in records:
                if record.offset < end:
                    yield record
            if at >= end:
                return

    async def _begin(self, partition: TopicPartition, at: int) -> None:
        # A coroutine, as what the client does here makes futures of the running loop.
        self._consumer.seek(partition, at)
        self._consumer.resume(partition)

    async def _go_on(
        self, partition: TopicPartition, end: int
    ) -> tuple[int, Sequence[ConsumerRecord]]:
        """Return the offset after the next records, and these."""
        fetched = await self._consumer.getmany(partition, timeout_ms=_POLL_MS, max_records=_RECORDS)
        at = await self._consumer.position(partition)
        if at >= end:
            self._consumer.pause(partition)  # what comes later is not asked for
        return at, fetched.get(partition, ())

    async def _open(self) -> None:
        self.partitions = await partitions_of(self._bootstrap, self._topics)
        async with AsyncExitStack() as opening:
            consumer = await opening.enter_async_context(
                open_consumer(self._bootstrap, fetch_bytes=_FETCH_BYTES)
            )
            self.begins = dict(await consumer.beginning_offsets(self.partitions))
            self.ends = dict(await consumer.end_offsets(self.partitions))
            consumer.assign(self.partitions)
            consumer.pause(*self.partitions)  # until it is read
            self._consumer = consumer
            self._resources = opening.pop_all()


class StoredTopics:
    """Topics of a broker as a recording: what it would be if it were made now."""

    def __init__(self, reader: TopicReader, prefix: str, *, since_ms: int | None = None) -> None:
        """Take an open reader.

        Args:
            reader: of topics with that prefix.
            prefix: what stands before the names of the topics.
            since_ms: begin with the first record of each partition stamped then or later.
        """
        self._reader = reader
        self._prefix = prefix
        self._since_ms = since_ms
        self._parts = {
            (at.topic.removeprefix(prefix), at.partition): at for at in reader.partitions
        }

    @property
    def name(self) -> str:
        """Return where they lie."""
        return f"{self._prefix}* on the broker"

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the topics, by name, without the prefix."""
        return tuple(sorted({topic for topic, _ in self._parts}))

    def starts(self, topic: str) -> Mapping[int, int]:
        """Return the first offset that there is of each partition."""
        return {
            number: self._reader.begins[at]
            for (name, number), at in sorted(self._parts.items())
            if name == topic
        }

    def read(self, topic: str, partition: int | None = None) -> Iterator[Recorded]:
        """Yield the records of a topic, or of one partition, by partition and offset."""
        for number in self.starts(topic) if partition is None else (partition,):
            at = self._parts[topic, number]
            since_ms = self._since_ms
            start = None if since_ms is None else self._reader.offset_at(at, since_ms)
            for record in self._reader.read(at, start):
                yield recorded_of(record, topic)
