"""One turn at a time for the agents of a worker, the one with the oldest record first.

Two backlogs, of headlines and of prices, then move forward side by side in the time of their
receipt; and since what an agent derives carries the receipt of its input, the stages behind are
served before the stage in front reads on. An agent that waits for acknowledgements keeps its place:
the others do not run ahead of the records that it has still to fold, but for a second.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from signals.messages import Micros

__all__ = ["AHEAD_US", "Turnstile"]

AHEAD_US = 1_000_000  # so that in live traffic nobody waits for another's acknowledgements


class Turnstile:
    """A lock whose waiters are served by the receipt time of the oldest record that they hold."""

    def __init__(self) -> None:
        self._taken = False
        self._oldest: dict[str, Micros] = {}
        self._waiters: dict[str, asyncio.Future[None]] = {}

    def note(self, name: str, oldest_us: Micros | None) -> None:
        """Say what the oldest record is that an agent has still to fold, None for no record."""
        if oldest_us is None:
            self._oldest.pop(name, None)
        else:
            self._oldest[name] = oldest_us
        self._let_in()

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Hold the turn; one agent at a time, each with one waiter at most."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[name] = waiter
        self._let_in()
        try:
            await waiter
        except asyncio.CancelledError:
            if self._waiters.pop(name, None) is None:
                self._leave()  # the turn came together with the cancellation
            raise
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        self._taken = False
        self._let_in()

    def _let_in(self) -> None:
        if self._taken or not self._waiters:
            return
        name = min(self._waiters, key=lambda waiting: (self._oldest.get(waiting, 0), waiting))
        if self._oldest.get(name, 0) > min(self._oldest.values(), default=0) + AHEAD_US:
            return
        self._taken = True
        self._waiters.pop(name).set_result(None)
