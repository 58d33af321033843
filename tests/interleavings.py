"""Fold inputs in one order or another, and say how it ended: the same, in every one."""

import itertools
import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from signals import names
from signals.alerts.step import StoryRow
from signals.fold import Agent, Output
from signals.messages import Alert, Headline, Micros, Move, MoveReport, PriceSample, Reaction
from streams.replay import Pipeline
from tests.builders import as_input


@dataclass(frozen=True)
class Ending:
    """The last state: each story that stands, each live reaction, each live report of a move."""

    stories: frozenset[object]
    reactions: frozenset[object]
    reports: frozenset[object]


Chooser = Callable[[Sequence[tuple[str, str]]], int]
Given = tuple[str, str, Any]  # topic, key, message

# How many random worlds to try; None where nobody asked for more than a test's own number.
EXAMPLES = int(os.environ["TAPEWIRE_EXAMPLES"]) if "TAPEWIRE_EXAMPLES" in os.environ else None


def _ending(outputs: Sequence[Any], pipeline: Pipeline) -> Ending:
    anchors = {message.anchor for message in outputs if isinstance(message, Alert)}
    reactions: dict[str, Reaction] = {}
    reports: dict[str, MoveReport] = {}
    for message in outputs:
        if isinstance(message, Reaction):
            known = reactions.get(message.reaction_id)
            if known is None or message.revision > known.revision:
                reactions[message.reaction_id] = message
        if isinstance(message, MoveReport):
            report = reports.get(message.move_id)
            if report is None or message.revision > report.revision:
                reports[message.move_id] = message
    return Ending(
        stories=frozenset(
            _story(row.alert)
            for anchor in anchors
            for row in pipeline.state("raise_alerts", anchor).values()
            if isinstance(row, StoryRow) and not row.gone
        ),
        reactions=frozenset(
            replace(item, id="", revision=0, move=_timeless(item.move))
            for item in reactions.values()
            if item.status == "live"
        ),
        reports=frozenset(
            replace(item, id="", revision=0, move=_timeless(item.move))
            for item in reports.values()
            if item.status == "live"
        ),
    )


def _story(alert: Alert) -> object:
    return (
        alert.story_id, alert.anchor, alert.type, alert.status, alert.direction, alert.tickers,
        alert.amounts, tuple(_timeless(move) for move in alert.moves),
    )  # fmt: skip


def _timeless(move: Move) -> Move:
    return replace(move, known_us=Micros(0))


def fold_in_order(
    inputs: Iterable[Headline | PriceSample],
    declared: Sequence[Agent],
    choose: Chooser,
    *,
    repeats: bool,
) -> Ending:
    """Fold inputs as ``outputs_in_order`` does, and say how it ended."""
    pipeline = Pipeline(declared)
    outputs = outputs_in_order(inputs, declared, choose, repeats=repeats, pipeline=pipeline)
    return _ending([output.message for output in outputs], pipeline)


def fold_given(given: Iterable[Given], declared: Sequence[Agent], choose: Chooser) -> Ending:
    """Fold messages of any topic in the order of their queues, and say how it ended."""
    pipeline = Pipeline(declared)
    outputs = _drained(given, declared, choose, pipeline, copies=1)
    return _ending([output.message for output in outputs], pipeline)


def outputs_in_order(
    inputs: Iterable[Headline | PriceSample],
    declared: Sequence[Agent],
    choose: Chooser,
    *,
    repeats: bool,
    pipeline: Pipeline | None = None,
) -> Iterator[Output]:
    """Fold inputs; ``choose`` says which of the queues (topic, key) that wait is next.

    The queues keep their order, as partitions do; with ``repeats`` every record comes twice, the
    second time right after the first or, for an input, once more at the end. The outputs come as
    they are given, those that come twice once.
    """
    once = [as_input(message) for message in inputs]
    copies = 2 if repeats else 1
    return _drained(once * copies, declared, choose, pipeline or Pipeline(declared), copies=copies)


def _drained(
    given: Iterable[Given],
    declared: Sequence[Agent],
    choose: Chooser,
    pipeline: Pipeline,
    *,
    copies: int,
) -> Iterator[Output]:
    read = {agent.reads for agent in declared}
    queues: dict[tuple[str, str], deque[Any]] = defaultdict(deque)
    for topic, key, message in given:
        queues[topic, key].append(message)
    while queues:
        waiting = sorted(queues)
        topic, key = waiting[choose(waiting)]
        message = queues[topic, key].popleft()
        if not queues[topic, key]:
            del queues[topic, key]
        for output in pipeline.fold(topic, key, message):
            if output.topic in read:
                queues[output.topic, output.key] += [output.message] * copies
            yield output


def _by_rank(*ranks: str) -> Chooser:
    """A chooser that empties one topic after another, in the order of ``ranks``."""
    return lambda waiting: min(
        range(len(waiting)), key=lambda i: (ranks.index(waiting[i][0]), waiting[i][1])
    )


def _round_robin() -> Chooser:
    turns = itertools.count()
    return lambda waiting: next(turns) % len(waiting)


def depth_first() -> Chooser:
    return _by_rank(names.REACTIONS, names.JOURNAL, names.HEADLINES, names.PRICES)


def at_random(seed: int) -> Chooser:
    random = Random(seed)
    return lambda waiting: random.randrange(len(waiting))


ORDERS: dict[str, Callable[[], Chooser]] = {
    "news first": lambda: _by_rank(names.HEADLINES, names.PRICES, names.JOURNAL, names.REACTIONS),
    "prices first": depth_first,
    "alerts last": lambda: _by_rank(names.PRICES, names.HEADLINES, names.JOURNAL, names.REACTIONS),
    "round robin": _round_robin,
}
