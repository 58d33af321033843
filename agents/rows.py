"""The rows of one partition of an agent's state, and how they lie in its changelog.

A record of a changelog is one row. Its key is the message's key, a zero byte and the part's name;
its value is

    byte 0      kind: R row, G grave of a deleted row, C cursor of the partition
    bytes 1-8   the offset of the input record that changed it last, big endian
    bytes 9-    R: the row, canonical JSON by place; G: when it was deleted, in milliseconds since
                1970; C: where a recovery begins to read, and a checksum of the record at the offset

A row counts only if its offset is not lower than that of the row it follows: a worker that was
paused and has lost the partition may still append what it holds, after the new owner's rows. Hence
the graves: a null value would say nothing about its age. A grave becomes a null value, and goes,
when the sweep comes to it ten minutes or more after the deletion.

The sweep keeps a recovery short whatever the broker's compaction does. Every batch writes some of
the longest unwritten rows again, so that all that is alive lies in the last few thousand records,
and its cursor says where they begin. A batch is one record batch, appended whole or not at all,
with the cursor as its last record; so the last record of a changelog is always a cursor.
Where a batch does not follow the last known record, another worker has appended in between: then
every row is written again, before the broker's compaction could keep the foreign one alone.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from signals.fold import Agent, KeyRows, Row, Rows
from streams.codec import decode_row, encode_row

__all__ = ["CURSOR_ID", "Cursor", "Partition", "Written", "read_cursor", "row_id"]

CURSOR_ID = b"\x00"
# Twice the time after which a paused worker ends instead of writing: agents/runner.py, LEASE_S.
GRAVE_MS = 10 * 60 * 1000
SWEEP_RECORDS = 5_000  # a recovery reads about so many records of a partition, or 1.5 for each row
SWEEP_ROWS = 64  # at most so many rows are written again with one batch, or as many as it has
SWEEP_BYTES = 1024 * 1024
DECODED_KEYS = 20_000

_HEAD = struct.Struct(">cq")
_CURSOR = struct.Struct(">cqqI")
_GRAVE = struct.Struct(">cqq")
_ROW, _DEAD, _AT = b"R", b"G", b"C"

Written = tuple[bytes, bytes | None]  # key and value of a changelog record; None takes it out


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a partition has been folded.

    Attributes:
        offset: of the last input record in the state.
        start: the changelog's offset at which a recovery begins to read.
        checksum: CRC-32 of that record, to notice that its topic is another one.
    """

    offset: int = -1
    start: int = 0
    checksum: int = 0

    def encode(self) -> bytes:
        """Return the value of the cursor's record."""
        return _CURSOR.pack(_AT, self.offset, self.start, self.checksum)


def row_id(key: str, part: str) -> bytes:
    """Return the key of a row's changelog record."""
    return b"%s\x00%s" % (key.encode(), part.encode())


def read_cursor(key: bytes | None, value: bytes | None) -> Cursor | None:
    """Return the cursor that a changelog record holds, None if it holds something else."""
    if key != CURSOR_ID or value is None or len(value) != _CURSOR.size:
        return None
    _, offset, start, checksum = _CURSOR.unpack(value)
    return Cursor(offset, start, checksum)


@dataclass(slots=True)
class _Slot:
    """The newest version of a row: where it lies, which offset wrote it, its bytes."""

    at: int
    offset: int
    value: bytes


class Partition:
    """The state of one partition: bytes of every row, objects of the keys that were touched.

    Slots are in the order of their place in the changelog, the longest unwritten first.
    """

    def __init__(self, agent: Agent, number: int) -> None:
        self.number = number
        self.cursor = Cursor()
        self._agent = agent
        self._slots: dict[bytes, _Slot] = {}
        self._parts: dict[str, list[str]] = {}  # of keys not yet decoded
        self._decoded: dict[str, KeyRows] = {}
        self._end = 0  # the changelog's end as far as it is known
        self._again = 0  # rows that lie before this offset are to be written again

    def __len__(self) -> int:
        return len(self._slots)

    # ---- reading back ----

    def load(self, at: int, key: bytes, value: bytes | None) -> None:
        """Take in one changelog record; call ``loaded`` after the last one."""
        self._end = at + 1
        if value is None:
            self._slots.pop(key, None)
            return
        offset: int = _HEAD.unpack_from(value)[1]
        if key == CURSOR_ID:
            cursor = read_cursor(key, value)
            if cursor is not None and offset >= self.cursor.offset:
                self.cursor = cursor
            return
        slot = self._slots.pop(key, None)
        if slot is None or offset >= slot.offset:
            slot = _Slot(at, offset, value)
        else:
            self._again = at
        self._slots[key] = slot

    def loaded(self) -> None:
        """Sort what was read and index it by key."""
        self._slots = dict(sorted(self._slots.items(), key=lambda item: item[1].at))
        for identity, slot in self._slots.items():
            if slot.value[:1] == _ROW:
                key, _, part = identity.partition(b"\x00")
                self._parts.setdefault(key.decode(), []).append(part.decode())

    # ---- folding ----

    def rows(self, key: str) -> Rows:
        """Return the rows of a key, read only.

        Raises: BadMessage for a row that cannot be read (a bug or another program's changelog).
        """
        return self._live(key)

    def put(self, key: str, part: str, row: Row | None) -> Row | None:
        """Set a row, or take it out; return what was there, to be put back on a rollback."""
        live = self._live(key)
        before = live.get(part)
        live.put(part, row)
        return before

    def _live(self, key: str) -> KeyRows:
        live = self._decoded.get(key)
        if live is None:
            live = KeyRows({part: self._read(key, part) for part in self._parts.pop(key, ())})
            self._decoded[key] = live
        return live

    def _read(self, key: str, part: str) -> Any:
        kind = self._agent.rows[part.partition(":")[0]]
        return decode_row(self._slots[row_id(key, part)].value[_HEAD.size :], kind)

    # ---- writing ----

    def records(
        self, changed: Mapping[tuple[str, str], int], cursor: tuple[int, int], now_ms: int
    ) -> list[Written]:
        """Return the changelog records of a batch: changed rows, swept rows, the cursor last.

        Args:
            changed: the input offset that changed a row last, by key and part.
            cursor: offset and checksum of the last input record of the batch.
            now_ms: the time, for graves.
        """
        written: list[Written] = []
        for (key, part), offset in changed.items():
            row = self._decoded[key].get(part)
            identity = row_id(key, part)
            if row is not None:
                written.append((identity, _HEAD.pack(_ROW, offset) + encode_row(row)))
            else:
                written.append((identity, _GRAVE.pack(_DEAD, offset, now_ms)))
        fresh = {identity for identity, _ in written}
        swept = list(self._swept(fresh, now_ms))
        fresh.update(identity for identity, _ in swept)
        start = next((s.at for i, s in self._slots.items() if i not in fresh), self._end)
        written += swept
        written.append((CURSOR_ID, Cursor(cursor[0], start, cursor[1]).encode()))
        return written

    def _swept(self, fresh: set[bytes], now_ms: int) -> Iterator[Written]:
        # Above 2 a row, graves would be made faster than swept: each has a birth and a death.
        window = max(SWEEP_RECORDS, len(self._slots) * 3 // 2)
        until = max(self._end - window, self._again)
        room = SWEEP_BYTES
        most = max(SWEEP_ROWS, len(fresh)) + len(fresh)
        for identity, slot in islice(self._slots.items(), most):
            if slot.at >= until or room <= 0:
                return
            if identity in fresh:
                continue
            room -= len(identity) + len(slot.value)
            yield identity, None if _is_over(slot.value, now_ms) else slot.value

    def committed(self, base: int, written: Iterable[Written]) -> None:
        """Note that the broker has appended the records, the first one at offset ``base``."""
        if base > self._end:
            self._again = base
        for at, (identity, value) in enumerate(written, base):
            self._end = at + 1
            if identity == CURSOR_ID:
                self.cursor = read_cursor(identity, value) or self.cursor
                continue
            self._slots.pop(identity, None)
            if value is not None:
                self._slots[identity] = _Slot(at, _HEAD.unpack_from(value)[1], value)
        self._forget()

    def _forget(self) -> None:
        """Drop the objects of the keys touched first; their bytes stay."""
        while len(self._decoded) > DECODED_KEYS:
            key = next(iter(self._decoded))
            parts = list(self._decoded.pop(key))
            if parts:
                self._parts[key] = parts


def _is_over(value: bytes, now_ms: int) -> bool:
    return value[:1] == _DEAD and now_ms - _GRAVE.unpack(value)[2] >= GRAVE_MS
