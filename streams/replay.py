"""Replay without a broker: recorded records through the same folds as live.

From raw headlines and prices, in canonical order: the last state of every story is that of the live
run (the convergent promise). From recorded journal and reaction topics: the records that the live
run wrote, byte for byte, less repeated ids (the exact promise).
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from signals import names
from signals.errors import BadMessage
from signals.fold import Agent, KeyRows, Output, Row, Step
from signals.messages import Alert, Reactions
from streams.codec import decode, encode
from streams.states import States
from streams.topics import TOPICS

__all__ = [
    "Pipeline",
    "Report",
    "alert_lines",
    "order_alerts",
    "replay_raw",
    "replay_recorded",
]

_MESSAGES: Mapping[str, Any] = {topic.name: topic.message for topic in TOPICS}


@dataclass(slots=True)
class Report:
    """What a replay read and gave.

    Attributes:
        read: records by topic; dead: records that could not be folded, by reason.
        alerts: each revision once, in the order in which it became known.
    """

    read: Counter[str] = field(default_factory=Counter)
    dead: Counter[str] = field(default_factory=Counter)
    alerts: list[Alert] = field(default_factory=list)

    @property
    def late(self) -> int:
        """Return how many records came beyond the allowed lateness."""
        return self.dead["late"]

    def sha256(self) -> str:
        """Return the hash of the canonical alert log."""
        digest = hashlib.sha256()
        for line in alert_lines(self.alerts):
            digest.update(line)
        return digest.hexdigest()


class Pipeline:
    """Agents in one process: each input is folded to the end before the next one."""

    def __init__(self, agents: Iterable[Agent]) -> None:
        found = tuple(agents)
        self.dead: Counter[str] = Counter()
        self._states = {agent.name: States() for agent in found}
        self._folds = {
            agent.reads: _fold_of(agent.step, self._states[agent.name], self.dead)
            for agent in found
        }

    def feed(self, topic: str, key: str, message: Any) -> Sequence[Output]:
        """Fold a message, and what comes of it, and return every output in order."""
        folds = self._folds
        outputs = folds[topic](key, message)
        for at, output in enumerate(outputs):  # most inputs give one, of which nothing comes
            fold = folds.get(output.topic)
            if fold is not None and (more := fold(output.key, output.message)):
                return self._feed_rest([*outputs, *more], at + 1)
        return outputs

    def _feed_rest(self, outputs: list[Output], begin: int) -> list[Output]:
        """Fold the outputs from a place on, and what comes of them, and return all."""
        for output in islice(outputs, begin, None):  # it grows
            fold = self._folds.get(output.topic)
            if fold is not None:
                outputs += fold(output.key, output.message)
        return outputs

    def fold(self, topic: str, key: str, message: Any) -> tuple[Output, ...]:
        """Fold a message through the agent that reads its topic, and return the outputs.

        A message that the step refuses is counted by its reason, as the live run dead-letters it.
        """
        return self._folds[topic](key, message)

    def reads(self, topic: str) -> bool:
        """Return whether an agent here reads a topic."""
        return topic in self._folds

    def state(self, agent: str, key: str) -> Mapping[str, Row]:
        """Return the rows that an agent keeps under a key."""
        return self._states[agent].get(key) or {}


def _fold_of(
    step: Step, states: States, dead: Counter[str]
) -> Callable[[str, Any], tuple[Output, ...]]:
    """Return what folds one message of an agent into its states, by key."""
    young = states.young

    def fold(key: str, message: Any) -> tuple[Output, ...]:
        rows = young.get(key) or states.get(key)
        if rows is None:
            rows = KeyRows()
            states.put(key, rows)
        try:
            changes, outputs = step(rows, key, message)
        except BadMessage as error:
            dead[error.reason] += 1
            return ()
        if changes:
            rows.apply(changes)
        if not rows:
            states.drop(key)
        return outputs

    return fold


def replay_raw(records: Iterable[tuple[str, str, Any]], agents: Iterable[Agent]) -> Report:
    """Fold raw headlines and prices, given in canonical order, and report the alerts."""
    report, pipeline = Report(), Pipeline(agents)
    found: list[Alert] = []
    for topic, key, message in records:
        report.read[topic] += 1
        for output in pipeline.feed(topic, key, message):
            if isinstance(output.message, Alert):
                found.append(output.message)
    report.dead += pipeline.dead
    report.alerts = order_alerts(found)
    return report


def replay_recorded(
    reactions: Iterable[tuple[str, bytes | None]], agents: Iterable[Agent]
) -> Report:
    """Fold recorded reactions (key and value, by partition and offset) into the alerts."""
    report, pipeline = Report(), Pipeline(agents)
    found: list[Alert] = []
    for key, value in reactions:
        report.read[names.REACTIONS] += 1
        try:
            message = decode(value, Reactions)
        except BadMessage as error:
            report.dead[error.reason] += 1
            continue
        for output in pipeline.fold(names.REACTIONS, key, message):
            if isinstance(output.message, Alert):
                found.append(output.message)
    report.dead += pipeline.dead
    report.alerts = order_alerts(found)
    return report


def order_alerts(alerts: Iterable[Alert]) -> list[Alert]:
    """Return each revision once, in the order in which it became known.

    Revisions that became known with the same input stand by alert and revision. A repeated record
    is the same record; of two that differ, which no run gives, the first stands.
    """
    once: dict[tuple[str, int], Alert] = {}
    for alert in alerts:
        once.setdefault((alert.alert_id, alert.revision), alert)
    return sorted(once.values(), key=lambda a: (a.known_us, a.alert_id, a.revision))


def alert_lines(alerts: Iterable[Alert]) -> Iterator[bytes]:
    """Yield the canonical line of each alert."""
    for alert in alerts:
        yield encode(alert) + b"\n"
