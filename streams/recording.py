"""Recorded topics: a folder of JSON Lines files, one a topic, and a manifest that proves them.

A line is one record as the broker held it::

    {"topic": "journal.v1", "partition": 3, "offset": 17, "key": "IREN", "timestamp": 1762170000000,
     "headers": [{"name": "ce_type", "value": "…"}], "value": {…}}

``value`` is the message itself where its bytes are the canonical ones, so that ``jq`` can read it;
any other bytes are ``value_base64``. Keys and headers that are not UTF-8 are ``…_base64`` too. The
bytes that are read back are those that were recorded. The topic is named without its prefix.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from signals.errors import BadMessage, ConfigError
from streams.codec import decode, encode

__all__ = [
    "MANIFEST",
    "Manifest",
    "Recorded",
    "TopicFile",
    "read_manifest",
    "read_recording",
    "write_recording",
]

MANIFEST = "manifest.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One record of a topic; ``timestamp_ms`` is the broker's, ``topic`` is without prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[tuple[str, bytes], ...] = ()


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


def write_recording(folder: Path, topics: Mapping[str, Iterable[Recorded]]) -> Manifest:
    """Write each topic's records, by partition and offset, and the manifest last.

    A folder without a manifest is a recording that was cut off, and is refused when it is read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        topic: _write_topic(folder / f"{topic}.jsonl", records)
        for topic, records in sorted(topics.items())
    }
    manifest = Manifest(format=_FORMAT, topics=files)
    (folder / MANIFEST).write_bytes(encode(manifest) + b"\n")
    return manifest


def read_recording(folder: Path, topic: str) -> Iterator[Recorded]:
    """Yield the records of a topic, by partition and offset.

    Raises: ConfigError where the recording is not whole: no manifest, a topic that it does not
    hold, or a file that is not the one that was written.
    """
    entry = read_manifest(folder).topics.get(topic)
    if entry is None:
        raise ConfigError(f"the recording {folder} does not hold {topic}; record it again")
    path = folder / entry.file
    _check_digest(path, entry)
    with path.open("rb") as lines:
        for line in lines:
            yield _parse_line(line)


def read_manifest(folder: Path) -> Manifest:
    """Return what a recording holds.

    Raises: ConfigError where there is no manifest, or one of another format.
    """
    path = folder / MANIFEST
    try:
        manifest: Manifest = decode(path.read_bytes(), Manifest)
    except OSError as error:
        raise ConfigError(
            f"{folder} is no recording ({MANIFEST}: {error.strerror}); "
            "name the folder that a demo or a record run has written"
        ) from error
    except BadMessage as error:
        raise ConfigError(f"{path} is no manifest: {error}; record it again") from error
    if manifest.format != _FORMAT:
        raise ConfigError(f"{path} has format {manifest.format}, this version reads {_FORMAT}")
    return manifest


def _write_topic(path: Path, records: Iterable[Recorded]) -> TopicFile:
    digest = hashlib.sha256()
    starts: dict[str, int] = {}
    ends: dict[str, int] = {}
    count = 0
    with path.open("wb") as file:
        for record in sorted(records, key=lambda record: (record.partition, record.offset)):
            line = orjson.dumps(_to_plain(record)) + b"\n"
            digest.update(line)
            file.write(line)
            count += 1
            starts.setdefault(str(record.partition), record.offset)
            ends[str(record.partition)] = record.offset + 1
    return TopicFile(
        file=path.name,
        records=count,
        sha256=digest.hexdigest(),
        start_offsets=starts,
        end_offsets=ends,
    )


def _check_digest(path: Path, entry: TopicFile) -> None:
    try:
        with path.open("rb") as file:
            seen = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; record it again") from error
    if seen != entry.sha256:
        raise ConfigError(
            f"{path} is not the file that was recorded: its SHA-256 is {seen[:12]}…, "
            f"the manifest says {entry.sha256[:12]}…; record it again"
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
        headers=tuple(
            (header["name"], _raw_text(header, "value") or b"") for header in plain["headers"]
        ),
    )


def _raw_text(plain: Mapping[str, str | None], field: str) -> bytes | None:
    coded = plain.get(f"{field}_base64")
    if coded is not None:
        return _from_base64(coded)
    text = plain[field]
    return None if text is None else text.encode()


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
