"""Repairs of faust-streaming 0.15.3, installed once at the start of a worker.

Every repair replaces one method and checks first, by a hash of its source, that the method is the
one that was read when the repair was written. Each has a test in tests/agents/test_faust_repairs.py
that forces the fault, shows it in the stock method, and shows it gone.

1. Loss at recovery (faust-streaming issues 216, 221, 502). After an assignment Faust resumed the
   partitions before it had sought to the committed offsets, and cleared the stream queues last:
   records fetched in between were thrown away, their second delivery was dropped as already read.
   ``wait_for_stopped_flow`` could not help, since its event was never cleared; the live set of
   active partitions was read by the consumer's thread, where an empty set means all partitions;
   and a partition with nothing committed was not sought at all. Now: stop the flow, wait for the
   fetch that is under way, seek (to the beginning where nothing is committed), resume.
2. Commit past an unacknowledged record (issues 315, 527). The first gap was compared with
   ``> 1``, and a committed offset of None or 0 was not compared at all, so that a record exactly at
   the committed offset could be committed over without having been processed.
3. Two tasks for every record in the drain loop (robinhood/faust issues 563, 718): 28 % of the time
   of a busy worker. Now the delivery runs at once and becomes a task only where it has to wait.
"""

import asyncio
import hashlib
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping
from importlib.metadata import version
from typing import Any

from aiokafka import TopicPartition
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer
from faust.types import TP
from faust.utils.functional import consecutive_numbers

from signals.errors import ConfigError

__all__ = ["REPAIRS", "StartedCoroutine", "install", "source_hash"]

_PINNED = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}
_IDLE_SLEEP_S = 0.2  # stock sleeps a second, which is how long a stopped flow would be waited for
_YIELD_EVERY = 100


# ---- 1. loss at recovery -------------------------------------------------------------------------


async def _wait_next_records(self: Any, timeout: float) -> tuple[Any, set[TP] | None]:  # noqa: ASYNC109 - Faust's signature
    """Fetch, marked as under way, from a snapshot of the active partitions."""
    if not self.flow_active:
        await self.wait(self.can_resume_flow)
    self.not_waiting_next_records.clear()
    try:
        if self.app.client_only:
            return await self._getmany(active_partitions=None, timeout=timeout), None
        active = set(self._get_active_partitions())
        if active:
            return await self._getmany(active_partitions=active, timeout=timeout), active
        await self.sleep(_IDLE_SLEEP_S)
        return {}, active
    finally:
        self.not_waiting_next_records.set()


async def _perform_seek(self: Any) -> None:
    """Seek every partition to its committed offset, to its beginning where there is none.

    The read offset is that of the last record delivered, so it is one less than the committed one.
    """
    found: Mapping[Any, int | None] = await self.seek_to_committed()
    committed = {TP(tp.topic, tp.partition): offset or None for tp, offset in found.items()}
    fresh = [TopicPartition(tp.topic, tp.partition) for tp, at in committed.items() if at is None]
    if fresh:
        await self._thread.seek_to_beginning(*fresh)
    self._committed_offset.update(committed)
    self._read_offset.update(
        {tp: None if offset is None else offset - 1 for tp, offset in committed.items()}
    )


async def _restart_flow(recovery: Any) -> None:
    """Start the streams from the committed offsets, with nothing in flight from before."""
    app = recovery.app
    consumer = app.consumer
    assignment = consumer.assignment()
    consumer.stop_flow()
    await recovery._wait(consumer.wait_for_stopped_flow())
    if assignment:
        await recovery._wait(consumer.perform_seek(), timeout=app.conf.broker_request_timeout)
        streams = {tp for tp in assignment if not recovery._is_changelog_tp(tp)}
        consumer.resume_partitions(streams)
    recovery.completed.set()
    app.flow_control.resume()  # clears the queues, so it comes before the first new record
    consumer.resume_flow()
    await app._fetcher.maybe_start()
    recovery.tables.on_actives_ready()


async def _resume_streams(self: Any, generation_id: int = 0) -> None:
    """Start the streams of an application without Faust tables."""
    await self.app.on_rebalance_complete.send()
    if self.app.consumer_generation_id != generation_id:
        self.log.warning("Recovery rebalancing again")
        return
    await _restart_flow(self)
    self.tables.on_standbys_ready()
    self.app.on_rebalance_end()
    self.log.info("Worker ready")


async def _on_recovery_completed(self: Any, generation_id: int = 0) -> None:
    """Start the streams of an application whose Faust tables have been read back."""
    await self.app.on_rebalance_complete.send()
    self._set_recovery_ended()
    actives, standbys = self.actives_for_table, self.standbys_for_table
    tables = list(self.tables.values())
    await asyncio.gather(*(t.on_recovery_completed(actives[t], standbys[t]) for t in tables))
    if self.app.consumer_generation_id != generation_id:
        self.log.warning("Recovery rebalancing again")
        return
    await _restart_flow(self)
    if not self.app.assignor.assigned_standbys():
        self.tables.on_standbys_ready()
    self.app.on_rebalance_end()
    self.log.info("Worker ready")


# ---- 2. commit past an unacknowledged record -----------------------------------------------------


def _new_offset(self: Any, tp: TP) -> int | None:
    """Return the offset to commit: that after the acknowledged records without a gap before.

    The committed offset is that of the next record to be acknowledged; where nothing has been
    committed, ``_take`` puts there the first offset that was delivered.
    """
    acked: list[int] = self._acked[tp]
    if not acked:
        return None
    _add_missing_offsets(acked, self._gap[tp])
    acked.sort()
    if acked[0] > (self._committed_offset[tp] or 0):
        return None
    batch = next(consecutive_numbers(acked))
    del acked[: len(batch)]
    self._acked_index[tp].difference_update(batch)
    return batch[-1] + 1


def _add_missing_offsets(acked: list[int], gaps: Any) -> None:
    """Count the offsets that the broker never gave (compacted, or of transactions) as acked."""
    highest = max(acked)
    ranges = sorted(gaps.overlap(0, highest), key=lambda gap: int(gap.begin)) if gaps else []
    missing = [offset for gap in ranges for offset in range(gap.begin, gap.end)]
    if missing:
        acked.extend(missing)
        gaps.chop(0, max(missing[-1], highest + 1))


# ---- 3. two tasks for every record ---------------------------------------------------------------


class StartedCoroutine:
    """A coroutine that has run up to its first wait, and goes on where it is awaited."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        while True:
            error: BaseException | None = None
            try:
                yield waits_for
            except BaseException as thrown:  # noqa: BLE001 - a cancellation is passed on, too
                error = thrown
            try:
                waits_for = self._coroutine.send(None) if error is None else self._throw(error)
            except StopIteration:
                return

    def _throw(self, error: BaseException) -> Any:
        return self._coroutine.throw(error)


def _start(coroutine: Coroutine[Any, Any, None]) -> StartedCoroutine | None:
    """Run a coroutine up to its first wait; None if it ended without one."""
    try:
        return StartedCoroutine(coroutine, coroutine.send(None))
    except StopIteration:
        return None


async def _deliver(consumer: Any, message: Any) -> None:
    """Hand a record to its stream; give up where the flow is suspended meanwhile."""
    if consumer.suspend_flow.is_set():
        await consumer.wait_first(consumer.callback(message), consumer.suspend_flow.wait())
        return
    waiting = _start(consumer.callback(message))
    if waiting is not None:
        await consumer.wait_first(waiting, consumer.suspend_flow.wait())


async def _take(consumer: Any, tp: TP, message: Any) -> None:
    """Deliver one record unless it was read before, and note what the broker left out."""
    offset, read = message.offset, consumer._read_offset[tp]
    if read is None:
        consumer._committed_offset[tp] = offset
    elif offset <= read:
        return
    elif offset - read > 1 and consumer.app.topics.acks_enabled_for(message.topic):
        consumer._gap[tp].addi(read + 1, offset)
    await _deliver(consumer, message)
    consumer._read_offset[tp] = offset


async def _drain_messages(self: Any, fetcher: Any) -> None:
    """Read records and deliver them until the consumer or its fetcher stops."""
    taken = 0
    try:
        while not (self._stopped.is_set() or fetcher._stopped.is_set()):
            await self.sleep(0)
            if self.should_stop:
                continue
            async for tp, message in self.getmany(timeout=1.0):
                taken += 1
                if taken % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
                await _take(self, tp, message)
    except (asyncio.CancelledError, *self.consumer_stopped_errors):
        if not self.transport.app.should_stop:
            raise
        self.log.info("Consumer shutting down")


# ---- installing ----------------------------------------------------------------------------------

_Repair = tuple[type, str, str, Callable[..., Awaitable[Any] | Any]]
# The class, the method, the first 16 hex digits of SHA-256 of its source, what replaces it.
REPAIRS: tuple[_Repair, ...] = (
    (Consumer, "_wait_next_records", "6218e1969a636b3f", _wait_next_records),
    (Consumer, "perform_seek", "0e8c130ff4b0afd8", _perform_seek),
    (Recovery, "_resume_streams", "d986a6710c1aca98", _resume_streams),
    (Recovery, "on_recovery_completed", "6ef567acf072e46d", _on_recovery_completed),
    (Consumer, "_new_offset", "1d2c7ea89a7ad4f1", _new_offset),
    (Consumer, "_drain_messages", "44a2500309e83c63", _drain_messages),
)


def source_hash(function: Callable[..., Any]) -> str:
    """Return the first 16 hex digits of SHA-256 of a function's source."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


def install(repairs: Iterable[_Repair] = REPAIRS) -> None:
    """Put the repairs in place; harmless when repeated.

    Raises: ConfigError where a method is not the one that the repair was written for.
    """
    wanted = [repair for repair in repairs if getattr(repair[0], repair[1]) is not repair[3]]
    for owner, name, expected, _ in wanted:
        found = source_hash(getattr(owner, name))
        if found != expected:
            pins = ", ".join(f"{package}=={pin}" for package, pin in _PINNED.items())
            there = ", ".join(f"{package} {version(package)}" for package in _PINNED)
            raise ConfigError(
                f"{owner.__name__}.{name} is not the source that Tapewire repairs "
                f"(hash {found}, expected {expected}); install {pins} (here: {there})"
            )
    for owner, name, _, repaired in wanted:
        setattr(owner, name, repaired)
