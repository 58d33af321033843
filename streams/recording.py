"""Recorded topics: a folder of files and a manifest that proves them, in one of two forms.

JSON Lines (``streams/recordings/json_lines.py``) are written by ``tapewire demo`` and can be read
with ``jq``; Parquet (``streams/recordings/parquet.py``) is written by ``tapewire record``. Both are
read alike: what is read back are the bytes that the broker held.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import orjson

from signals.errors import ConfigError
from streams.recordings import json_lines, parquet
from streams.recordings.json_lines import Manifest, TopicFile
from streams.recordings.manifest import FORMAT as PARQUET_FORMAT
from streams.recordings.manifest import MANIFEST, REQUEST, ParquetManifest
from streams.recordings.records import Recorded

__all__ = [
    "MANIFEST",
    "Manifest",
    "Recorded",
    "Recording",
    "TopicFile",
    "open_recording",
    "read_manifest",
    "read_recording",
    "write_recording",
]


class Recording(Protocol):
    """A recording of either form, or topics of a broker (``streams/topic_reader.py``)."""

    @property
    def name(self) -> str:
        """Return where it lies, for people."""

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the topics that it holds, by name, without the prefix."""

    def starts(self, topic: str) -> Mapping[int, int]:
        """Return the first offset that it covers of each partition; 0 is the very beginning."""

    def read(self, topic: str, partition: int | None = None) -> Iterator[Recorded]:
        """Yield the records of a topic, or of one partition, by partition and offset.

        Raises: ConfigError for a file that is missing, torn or not the one that was recorded.
        """


def open_recording(folder: Path) -> Recording:
    """Return a recording, to be read.

    Raises: ConfigError where there is no manifest, or one of another format.
    """
    manifest = read_manifest(folder)
    if isinstance(manifest, ParquetManifest):
        return parquet.ParquetRecording(folder, manifest)
    return json_lines.JsonLinesRecording(folder, manifest)


def read_recording(folder: Path, topic: str) -> Iterator[Recorded]:
    """Yield the records of a topic, by partition and offset.

    Raises: ConfigError where the recording is not whole: no manifest, a topic that it does not
    hold, or a file that is not the one that was written.
    """
    recording = open_recording(folder)
    if topic not in recording.topics:
        raise ConfigError(f"the recording {folder} does not hold {topic}; record it again")
    yield from recording.read(topic)


def read_manifest(folder: Path) -> Manifest | ParquetManifest:
    """Return what a recording says of itself.

    Raises: ConfigError where there is no manifest, or one of another format.
    """
    path = folder / MANIFEST
    try:
        raw = path.read_bytes()
    except OSError as error:
        if (folder / REQUEST).exists():
            raise ConfigError(
                f"{folder} is a recording that was cut off; give its tapewire record again, "
                "it goes on from there"
            ) from error
        raise ConfigError(
            f"{folder} is no recording ({MANIFEST}: {error.strerror}); "
            "name the folder that a demo or a record run has written"
        ) from error
    form = _format_of(path, raw)
    if form == json_lines.FORMAT:
        return json_lines.parse_manifest(path, raw)
    if form == PARQUET_FORMAT:
        return parquet.parse_manifest(path, raw)
    raise ConfigError(
        f"{path} has format {form}, this version reads {json_lines.FORMAT} and {PARQUET_FORMAT}"
    )


def write_recording(folder: Path, topics: Mapping[str, Iterable[Recorded]]) -> Manifest:
    """Write each topic's records as JSON Lines, by partition and offset, and the manifest last.

    A folder without a manifest is a recording that was cut off, and is refused when it is read.
    """
    return json_lines.write_lines(folder, topics, name=MANIFEST)


def _format_of(path: Path, raw: bytes) -> object:
    try:
        plain = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{path} is no manifest: {error}; record it again") from error
    return plain.get("format") if isinstance(plain, dict) else None
