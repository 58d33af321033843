"""ISO 8601 text to microseconds; a time without an offset is refused, never guessed."""

import re
from datetime import UTC, date, datetime, timedelta

from signals.messages import Micros

__all__ = ["instant_us", "is_date", "parse_date", "parse_instant", "to_iso"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# Jekyll writes "2025-11-04 00:06:32 +0900", with a space that ISO 8601 does not have.
_SPACED_OFFSET = re.compile(r"(?<=\d) (?=[+-]\d{2}:?\d{2}$)", re.ASCII)


def is_date(text: str) -> bool:
    """Return whether the text is a date alone, like ``2025-11-03``."""
    return _DATE.fullmatch(text.strip()) is not None


def parse_date(text: str) -> date:
    """Return the date of ``2025-11-03``. Raises: ValueError for anything else."""
    if not is_date(text):
        raise ValueError(f"must be a date like 2025-11-03, was {text!r:.60}")
    return date.fromisoformat(text.strip())


def parse_instant(text: str) -> datetime:
    """Return the aware time of ISO 8601 text.

    Raises: ValueError for text that is no time, is a date alone, or has no offset from UTC.
    """
    wanted = "must be an ISO 8601 time with an offset, like 2025-11-03T11:37:00Z"
    try:
        moment = datetime.fromisoformat(_SPACED_OFFSET.sub("", text.strip()))
    except ValueError:
        raise ValueError(f"{wanted}, was {text!r:.60}") from None
    if is_date(text) or moment.tzinfo is None:
        raise ValueError(f"{wanted}, was {text!r:.60}")
    return moment


def instant_us(moment: datetime) -> Micros:
    """Return the microseconds since 1970 UTC of an aware time."""
    return Micros((moment - _EPOCH) // timedelta(microseconds=1))


def to_iso(moment_us: int) -> str:
    """Return ISO 8601 text in UTC, like ``2025-11-03T14:30:00Z``."""
    text = (_EPOCH + timedelta(microseconds=moment_us)).isoformat()
    return text.removesuffix("+00:00") + "Z"
