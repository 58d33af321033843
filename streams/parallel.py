"""Replay files over several processes: the very alerts that one process gives, sooner.

State is kept by key, so each process takes its share of the keys: first of the headlines, then of
the subjects (the tickers' prices with them). What one key sees, and in which order, is then what it
sees in one process: records are told apart by their place in the canonical order, and what comes of
them by that of their cause. The alerts' agent is the last and the smallest part; it stays here, and
is given the reactions merged in that order.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Protocol

from signals import names
from signals.errors import BadMessage, ConfigError, TapewireError
from signals.messages import Alert
from streams.assemble import assemble_agents
from streams.replay import Pipeline, Report, order_alerts
from streams.shares import Inputs, Place, Placed, Share, Told, pass_over, work
from streams.sources.benchmarks import Benchmarks
from streams.sources.faults import OnBad
from streams.sources.headlines_file import read_headlines
from streams.sources.merge import is_in_order
from streams.sources.prices_file import read_prices

__all__ = ["Alerts", "Inputs", "replay_in_parallel"]


class Alerts(Protocol):
    """Takes the alerts of a replay."""

    def add(self, alert: Alert, /) -> None:
        """Take an alert; a repeated one is the same."""
        ...

    def clear(self) -> None:
        """Forget them all: the replay begins again."""
        ...


class _Found:
    """Alerts in memory."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def add(self, alert: Alert, /) -> None:
        self.alerts.append(alert)

    def clear(self) -> None:
        self.alerts.clear()


class _Unsorted(Exception):  # noqa: N818 - a condition that is mended
    """A file is not in the order of its receipts."""


def replay_in_parallel(
    inputs: Inputs,
    *,
    jobs: int,
    on_bad: OnBad | None = None,
    on_progress: Callable[[int], None] | None = None,
    alerts: Alerts | None = None,
) -> Report:
    """Return what a replay in one process gives, from ``jobs`` of them.

    Args:
        inputs: the files.
        jobs: how many processes, besides this one.
        on_bad: called with the fault of a line that cannot be read; raised when left out.
        on_progress: called with the number of records folded so far.
        alerts: takes the alerts as they come, some of them perhaps twice; the report has none then.
    Raises: ConfigError for a file that cannot be opened, BadMessage without ``on_bad``.
    """
    found = _Found()
    kept = found if alerts is None else alerts
    heard: set[tuple[str, str, str]] = set()
    listener = _Listener(on_bad, on_progress, heard)
    try:
        report = _attempt(inputs, jobs, frozenset(), listener, kept)
    except _Unsorted:
        kept.clear()
        unsorted = frozenset(_unsorted_files(inputs))
        listener = _Listener(on_bad, on_progress, heard)
        report = _attempt(inputs, jobs, unsorted, listener, kept)
    report.alerts = order_alerts(found.alerts)
    return report


def _attempt(
    inputs: Inputs, jobs: int, unsorted: frozenset[Path], listener: "_Listener", alerts: Alerts
) -> Report:
    with TemporaryDirectory(prefix="tapewire-") as folder:
        return _attempt_in(Path(folder), inputs, jobs, unsorted, listener, alerts)


def _attempt_in(
    folder: Path,
    inputs: Inputs,
    jobs: int,
    unsorted: frozenset[Path],
    listener: "_Listener",
    alerts: Alerts,
) -> Report:
    context = get_context("spawn")
    pipes = [context.Pipe() for _ in range(jobs)]
    shares = [
        Share(number=number, jobs=jobs, inputs=inputs, unsorted=unsorted, folder=folder)
        for number in range(jobs)
    ]
    workers = [
        context.Process(target=work, args=(share, theirs), daemon=True)
        for share, (_, theirs) in zip(shares, pipes, strict=True)
    ]
    for worker, (_, theirs) in zip(workers, pipes, strict=True):
        worker.start()
        theirs.close()
    ours = [mine for mine, _ in pipes]
    try:
        return _gather(inputs, ours, listener, alerts)
    finally:
        for worker, mine in zip(workers, ours, strict=True):
            mine.close()
            worker.terminate()
            worker.join()


def _unsorted_files(inputs: Inputs) -> Iterator[Path]:
    """Read every file once more, and yield those that are not in the order of receipt."""
    for path in inputs.headlines:
        if not is_in_order(read_headlines(path, on_bad=pass_over)):
            yield path
    for path in inputs.prices:
        prices = read_prices(path, bar=inputs.bar, on_bad=pass_over, known=Benchmarks(()))
        if not is_in_order(prices):
            yield path


class _Listener:
    """Takes in what is not a message: counts, faults, and the failure of a process.

    A fault that was ``heard`` before, when the files were read the first time, is not told again.
    """

    def __init__(
        self,
        on_bad: OnBad | None,
        on_progress: Callable[[int], None] | None,
        heard: set[tuple[str, str, str]],
    ) -> None:
        self.report = Report()
        self._on_bad, self._on_progress, self._heard = on_bad, on_progress, heard

    def hear(self, told: Told) -> None:
        """Count what was read and refused, and hand the faults on."""
        if told.wrong is not None:
            raise ConfigError(told.wrong)
        if told.unsorted:
            raise _Unsorted
        if told.failed is not None:
            raise TapewireError(f"a process of the replay ended: {told.failed}")
        for reason, path, detail in told.faults:
            error = BadMessage(reason, path, detail)
            if (reason, path, detail) in self._heard:
                continue
            self._heard.add((reason, path, detail))
            if self._on_bad is None:
                raise error
            self._on_bad(error)
        self.report.read.update(told.read or {})
        self.report.dead.update(told.dead or {})
        if self._on_progress is not None and told.read:
            self._on_progress(sum(self.report.read.values()))


def _gather(
    inputs: Inputs, ours: Sequence[Connection], listener: _Listener, alerts: Alerts
) -> Report:
    deque(_merged(ours, listener), maxlen=0)  # of headlines only counts and faults come here
    for pipe in ours:
        pipe.send(None)
    last = assemble_agents(inputs.policy, rules=inputs.rules)[-1]
    pipeline = Pipeline([last])
    for placed in _merged(ours, listener):
        for output in pipeline.fold(names.REACTIONS, placed.key, placed.message):
            if isinstance(output.message, Alert):
                alerts.add(output.message)
    report = listener.report
    report.dead.update(pipeline.dead)
    return report


def _merged(ours: Sequence[Connection], listener: _Listener) -> Iterator[Placed]:
    """Yield what all processes tell in one part, by place; each is listened to at once."""
    queues: list[SimpleQueue[Told]] = [SimpleQueue() for _ in ours]
    for pipe, queue in zip(ours, queues, strict=True):
        Thread(target=_listen, args=(pipe, queue), daemon=True).start()
    streams = [_stream(queue, listener) for queue in queues]
    for _, placed in heapq.merge(*streams, key=_first):
        if placed is not None:
            yield placed


def _first(item: tuple[Place, Placed | None]) -> Place:
    return item[0]


def _listen(pipe: Connection, queue: "SimpleQueue[Told]") -> None:
    while True:
        try:
            told = pipe.recv()
        except (EOFError, OSError):
            queue.put(Told(until=None, failed="it was killed"))
            return
        queue.put(told)
        if told.until is None:
            return


def _stream(
    queue: "SimpleQueue[Told]", listener: _Listener
) -> Iterator[tuple[Place, Placed | None]]:
    """Yield one process's messages, and how far it has come where it has none."""
    while True:
        told = queue.get()
        listener.hear(told)
        for placed in told.messages:
            yield placed.place, placed
        if told.until is None:
            return
        yield told.until, None
