"""Calendar days of event times, without a time zone database."""

from datetime import UTC, datetime, timedelta

from signals.messages import Micros

__all__ = ["utc_day"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_day(time_us: Micros) -> str:
    """Return the UTC day of a time, like ``2025-11-03``."""
    return (_EPOCH + timedelta(microseconds=time_us)).date().isoformat()
