"""raise_alerts: the stories of one anchor, and an alert for each of their transitions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from signals import names
from signals.alerts.compose import move_alert, story_alert, vanished_alert
from signals.alerts.story import Story, story_id_of, story_of
from signals.fold import EMPTY, Draft, Output, Result, Rows, Step
from signals.messages import (
    Alert,
    AlertKind,
    Event,
    EventRelay,
    Micros,
    Move,
    MoveReport,
    Reaction,
    Reactions,
    RuleSetId,
)
from signals.policy import Policy
from signals.tellings import Telling, add_telling, group_tellings, telling_of, telling_order

__all__ = ["ROWS", "raise_alerts_step"]

_NO_TIME = Micros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayRow:
    """An event of this anchor, as each subject that passes it on did so last."""

    relays: tuple[EventRelay, ...]

    @property
    def event(self) -> Event | None:
        """Return the newest revision of the event that is told here, None if none is."""
        live = [r.event for r in self.relays if r.event.status == "live" and r.moved_to is None]
        return max(live, key=lambda event: (event.revision, -event.received_us), default=None)

    @property
    def moved_to(self) -> str | None:
        """Return the anchor that has the event now, if it went to one."""
        return next((r.moved_to for r in self.relays if r.moved_to is not None), None)


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
        before: RelayRow = self._draft.get(part) or RelayRow(relays=())
        relays = {known.via: known for known in before.relays}
        if relay.via in relays and not _is_newer(relay, relays[relay.via]):
            return EMPTY
        relays[relay.via] = relay
        after = RelayRow(relays=tuple(relays[via] for via in sorted(relays)))
        if after.event == before.event:
            self._draft.put(part, after)
            return self._draft.result()
        groups = self._groups_with(after.event, before.event)
        self._draft.put(part, after)
        self._regroup(groups, relay)
        return self._draft.result()

    def on_reaction(self, reaction: Reaction) -> Result:
        part = f"reaction:{reaction.reaction_id}"
        before: ReactionRow | None = self._draft.get(part)
        if before is not None and reaction.revision <= before.reaction.revision:
            return EMPTY
        self._draft.put(part, ReactionRow(reaction=reaction))
        told = set(reaction.event_ids)
        if before is not None:
            told |= set(before.reaction.event_ids)
        for row in self._told():
            if told.intersection(row.event_ids):
                events = tuple(self._event(event_id) for event_id in row.event_ids)
                self._compare(events, reaction.move.known_us, supersedes=())
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

    def _told(self) -> list[StoryRow]:
        """Return the stories that stand."""
        rows = [self._draft.get(part) for part in self._draft.parts("story:")]
        return [row for row in rows if isinstance(row, StoryRow) and not row.gone]

    def _event(self, event_id: str) -> Event:
        row: RelayRow | None = self._draft.get(f"event:{event_id}")
        event = None if row is None else row.event
        if event is None:
            raise LookupError(f"a story of {self._key} tells {event_id}, which is not here")
        return event

    def _groups_with(self, event: Event | None, before: Event | None) -> list[Telling]:
        """Return the groups of this anchor's live events, with one as it is now.

        The last telling of all joins the groups as they stand; anything else groups them anew.
        """
        told = [[self._event(event_id) for event_id in row.event_ids] for row in self._told()]
        newest = max((telling_order(e) for events in told for e in events), default=(0, ""))
        if event is not None and before is None and telling_order(event) > newest:
            groups = [telling_of(events) for events in told]
            groups.sort(key=lambda group: telling_order(group.first))
            return add_telling(groups, event, self._policy)
        live = {e.event_id: e for events in told for e in events}
        if before is not None:
            del live[before.event_id]
        if event is not None:
            live[event.event_id] = event
        return group_tellings(live.values(), self._policy)

    def _regroup(self, groups: list[Telling], relay: EventRelay) -> None:
        """Send what an event changed: stories that are no more, then those that are."""
        known_us = Micros(max(relay.known_us, relay.event.received_us))
        changed = relay.event.event_id
        stories = {story_id_of(group.first): group for group in groups}
        owner = {e.event_id: story_id for story_id, g in stories.items() for e in g.events}
        told = self._told()
        gone: dict[str, list[str]] = {}
        for row in told:
            if row.alert.story_id in stories:
                continue
            heirs = sorted({owner[event] for event in row.event_ids if event in owner})
            moved = sorted({anchor for e in row.event_ids if (anchor := self._moved_to(e))})
            alert = vanished_alert(row.alert, heirs=heirs, anchors=moved, known_us=known_us)
            self._emit(alert)
            part = f"story:{row.alert.story_id}"
            self._draft.put(part, StoryRow(event_ids=row.event_ids, alert=alert, gone=True))
            for heir in heirs:
                gone.setdefault(heir, []).append(row.alert.story_id)
        before = {row.alert.story_id: row.event_ids for row in told}
        for story_id, group in stories.items():
            event_ids = tuple(event.event_id for event in group.events)
            if changed in event_ids or before.get(story_id) != event_ids:
                supersedes = tuple(gone.get(story_id, ()))
                self._compare(tuple(group.events), known_us, supersedes=supersedes)

    def _moved_to(self, event_id: str) -> str | None:
        row: RelayRow | None = self._draft.get(f"event:{event_id}")
        return None if row is None or row.event is not None else row.moved_to

    def _compare(
        self, events: tuple[Event, ...], known_us: Micros, *, supersedes: tuple[str, ...]
    ) -> None:
        """Send the transition of a story since its last alert, if it has made one."""
        rows = [self._draft.get(part) for part in self._draft.parts("reaction:")]
        reactions = [row.reaction for row in rows if isinstance(row, ReactionRow)]
        story = story_of(events, reactions, self._policy)
        part = f"story:{story.story_id}"
        row: StoryRow | None = self._draft.get(part)
        event_ids = tuple(event.event_id for event in events)
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
    return (new.revision, relay.sequence) > (old.revision, known.sequence)


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
