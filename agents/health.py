"""What a worker says of itself: ``/metrics``, ``/readyz``, ``/livez``, and the lag."""

import asyncio
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agents.app import Shell
from agents.runner import Runner
from streams.clock import monotonic_s

__all__ = ["Health"]

BUSY_S = 60.0  # a batch longer than this is stuck
COMMIT_S = 60.0  # so is a commit that does not follow what is acknowledged
_INTERVAL_S = 1.0


class Health:
    """Watches a shell and answers for it over HTTP."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._uncommitted_since: dict[tuple[str, int], tuple[int, float]] = {}
        self._web: web.AppRunner | None = None

    def unready(self) -> str | None:
        """Return why the worker is not ready, None if it is."""
        app: Any = self._shell.app
        if not self._shell.is_recovered:
            return "the state is not read back yet"
        if app.rebalancing:
            return "the partitions are being assigned anew"
        if not app.consumer.assignment():
            return "no partition is assigned to this worker"
        return self.stuck()

    def stuck(self) -> str | None:
        """Return what makes no progress, None if nothing is stuck."""
        now = monotonic_s()
        for runner in self._shell.runners:
            if runner.busy_since_s is not None and now - runner.busy_since_s > BUSY_S:
                return f"{runner.agent.name} has waited {now - runner.busy_since_s:.0f} s for acks"
        for (topic, number), (_, since) in self._uncommitted_since.items():
            if now - since > COMMIT_S:
                return f"{topic} {number} was acknowledged, not committed, for {now - since:.0f} s"
        return None

    async def watch(self) -> None:
        """Refresh the lag and the commit's progress every second, until cancelled."""
        while True:
            if self._shell.is_recovered:
                for runner in self._shell.runners:
                    self._look_at(runner)
            await asyncio.sleep(_INTERVAL_S)

    def _look_at(self, runner: Runner) -> None:
        app: Any = self._shell.app
        topic = self._shell.settings.prefix + runner.agent.reads
        lag = 0
        for tp in app.consumer.assignment():
            if tp.topic != topic:
                continue
            committed = app.consumer._committed_offset.get(tp) or 0
            position = max(committed, runner.positions.get(tp.partition, 0))
            end = app.consumer.highwater(tp)
            lag += max(0, (end or 0) - position)
            self._note_commit((topic, tp.partition), committed, position)
        self._shell.metrics.lag_records.labels(runner.agent.reads).set(lag)

    def _note_commit(self, where: tuple[str, int], committed: int, position: int) -> None:
        if position <= committed:
            self._uncommitted_since.pop(where, None)
        elif self._uncommitted_since.get(where, (-1, 0.0))[0] != committed:
            self._uncommitted_since[where] = committed, monotonic_s()

    # ---- the web ----

    async def serve(self, host: str, port: int) -> int:
        """Serve over HTTP and return the port; 0 takes a free one."""
        pages = web.Application()
        pages.router.add_get("/metrics", self._metrics)
        pages.router.add_get("/readyz", self._ready)
        pages.router.add_get("/livez", self._live)
        self._web = web.AppRunner(pages, access_log=None)
        await self._web.setup()
        site = web.TCPSite(self._web, host, port)
        await site.start()
        return int(self._web.addresses[0][1])

    async def close(self) -> None:
        """Stop serving."""
        if self._web is not None:
            await self._web.cleanup()

    async def _metrics(self, _: web.Request) -> web.Response:
        body = generate_latest(self._shell.metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _ready(self, _: web.Request) -> web.Response:
        return _answer(self.unready())

    async def _live(self, _: web.Request) -> web.Response:
        return _answer(self.stuck())


def _answer(fault: str | None) -> web.Response:
    return web.Response(text=f"{fault or 'ok'}\n", status=503 if fault else 200)
