"""What happens to a line that cannot be read: raised, or handed to the caller's hook."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from signals.errors import BadMessage, ConfigError
from signals.policy import Policy

__all__ = ["LARGEST_HEADLINE", "OnBad", "open_file", "report"]

# Bytes at the door; a policy may say otherwise, its owner passes that in.
LARGEST_HEADLINE = Policy().headline_bytes

OnBad = Callable[[BadMessage], None]


def open_file(path: Path) -> BinaryIO:
    """Return the file, open for reading bytes. Raises: ConfigError where it cannot be opened."""
    try:
        return path.open("rb")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; name a file to read") from error


def report(error: BadMessage, on_bad: OnBad | None) -> None:
    """Hand a fault to the hook, or raise it where there is none."""
    if on_bad is None:
        raise error
    on_bad(error)
