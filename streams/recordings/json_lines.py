"""A recording in JSON Lines: one file a topic, and a manifest that proves them.

A line is one record as the broker held it::

    {"topic": "journal.v1", "partition": 3, "offset": 17, "key": "IREN", "timestamp": 1762170000000,
     "headers": [{"name": "ce_type", "value": "…"}], "value": {…}}

``value`` is the message itself where its bytes are the canonical ones, so that ``jq`` can read it;
any other bytes are ``value_base64``. Keys and headers that are not UTF-8 are ``…_base64`` too. The
bytes that are read back are those that were recorded. The topic is named without its prefix.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import orjson

from signals.errors import BadMessage, ConfigError
from streams.codec import decode, encode
from streams.recordings.records import Recorded, check_digest, keep_file, torn_name, write_whole

__all__ = ["FORMAT", "JsonLinesRecording", "Manifest", "TopicFile", "parse_manifest", "write_lines"]

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFile:
    """One file of a recording: its records, and the SHA-256 of its bytes.

    ``start_offsets`` and ``end_offsets`` are by partition: the first offset, and the one after the
    last record.
    """

    file: str
    records: int
    sha256: str
    start_offsets: Mapping[str, int]
    end_offsets: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a recording holds, by topic."""

    format: int
    topics: Mapping[str, TopicFile]


@dataclass(frozen=True, slots=True)
class JsonLinesRecording:
    """Reads the records of topics."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """Return where it lies."""
        return str(self.folder)

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the topics that it holds, by name."""
        return tuple(sorted(self.manifest.topics))

    def starts(self, topic: str) -> Mapping[int, int]:
        """Return the first offset of each partition that has records."""
        found = self.manifest.topics[topic].start_offsets
        return {int(number): found[number] for number in sorted(found, key=int)}

    def read(self, topic: str, partition: int | None = None) -> Iterator[Recorded]:
        """Yield the records of a topic, or of one partition, by partition and offset.

        Raises: ConfigError for a file that is missing or not the one that was recorded.
        """
        entry = self.manifest.topics[topic]
        path = self.folder / entry.file
        check_digest(path, entry.sha256)
        start, end = 0, path.stat().st_size
        if partition is not None:
            start, end = _places(path, entry.sha256).get(partition, (0, 0))
        with path.open("rb") as lines:
            lines.seek(start)
            while lines.tell() < end:
                yield _parse_line(lines.readline())


@cache
def _places(path: Path, sha256: str) -> Mapping[int, tuple[int, int]]:
    """Return where the lines of each partition begin and end; the hash names the content."""
    places: dict[int, tuple[int, int]] = {}
    at = 0
    with path.open("rb") as lines:
        for line in lines:
            partition: int = orjson.loads(line)["partition"]
            start, _ = places.get(partition, (at, at))
            at += len(line)
            places[partition] = start, at
    return places


def write_lines(folder: Path, topics: Mapping[str, Iterable[Recorded]], *, name: str) -> Manifest:
    """Write each topic's records, by partition and offset, and the manifest last.

    A folder without a manifest is a recording that was cut off, and is refused when it is read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        topic: _write_topic(folder / f"{topic}.jsonl", records)
        for topic, records in sorted(topics.items())
    }
    manifest = Manifest(format=FORMAT, topics=files)
    write_whole(folder / name, encode(manifest) + b"\n")
    return manifest


def parse_manifest(path: Path, raw: bytes) -> Manifest:
    """Return the manifest of a recording. Raises: ConfigError for one that makes no sense."""
    try:
        manifest: Manifest = decode(raw, Manifest)
    except BadMessage as error:
        raise ConfigError(f"{path} is no manifest: {error}; record it again") from error
    return manifest


def _write_topic(path: Path, records: Iterable[Recorded]) -> TopicFile:
    digest = sha256()
    starts: dict[str, int] = {}
    ends: dict[str, int] = {}
    count = 0
    torn = torn_name(path)
    with torn.open("wb") as file:
        for record in sorted(records, key=lambda record: (record.partition, record.offset)):
            line = orjson.dumps(_to_plain(record)) + b"\n"
            digest.update(line)
            file.write(line)
            count += 1
            starts.setdefault(str(record.partition), record.offset)
            ends[str(record.partition)] = record.offset + 1
    keep_file(torn, path)
    return TopicFile(
        file=path.name,
        records=count,
        sha256=digest.hexdigest(),
        start_offsets=starts,
        end_offsets=ends,
    )


def _to_plain(record: Recorded) -> dict[str, object]:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        **_text("key", record.key),
        "timestamp": record.timestamp_ms,
        "headers": [{"name": name, **_text("value", value)} for name, value in record.headers],
        **_value(record.value),
    }


def _text(field: str, raw: bytes | None) -> dict[str, object]:
    if raw is None:
        return {field: None}
    try:
        return {field: raw.decode()}
    except UnicodeDecodeError:
        return {f"{field}_base64": base64.b64encode(raw).decode()}


def _value(raw: bytes | None) -> dict[str, object]:
    if raw is None:
        return {"value": None}
    try:
        plain = orjson.loads(raw)
    except orjson.JSONDecodeError:
        plain = None
    # A JSON null is told from a tombstone by being written as bytes.
    if plain is not None and encode(plain) == raw:
        return {"value": plain}
    return {"value_base64": base64.b64encode(raw).decode()}


def _parse_line(line: bytes) -> Recorded:
    """Return the record of a line; the digest has shown that it is a line written here."""
    plain = orjson.loads(line)
    value = plain.get("value")
    return Recorded(
        topic=plain["topic"],
        partition=plain["partition"],
        offset=plain["offset"],
        key=_raw_text(plain, "key"),
        value=_from_base64(plain["value_base64"])
        if "value_base64" in plain
        else (None if value is None else encode(value)),
        timestamp_ms=plain["timestamp"],
        headers=tuple((header["name"], _raw_text(header, "value")) for header in plain["headers"]),
    )


def _raw_text(plain: Mapping[str, str | None], field: str) -> bytes | None:
    coded = plain.get(f"{field}_base64")
    if coded is not None:
        return _from_base64(coded)
    text = plain[field]
    return None if text is None else text.encode()


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
