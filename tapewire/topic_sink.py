"""What a replay gives, into topics under a prefix of its own."""

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from agents.records import Outgoing, Position, outgoing
from signals import names
from signals.errors import ConfigError
from signals.fold import Agent, Output
from signals.messages import Alert
from streams.clients import describe_partitions, open_consumer, open_producer, partitions_of
from streams.clock import now_us
from streams.settings import Settings
from streams.topic_admin import apply_topics
from streams.topics import TOPICS

__all__ = ["TopicSink"]

DERIVED = (names.EVENTS, names.JOURNAL, names.REACTIONS, names.ALERTS)
_WINDOW = 500


class TopicSink:
    """Sends outputs of a fold, each as the live run would, repeats of an alert's revision once.

    Attributes:
        sent: records that the broker has acknowledged.
    """

    def __init__(self, live: Settings, prefix: str, *, everything: bool) -> None:
        """Prepare; nothing is opened yet.

        Args:
            live: the broker, and the prefix that must not be written to.
            prefix: of the topics that are written.
            everything: every derived topic, and not the alerts alone.
        Raises: ConfigError for the live prefix, or one that is none.
        """
        if prefix == live.prefix:
            raise ConfigError(f"--to-prefix {prefix} is the live one; name another, like replay-1.")
        Settings(broker=live.broker, prefix=prefix or "-")  # says what a prefix must look like
        self.sent = 0
        self._bootstrap = live.broker
        self._prefix = prefix
        self._topics = {t.name: t for t in TOPICS if everything or t.name == names.ALERTS}
        self._wanted = frozenset(DERIVED) & self._topics.keys()
        self._seen: set[tuple[str, int]] = set()
        self._waiting: list[Outgoing] = []
        self._taken = 0
        self._loop = asyncio.new_event_loop()
        self._resources = AsyncExitStack()

    def __enter__(self) -> Self:
        """Create the topics and connect.

        Raises: ConfigError for a prefix that is in use, Unavailable for a broker that fails.
        """
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
        """Send what is left, unless something failed, and disconnect."""
        try:
            return self._loop.run_until_complete(self._close(kind, error, trace))
        finally:
            self._loop.close()

    def take(self, agent: Agent, output: Output) -> None:
        """Take an output of an agent, in the order of the fold."""
        self._taken += 1
        if output.topic not in self._wanted or not self._is_new(output.message):
            return
        cause = Position(
            topic=agent.reads,
            partition=0,
            offset=self._taken,
            timestamp_ms=output.event_us // 1000,
            ingested_us=now_us(),
        )
        self._waiting.append(
            outgoing(
                output,
                cause=cause,
                agent=agent.name,
                index=0,
                now_us=now_us(),
                topics=self._topics,
            )
        )
        if len(self._waiting) >= _WINDOW:
            self.flush()

    def flush(self) -> None:
        """Return when all that was taken has been acknowledged. Raises: KafkaError."""
        self._loop.run_until_complete(self._send())

    def _is_new(self, message: object) -> bool:
        if not isinstance(message, Alert):
            return True
        revision = (message.alert_id, message.revision)
        is_new = revision not in self._seen
        self._seen.add(revision)
        return is_new

    async def _open(self) -> None:
        await self._refuse_used()
        await apply_topics(self._bootstrap, self._prefix)
        async with AsyncExitStack() as opening:
            self._producer = await opening.enter_async_context(
                open_producer(self._bootstrap, idempotent=True)
            )
            self._resources = opening.pop_all()

    async def _refuse_used(self) -> None:
        """Refuse topics that hold records, or that agents work on."""
        under = [
            n for n in await describe_partitions(self._bootstrap) if n.startswith(self._prefix)
        ]
        working = [name for name in under if name.endswith("-changelog")]
        if working:
            raise ConfigError(
                f"agents work under --to-prefix {self._prefix} ({working[0]}); name another"
            )
        present = [f"{self._prefix}{t.name}" for t in TOPICS if f"{self._prefix}{t.name}" in under]
        if not present:
            return
        partitions = await partitions_of(self._bootstrap, present)
        async with open_consumer(self._bootstrap) as consumer:
            ends = await consumer.end_offsets(partitions)
        for at in partitions:
            if ends[at]:
                raise ConfigError(
                    f"{at.topic} holds records already; name another --to-prefix, like replay-2."
                )

    async def _send(self) -> None:
        records, self._waiting = self._waiting, []
        sends = [
            await self._producer.send(
                f"{self._prefix}{record.topic}",
                key=record.key,
                value=record.value,
                timestamp_ms=record.timestamp_ms,
                headers=list(record.headers),
            )
            for record in records
        ]
        await asyncio.gather(*sends)
        self.sent += len(records)

    async def _close(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if error is not None:
            return await self._resources.__aexit__(kind, error, trace)
        async with self._resources:
            await self._send()
        return None
