"""Read the state of the assigned partitions back, before any record flows.

Faust's own recovery hands over one event at a time, some 25,000 a second. Here the last record of
every changelog partition, a cursor, says where the living rows begin; from there it is read in
large fetches, and rows are decoded only when their key is touched.

Before the state is used it is checked against its input: a topic that was created again under it
would make every offset in it a lie, and a changelog that was lost would be a silent fresh start.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from agents.folding import checksum
from agents.rows import Cursor, Partition, read_cursor
from signals.errors import ConfigError, Unavailable
from signals.fold import Agent

__all__ = ["AssignmentLost", "recover"]

_FETCH_BYTES = 8 * 1024 * 1024
_CHECK_BYTES = 64 * 1024  # one record of the input is enough
_POLL_MS = 200
_TIMEOUT_S = 30.0

StillOurs = Callable[[], bool]


class AssignmentLost(Exception):  # noqa: N818 - a condition, not a fault
    """The partitions were assigned anew while their state was read."""


async def recover(
    agent: Agent,
    *,
    bootstrap: str,
    group: str,
    input_topic: str,
    changelog: str,
    partitions: Collection[int],
    still_ours: StillOurs,
) -> dict[int, Partition]:
    """Return the state of an agent's partitions.

    Args:
        agent: whose state.
        bootstrap: ``host:port``, several separated by commas.
        group: the group whose commits are checked.
        input_topic: its name with the prefix.
        changelog: likewise.
        partitions: numbers, of the input as of the changelog.
        still_ours: asked between fetches.

    Raises:
        AssignmentLost when ``still_ours`` says no.
        ConfigError where the state does not belong to the input topic.
    """
    state = {number: Partition(agent, number) for number in partitions}
    if not state:
        return state
    committed = await _committed(bootstrap, group, input_topic, partitions)
    async with _consumer(bootstrap, _FETCH_BYTES) as consumer:
        await _read_changelog(consumer, changelog, state, still_ours)
    async with _consumer(bootstrap, _CHECK_BYTES) as consumer:
        at = {number: partition.cursor for number, partition in state.items()}
        await _check_input(consumer, agent, input_topic, changelog, at, committed)
    return state


@asynccontextmanager
async def _consumer(bootstrap: str, fetch_bytes: int) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=fetch_bytes,
        fetch_max_wait_ms=100,
    )
    await consumer.start()
    try:
        await asyncio.sleep(0)  # its tasks must have begun, or stop() raises in place of a fault
        yield consumer
    finally:
        await consumer.stop()


async def _committed(
    bootstrap: str, group: str, topic: str, partitions: Collection[int]
) -> dict[int, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        wanted = [TopicPartition(topic, number) for number in partitions]
        found = await admin.list_consumer_group_offsets(group, partitions=wanted)
    finally:
        await admin.close()
    return {tp.partition: meta.offset for tp, meta in found.items() if meta.offset >= 0}


async def _read_changelog(
    consumer: Any, changelog: str, state: Mapping[int, Partition], still_ours: StillOurs
) -> None:
    tps = {number: TopicPartition(changelog, number) for number in state}
    consumer.assign(list(tps.values()))
    ends: dict[Any, int] = await consumer.end_offsets(list(tps.values()))
    filled = {tp for tp in tps.values() if ends[tp] > 0}
    for tp in filled:
        consumer.seek(tp, ends[tp] - 1)
    starts = {tp: _start(record) for tp, record in (await _first_records(consumer, filled)).items()}
    for tp in filled:
        consumer.seek(tp, starts.get(tp, 0))
    await _load(consumer, {tp: ends[tp] for tp in filled}, state, still_ours)
    for partition in state.values():
        partition.loaded()


def _start(record: Any) -> int:
    cursor = read_cursor(record.key, record.value)
    return 0 if cursor is None else cursor.start


async def _load(
    consumer: Any,
    ends: Mapping[Any, int],
    state: Mapping[int, Partition],
    still_ours: StillOurs,
) -> None:
    left = set(ends)
    consumer.pause(*(set(consumer.assignment()) - left))
    consumer.resume(*left)
    while left:
        if not still_ours():
            raise AssignmentLost
        batches = await consumer.getmany(*left, timeout_ms=_POLL_MS)
        for tp, records in batches.items():
            load = state[tp.partition].load
            for record in records:
                load(record.offset, record.key, record.value)
        for tp in tuple(left):
            if await consumer.position(tp) >= ends[tp]:
                left.discard(tp)
                consumer.pause(tp)
        await asyncio.sleep(0)


async def _first_records(consumer: Any, tps: Collection[Any]) -> dict[Any, Any]:
    """Return the next record of each partition; fewer where the broker gives none in time."""
    found: dict[Any, Any] = {}
    left = set(tps)
    consumer.pause(*(set(consumer.assignment()) - left))
    deadline = asyncio.get_running_loop().time() + _TIMEOUT_S
    while left:
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable(f"no record of {sorted(left)} came within {_TIMEOUT_S:.0f} s")
        for tp, records in (await consumer.getmany(*left, timeout_ms=_POLL_MS)).items():
            if records:
                found[tp] = records[0]
                left.discard(tp)
                consumer.pause(tp)
    return found


async def _check_input(
    consumer: Any,
    agent: Agent,
    topic: str,
    changelog: str,
    cursors: Mapping[int, Cursor],
    committed: Mapping[int, int],
) -> None:
    """Refuse a state whose offsets are not those of its input topic."""
    tps = {number: TopicPartition(topic, number) for number in cursors}
    begins = await consumer.beginning_offsets(list(tps.values()))
    ends = await consumer.end_offsets(list(tps.values()))
    remedy = (
        f"stop the workers, delete {changelog} and start with another group (TAPEWIRE_GROUP), "
        "or put the old topic back"
    )
    for number, tp in tps.items():
        cursor = cursors[number]
        if cursor.offset >= ends[tp]:
            raise ConfigError(
                f"{topic} was created again under the state of {agent.name}: partition {number} "
                f"ends at {ends[tp]}, the state has folded {cursor.offset}; {remedy}"
            )
        if committed.get(number, 0) > cursor.offset + 1:
            raise ConfigError(
                f"the state of {agent.name} is gone: partition {number} of {topic} is committed to "
                f"{committed[number]}, {changelog} has folded {cursor.offset}; {remedy}"
            )
    known = {
        tp: cursors[number]
        for number, tp in tps.items()
        if cursors[number].offset >= begins[tp] and cursors[number].offset >= 0
    }
    await _check_sums(consumer, agent, known, remedy)


async def _check_sums(
    consumer: Any, agent: Agent, known: Mapping[Any, Cursor], remedy: str
) -> None:
    if not known:
        return
    consumer.assign(list(known))
    for tp, cursor in known.items():
        consumer.seek(tp, cursor.offset)
    for tp, record in (await _first_records(consumer, set(known))).items():
        cursor = known[tp]
        if record.offset == cursor.offset and checksum(record.value) != cursor.checksum:
            raise ConfigError(
                f"{tp.topic} was created again under the state of {agent.name}: record "
                f"{cursor.offset} of partition {tp.partition} is another one; {remedy}"
            )
