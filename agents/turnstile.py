"""One turn at a time for the agents of a worker, the one with the oldest record first.

Two backlogs, of headlines and of prices, then move forward side by side in the time of their
receipt; and since what an agent derives carries the receipt of its input, the stages behind are
served before the stage in front reads on.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from signals.messages import Micros

__all__ = ["Turnstile"]


class Turnstile:
    """A lock whose waiters are served by the receipt time of the record that they hold."""

    def __init__(self) -> None:
        self._taken = False
        self._waiters: list[tuple[Micros, int, asyncio.Future[None]]] = []
        self._arrivals = 0

    @asynccontextmanager
    async def turn(self, oldest_us: Micros) -> AsyncIterator[None]:
        """Hold the turn; ``oldest_us`` is the receipt of the oldest record that waits."""
        await self._enter(oldest_us)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, oldest_us: Micros) -> None:
        if not self._taken:
            self._taken = True
            return
        self._arrivals += 1
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (oldest_us, self._arrivals, waiter))
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._leave()  # the turn came together with the cancellation
            raise

    def _leave(self) -> None:
        while self._waiters:
            _, _, waiter = heapq.heappop(self._waiters)
            if not waiter.done():
                waiter.set_result(None)
                return
        self._taken = False
