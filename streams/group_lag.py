"""How far a consumer group has come on a topic."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError

from streams.clients import open_admin, open_consumer, partitions_of

__all__ = ["GroupLag"]


class GroupLag:
    """Asks one broker about one group, over connections that stay open; it never joins the group.

    ::

        async with GroupLag("127.0.0.1:9092", "tapewire") as lag:
            done, total = await lag.ask("tapewire.journal.v1")
    """

    def __init__(self, bootstrap: str, group: str) -> None:
        """Prepare to ask; nothing is opened yet."""
        self._bootstrap = bootstrap
        self._group = group
        self._resources = AsyncExitStack()
        self._known: dict[str, list[TopicPartition]] = {}

    async def __aenter__(self) -> Self:
        """Connect. Raises: Unavailable where the broker does not answer."""
        async with AsyncExitStack() as opening:
            self._consumer: AIOKafkaConsumer = await opening.enter_async_context(
                open_consumer(self._bootstrap)
            )
            self._admin = await opening.enter_async_context(open_admin(self._bootstrap))
            self._resources = opening.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Close the connections."""
        return await self._resources.__aexit__(kind, error, trace)

    async def ask(self, topic: str) -> tuple[int, int]:
        """Return how many records of a topic the group has committed, and how many there are.

        Raises: Unavailable where the topic is not there; inside of ``async with``, where the broker
        goes away.
        """
        partitions = await self._partitions(topic)
        starts = await self._consumer.beginning_offsets(partitions)
        ends = await self._consumer.end_offsets(partitions)
        try:
            found = await self._admin.list_consumer_group_offsets(
                self._group, partitions=partitions
            )
        except GroupCoordinatorNotAvailableError:  # a broker on which no group has ever been
            found = {}
        committed = sum(
            max(found[partition].offset, starts[partition]) - starts[partition]
            for partition in partitions
            if partition in found
        )
        return committed, sum(ends[partition] - starts[partition] for partition in partitions)

    async def _partitions(self, topic: str) -> list[TopicPartition]:
        if topic not in self._known:
            self._known[topic] = await partitions_of(self._bootstrap, [topic])
        return self._known[topic]
