"""One partition into files of bounded size, and what is there of it from an earlier run."""

import re
from dataclasses import replace
from pathlib import Path

from signals.errors import ConfigError
from signals.messages import RuleSetId
from streams.recordings.manifest import FileEntry
from streams.recordings.parquet_file import FileWriter, read_file
from streams.recordings.records import Recorded, digest_of, is_kept, keep_file, torn_name

__all__ = ["FILE_BYTES", "PartitionWriter", "held_files", "rule_sets_in"]

FILE_BYTES = 64 * 1024 * 1024
_GROUP_BYTES = 4 * 1024 * 1024
_GROUP_RECORDS = 8192
_OVERHEAD = 200  # bytes of a record's objects, roughly
_FILE = re.compile(r"\d{20}\.parquet", re.ASCII)
# As the codec writes it: events, the journal and alerts name the rules that they come from.
_RULES = re.compile(rb'"rules":\{"hash":"([0-9a-f]{1,128})","version":"([^"\\]{1,64})"\}')


def rule_sets_in(value: bytes | None) -> set[RuleSetId]:
    """Return the rule sets that a record names."""
    return {
        RuleSetId(version=version.decode(errors="replace"), hash=digest.decode())
        for digest, version in set(_RULES.findall(value or b""))
    }


class PartitionWriter:
    """Writes the records of a partition; what is not in a whole file yet is in memory or torn.

    Attributes:
        waiting: bytes of the records in memory.
        entries: the whole files.
        rule_sets: those that the records have named.
    """

    def __init__(
        self, folder: Path, topic: str, partition: int, *, file_bytes: int = FILE_BYTES
    ) -> None:
        """Begin without a file; the recording is in ``folder``."""
        self.waiting = 0
        self.entries: list[FileEntry] = []
        self.rule_sets: set[RuleSetId] = set()
        self._root = folder
        self._folder = partition_folder(folder, topic, partition)
        self._file_bytes = file_bytes
        self._records: list[Recorded] = []
        self._open: tuple[FileWriter, Path, FileEntry] | None = None

    def add(self, record: Recorded) -> None:
        """Take the next record, by offset. Raises: OSError."""
        self._records.append(record)
        self.waiting += _OVERHEAD + len(record.value or b"") + len(record.key or b"")
        self.rule_sets |= rule_sets_in(record.value)
        if self.waiting >= _GROUP_BYTES or len(self._records) >= _GROUP_RECORDS:
            self.flush()

    def flush(self) -> None:
        """Write what is in memory; a file that is full is made whole. Raises: OSError."""
        if not self._records:
            return
        writer, path, entry = self._open or self._begin(self._records[0])
        writer.write(self._records)
        stamps = [record.timestamp_ms for record in self._records]
        entry = replace(
            entry,
            last_offset=self._records[-1].offset,
            records=entry.records + len(stamps),
            first_ms=min(entry.first_ms, *stamps),
            last_ms=max(entry.last_ms, *stamps),
        )
        self._open = writer, path, entry
        self._records, self.waiting = [], 0
        if writer.size() >= self._file_bytes:
            self.finish()

    def finish(self) -> None:
        """Make all that was taken a whole file. Raises: OSError."""
        self.flush()
        if self._open is None:
            return
        writer, path, entry = self._open
        self._open = None
        writer.close()
        torn = torn_name(path)
        sha256, size = digest_of(torn), torn.stat().st_size
        keep_file(torn, path)
        self.entries.append(replace(entry, sha256=sha256, size_bytes=size))

    def _begin(self, first: Recorded) -> tuple[FileWriter, Path, FileEntry]:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{first.offset:020d}.parquet"
        return FileWriter(torn_name(path)), path, _entry_of(self._root, path, first)


def partition_folder(folder: Path, topic: str, partition: int) -> Path:
    """Return where the files of a partition lie in a recording."""
    return folder / f"topic={topic}" / f"partition={partition}"


def held_files(
    folder: Path, topic: str, partition: int, known: dict[str, FileEntry]
) -> tuple[list[FileEntry], set[RuleSetId], list[Path]]:
    """Return the whole files of a partition, the rule sets of new ones, and what was torn.

    What was torn is removed: the next record to take is the one after the last whole file.

    Args:
        folder: the recording.
        topic: of the partition, without prefix.
        partition: its number.
        known: the files of the manifest, by name; they must be as they were.
    Raises: ConfigError for a file of the manifest that is another one now, or gone.
    """
    found: list[FileEntry] = []
    rule_sets: set[RuleSetId] = set()
    torn: list[Path] = []
    place = partition_folder(folder, topic, partition)
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if is_kept(path) and not _FILE.fullmatch(path.name):
            continue  # nobody's business
        name = path.relative_to(folder).as_posix()
        if not is_kept(path):
            torn.append(path)
        elif name in known:
            found.append(_checked(path, known[name]))
        else:
            entry = _whole(folder, path, after=found[-1].last_offset if found else -1)
            if entry is None:
                torn.append(path)
            else:
                found.append(entry[0])
                rule_sets |= entry[1]
    names = {entry.file for entry in found}
    for name, listed in known.items():
        if (listed.topic, listed.partition) == (topic, partition) and name not in names:
            raise ConfigError(f"{folder / name} is gone; put it back, or record into a new folder")
    for path in torn:
        path.unlink()
    return found, rule_sets, torn


def _checked(path: Path, entry: FileEntry) -> FileEntry:
    if digest_of(path) != entry.sha256:
        raise ConfigError(
            f"{path} is not the file that was recorded; put it back, or record into a new folder"
        )
    return entry


def _whole(folder: Path, path: Path, *, after: int) -> tuple[FileEntry, set[RuleSetId]] | None:
    """Return what a file that no manifest names holds; None for one that is torn."""
    rule_sets: set[RuleSetId] = set()
    entry: FileEntry | None = None
    try:
        for record in read_file(path):
            entry = entry or _entry_of(folder, path, record)
            if record.offset <= (after if entry.records == 0 else entry.last_offset):
                return None
            entry = replace(
                entry,
                last_offset=record.offset,
                records=entry.records + 1,
                first_ms=min(entry.first_ms, record.timestamp_ms),
                last_ms=max(entry.last_ms, record.timestamp_ms),
            )
            rule_sets |= rule_sets_in(record.value)
    except ConfigError:
        return None
    if entry is None or path.name != f"{entry.first_offset:020d}.parquet":
        return None
    return replace(entry, sha256=digest_of(path), size_bytes=path.stat().st_size), rule_sets


def _entry_of(folder: Path, path: Path, first: Recorded) -> FileEntry:
    return FileEntry(
        file=path.relative_to(folder).as_posix(),
        topic=first.topic,
        partition=first.partition,
        first_offset=first.offset,
        last_offset=first.offset,
        records=0,
        first_ms=first.timestamp_ms,
        last_ms=first.timestamp_ms,
        size_bytes=0,
        sha256="",
    )
