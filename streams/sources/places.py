"""Where in a file a fault is, for messages that a person can act on."""

from dataclasses import dataclass
from pathlib import Path

from signals.errors import BadMessage, BadReason

__all__ = ["Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; ``line`` counts from 1."""

    file: Path
    line: int

    def fault(self, reason: BadReason, field: str, detail: str) -> BadMessage:
        """Return the error of one field, like ``news.jsonl:12 $.published_at: must be …``."""
        path = f"$.{field}" if field else "$"
        return BadMessage(reason, f"{self.file}:{self.line} {path}", detail)

    def within(self, error: BadMessage) -> BadMessage:
        """Return the same error with this place in front of its path."""
        return BadMessage(error.reason, f"{self.file}:{self.line} {error.path}", error.detail)
