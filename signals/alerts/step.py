"""raise_alerts: the stories of one anchor, and an alert for each of their transitions."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import assert_never

from signals import names
from signals.alerts.compose import move_alert, story_alert, vanished_alert
from signals.alerts.quiet import advance
from signals.alerts.rows import ROWS, MoveAlertRow, ReactionRow, RelayRow, StoryRow
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
from signals.tellings import Change, Telling, change_groups, telling_of

__all__ = ["ROWS", "raise_alerts_step"]

_NO_TIME = Micros(0)


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
        event_id = relay.event.event_id
        part = f"event:{event_id}"
        before: RelayRow = self._draft.get(part) or RelayRow(relays=())
        if before.stands_for > 1:
            return EMPTY  # others told it as well, and none of them can be told from it any more
        relays = {known.via: known for known in before.relays}
        if relay.via in relays and not _is_newer(relay, relays[relay.via]):
            return EMPTY
        relays[relay.via] = relay
        after = RelayRow(relays=tuple(relays[via] for via in sorted(relays)))
        self._draft.put(part, after)
        if after.event != before.event:
            telling = None if after.event is None else telling_of(after.event)
            groups = self._draft.values("telling")
            change = change_groups(groups, event_id, telling, self._singles, self._policy)
            self._regroup(change, relay)
        return self._done(relay.event.anchor_us)

    def on_reaction(self, reaction: Reaction) -> Result:
        part = f"reaction:{reaction.reaction_id}"
        before: ReactionRow | None = self._draft.get(part)
        if before is not None and reaction.revision <= before.reaction.revision:
            return EMPTY
        self._draft.put(part, ReactionRow(reaction=_kept(reaction)))
        told = set(reaction.event_ids)
        if before is not None:
            told |= set(before.reaction.event_ids)
        groups = [
            group
            for group in self._draft.values("telling")
            if any(member.event_id in told for member in group.members)
        ]
        for group in sorted(groups, key=_story_id):
            self._compare(group, reaction.move.known_us, supersedes=())
        return self._done(reaction.move.to_us)

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
        return self._done(report.move.to_us)

    def _done(self, time_us: Micros) -> Result:
        advance(self._draft, time_us, self._policy)
        return self._draft.result()

    def _events(self, group: Telling) -> Iterator[Event]:
        """Yield the events of a group that are kept, in order: its first one is."""
        for member in group.members:
            row: RelayRow | None = self._draft.get(f"event:{member.event_id}")
            event = None if row is None else row.event
            if event is not None:
                yield event

    def _singles(self, group: Telling) -> Iterator[Telling]:
        """Yield the events of a group, each as a group; those that one stands for, with it."""
        events = {event.event_id: event for event in self._events(group)}
        # A retracted event keeps its row; those that one stands for have none.
        kept = {m.event_id for m in group.members if self._draft.get(f"event:{m.event_id}")}
        others = tuple(member for member in group.members if member.event_id not in kept)
        for event_id, event in events.items():
            single = telling_of(event)
            if others and event_id == group.lead:
                single = replace(single, members=(*single.members, *others))
            yield single

    def _regroup(self, change: Change, relay: EventRelay) -> None:
        """Send what an event changed: stories that are no more, then those that are."""
        known_us = Micros(max(relay.known_us, relay.event.received_us))
        made = {_story_id(group): group for group in change.made}
        owner = {m.event_id: story_id for story_id, g in made.items() for m in g.members}
        gone: dict[str, list[str]] = {}
        for group in sorted(change.gone, key=_story_id):
            story_id = _story_id(group)
            if story_id in made:
                continue
            self._draft.drop(f"telling:{group.lead}")
            ids = [member.event_id for member in group.members]
            heirs = sorted({owner[event_id] for event_id in ids if event_id in owner})
            self._vanish(story_id, ids, heirs, known_us)
            for heir in heirs:
                gone.setdefault(heir, []).append(story_id)
        for story_id, group in made.items():
            self._draft.put(f"telling:{group.lead}", group)
            if group.is_weak:
                self._untell(story_id, known_us)
            self._compare(group, known_us, supersedes=tuple(gone.get(story_id, ())))

    def _vanish(
        self, story_id: str, event_ids: Iterable[str], heirs: list[str], known_us: Micros
    ) -> None:
        """Take a story back: superseded by others, or retracted."""
        row: StoryRow | None = self._draft.get(f"story:{story_id}")
        if row is None:
            return
        moved = sorted({anchor for e in event_ids if (anchor := self._moved_to(e))})
        alert = vanished_alert(row.alert, heirs=heirs, anchors=moved, known_us=known_us)
        self._emit(alert)
        self._draft.put(f"story:{story_id}", StoryRow(alert=alert, gone=True))

    def _untell(self, story_id: str, known_us: Micros) -> None:
        """Take a story back of which only weak tellings are left."""
        row: StoryRow | None = self._draft.get(f"story:{story_id}")
        if row is not None and not row.gone:
            self._vanish(story_id, (), [], known_us)

    def _moved_to(self, event_id: str) -> str | None:
        row: RelayRow | None = self._draft.get(f"event:{event_id}")
        return None if row is None or row.event is not None else row.moved_to

    def _compare(self, group: Telling, known_us: Micros, *, supersedes: tuple[str, ...]) -> None:
        """Send the transition of a story since its last alert, if it has made one.

        A story that is told weakly only is none yet.
        """
        if group.is_weak:
            return
        rows: list[ReactionRow] = self._draft.values("reaction")
        reactions = sorted((row.reaction for row in rows), key=lambda r: r.reaction_id)
        story = story_of(tuple(self._events(group)), reactions, self._policy)
        part = f"story:{story.story_id}"
        row: StoryRow | None = self._draft.get(part)
        kind = _story_kind(row, story)
        if kind is None:
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
        self._draft.put(part, StoryRow(alert=alert))

    def _emit(self, alert: Alert) -> None:
        output = Output(topic=names.ALERTS, key=self._key, message=alert, event_us=alert.known_us)
        self._draft.outputs.append(output)


def _story_id(group: Telling) -> str:
    return story_id_of(group.type, group.lead)


def _is_newer(relay: EventRelay, known: EventRelay) -> bool:
    new, old = relay.event, known.event
    return (new.revision, relay.sequence) > (old.revision, known.sequence)


def _kept(reaction: Reaction) -> Reaction:
    """Return what a key keeps of a reaction: there are many, and most have no figure.

    Nothing asks for the record's id, nor for why there is no figure.
    """
    move = reaction.move
    if move.raw is None:
        move = replace(move, note=None, flags=())
    return replace(reaction, id="", move=move)


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
    if bool(report.explained_by) != bool(before.report.explained_by):
        return "corrected"
    # Another event that may be behind it corrects nothing.
    return "confirmed" if _figures(report) == _figures(before.report) else "corrected"


def _figures(report: MoveReport) -> Move:
    return replace(report.move, known_us=_NO_TIME)
