"""raise_alerts: the stories of one anchor, and an alert for each of their transitions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from signals import names
from signals.alerts.compose import move_alert, story_alert, vanished_alert
from signals.alerts.story import Story, story_of
from signals.fold import EMPTY, Draft, Output, Result, Rows, Step
from signals.messages import (
    Alert,
    AlertKind,
    EventRelay,
    Micros,
    Move,
    MoveReport,
    Reaction,
    Reactions,
    RuleSetId,
)
from signals.policy import Policy
from signals.tellings import group_tellings

__all__ = ["ROWS", "raise_alerts_step"]

_NO_TIME = Micros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayRow:
    """An event of this anchor, as last passed on."""

    relay: EventRelay


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionRow:
    """A reaction, as last sent."""

    reaction: Reaction


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRow:
    """What the last alert of a story said; ``alert`` is that alert."""

    event_ids: tuple[str, ...]
    alert: Alert
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAlertRow:
    """A move report, and the last alert that went out for it, if any."""

    report: MoveReport
    alert: Alert | None


ROWS: Mapping[str, type] = {
    "event": RelayRow,
    "reaction": ReactionRow,
    "story": StoryRow,
    "move": MoveAlertRow,
}


def raise_alerts_step(policy: Policy, rules: RuleSetId) -> Step:
    """Return the step of raise_alerts: state per anchor, alerts out."""

    def step(rows: Rows, key: str, message: Reactions) -> Result:
        desk = _Desk(rows, key, policy, rules)
        match message:
            case EventRelay():
                return desk.on_event(message)
            case Reaction():
                return desk.on_reaction(message)
            case MoveReport():
                return desk.on_move(message)
            case _:
                assert_never(message)

    return step


class _Desk:
    """One step: the stories of an anchor, and what a message makes of them."""

    def __init__(self, rows: Rows, key: str, policy: Policy, rules: RuleSetId) -> None:
        self._draft = Draft(rows)
        self._key = key
        self._policy = policy
        self._rules = rules

    def on_event(self, relay: EventRelay) -> Result:
        part = f"event:{relay.event.event_id}"
        before: RelayRow | None = self._draft.get(part)
        if before is not None and not _is_newer(relay, before.relay):
            return EMPTY
        self._draft.put(part, RelayRow(relay=relay))
        self._tell(relay.event.received_us)
        return self._draft.result()

    def on_reaction(self, reaction: Reaction) -> Result:
        part = f"reaction:{reaction.reaction_id}"
        before: ReactionRow | None = self._draft.get(part)
        if before is not None and reaction.revision <= before.reaction.revision:
            return EMPTY
        self._draft.put(part, ReactionRow(reaction=reaction))
        self._tell(reaction.move.known_us)
        return self._draft.result()

    def on_move(self, report: MoveReport) -> Result:
        part = f"move:{report.move_id}"
        before: MoveAlertRow | None = self._draft.get(part)
        if before is not None and report.revision <= before.report.revision:
            return EMPTY
        alert = None if before is None else before.alert
        kind = _move_kind(report, before)
        if kind is not None:
            revision = 1 if alert is None else alert.revision + 1
            alert = move_alert(
                report, kind=kind, revision=revision, policy=self._policy, rules=self._rules
            )
            self._emit(alert)
        self._draft.put(part, MoveAlertRow(report=report, alert=alert))
        return self._draft.result()

    def _tell(self, known_us: Micros) -> None:
        """Compare every story with its last alert, and send the transitions."""
        stories = self._stories()
        now = {story.story_id for story in stories}
        owner = {event.event_id: story.story_id for story in stories for event in story.events}
        gone: dict[str, list[str]] = {}
        for part in self._draft.parts("story:"):
            row: StoryRow | None = self._draft.get(part)
            if row is None or row.gone or row.alert.story_id in now:
                continue
            heirs = sorted({owner[event] for event in row.event_ids if event in owner})
            moved = sorted({anchor for e in row.event_ids if (anchor := self._moved_to(e))})
            alert = vanished_alert(row.alert, heirs=heirs, anchors=moved, known_us=known_us)
            self._emit(alert)
            self._draft.put(part, StoryRow(event_ids=row.event_ids, alert=alert, gone=True))
            for heir in heirs:
                gone.setdefault(heir, []).append(row.alert.story_id)
        for story in stories:
            self._compare(story, known_us, supersedes=tuple(gone.get(story.story_id, ())))

    def _stories(self) -> list[Story]:
        relays = [
            row.relay for part in self._draft.parts("event:") if (row := self._draft.get(part))
        ]
        live = [r.event for r in relays if r.event.status == "live" and r.moved_to is None]
        reactions = [
            row.reaction
            for part in self._draft.parts("reaction:")
            if (row := self._draft.get(part))
        ]
        groups = group_tellings(live, self._policy)
        return [story_of(group, reactions, self._policy) for group in groups]

    def _moved_to(self, event_id: str) -> str | None:
        row: RelayRow | None = self._draft.get(f"event:{event_id}")
        return None if row is None else row.relay.moved_to

    def _compare(self, story: Story, known_us: Micros, *, supersedes: tuple[str, ...]) -> None:
        part = f"story:{story.story_id}"
        row: StoryRow | None = self._draft.get(part)
        event_ids = tuple(event.event_id for event in story.events)
        kind = _story_kind(row, story)
        if kind is None:
            if row is not None and row.event_ids != event_ids:
                self._draft.put(part, StoryRow(event_ids=event_ids, alert=row.alert))
            return
        alert = story_alert(
            story,
            kind=kind,
            revision=1 if row is None else row.alert.revision + 1,
            anchor=self._key,
            known_us=Micros(max(known_us, story.known_us)),
            supersedes=supersedes,
            policy=self._policy,
        )
        self._emit(alert)
        self._draft.put(part, StoryRow(event_ids=event_ids, alert=alert))

    def _emit(self, alert: Alert) -> None:
        output = Output(topic=names.ALERTS, key=self._key, message=alert, event_us=alert.known_us)
        self._draft.outputs.append(output)


def _is_newer(relay: EventRelay, known: EventRelay) -> bool:
    new, old = relay.event, known.event
    if new.revision != old.revision:
        return new.revision > old.revision
    if relay.moved_to != known.moved_to:
        return True
    return new.received_us < old.received_us


def _story_kind(row: StoryRow | None, story: Story) -> AlertKind | None:
    """Return which transition a story has made since its last alert, None for none."""
    if row is None or row.gone:
        return "new"
    old, new = row.alert, story.visible
    if (old.status, old.direction) != (new.status, new.direction):
        return "status_changed"
    if (old.tickers, old.amounts) != (new.tickers, new.amounts):
        return "corrected"
    before, after = _timeless(old.moves), _timeless(new.moves)
    if before == after:
        return None
    added = [move for move in after if move not in before]
    if len(after) < len(before) + len(added):
        return "corrected"  # a measurement was revised or withdrawn
    return "spill_over" if any(m.ticker in story.spilled for m in added) else "confirmed"


def _timeless(moves: Iterable[Move]) -> list[Move]:
    """Return the moves without the times at which they became known."""
    return [replace(move, known_us=_NO_TIME) for move in moves]


def _move_kind(report: MoveReport, before: MoveAlertRow | None) -> AlertKind | None:
    """Return which alert a report asks for; a move that was explained all along asks for none."""
    told = before is not None and before.alert is not None
    if report.status == "withdrawn":
        return "retracted" if told else None
    if not told or before is None:
        return None if report.explained_by else "unexplained_move"
    if report.explained_by and not before.report.explained_by:
        return "explained"
    return "corrected"
