"""Alerts as an async iterator: the topic followed without a group, repeats left out."""

import logging
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from signals.errors import BadMessage
from signals.messages import Alert
from streams.clients import open_consumer, partitions_of
from streams.clock import monotonic_s
from streams.codec import decode
from streams.topics import ALERTS

__all__ = ["AlertReader"]

logger = logging.getLogger(__name__)

_POLL_MS = 200
_AHEAD = 200  # records that are held of a partition while others are waited for


class AlertReader:
    """The alerts of a broker, each revision once.

    ::

        async with AlertReader("127.0.0.1:9092") as alerts:
            async for alert in alerts:
                print(alert.title, alert.severity)

    It commits nothing: opened again, it begins again. A worker that was killed sends its last
    alerts again with the same id and revision; those are dropped here. Revisions of one alert come
    in order. What the topic held at the opening comes in one order whenever it is read: partitions
    are merged by the records' timestamps, which are the times at which alerts became known. What
    comes later comes as it comes.

    Attributes:
        is_live: whether what the topic held at the opening has been read.
    """

    def __init__(
        self,
        bootstrap: str = "127.0.0.1:9092",
        *,
        prefix: str = "tapewire.",
        from_start: bool = False,
        until_idle_s: float | None = None,
    ) -> None:
        """Prepare to read; nothing is opened yet.

        Args:
            bootstrap: ``host:port``, several separated by commas.
            prefix: what stands before every topic name.
            from_start: all alerts that the topic holds, else those that come from now on.
            until_idle_s: end when no alert has come for so long; None follows for ever.
        """
        self._bootstrap = bootstrap
        self._topic = f"{prefix}{ALERTS.name}"
        self._from_start = from_start
        self._until_idle_s = until_idle_s
        self.is_live = not from_start
        self._seen: dict[str, int] = {}
        self._ends: Mapping[TopicPartition, int] = {}
        self._resources = AsyncExitStack()
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        """Connect, and fix where the reading starts.

        Raises: Unavailable where the broker does not answer or the topic is not there.
        """
        async with AsyncExitStack() as opening:
            partitions = await partitions_of(self._bootstrap, [self._topic])
            consumer = await opening.enter_async_context(open_consumer(self._bootstrap))
            consumer.assign(partitions)
            if self._from_start:
                self._ends = dict(await consumer.end_offsets(partitions))
                await consumer.seek_to_beginning(*partitions)
            else:
                await consumer.seek_to_end(*partitions)
                for partition in partitions:  # resolves the lazy seek before the caller goes on
                    await consumer.position(partition)
            self._resources = opening.pop_all()
        self._consumer = consumer
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Close the connection."""
        self._consumer = None
        return await self._resources.__aexit__(kind, error, trace)

    async def __aiter__(self) -> AsyncIterator[Alert]:
        """Yield alerts as they come.

        Raises: RuntimeError outside of ``async with``; Unavailable where the broker goes away.
        """
        if self._consumer is None:
            raise RuntimeError("an AlertReader is used in async with")
        async for record in self._stored(self._consumer):
            alert = self._unseen(record)
            if alert is not None:
                yield alert
        self.is_live = True
        last_s = monotonic_s()
        while self._until_idle_s is None or monotonic_s() - last_s < self._until_idle_s:
            batches = await self._consumer.getmany(timeout_ms=_POLL_MS)
            records = [record for batch in batches.values() for record in batch]
            for record in sorted(records, key=_order):
                alert = self._unseen(record)
                if alert is not None:
                    yield alert
            if records:
                last_s = monotonic_s()

    async def _stored(self, consumer: AIOKafkaConsumer) -> AsyncIterator[ConsumerRecord]:
        """Yield what lies before the ends: always the earliest of the partitions' next records."""
        waiting: dict[TopicPartition, deque[ConsumerRecord]] = {p: deque() for p in self._ends}
        unread = set(self._ends)
        while True:
            while empty := [p for p in waiting if not waiting[p] and p in unread]:
                batches = await consumer.getmany(*empty, timeout_ms=_POLL_MS, max_records=_AHEAD)
                for partition in empty:
                    end = self._ends[partition]
                    found = batches.get(partition, ())
                    waiting[partition].extend(r for r in found if r.offset < end)
                    # Records of a log may lack, so that the place says more than their number.
                    if await consumer.position(partition) >= end:
                        unread.remove(partition)
                        consumer.seek(partition, end)
            heads = [records[0] for records in waiting.values() if records]
            if not heads:
                return
            first = min(heads, key=_order)
            yield waiting[TopicPartition(first.topic, first.partition)].popleft()

    def _unseen(self, record: ConsumerRecord) -> Alert | None:
        try:
            alert: Alert = decode(record.value, Alert)
        except BadMessage as error:
            logger.warning(
                "an alert that cannot be read",
                extra={"offset": record.offset, "partition": record.partition, "why": str(error)},
            )
            return None
        if alert.revision <= self._seen.get(alert.alert_id, 0):
            return None
        self._seen[alert.alert_id] = alert.revision
        return alert


def _order(record: ConsumerRecord) -> tuple[int, int]:
    return (record.timestamp, record.partition)
