"""What a recording in Parquet says of itself: what was asked for, and every whole file."""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from signals.errors import BadMessage, ConfigError
from signals.messages import RuleSetId
from streams.codec import decode, encode
from streams.recordings.records import is_kept, write_whole

__all__ = [
    "FORMAT",
    "MANIFEST",
    "REQUEST",
    "FileEntry",
    "ParquetManifest",
    "Request",
    "Span",
    "alone_in",
    "check_request",
    "write_manifest",
]

FORMAT = 2
MANIFEST = "manifest.json"
REQUEST = "request.json"  # written first: what a second run of the same command goes on with


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a recording was asked to hold.

    Attributes:
        prefix: what stands before every topic name on the broker.
        topics: names without it.
        from_ms, to_ms: record timestamps, None for no bound.
    """

    prefix: str
    topics: tuple[str, ...]
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One whole file; offsets that are missing between ``first`` and ``last`` were not there."""

    file: str
    topic: str
    partition: int
    first_offset: int
    last_offset: int
    records: int
    first_ms: int
    last_ms: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The offsets of a partition that a recording covers: from ``first`` to before ``end``.

    ``log_start`` is where the partition began on the broker when it was recorded first.
    """

    first: int
    end: int
    log_start: int


@dataclass(frozen=True, kw_only=True)
class ParquetManifest:
    """What a recording holds.

    Attributes:
        format: of the recording, 2; ``tapewire`` is the version that wrote it.
        request: what was asked for.
        complete: False for a run that was stopped before the end; it holds what it names.
        rule_sets: those that the records name.
        topics: the span of each partition, by topic and number.
        files: by topic, partition and offset.
    """

    format: int
    tapewire: str
    request: Request
    complete: bool
    rule_sets: tuple[RuleSetId, ...]
    topics: Mapping[str, Mapping[str, Span]]
    files: tuple[FileEntry, ...]

    @cached_property
    def by_partition(self) -> Mapping[tuple[str, int], tuple[FileEntry, ...]]:
        """Return the files of each partition, by offset."""
        found: dict[tuple[str, int], tuple[FileEntry, ...]] = {}
        for entry in self.files:
            at = entry.topic, entry.partition
            found[at] = (*found.get(at, ()), entry)
        return found

    def gaps(self, topic: str) -> int:
        """Return how many offsets inside the spans of a topic hold no record.

        Compaction, transactions and retention leave such gaps.
        """
        spans = self.topics[topic].values()
        held = sum(entry.records for entry in self.files if entry.topic == topic)
        return sum(span.end - span.first for span in spans) - held


def write_manifest(
    folder: Path,
    request: Request,
    spans: Mapping[str, Mapping[str, Span]],
    files: list[FileEntry],
    *,
    rule_sets: set[RuleSetId],
    is_complete: bool,
) -> ParquetManifest:
    """Write the manifest, after everything that it names. Raises: OSError."""
    manifest = ParquetManifest(
        format=FORMAT,
        tapewire=version("tapewire"),
        request=request,
        complete=is_complete,
        rule_sets=tuple(sorted(rule_sets, key=lambda rules: (rules.version, rules.hash))),
        topics=spans,
        files=tuple(sorted(files, key=lambda e: (e.topic, e.partition, e.first_offset))),
    )
    write_whole(folder / MANIFEST, encode(manifest) + b"\n")
    return manifest


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder that ``check_request`` has seen, until this one ends.

    Raises: ConfigError where another one is at work there.
    """
    with (folder / REQUEST).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"another tapewire record writes into {folder}; wait for it, or name another folder"
            ) from error
        yield


def check_request(folder: Path, request: Request) -> bool:
    """Note what is asked for, or check it against what was; return whether the folder goes on.

    Raises: ConfigError for a folder that holds something else.
    """
    path = folder / REQUEST
    if not path.exists():
        if folder.exists() and (not folder.is_dir() or any(map(is_kept, folder.iterdir()))):
            raise ConfigError(
                f"{folder} is no recording and not empty; name an empty folder or a new one"
            )
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, encode(request) + b"\n")
        return False
    try:
        before: Request = decode(path.read_bytes(), Request)
    except BadMessage as error:
        raise ConfigError(f"{path} cannot be read: {error}; name another folder") from error
    if before != request:
        differing = [
            name
            for name in ("prefix", "topics", "from_ms", "to_ms")
            if getattr(before, name) != getattr(request, name)
        ]
        name = differing[0]
        raise ConfigError(
            f"{folder} was recorded with another {name.removesuffix('_ms')}: "
            f"{_said(getattr(before, name))}, not {_said(getattr(request, name))}; "
            "give the same again, or another folder"
        )
    return True


def _said(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else repr(value)
