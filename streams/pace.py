"""How fast recorded records go by: as they happened, sixty times as fast, or as fast as it goes."""

import time
from collections.abc import Callable

from signals.errors import ConfigError
from signals.messages import Micros
from streams.clock import monotonic_s

__all__ = ["Pace"]


class Pace:
    """Says when a record is due: as long after the first as it was received after it, by speed."""

    def __init__(
        self,
        speed: float,
        *,
        clock: Callable[[], float] = monotonic_s,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin with the first record that is asked about.

        Args:
            speed: 1 is as it happened, 60 sixty times as fast, 0 without waiting.
            clock: seconds that never go back.
            sleep: waits so many seconds.
        Raises: ConfigError for a speed that is none.
        """
        if not 0 <= speed < float("inf"):
            raise ConfigError(f"--speed must be 0 or more, was {speed}; 1 is as it happened")
        self.speed = speed
        self._clock = clock
        self._sleep = sleep
        self._origin: tuple[float, Micros] | None = None

    def wait_s(self, received_us: Micros) -> float:
        """Return in how many seconds a record is due; 0 or less is now."""
        if not self.speed:
            return 0.0
        if self._origin is None:
            self._origin = self._clock(), received_us
        begun_s, first_us = self._origin
        return begun_s + (received_us - first_us) / 1e6 / self.speed - self._clock()

    def wait(self, received_us: Micros) -> None:
        """Return when a record is due."""
        seconds = self.wait_s(received_us)
        if seconds > 0:
            self._sleep(seconds)
