"""The two producers of a worker: one for outputs, one for the rows of its state."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer

from agents.records import Outgoing
from agents.rows import Written

__all__ = ["Links", "Producer", "connect"]

# Above the largest record of any topic (16 MiB), which the broker checks by topic.
_LARGEST_REQUEST = 20 * 1024 * 1024
_OUTPUT_BATCH = 256 * 1024
_LINGER_MS = 2


class Producer(Protocol):
    """What this module needs of ``AIOKafkaProducer``; a test may put a wrapper in its place."""

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Send what is left and disconnect."""

    async def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None,
        timestamp_ms: int,
        headers: Sequence[tuple[str, bytes]],
    ) -> Any:
        """Queue a record; return the future of its acknowledgement."""

    def create_batch(self) -> Any:
        """Return an empty record batch."""

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Any:
        """Queue a record batch; return the future of its acknowledgement."""


def connect(bootstrap: str, client_id: str) -> tuple[Producer, Producer]:
    """Return the producers of outputs and of rows, not yet started; needs a running loop."""
    common: dict[str, Any] = {
        "bootstrap_servers": bootstrap,
        "acks": "all",
        "max_request_size": _LARGEST_REQUEST,
    }
    outputs = AIOKafkaProducer(
        client_id=f"{client_id}-outputs",
        linger_ms=_LINGER_MS,
        max_batch_size=_OUTPUT_BATCH,
        **common,
    )
    rows = AIOKafkaProducer(
        client_id=f"{client_id}-rows", max_batch_size=_LARGEST_REQUEST, **common
    )
    return outputs, rows


class Links:
    """Sends records and writes rows, each call done when the broker has acknowledged all.

    ``connect`` gives the two producers, inside the running loop.
    """

    def __init__(self, connect: Callable[[], tuple[Producer, Producer]], *, prefix: str) -> None:
        self._connect = connect
        self._prefix = prefix
        self._started = False

    async def start(self) -> None:
        """Connect both producers; harmless when repeated."""
        if self._started:
            return
        self._started = True
        self._outputs, self._rows = self._connect()
        await self._outputs.start()
        await self._rows.start()

    async def stop(self) -> None:
        """Send what is left and disconnect; harmless when not started."""
        if self._started:
            await self._outputs.stop()
            await self._rows.stop()

    async def send(self, records: Iterable[Outgoing]) -> None:
        """Send records in order and wait for every acknowledgement.

        Raises: what the producer raises for the first record that failed.
        """
        waiting = [
            await self._outputs.send(
                self._prefix + record.topic,
                record.value,
                key=record.key,
                timestamp_ms=record.timestamp_ms,
                headers=record.headers,
            )
            for record in records
        ]
        await asyncio.gather(*waiting)

    async def write(
        self, changelog: str, written: Mapping[int, Sequence[Written]], *, now_ms: int
    ) -> dict[int, int]:
        """Append rows, one record batch for each partition.

        Args:
            changelog: the topic's name with its prefix.
            written: keys and values by partition.
            now_ms: the records' timestamp: when they were written, not an event time.
        Returns: the offset of the first record in each partition.
        """
        waiting = []
        for partition, records in written.items():
            batch = self._rows.create_batch()
            for key, value in records:
                if batch.append(timestamp=now_ms, key=key, value=value) is None:
                    raise RuntimeError(f"{len(records)} rows do not fit one record batch")
            batch.close()
            waiting.append(await self._rows.send_batch(batch, changelog, partition=partition))
        sent = await asyncio.gather(*waiting)
        return {partition: done.offset for partition, done in zip(written, sent, strict=True)}
