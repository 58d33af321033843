"""The one loop that runs every agent: drain, fold, send, keep, acknowledge.

A batch goes through five steps, and the order is the guarantee:

1. take what is queued, at most so many records, and fold it in order while the turn lasts;
2. send all outputs and dead letters, and wait for all acknowledgements together;
3. append the changed rows and the cursor, one record batch for each partition;
4. acknowledge the records in order, so that Faust commits their offsets;
5. count.

Before 2 and before 3 the loop asks whether the partitions are still its own. Where they are not,
the batch is rolled back in memory and dropped without acknowledgement: the new owner folds it.
Whatever fails in 2 to 4 ends the process: raised into Faust it would be acknowledged and lost.

Records are taken from the stream's own queue. Iterating the stream would acknowledge a record that
was left over from before a rebalance, although nobody has folded it.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from agents.folding import Batch, Folder, Record, RowsUnfit, fold, read_record, undo
from agents.links import Links
from agents.records import INGESTED, Position, received_us
from agents.rows import Partition
from agents.turnstile import Turnstile
from signals.fold import Agent
from signals.messages import Alert, Event, Micros
from streams.clock import monotonic_s, now_us
from streams.metrics import Metrics
from streams.topics import Topic

__all__ = ["BATCH_RECORDS", "TURN_S", "Runner", "Worker"]

BATCH_RECORDS = 1000
_MICROS_DIGITS = 17
LEASE_S = 300.0  # a batch that takes longer was paused: its partitions are another worker's
TURN_S = 0.05  # how long a fold may keep the other agents, and the event loop, waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """What the runners of a worker share."""

    topics: Mapping[str, Topic]
    links: Links
    metrics: Metrics
    turnstile: Turnstile
    end: Callable[[str, BaseException], None]  # logs, and ends the process


@dataclass(slots=True)
class _Taken:
    """A record and the Faust event that it came in, which acknowledges it."""

    event: Any
    record: Record


class Runner:
    """Runs one agent: owns its state in memory and the records that it has taken."""

    def __init__(self, agent: Agent, worker: Worker, *, changelog: str) -> None:
        self.agent = agent
        self.changelog = changelog
        self.partitions: dict[int, Partition] = {}
        self.generation = -1  # for which the state has been recovered
        self.busy_since_s: float | None = None  # when the batch under way was begun
        self.positions: dict[int, int] = {}  # the next offset to fold, by partition
        self._worker = worker
        self._pending: deque[_Taken] = deque()
        self._queue: Any = None
        self._app: Any = None

    def assign(self, generation: int, partitions: Mapping[int, Partition]) -> None:
        """Begin a generation with the state that was recovered for it."""
        self.partitions = dict(partitions)
        self.generation = generation
        self.positions = {}
        self._pending.clear()
        self._note_oldest()
        self._worker.metrics.state_rows.labels(self.agent.name).set(self._row_count())

    def kept(self, generation: int, partitions: Collection[int]) -> dict[int, Partition]:
        """Return the state that is still right: nobody else held it since the last generation."""
        if generation != self.generation + 1 or self.busy_since_s is not None:
            return {}
        return {number: p for number, p in self.partitions.items() if number in partitions}

    async def run(self, app: Any, queue: Any) -> None:
        """Fold what comes through the queue until it is closed; never raises into Faust."""
        self._app, self._queue = app, queue
        try:
            while await self._take():
                await self._turn()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - Faust would acknowledge and go on
            self._worker.end(self.agent.name, error)

    # ---- 1. take and fold ----

    async def _take(self) -> bool:
        """Take what is queued, or wait for it; say no when Faust has closed the stream."""
        try:
            if not self._pending:
                self._keep(await self._queue.get())
        except StopAsyncIteration:
            return False
        self._take_queued()
        return True

    def _take_queued(self) -> None:
        # An error in the queue closes the stream: it is left there for the next wait.
        while len(self._pending) < BATCH_RECORDS and self._queue.qsize():
            self._keep(self._queue.get_nowait())
        self._note_oldest()

    def _note_oldest(self) -> None:
        oldest = None
        if self._pending:
            head = self._pending[0].record
            oldest = received_us(head.message) or Micros(head.position.timestamp_ms * 1000)
        self._worker.turnstile.note(self.agent.name, oldest)

    def _keep(self, event: Any) -> None:
        message = event.message
        if not self._is_ours(message.generation_id):
            return
        topic = self._worker.topics[self.agent.reads]
        headers = tuple(message.headers or ())
        ingested = (dict(headers).get(INGESTED) or b"")[:_MICROS_DIGITS]
        position = Position(
            topic=topic.name,
            partition=message.partition,
            offset=message.offset,
            timestamp_ms=round(message.timestamp * 1000),
            ingested_us=Micros(int(ingested)) if ingested.isdigit() else now_us(),
        )
        record = read_record(position, message.key, message.value, topic.message, headers=headers)
        self._pending.append(_Taken(event, record))

    def _is_ours(self, generation: int) -> bool:
        return bool(generation == self.generation == self._app.consumer_generation_id)

    async def _turn(self) -> None:
        if not self._pending:
            return
        async with self._worker.turnstile.turn(self.agent.name):
            generation = self.generation
            taken, batch = self._fold()
            self._take_queued()
        if batch is not None:
            self.busy_since_s = monotonic_s()
            try:
                await self._finish(generation, taken, batch)
            finally:
                self.busy_since_s = None
        await asyncio.sleep(0)

    def _fold(self) -> tuple[list[_Taken], Batch | None]:
        """Fold what is pending and still ours, in memory only."""
        if not self._app.flow_control.is_active():
            self._pending.clear()  # partitions are given back, or Faust stops: it comes again
        while self._pending and not self._is_ours(self._pending[0].event.message.generation_id):
            self._pending.popleft()
        limit = len(self._pending)
        folder = Folder(self.agent, self._worker.topics, self.partitions)
        while limit:
            begun = monotonic_s()
            records = [one.record for one in islice(self._pending, limit)]
            try:
                batch = fold(folder, records, now_us=now_us(), until_s=begun + TURN_S)
            except RowsUnfit as unfit:
                if limit == 1:
                    self._refuse(unfit)
                limit = max(1, limit // 2)
                continue
            self._worker.metrics.stage_seconds.labels(self.agent.name).observe(
                monotonic_s() - begun
            )
            taken = [self._pending.popleft() for _ in range(batch.records)]
            self._track(taken)
            return taken, batch
        return [], None

    def _refuse(self, unfit: RowsUnfit) -> None:
        head = self._pending[0]
        if head.record.error is not None:
            raise unfit
        self._pending[0] = replace(head, record=replace(head.record, error=unfit.error))

    def _track(self, taken: list[_Taken]) -> None:
        """Tell Faust what is under way, so that a rebalance or a stop waits for it."""
        consumer, monitor, now = self._app.consumer, self._app.monitor, monotonic_s()
        for one in taken:
            message = one.event.message
            if not message.tracked:
                message.tracked = True
                consumer._unacked_messages.add(message)
        for tp in {one.event.message.tp for one in taken}:
            monitor.stream_inbound_time[tp] = now

    # ---- 2 to 5. send, keep, acknowledge, count ----

    async def _finish(self, generation: int, taken: list[_Taken], batch: Batch) -> None:
        links, partitions = self._worker.links, self.partitions
        begun = monotonic_s()
        if not self._is_ours(generation):
            undo(partitions, batch)
            return
        await links.send([*batch.outputs, *(letter for _, letter in batch.letters)])
        if not self._is_ours(generation):
            undo(partitions, batch)
            return
        if monotonic_s() - begun > LEASE_S:  # graves last twice as long: agents/rows.py
            raise TimeoutError(f"a batch of {self.agent.name} took over {LEASE_S:.0f} s")
        if batch.written:
            bases = await links.write(self.changelog, batch.written, now_ms=now_us() // 1000)
            for number, base in bases.items():
                partitions[number].committed(base, batch.written[number])
        if self._is_ours(generation):
            for one in taken:
                one.event.ack()
                at = one.record.position
                self.positions[at.partition] = at.offset + 1
        self._count(batch)

    def _count(self, batch: Batch) -> None:
        metrics, name = self._worker.metrics, self.agent.name
        metrics.records_in.labels(self.agent.reads).inc(batch.records)
        metrics.batch_records.labels(name).observe(batch.records)
        metrics.state_rows.labels(name).set(self._row_count())
        metrics.skipped.labels(name).inc(batch.skipped)
        for reason, letter in batch.letters:
            metrics.dead_letters.labels(self.agent.reads, reason).inc()
            metrics.records_out.labels(letter.topic).inc()
        now = now_us()
        way = metrics.end_to_end_seconds.labels(name)
        for topic, count in Counter(output.topic for output in batch.outputs).items():
            metrics.records_out.labels(topic).inc(count)
        for output in batch.outputs:
            way.observe(max(0, now - output.ingested_us) / 1_000_000)
            if isinstance(output.message, Alert):
                metrics.alerts.labels(output.message.kind, output.message.severity).inc()
            elif isinstance(output.message, Event):
                metrics.events.labels(output.message.type).inc()

    def _row_count(self) -> int:
        return sum(len(partition) for partition in self.partitions.values())
