"""Fold a batch of records: pure but for the state in memory, which a rollback restores."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.records import Headers, Outgoing, Position, dead_letter, outgoing
from agents.rows import Partition, Written
from signals.errors import BadMessage
from signals.fold import Agent, Row
from signals.messages import Micros
from streams.clock import monotonic_s
from streams.codec import decode
from streams.topics import Topic

__all__ = [
    "ROW_BATCH_BYTES", "Batch", "Folder", "Record", "RowsUnfit", "checksum", "fold", "read_record",
    "undo",
]  # fmt: skip

ROW_BATCH_BYTES = 16 * 1024 * 1024 - 256 * 1024  # of one partition, below its max.message.bytes
_RECORD_OVERHEAD = 32


class RowsUnfit(Exception):  # noqa: N818 - a condition that the caller mends
    """The rows that a batch changes cannot be written: fold fewer records, or refuse the one.

    Attributes:
        error: what to say in the dead letter of a record that does it alone.
    """

    def __init__(self, error: BadMessage) -> None:
        super().__init__(error.detail)
        self.error = error


@dataclass(slots=True, kw_only=True)
class Record:
    """An input record: its bytes, and the message that they hold or the reason why not."""

    position: Position
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    text_key: str = ""
    message: Any = None
    error: BadMessage | None = None


@dataclass(slots=True)
class Batch:
    """What a fold gave: outputs in order, the rows to write, and how to undo it in memory."""

    records: int = 0
    skipped: int = 0
    outputs: list[Outgoing] = field(default_factory=list)
    letters: list[tuple[str, Outgoing]] = field(default_factory=list)  # with the reason
    written: dict[int, list[Written]] = field(default_factory=dict)  # by partition
    cursors: dict[int, tuple[int, int]] = field(default_factory=dict)  # offset and checksum
    changed: dict[int, dict[tuple[str, str], int]] = field(default_factory=dict)
    undo: dict[tuple[int, str, str], Row | None] = field(default_factory=dict)


def read_record(
    position: Position,
    key: bytes | None,
    value: bytes | None,
    kind: Any,
    *,
    headers: Headers = (),
) -> Record:
    """Decode a record; a fault is kept for the fold, which turns it into a dead letter."""
    record = Record(position=position, key=key, value=value, headers=headers)
    try:
        record.text_key = _read_key(key)
        record.message = decode(value, kind)
    except BadMessage as error:
        record.error = error
    except Exception as error:  # noqa: BLE001 - a bug in the codec must not stop the stream
        record.error = BadMessage("step_failed", "$", f"{type(error).__name__}: {error}")
    return record


def _read_key(key: bytes | None) -> str:
    if key is None:
        raise BadMessage("missing_field", "$key", "the record must have a key")
    try:
        text = key.decode()
    except UnicodeDecodeError as error:
        raise BadMessage("invalid_utf8", "$key", "the record's key must be UTF-8") from error
    if "\x00" in text:
        raise BadMessage("bad_value", "$key", "the record's key must not hold a zero byte")
    return text


@dataclass(frozen=True, slots=True)
class Folder:
    """Folds records of one agent into its partitions."""

    agent: Agent
    topics: Mapping[str, Topic]
    partitions: Mapping[int, Partition]  # empty for an agent without state

    def add(self, batch: Batch, record: Record, now_us: Micros) -> None:
        """Fold one record into the batch; a fault becomes a dead letter.

        Raises: BadMessage for a row of the state that cannot be read.
        """
        at = record.position
        partition = self.partitions[at.partition] if self.agent.rows else None
        batch.records += 1
        if partition is not None:
            done = batch.cursors.get(at.partition, (partition.cursor.offset, 0))[0]
            if at.offset <= done:
                batch.skipped += 1
                return
            batch.cursors[at.partition] = at.offset, checksum(record.value)
        rows = {} if partition is None or record.error else partition.rows(record.text_key)
        try:
            changes, outputs = self._step(record, rows, now_us)
        except BadMessage as error:
            name = self.agent.name
            letter = dead_letter(
                record.key, record.value, record.headers, error=error, cause=at, agent=name
            )
            batch.letters.append((error.reason, letter))
            return
        batch.outputs += outputs
        if partition is not None:
            self._apply(batch, partition, record, changes)

    def _step(
        self, record: Record, rows: Mapping[str, Row], now_us: Micros
    ) -> tuple[Mapping[str, Row | None], list[Outgoing]]:
        if record.error is not None:
            raise record.error
        agent, topics, cause = self.agent, self.topics, record.position
        try:
            changes, found = agent.step(rows, record.text_key, record.message)
            for part in changes:
                _check_part(part, agent)
            outputs = [
                outgoing(o, cause=cause, agent=agent.name, index=i, now_us=now_us, topics=topics)
                for i, o in enumerate(found)
            ]
        except BadMessage:
            raise
        except Exception as error:  # a bug in a step: kept with the message that shows it
            raise BadMessage("step_failed", "$", f"{type(error).__name__}: {error}") from error
        return changes, outputs

    def _apply(
        self,
        batch: Batch,
        partition: Partition,
        record: Record,
        changes: Mapping[str, Row | None],
    ) -> None:
        key, number = record.text_key, partition.number
        changed = batch.changed.setdefault(number, {})
        for part, row in changes.items():
            before = partition.put(key, part, row)
            batch.undo.setdefault((number, key, part), before)
            changed[key, part] = record.position.offset


def _check_part(part: str, agent: Agent) -> None:
    if not part or "\x00" in part or part.partition(":")[0] not in agent.rows:
        raise ValueError(f"{agent.name} keeps no part {part!r:.80}")


def checksum(value: bytes | None) -> int:
    """Return what tells a record from another at the same offset."""
    return zlib.crc32(value or b"")


def fold(folder: Folder, records: Iterable[Record], *, now_us: Micros, until_s: float) -> Batch:
    """Fold records in order until a time; the state in memory is changed at once.

    Args:
        folder: the agent and its state.
        records: in the order of their offsets.
        now_us: the time of day, for the outputs' timestamps and for graves.
        until_s: on the monotonic clock, when the fold ends after the record under way.

    Returns: the batch; ``batch.records`` says how many of the records it holds, at least one.
    Raises: RowsUnfit, with the state restored, where the rows of a partition exceed
        ``ROW_BATCH_BYTES`` or have no encoding; fold fewer records then.
    """
    batch = Batch()
    try:
        for record in records:
            folder.add(batch, record, now_us)
            if monotonic_s() >= until_s:
                break
        _encode_rows(folder, batch, now_us)
    except BaseException:
        undo(folder.partitions, batch)
        raise
    return batch


def _encode_rows(folder: Folder, batch: Batch, now_us: Micros) -> None:
    for number, cursor in batch.cursors.items():
        changed = batch.changed.get(number, {})
        try:
            written = folder.partitions[number].records(changed, cursor, now_us // 1000)
        except Exception as error:  # a row that has no encoding: a bug in a step
            detail = f"{type(error).__name__}: {error}"
            raise RowsUnfit(BadMessage("step_failed", "$", detail)) from error
        size = sum(len(key) + len(value or b"") + _RECORD_OVERHEAD for key, value in written)
        if size > ROW_BATCH_BYTES:
            detail = f"its rows have {size} bytes, at most {ROW_BATCH_BYTES} can be kept at once"
            raise RowsUnfit(BadMessage("output_too_large", "$", detail))
        batch.written[number] = written


def undo(partitions: Mapping[int, Partition], batch: Batch) -> None:
    """Put the state in memory back to where it was before the batch."""
    for (number, key, part), before in reversed(batch.undo.items()):
        partitions[number].put(key, part, before)
