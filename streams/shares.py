"""One process's share of a replay: the keys that it has, folded in the canonical order.

First its headlines, then its subjects and their prices. What comes of a headline goes on to the
process that has its subject, by a file for each two of them.
"""

import heapq
import pickle
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from math import inf
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from signals import names
from signals.errors import BadMessage, BadReason, ConfigError, TapewireError
from signals.messages import EventEntry, Headline, Message, PriceSample
from signals.policy import Policy
from streams.assemble import assemble_agents
from streams.memory import relax_collector
from streams.replay import Pipeline
from streams.rule_files import RuleFiles
from streams.sources.headlines_file import read_headlines
from streams.sources.merge import NotInOrder, place_in_order
from streams.sources.prices_file import Interval, benchmarks_of, read_prices

__all__ = ["Inputs", "Place", "Placed", "Share", "Told", "pass_over", "work"]

_PASSED_ON = (names.JOURNAL, names.REACTIONS)
_TOPICS: Mapping[type, str] = {
    Headline: names.HEADLINES,
    PriceSample: names.PRICES,
    EventEntry: names.JOURNAL,
}
_BATCH = 2_000  # records between two messages of a process: few enough to keep the merge going

# A record's place in the canonical order, and behind it the places of what came of it.
Place = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is replayed, and by what; see ``tapewire.replay``."""

    headlines: Sequence[Path]
    prices: Sequence[Path]
    bar: Interval | None = None
    policy: Policy = field(default_factory=Policy)
    benchmarks: Mapping[str, str] | None = None
    rules: RuleFiles | None = None


_Record = tuple[Place, str, Message]  # with its key: a Placed that is quicker to make


class Placed(NamedTuple):
    """A message for a key, and its place."""

    place: Place
    key: str
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one process does: the keys that ``_owner`` gives it, of all files.

    ``unsorted`` are the files that are sorted in memory; others are read as they go. ``folder``
    is for the files between the processes.
    """

    number: int
    jobs: int
    inputs: Inputs
    unsorted: frozenset[Path]
    folder: Path

    def owns(self, key: str) -> bool:
        """Return whether a key is this process's."""
        return _owner(key, self.jobs) == self.number

    def path(self, sender: int, receiver: int) -> Path:
        """Return the file of what one process has for another, itself among them."""
        return self.folder / f"{sender}-{receiver}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a process tells: messages in the order of their places, faults, and counts.

    ``until`` is a place that everything later comes after; None at the end of a part. ``wrong`` is
    what files or arguments have that makes no sense, ``unsorted`` that a file has to be sorted,
    ``failed`` anything else that ends a process.
    """

    until: Place | None
    messages: tuple[Placed, ...] = ()
    faults: tuple[tuple[BadReason, str, str], ...] = ()
    read: Mapping[str, int] | None = None
    dead: Mapping[str, int] | None = None
    wrong: str | None = None
    unsorted: bool = False
    failed: str | None = None


def work(share: Share, pipe: Connection) -> None:
    """Fold this process's share: its headlines, then its subjects and their prices."""
    relax_collector()
    inputs = share.inputs
    with closing(pipe):
        try:
            reader, sampler, tracker, _ = assemble_agents(inputs.policy, rules=inputs.rules)
            teller = _Teller(pipe, _Outbox(share))
            _fold_all(_headlines(share, teller), Pipeline([reader]), teller)
            pipe.recv()  # every process has written what there is for this one
            teller = _Teller(pipe)
            prices = _prices(share, teller)
            _fold_all(_by_place(_inbox(share), prices), Pipeline([sampler, tracker]), teller)
        except (EOFError, BrokenPipeError):
            return  # nobody listens any more
        except ConfigError as error:
            pipe.send(Told(until=None, wrong=str(error)))
        except NotInOrder:
            pipe.send(Told(until=None, unsorted=True))
        except Exception as error:  # noqa: BLE001  # told to the other side, which ends the run
            pipe.send(Told(until=None, failed=f"{type(error).__name__}: {error}"))


class _Outbox:
    """Writes messages to the files of the processes that fold them."""

    def __init__(self, share: Share) -> None:
        self._jobs = share.jobs
        self._files = [share.path(share.number, to).open("wb") for to in range(share.jobs)]

    def put(self, messages: Sequence[Placed]) -> None:
        """Write messages, in the order of their places."""
        owned: list[list[Placed]] = [[] for _ in self._files]
        for placed in messages:
            owned[_owner(placed.key, self._jobs)].append(placed)
        for batch, file in zip(owned, self._files, strict=True):
            pickle.dump(batch, file)

    def close(self) -> None:
        """Write to the end, and say that it is the end."""
        for file in self._files:
            pickle.dump(None, file)
            file.close()


def _inbox(share: Share) -> Iterator[Placed]:
    """Yield what all processes have written for this one, by place."""

    def sent_by(sender: int) -> Iterator[Placed]:
        path = share.path(sender, share.number)
        with path.open("rb") as file:
            try:
                while (batch := pickle.load(file)) is not None:
                    yield from batch
            except (EOFError, pickle.UnpicklingError) as error:
                raise TapewireError(f"{path} ends too soon; is its disk full?") from error

    yield from heapq.merge(*map(sent_by, range(share.jobs)), key=_place)


def _place(placed: Placed) -> Place:
    return placed.place


class _Teller:
    """Gathers what a process has to tell, and sends it in batches; messages to its outbox."""

    def __init__(self, pipe: Connection, outbox: _Outbox | None = None) -> None:
        self._pipe, self._outbox = pipe, outbox
        self._messages: list[Placed] = []
        self._faults: list[tuple[BadReason, str, str]] = []
        self.read: Counter[str] = Counter()

    def refuse(self, error: BadMessage) -> None:
        """Keep the fault of a line for the next batch."""
        self._faults.append((error.reason, error.path, error.detail))

    def add(self, placed: Placed) -> None:
        """Keep a message for the next batch."""
        self._messages.append(placed)

    def tell(self, until: Place | None, dead: Counter[str]) -> None:
        """Send what there is."""
        if self._outbox is not None:
            self._outbox.put(self._messages)
            self._messages = []
            if until is None:
                self._outbox.close()  # before anybody is told that it is the end
        told = Told(
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


def _fold_all(records: Iterable[_Record], pipeline: Pipeline, teller: _Teller) -> None:
    """Fold records, and tell what agents elsewhere read, each message with its place."""
    place: Place = ()
    for count, (place, key, message) in enumerate(records, start=1):
        topic = _TOPICS[type(message)]
        for step, output in enumerate(pipeline.feed(topic, key, message)):
            if output.topic in _PASSED_ON and not pipeline.reads(output.topic):
                teller.add(Placed((*place, step), output.key, output.message))
        if count % _BATCH == 0:
            teller.tell((*place, inf), pipeline.dead)
    teller.tell(None, pipeline.dead)


def _by_place(entries: Iterable[Placed], prices: Iterable[_Record]) -> Iterator[_Record]:
    """Yield both in the canonical order."""
    follow = iter(entries)
    entry = next(follow, None)
    for record in prices:
        while entry is not None and entry.place < record[0]:
            yield entry
            entry = next(follow, None)
        yield record
    while entry is not None:
        yield entry
        entry = next(follow, None)


def _headlines(share: Share, teller: _Teller) -> Iterator[_Record]:
    """Yield this process's headlines in order."""
    on_bad = teller.refuse if share.number == 0 else pass_over

    def own(path: Path) -> Iterator[Headline]:
        return (one for one in read_headlines(path, on_bad=on_bad) if share.owns(one.id))

    return _in_order(share, {path: own(path) for path in share.inputs.headlines}, teller)


def _prices(share: Share, teller: _Teller) -> Iterator[_Record]:
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
    share: Share,
    opened: Mapping[Path, Iterator[Headline | PriceSample]],
    teller: _Teller,
) -> Iterator[_Record]:
    inputs = [
        sorted(records, key=_receipt) if path in share.unsorted else records
        for path, records in opened.items()
    ]
    read = teller.read
    for number, (place, record) in enumerate(place_in_order(inputs)):
        if isinstance(record, PriceSample):
            read[names.PRICES] += 1
            yield (*place, number), record.ticker, record
        else:
            read[names.HEADLINES] += 1
            yield (*place, number), record.id, record


def _receipt(record: Headline | PriceSample) -> int:
    return record.received_us


def _owner(key: str, jobs: int) -> int:
    """Return which process has a key: the same on any machine."""
    return zlib.crc32(key.encode()) % jobs


def pass_over(_: BadMessage) -> None:
    """Leave a line's fault to the process that reports those of headlines."""
