"""A recording in Parquet, read: what the manifest names, each file proved before it is used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from signals.errors import BadMessage, ConfigError
from streams.codec import decode
from streams.recordings.manifest import FileEntry, ParquetManifest
from streams.recordings.parquet_file import read_file
from streams.recordings.records import Recorded, check_digest

__all__ = ["ParquetRecording", "parse_manifest"]


@dataclass(frozen=True, slots=True)
class ParquetRecording:
    """Reads the records of topics."""

    folder: Path
    manifest: ParquetManifest

    @property
    def name(self) -> str:
        """Return where it lies."""
        return str(self.folder)

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the topics that it holds, by name."""
        return tuple(sorted(self.manifest.topics))

    def starts(self, topic: str) -> Mapping[int, int]:
        """Return the first offset that it covers of each partition."""
        spans = self.manifest.topics[topic]
        return {int(number): span.first for number, span in sorted(spans.items(), key=_number)}

    def read(self, topic: str, partition: int | None = None) -> Iterator[Recorded]:
        """Yield the records of a topic, or of one partition, by partition and offset.

        Raises: ConfigError for a file that is missing, torn or not the one that was recorded.
        """
        for number in self.starts(topic) if partition is None else (partition,):
            last = -1
            for entry in self.manifest.by_partition.get((topic, number), ()):
                path = self.folder / entry.file
                if entry.first_offset <= last:
                    raise ConfigError(f"{path} overlaps the file before it; record it again")
                check_digest(path, entry.sha256)
                yield from _read_entry(path, entry)
                last = entry.last_offset


def parse_manifest(path: Path, raw: bytes) -> ParquetManifest:
    """Return the manifest of a recording. Raises: ConfigError for one that makes no sense."""
    try:
        manifest: ParquetManifest = decode(raw, ParquetManifest)
        for topic, spans in manifest.topics.items():
            for number in spans:
                if not number.isdecimal():
                    raise BadMessage("bad_value", f"$.topics.{topic}", f"was {number!r}")
        for entry in manifest.files:
            _check_place(entry, manifest)
    except BadMessage as error:
        raise ConfigError(f"{path} is no manifest: {error}; record it again") from error
    return manifest


def _number(item: tuple[str, object]) -> int:
    return int(item[0])


def _check_place(entry: FileEntry, manifest: ParquetManifest) -> None:
    """Refuse a file that is not where its partition lies, or outside of what is covered."""
    expected = f"topic={entry.topic}/partition={entry.partition}/{entry.first_offset:020d}.parquet"
    if entry.file != expected:
        raise BadMessage("bad_value", "$.files", f"{entry.file} must be {expected}")
    span = manifest.topics.get(entry.topic, {}).get(str(entry.partition))
    if span is None or not span.first <= entry.first_offset <= entry.last_offset < span.end:
        raise BadMessage("bad_value", "$.files", f"{entry.file} is outside of what is covered")


def _read_entry(path: Path, entry: FileEntry) -> Iterator[Recorded]:
    count, last = 0, entry.first_offset - 1
    for record in read_file(path):
        is_ours = (record.topic, record.partition) == (entry.topic, entry.partition)
        if not is_ours or not last < record.offset <= entry.last_offset:
            raise ConfigError(
                f"{path} holds {record.topic} {record.partition} {record.offset} where "
                "the manifest has another record; record it again"
            )
        count, last = count + 1, record.offset
        yield record
    if count != entry.records or last != entry.last_offset:
        raise ConfigError(
            f"{path} holds {count} records up to {last}, the manifest says {entry.records} up to "
            f"{entry.last_offset}; record it again"
        )
