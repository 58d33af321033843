"""What came of a run: its topics, whether a replay gives them again, and how each story ended."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from signals import names
from signals.messages import (
    Alert,
    Headline,
    Journal,
    Micros,
    Move,
    MoveReport,
    PriceSample,
    Reaction,
    Reactions,
)
from streams.codec import decode, encode
from streams.recorder import record_topics
from streams.recording import read_recording
from streams.replay import Pipeline, alert_lines, order_alerts, replay_recorded
from streams.settings import Settings
from tests.builders import as_input
from tests.chaos.real import real_agents

_RECORDED = (names.JOURNAL, names.REACTIONS, names.ALERTS, names.DEAD_LETTERS)

Pair = tuple[bytes, bytes]  # a record's key and value


@dataclass(frozen=True)
class Ending:
    """The last state: each story that stands, each live reaction, each live report of a move."""

    stories: Mapping[object, object]
    reactions: Mapping[str, object]
    reports: Mapping[str, object]


@dataclass(frozen=True)
class Run:
    """The records of each topic, by partition and offset; in a replay as they came."""

    topics: Mapping[str, list[Pair]]

    def alerts(self) -> list[Alert]:
        """Return each revision once, in the order in which it became known."""
        return order_alerts(decode(value, Alert) for _, value in self.topics[names.ALERTS])

    def ending(self) -> Ending:
        alerts = {a.alert_id: a for a in sorted(self.alerts(), key=lambda a: a.revision)}
        messages = [decode(value, Reactions) for _, value in self.topics[names.REACTIONS]]
        measured = [m for m in messages if isinstance(m, Reaction | MoveReport)]
        last = {_identity(m): m for m in sorted(measured, key=lambda message: message.revision)}
        live = {name: m for name, m in last.items() if m.status == "live"}
        return Ending(
            stories={
                (alert.story_id, alert.anchor): _told(alert)
                for alert in alerts.values()
                # Which stories there were on the way depends on what was known when.
                if alert.type is not None and alert.kind not in ("retracted", "superseded")
            },
            reactions={n: _bare(m) for n, m in live.items() if isinstance(m, Reaction)},
            reports={n: _bare(m) for n, m in live.items() if isinstance(m, MoveReport)},
        )


def _identity(message: Reaction | MoveReport) -> str:
    return message.reaction_id if isinstance(message, Reaction) else message.move_id


def _bare(message: Reaction | MoveReport) -> object:
    return replace(message, id="", revision=0, move=_timeless(message.move))


def _timeless(move: Move) -> Move:
    return replace(move, known_us=Micros(0))


def _told(alert: Alert) -> object:
    return {
        "type": alert.type,
        "status": alert.status,
        "direction": alert.direction,
        "tickers": alert.tickers,
        "amounts": alert.amounts,
        "moves": tuple(_timeless(move) for move in alert.moves),
    }


def recorded_run(settings: Settings, folder: Path) -> Run:
    """Return what a live run has written, by way of a recording."""
    asyncio.run(record_topics(settings.broker, settings.prefix, _RECORDED, folder))
    return Run(
        {
            topic: [(r.key or b"", r.value or b"") for r in read_recording(folder, topic)]
            for topic in _RECORDED
        }
    )


def replayed_run(world: Iterable[Headline | PriceSample]) -> Run:
    """Return what a replay of raw records gives, each input folded to the end before the next."""
    topics: dict[str, list[Pair]] = {topic: [] for topic in _RECORDED}
    pipeline = Pipeline(real_agents())
    for message in world:
        for output in pipeline.feed(*as_input(message)):
            if output.topic in topics:
                topics[output.topic].append((output.key.encode(), encode(output.message)))
    assert not pipeline.dead
    return Run(topics)


def check_same_ending(live: Run, replayed: Run) -> None:
    """Assert the convergent promise."""
    one, other = live.ending(), replayed.ending()
    for kind in ("stories", "reactions", "reports"):
        found, expected = getattr(one, kind), getattr(other, kind)
        assert found.keys() == expected.keys(), kind
        for name in expected:
            assert found[name] == expected[name], (kind, name)


def check_exact(live: Run) -> None:
    """Assert the exact promise: recorded inputs of a fold give its recorded outputs again."""
    _check_journal(live)
    report = replay_recorded(
        ((key.decode(), value) for key, value in live.topics[names.REACTIONS]), real_agents()
    )
    assert list(alert_lines(report.alerts)) == list(alert_lines(live.alerts()))


def _check_journal(live: Run) -> None:
    """Assert that the recorded journal gives the recorded reactions.

    A key of reactions hears of several keys of the journal, and which of two partitions' records
    came first there is not in the journal: what one key of the journal gave must stand in order.
    """
    recorded = live.topics[names.REACTIONS]
    place: dict[Pair, int] = {}
    for at, record in enumerate(recorded):
        place.setdefault(record, at)
    given: set[Pair] = set()
    last: dict[tuple[str, bytes], int] = defaultdict(lambda: -1)
    pipeline = Pipeline(real_agents())
    for key, value in live.topics[names.JOURNAL]:
        subject = key.decode()
        for output in pipeline.fold(names.JOURNAL, subject, decode(value, Journal)):
            record = (output.key.encode(), encode(output.message))
            assert record in place, f"{subject} gives {record}, which was not recorded"
            if record not in given:
                way = (subject, record[0])
                assert place[record] > last[way], f"{record} of {subject} is out of order"
                last[way] = place[record]
            given.add(record)
    assert given == place.keys()
    assert not pipeline.dead


def check_once(live: Run, replayed: Run) -> int:
    """Assert that nothing is missing and nothing doubled by content; return the repeats.

    The journal does not depend on the interleaving: headlines and prices are folded by their own
    keys. The alerts' revisions may, but none of them is left out or told in two ways.
    """
    found, expected = (set(run.topics[names.JOURNAL]) for run in (live, replayed))
    assert sorted(expected - found) == [], "missing"
    assert sorted(found - expected) == [], "of nobody knows what"
    bodies: dict[tuple[str, int], set[bytes]] = defaultdict(set)
    for _, value in live.topics[names.ALERTS]:
        alert: Alert = decode(value, Alert)
        bodies[alert.alert_id, alert.revision].add(value)
    assert [name for name, told in bodies.items() if len(told) > 1] == []
    for alert_id, revision in bodies:
        assert revision == 1 or (alert_id, revision - 1) in bodies
    topics = (names.JOURNAL, names.REACTIONS, names.ALERTS)
    return sum(len(live.topics[topic]) - len(set(live.topics[topic])) for topic in topics)
