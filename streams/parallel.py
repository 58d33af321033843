"""Replay files over several processes: the very alerts that one process gives, sooner.

State is kept by key, so each process takes its share of the keys: first of the headlines, then of
the subjects (the tickers' prices with them). What one key sees, and in which order, is then what it
sees in one process: records are told apart by their place in the canonical order, and what comes of
them by that of their cause. The alerts' agent is the last and the smallest part; it stays here, and
is given the reactions merged in that order.
"""

import heapq
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from math import inf
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

from signals import names
from signals.errors import BadMessage, BadReason, ConfigError, TapewireError
from signals.messages import Alert, EventEntry, Headline, Message, PriceSample
from signals.policy import Policy
from streams.assemble import assemble_agents
from streams.memory import relax_collector
from streams.replay import Pipeline, Report, order_alerts
from streams.rule_files import RuleFiles
from streams.sources.benchmarks import Benchmarks
from streams.sources.faults import OnBad
from streams.sources.headlines_file import read_headlines
from streams.sources.merge import NotInOrder, is_in_order, merge_in_order, place_of
from streams.sources.prices_file import Interval, benchmarks_of, read_prices

__all__ = ["Inputs", "replay_in_parallel"]

_PASSED_ON = (names.JOURNAL, names.REACTIONS)
_TOPICS: Mapping[type, str] = {
    Headline: names.HEADLINES,
    PriceSample: names.PRICES,
    EventEntry: names.JOURNAL,
}
_BATCH = 2_000  # records between two messages of a process: few enough to keep the merge going

# A record's place in the canonical order, and behind it the places of what came of it.
_Place = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is replayed, and by what; see ``tapewire.replay``."""

    headlines: Sequence[Path]
    prices: Sequence[Path]
    bar: Interval | None = None
    policy: Policy = field(default_factory=Policy)
    benchmarks: Mapping[str, str] | None = None
    rules: RuleFiles | None = None


class _Placed(NamedTuple):
    """A message for a key, and its place."""

    place: _Place
    key: str
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """What one process does: the keys that ``_owner`` gives it, of all files.

    ``unsorted`` are the files that are sorted in memory; others are read as they go.
    """

    number: int
    jobs: int
    inputs: Inputs
    unsorted: frozenset[Path]

    def owns(self, key: str) -> bool:
        """Return whether a key is this process's."""
        return _owner(key, self.jobs) == self.number


class _Unsorted(Exception):  # noqa: N818 - a condition that is mended
    """A file is not in the order of its receipts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a process tells: messages in the order of their places, faults, and counts.

    ``until`` is a place that everything later comes after; None at the end of a part. ``wrong`` is
    what files or arguments have that makes no sense, ``unsorted`` that a file has to be sorted,
    ``failed`` anything else that ends a process.
    """

    until: _Place | None
    messages: tuple[_Placed, ...] = ()
    faults: tuple[tuple[BadReason, str, str], ...] = ()
    read: Mapping[str, int] | None = None
    dead: Mapping[str, int] | None = None
    wrong: str | None = None
    unsorted: bool = False
    failed: str | None = None


def replay_in_parallel(
    inputs: Inputs,
    *,
    jobs: int,
    on_bad: OnBad | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Report:
    """Return what a replay in one process gives, from ``jobs`` of them.

    Args:
        inputs: the files.
        jobs: how many processes, besides this one.
        on_bad: called with the fault of a line that cannot be read; raised when left out.
        on_progress: called with the number of records folded so far.
    Raises: ConfigError for a file that cannot be opened, BadMessage without ``on_bad``.
    """
    heard: set[tuple[str, str, str]] = set()
    try:
        return _attempt(inputs, jobs, frozenset(), _Listener(on_bad, on_progress, heard))
    except _Unsorted:
        unsorted = frozenset(_unsorted_files(inputs))
        return _attempt(inputs, jobs, unsorted, _Listener(on_bad, on_progress, heard))


def _attempt(inputs: Inputs, jobs: int, unsorted: frozenset[Path], listener: "_Listener") -> Report:
    context = get_context("spawn")
    pipes = [context.Pipe() for _ in range(jobs)]
    shares = [
        _Share(number=number, jobs=jobs, inputs=inputs, unsorted=unsorted) for number in range(jobs)
    ]
    workers = [
        context.Process(target=_work, args=(share, theirs), daemon=True)
        for share, (_, theirs) in zip(shares, pipes, strict=True)
    ]
    for worker, (_, theirs) in zip(workers, pipes, strict=True):
        worker.start()
        theirs.close()
    ours = [mine for mine, _ in pipes]
    try:
        return _gather(inputs, ours, listener)
    finally:
        for worker, mine in zip(workers, ours, strict=True):
            mine.close()
            worker.terminate()
            worker.join()


def _unsorted_files(inputs: Inputs) -> Iterator[Path]:
    """Read every file once more, and yield those that are not in the order of receipt."""
    for path in inputs.headlines:
        if not is_in_order(read_headlines(path, on_bad=_pass_over)):
            yield path
    for path in inputs.prices:
        prices = read_prices(path, bar=inputs.bar, on_bad=_pass_over, known=Benchmarks(()))
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

    def hear(self, told: _Told) -> None:
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


def _gather(inputs: Inputs, ours: Sequence[Connection], listener: _Listener) -> Report:
    entries = _merged(ours, listener)
    shares: list[list[_Placed]] = [[] for _ in ours]
    for placed in entries:
        shares[_owner(placed.key, len(ours))].append(placed)
    for pipe, share in zip(ours, shares, strict=True):
        pipe.send(share)
    last = assemble_agents(inputs.policy, rules=inputs.rules)[-1]
    pipeline, found = Pipeline([last]), []
    for placed in _merged(ours, listener):
        for output in pipeline.fold(names.REACTIONS, placed.key, placed.message):
            if isinstance(output.message, Alert):
                found.append(output.message)
    report = listener.report
    report.dead.update(pipeline.dead)
    report.alerts = order_alerts(found)
    return report


def _merged(ours: Sequence[Connection], listener: _Listener) -> Iterator[_Placed]:
    """Yield what all processes tell in one part, by place; each is listened to at once."""
    queues: list[SimpleQueue[_Told]] = [SimpleQueue() for _ in ours]
    for pipe, queue in zip(ours, queues, strict=True):
        Thread(target=_listen, args=(pipe, queue), daemon=True).start()
    streams = [_stream(queue, listener) for queue in queues]
    for _, placed in heapq.merge(*streams, key=_first):
        if placed is not None:
            yield placed


def _first(item: tuple[_Place, _Placed | None]) -> _Place:
    return item[0]


def _listen(pipe: Connection, queue: "SimpleQueue[_Told]") -> None:
    while True:
        try:
            told = pipe.recv()
        except (EOFError, OSError):
            queue.put(_Told(until=None, failed="it was killed"))
            return
        queue.put(told)
        if told.until is None:
            return


def _stream(
    queue: "SimpleQueue[_Told]", listener: _Listener
) -> Iterator[tuple[_Place, _Placed | None]]:
    """Yield one process's messages, and how far it has come where it has none."""
    while True:
        told = queue.get()
        listener.hear(told)
        for placed in told.messages:
            yield placed.place, placed
        if told.until is None:
            return
        yield told.until, None


# ---- in each process -----------------------------------------------------------------------------


def _work(share: _Share, pipe: Connection) -> None:
    """Fold this process's share: its headlines, then its subjects and their prices."""
    relax_collector()
    inputs = share.inputs
    with closing(pipe):
        try:
            reader, sampler, tracker, _ = assemble_agents(inputs.policy, rules=inputs.rules)
            teller = _Teller(pipe)
            _fold_all(_headlines(share, teller), Pipeline([reader]), teller)
            entries: list[_Placed] = pipe.recv()
            prices = _prices(share, teller)
            pipeline = Pipeline([sampler, tracker])
            _fold_all(heapq.merge(entries, prices, key=_place), pipeline, teller)
        except (EOFError, BrokenPipeError):
            return  # nobody listens any more
        except ConfigError as error:
            pipe.send(_Told(until=None, wrong=str(error)))
        except NotInOrder:
            pipe.send(_Told(until=None, unsorted=True))
        except Exception as error:  # noqa: BLE001  # told to the other side, which ends the run
            pipe.send(_Told(until=None, failed=f"{type(error).__name__}: {error}"))


class _Teller:
    """Gathers what a process has to tell, and sends it in batches."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._messages: list[_Placed] = []
        self._faults: list[tuple[BadReason, str, str]] = []
        self.read: Counter[str] = Counter()

    def refuse(self, error: BadMessage) -> None:
        """Keep the fault of a line for the next batch."""
        self._faults.append((error.reason, error.path, error.detail))

    def add(self, placed: _Placed) -> None:
        """Keep a message for the next batch."""
        self._messages.append(placed)

    def tell(self, until: _Place | None, dead: Counter[str]) -> None:
        """Send what there is."""
        told = _Told(
            until=until,
            messages=tuple(self._messages),
            faults=tuple(self._faults),
            read=dict(self.read),
            dead=dict(dead),
        )
        self._pipe.send(told)
        self._messages, self._faults = [], []
        self.read.clear()
        dead.clear()


def _fold_all(records: Iterator[_Placed], pipeline: Pipeline, teller: _Teller) -> None:
    """Fold records, and tell what agents elsewhere read, each message with its place."""
    for count, record in enumerate(records, start=1):
        topic = _TOPICS[type(record.message)]
        for step, output in enumerate(pipeline.feed(topic, record.key, record.message)):
            if output.topic in _PASSED_ON and not pipeline.reads(output.topic):
                place = (*record.place, step)
                teller.add(_Placed(place=place, key=output.key, message=output.message))
        if count % _BATCH == 0:
            teller.tell((*record.place, inf), pipeline.dead)
    teller.tell(None, pipeline.dead)


def _headlines(share: _Share, teller: _Teller) -> Iterator[_Placed]:
    """Yield this process's headlines in order."""
    on_bad = teller.refuse if share.number == 0 else _pass_over

    def own(path: Path) -> Iterator[Headline]:
        return (one for one in read_headlines(path, on_bad=on_bad) if share.owns(one.id))

    return _in_order(share, {path: own(path) for path in share.inputs.headlines}, teller)


def _prices(share: _Share, teller: _Teller) -> Iterator[_Placed]:
    """Yield the prices of this process's tickers in order."""
    inputs = share.inputs
    known = benchmarks_of(inputs.prices, bar=inputs.bar, benchmarks=inputs.benchmarks)
    opened = {
        path: read_prices(
            path,
            bar=inputs.bar,
            on_bad=teller.refuse,
            benchmarks=inputs.benchmarks,
            known=known,
            only=share.owns,
        )
        for path in inputs.prices
    }
    return _in_order(share, opened, teller)


def _in_order(
    share: _Share,
    opened: Mapping[Path, Iterator[Headline | PriceSample]],
    teller: _Teller,
) -> Iterator[_Placed]:
    inputs = [
        sorted(records, key=_receipt) if path in share.unsorted else records
        for path, records in opened.items()
    ]
    read = teller.read
    for number, (topic, key, message) in enumerate(merge_in_order(inputs)):
        read[topic] += 1
        yield _Placed((*place_of(message), number), key, message)


def _receipt(record: Headline | PriceSample) -> int:
    return record.received_us


def _place(placed: _Placed) -> _Place:
    return placed.place


def _owner(key: str, jobs: int) -> int:
    """Return which process has a key: the same on any machine."""
    return zlib.crc32(key.encode()) % jobs


def _pass_over(_: BadMessage) -> None:
    """Leave a line's fault to the process that reports those of headlines."""
