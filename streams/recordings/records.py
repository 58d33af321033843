"""One record of a topic, and files that are there whole or not at all."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from signals.errors import ConfigError

__all__ = [
    "Recorded",
    "check_digest",
    "digest_of",
    "is_kept",
    "keep_file",
    "torn_name",
    "write_whole",
]

_TORN = ".torn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One record of a topic; ``timestamp_ms`` is the broker's, ``topic`` is without prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[tuple[str, bytes | None], ...] = ()


def check_digest(path: Path, sha256: str) -> None:
    """Raise ConfigError where a file is not the one that was recorded."""
    seen = digest_of(path)
    if seen != sha256:
        raise ConfigError(
            f"{path} is not the file that was recorded: its SHA-256 is {seen[:12]}…, "
            f"the manifest says {sha256[:12]}…; record it again"
        )


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file. Raises: ConfigError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; record it again") from error


def torn_name(path: Path) -> Path:
    """Return the name under which a file is written until it is whole."""
    return path.with_name(f".{path.name}{_TORN}")


def is_kept(path: Path) -> bool:
    """Return whether a file is not one that was cut off while it was written."""
    return not path.name.endswith(_TORN)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name, and give it its own when the disk has it."""
    torn = torn_name(path)
    torn.write_bytes(content)
    keep_file(torn, path)


def keep_file(torn: Path, path: Path) -> None:
    """Give a written file its name, once the disk has it: after a power cut too it is whole."""
    with torn.open("rb+") as file:
        os.fsync(file.fileno())
    torn.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name itself
    finally:
        os.close(folder)
