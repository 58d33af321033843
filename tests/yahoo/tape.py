"""What the tests of both sources share: a source that is run until told."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from typing import cast

from signals.messages import Micros, PriceSample
from streams.sources.live import LiveSource
from tests.yahoo.server import until


class SourceTape:
    """Runs a source until told, and holds what it gave."""

    source: LiveSource
    samples: list[PriceSample]

    async def run(
        self, done: Callable[[], bool], after: Mapping[str, Micros] | None = None
    ) -> list[PriceSample]:
        """Give the source time until the condition holds, and close it."""
        task = asyncio.create_task(self._listen(after or {}))
        try:
            await until(lambda: done() or task.done())
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return self.samples

    async def _listen(self, after: Mapping[str, Micros]) -> None:
        given = cast(AsyncGenerator[PriceSample], self.source.samples(after))
        async with aclosing(given) as samples:
            async for sample in samples:
                self.samples.append(sample)

    def has(self, count: int) -> Callable[[], bool]:
        return lambda: len(self.samples) >= count
