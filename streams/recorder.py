"""Topics of a broker into a recording."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from signals.errors import ConfigError, Unavailable
from signals.messages import RuleSetId
from streams.clients import describe_partitions, open_consumer, partitions_of, read_to_end
from streams.clock import monotonic_s
from streams.recording import MANIFEST, Manifest, Recorded, read_manifest, write_recording
from streams.recordings.manifest import (
    FileEntry,
    ParquetManifest,
    Request,
    Span,
    alone_in,
    check_request,
    write_manifest,
)
from streams.recordings.parquet_file import read_file, require_arrow
from streams.recordings.partition import FILE_BYTES, PartitionWriter, held_files

__all__ = ["ALL", "Recorder", "Tally", "record_topics", "recorded_of"]

ALL = "all"
_POLL_MS = 200
_FETCH_BYTES = 1024 * 1024  # of each partition: all of a prefix may be some hundred of them
_TAKEN = 5000  # records that are unpacked at once
_MOST_WAITING = 64 * 1024 * 1024  # bytes of records in memory, of all partitions together
_ROTATE_S = 3600.0  # a run that follows makes what it has a whole file so often


async def record_topics(
    bootstrap: str, prefix: str, topics: Sequence[str], folder: Path
) -> Manifest:
    """Write the topics, from their beginning to their end as it is now, as JSON Lines.

    All of a topic is held in memory: for the demo's topics, and the tests'.

    Args:
        bootstrap: ``host:port``, several separated by commas.
        prefix: what stands before every topic name; the recording is without it.
        topics: names in the registry.
        folder: made if missing.
    Raises: Unavailable where the broker does not answer or a topic is not there.
    """
    held: dict[str, list[Recorded]] = {}
    async with open_consumer(bootstrap) as consumer:
        for topic in topics:
            partitions = await partitions_of(bootstrap, [f"{prefix}{topic}"])
            held[topic] = [
                recorded_of(record, topic) async for record in read_to_end(consumer, partitions)
            ]
    return write_recording(folder, held)


def recorded_of(record: ConsumerRecord, topic: str) -> Recorded:
    """Return a record as a recording holds it; ``topic`` is its name without the prefix."""
    return Recorded(
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        timestamp_ms=record.timestamp,
        headers=tuple(record.headers),
    )


@dataclass(slots=True)
class Tally:
    """How far a recording has come.

    Attributes:
        records: taken in this run; ``held`` were there from earlier ones.
        left: to come, as far as it is known.
        value_bytes: of keys and values taken in this run.
        torn: files that an earlier run left unfinished, and that were removed.
        lost: offsets that were asked for, and that the broker had no more.
    """

    records: int = 0
    held: int = 0
    left: int = 0
    value_bytes: int = 0
    torn: list[Path] = field(default_factory=list)
    lost: int = 0


@dataclass(slots=True)
class _Part:
    """A partition on its way: what it covers, what is to come, and where it is written."""

    topic: str
    span: Span
    next: int
    writer: PartitionWriter


class Recorder:
    """Copies offset ranges of topics into a folder of Parquet files, and goes on with one.

    Attributes:
        tally: kept up to date.
    """

    def __init__(
        self,
        bootstrap: str,
        request: Request,
        folder: Path,
        *,
        follow: bool = False,
        file_bytes: int = FILE_BYTES,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            bootstrap: ``host:port``, several separated by commas.
            request: what to record; ``ALL`` among its topics stands for every one of the prefix.
            folder: made if missing; a recording of the same request goes on.
            follow: go on with what comes until told to stop.
            file_bytes: about how large a file becomes.
        """
        self.tally = Tally()
        self._bootstrap = bootstrap
        self._request = request
        self._folder = folder
        self._follow = follow
        self._file_bytes = file_bytes
        self._parts: dict[TopicPartition, _Part] = {}
        self._held: list[FileEntry] = []
        self._rule_sets: set[RuleSetId] = set()

    async def run(self, stop: asyncio.Event, tell: Callable[[Tally], None]) -> ParquetManifest:
        """Record until the end, or until ``stop`` is set, and write the manifest.

        The newest offsets as they are now are the end, unless it follows.

        Raises:
            ConfigError for a folder of something else, or a topic that was created again.
            Unavailable where the broker does not answer or a topic is not there.
            OSError where the folder cannot be written.
        """
        require_arrow()
        async with open_consumer(self._bootstrap, fetch_bytes=_FETCH_BYTES) as consumer:
            topics = await self._topics()
            check_request(self._folder, self._request)
            with alone_in(self._folder):
                return await self._record(consumer, topics, stop, tell)

    async def _record(
        self,
        consumer: AIOKafkaConsumer,
        topics: Sequence[str],
        stop: asyncio.Event,
        tell: Callable[[Tally], None],
    ) -> ParquetManifest:
        await self._plan(consumer, topics)
        try:
            await self._copy(consumer, stop, tell)
        finally:
            # Whatever happened: what was taken is whole, and a next run goes on from there.
            for part in self._parts.values():
                part.writer.finish()
        return self._write_manifest(is_complete=self._follow or not stop.is_set())

    async def _topics(self) -> list[str]:
        prefix = self._request.prefix
        if ALL not in self._request.topics:
            return list(self._request.topics)
        found = [
            name.removeprefix(prefix)
            for name in await describe_partitions(self._bootstrap)
            if name.startswith(prefix) and not name.startswith("__")
        ]
        if not found:
            raise Unavailable(f"no topic begins with {prefix!r}; check TAPEWIRE_PREFIX")
        return sorted(found)

    # ---- what there is, and what is to come ----

    async def _plan(self, consumer: AIOKafkaConsumer, topics: Sequence[str]) -> None:
        prefix, request = self._request.prefix, self._request
        partitions = await partitions_of(self._bootstrap, [prefix + topic for topic in topics])
        begins = await consumer.beginning_offsets(partitions)
        ends = dict(await consumer.end_offsets(partitions))
        firsts = await _offsets_at(consumer, begins, request.from_ms, default=begins, ends=ends)
        if request.to_ms is not None:
            ends = await _offsets_at(consumer, begins, request.to_ms, default=ends, ends=ends)
        manifest = self._earlier()
        for at in partitions:
            topic = at.topic.removeprefix(prefix)
            before = manifest and manifest.topics.get(topic, {}).get(str(at.partition))
            span = before or Span(first=firsts[at], end=firsts[at], log_start=begins[at])
            self._take_up(
                at, topic, span, {e.file: e for e in (manifest.files if manifest else ())}
            )
            part = self._parts[at]
            part.span = replace(part.span, end=max(ends[at], part.next))
            if begins[at] > part.next:
                self.tally.lost += begins[at] - part.next
            self.tally.left += max(ends[at] - max(part.next, begins[at]), 0)
        await self._check_same_topics(consumer, begins)

    def _earlier(self) -> ParquetManifest | None:
        if not (self._folder / MANIFEST).exists():
            return None
        manifest = read_manifest(self._folder)
        if not isinstance(manifest, ParquetManifest):
            raise ConfigError(f"{self._folder} is a recording in JSON Lines; name another folder")
        self._rule_sets |= set(manifest.rule_sets)
        return manifest

    def _take_up(
        self, at: TopicPartition, topic: str, span: Span, known: dict[str, FileEntry]
    ) -> None:
        """Find what an earlier run has left of a partition, and go on after it."""
        files, rule_sets, torn = held_files(self._folder, topic, at.partition, known)
        self._held += files
        self._rule_sets |= rule_sets
        self.tally.torn += torn
        self.tally.held += sum(entry.records for entry in files)
        first = min([span.first, *(entry.first_offset for entry in files)])
        after = max([span.end, *(entry.last_offset + 1 for entry in files)])
        writer = PartitionWriter(self._folder, topic, at.partition, file_bytes=self._file_bytes)
        self._parts[at] = _Part(topic, replace(span, first=first), after, writer)

    async def _check_same_topics(
        self, consumer: AIOKafkaConsumer, begins: Mapping[TopicPartition, int]
    ) -> None:
        """Refuse to go on with a topic whose record at a recorded offset is another one."""
        by_place = {(entry.topic, entry.partition): entry for entry in self._held}
        for at, part in self._parts.items():
            entry = by_place.get((part.topic, at.partition))
            if entry is None or entry.last_offset < begins[at]:
                continue
            last = deque(read_file(self._folder / entry.file), maxlen=1)[0]
            if await _record_at(consumer, at, last.offset) not in (None, _content(last)):
                raise ConfigError(
                    f"{at.topic} was created again since {self._folder} was recorded: record "
                    f"{last.offset} of partition {at.partition} is another one; "
                    "record into another folder"
                )

    # ---- copying ----

    async def _copy(
        self, consumer: AIOKafkaConsumer, stop: asyncio.Event, tell: Callable[[Tally], None]
    ) -> None:
        left = {at for at, part in self._parts.items() if self._follow or part.next < part.span.end}
        consumer.assign(sorted(left))
        for at in sorted(left):
            consumer.seek(at, max(self._parts[at].next, self._parts[at].span.log_start))
        rotated_s = monotonic_s()
        while left and not stop.is_set():
            # What is fetched already comes without a turn of the loop, which a signal waits for.
            await asyncio.sleep(0)
            batches = await consumer.getmany(*sorted(left), timeout_ms=_POLL_MS, max_records=_TAKEN)
            for at, records in batches.items():
                self._take(at, records)
            for at in sorted(left):
                part = self._parts[at]
                # Past offsets that hold no record, too.
                part.next = max(part.next, await consumer.position(at))
                if not self._follow and part.next >= part.span.end:
                    part.writer.finish()
                    consumer.pause(at)
                    left.discard(at)
            self._keep_small()
            if self._follow and monotonic_s() - rotated_s > _ROTATE_S:
                rotated_s = monotonic_s()
                for part in self._parts.values():
                    part.writer.finish()
            tell(self.tally)

    def _take(self, at: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        part, tally = self._parts[at], self.tally
        for record in records:
            if record.offset >= part.span.end and not self._follow:
                return
            part.writer.add(recorded_of(record, part.topic))
            part.next = record.offset + 1
            tally.records += 1
            tally.left = max(tally.left - 1, 0)
            tally.value_bytes += len(record.key or b"") + len(record.value or b"")

    def _keep_small(self) -> None:
        writers = [part.writer for part in self._parts.values()]
        waiting = sum(writer.waiting for writer in writers)
        for writer in sorted(writers, key=lambda writer: -writer.waiting):
            if waiting <= _MOST_WAITING:
                return
            waiting -= writer.waiting
            writer.flush()

    def _write_manifest(self, *, is_complete: bool) -> ParquetManifest:
        spans: dict[str, dict[str, Span]] = {}
        files, rule_sets = list(self._held), set(self._rule_sets)
        for at, part in self._parts.items():
            end = part.next if self._follow else min(part.next, part.span.end)
            spans.setdefault(part.topic, {})[str(at.partition)] = replace(part.span, end=end)
            files += part.writer.entries
            rule_sets |= part.writer.rule_sets
        return write_manifest(
            self._folder, self._request, spans, files, rule_sets=rule_sets, is_complete=is_complete
        )


async def _offsets_at(
    consumer: AIOKafkaConsumer,
    partitions: Mapping[TopicPartition, int],
    moment_ms: int | None,
    *,
    default: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> dict[TopicPartition, int]:
    """Return by partition the first offset stamped at a moment or later; the default for none."""
    if moment_ms is None:
        return dict(default)
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, moment_ms))
    return {at: min(found[at].offset, ends[at]) if found.get(at) else ends[at] for at in partitions}


async def _record_at(
    consumer: AIOKafkaConsumer, at: TopicPartition, offset: int
) -> tuple[object, ...] | None:
    """Return the content of the record at an offset, None where there is none any more."""
    if (await consumer.end_offsets([at]))[at] <= offset:
        return ()
    consumer.assign([at])
    consumer.seek(at, offset)
    while True:
        for records in (await consumer.getmany(at, timeout_ms=_POLL_MS, max_records=1)).values():
            found = recorded_of(records[0], "")
            return _content(found) if found.offset == offset else None
        if await consumer.position(at) > offset:
            return None


def _content(record: Recorded) -> tuple[object, ...]:
    return record.key, record.value, record.timestamp_ms, record.headers
