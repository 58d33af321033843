"""The only module that reads the wall clock."""

import time

from signals.messages import Micros

__all__ = ["monotonic_s", "now_us"]


def now_us() -> Micros:
    """Return the time in microseconds since 1970 UTC."""
    return Micros(time.time_ns() // 1000)


def monotonic_s() -> float:
    """Return seconds on a clock that never goes back, for durations."""
    return time.monotonic()
