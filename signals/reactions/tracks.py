"""What was sent for each group of tellings, and what is sent when the measures change."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from signals.ids import derive_id
from signals.market.tape import Market
from signals.messages import Event, Micros, Move, Reaction
from signals.policy import DAY_US
from signals.reactions.guards import guard_of, set_guard
from signals.reactions.measure import measure_milestones
from signals.reactions.rows import EntryRow, MoveRow, Sent, TrackRow
from signals.reactions.view import NO_TIME, SPAN_US, View
from signals.tellings import Telling

__all__ = ["forget_tracks", "measure_groups", "regrouped", "withdraw_others"]


def regrouped(view: View, groups: Iterable[Telling]) -> frozenset[str]:
    """Return the groups, by their lead, that are not as they were last measured."""
    found = set()
    for group in groups:
        timely = _timely(group)
        if not timely:
            continue
        lead = timely[0].event_id
        track: TrackRow | None = view.draft.get(f"track:{lead}")
        told = _told(view, group, _from_us(timely))
        if track is None or (
            _told_of(track) != told
            or track.anchor != group.fullest.anchor
            or track.from_us != _from_us(timely)
            or told.role == "related"
        ):
            found.add(lead)
    return frozenset(found)


def measure_groups(view: View, groups: Iterable[Telling], *, only: frozenset[str] | None) -> None:
    """Measure the groups (all, or those named by their lead), and send what changed.

    A group's lead is its first timely event; a group of late tellings is told, but not measured.
    """
    if not view.clock.reached_us:
        return
    market = view.market()
    for group in groups:
        timely = _timely(group)
        if timely and (only is None or timely[0].event_id in only):
            _measure_group(view, market, group)


def withdraw_others(view: View, groups: Iterable[Telling]) -> None:
    """Withdraw what was sent for groups that are no more."""
    leads = {timely[0].event_id for group in groups if (timely := _timely(group))}
    for part in view.draft.parts("track:"):
        lead = part.removeprefix("track:")
        track: TrackRow | None = view.draft.get(part)
        if track is None or lead in leads:
            continue
        gone = tuple(_withdraw(view, _told_of(track), sent) for sent in track.sent)
        view.draft.put(part, replace(track, event_ids=(), sent=gone))
        set_guard(view.draft, lead, None)


def forget_tracks(view: View, told_us: int) -> None:
    """Drop what was sent for groups that were measured from before a time."""
    for part in view.draft.parts("track:"):
        track: TrackRow | None = view.draft.get(part)
        if track is not None and track.from_us < told_us:
            view.draft.drop(part)
            set_guard(view.draft, part.removeprefix("track:"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Which tellings share a measure, and how the ticker is tied to them."""

    event_ids: tuple[str, ...]
    role: str
    reason: str


def _measure_group(view: View, market: Market, group: Telling) -> None:
    timely = _timely(group)
    lead, from_us = timely[0].event_id, _from_us(timely)
    if from_us < view.measured_us:
        set_guard(view.draft, lead, None)  # measured to the end: what was sent stands
        return
    milestones = measure_milestones(market, from_us)
    moves: Iterable[Move] = (*milestones.moves, *_moves_before(view, from_us))
    told = _told(view, group, from_us)
    if told.role == "related":
        moves = _related_moves(view, moves, from_us)
    known_us = Micros(max(view.received_us, min(event.received_us for event in timely)))
    part = f"track:{lead}"
    before: TrackRow | None = view.draft.get(part)
    sent = _send_moves(
        view,
        {_reaction_id(view, lead, move): move for move in moves},
        before,
        anchor=group.fullest.anchor,
        told=told,
        known_us=known_us,
    )
    row = TrackRow(
        event_ids=told.event_ids,
        anchor=group.fullest.anchor,
        from_us=from_us,
        sent=sent,
        role=told.role,
        reason=told.reason,
    )
    view.draft.put(part, row)
    set_guard(view.draft, lead, guard_of(lead, from_us, milestones))


def _send_moves(
    view: View,
    moves: dict[str, Move],
    track: TrackRow | None,
    *,
    anchor: str,
    told: _Told,
    known_us: Micros,
) -> tuple[Sent, ...]:
    """Send the moves that differ from what was sent, withdraw those that are no more."""
    before = {} if track is None else {old.reaction_id: old for old in track.sent}
    is_told = track is not None and _told_of(track) == told and track.anchor == anchor
    after: dict[str, Sent] = {}
    for reaction_id, move in moves.items():
        old = before.get(reaction_id)
        if old is not None and old.live and is_told and _same(old.move, move):
            after[reaction_id] = old
            continue
        if old is not None and old.anchor != anchor:
            old = _withdraw(view, told, old)
        now = Sent(
            reaction_id=reaction_id,
            revision=1 if old is None else old.revision + 1,
            live=True,
            anchor=anchor,
            move=replace(move, known_us=Micros(max(move.known_us, known_us))),
        )
        after[reaction_id] = now
        _send(view, told, now)
    for reaction_id, old in before.items():
        if reaction_id not in after:
            after[reaction_id] = _withdraw(view, told, old)
    return tuple(after.values())


def _withdraw(view: View, told: _Told, sent: Sent) -> Sent:
    """Return what was sent as withdrawn, and send that if it was live."""
    if not sent.live:
        return sent
    known_us = Micros(max(sent.move.known_us, view.received_us))
    move = replace(sent.move, known_us=known_us)
    gone = replace(sent, revision=sent.revision + 1, live=False, move=move)
    _send(view, told, gone)
    return gone


def _send(view: View, told: _Told, sent: Sent) -> None:
    reaction = Reaction(
        id=derive_id("rr", sent.reaction_id, sent.revision),
        reaction_id=sent.reaction_id,
        revision=sent.revision,
        status="live" if sent.live else "withdrawn",
        anchor=sent.anchor,
        event_ids=told.event_ids,
        role="party" if told.role == "party" else "related",
        reason=told.reason,
        move=sent.move,
    )
    view.emit(sent.anchor, reaction, sent.move.to_us)


def _related_moves(view: View, moves: Iterable[Move], from_us: Micros) -> list[Move]:
    """Return the moves that a related company's event can account for.

    Those up to the next close, unless an event of the ticker's own was near: then it explains
    the move, and a tie to somebody else's news does not.
    """
    closes = view.sessions.next_closes(view.key, from_us)
    until_us = closes[0] if closes else from_us + DAY_US
    near_us = view.policy.explained_us
    own = [
        row.entry.event.anchor_us
        for row in view.entries()
        if row.entry.subject.role == "party" and row.entry.event.status == "live"
    ]
    return [
        move
        for move in moves
        if move.relation == "after"
        and move.to_us <= until_us
        and not any(abs(anchor_us - move.to_us) <= near_us for anchor_us in own)
    ]


def _moves_before(view: View, from_us: Micros) -> list[Move]:
    """Return the moves past the threshold that were under way when the event came."""
    found = []
    for part in view.draft.parts("move:"):
        row: MoveRow | None = view.draft.get(part)
        if row is None or row.report.status != "live":
            continue
        move = row.report.move
        if move.to_us < from_us <= move.to_us + view.policy.explained_us:
            found.append(move)
    return found


def _told_of(track: TrackRow) -> _Told:
    return _Told(event_ids=track.event_ids, role=track.role, reason=track.reason)


def _told(view: View, group: Telling, from_us: Micros) -> _Told:
    """Return the tellings that came while there was something to measure, and their tie.

    A later one finds the measures as they stand.
    """
    rows = [view.draft.get(f"event:{event.event_id}") for event in group.events]
    subjects = [row.entry.subject for row in rows if isinstance(row, EntryRow)]
    best = min(subjects, key=lambda subject: (subject.role != "party", subject.reason))
    return _Told(
        event_ids=tuple(e.event_id for e in group.events if e.anchor_us <= from_us + SPAN_US),
        role=best.role,
        reason=best.reason,
    )


def _reaction_id(view: View, lead: str, move: Move) -> str:
    session_us = move.from_us if move.relation == "before" else ""
    return derive_id("rx", lead, view.key, move.milestone, session_us)


def _timely(group: Telling) -> list[Event]:
    return [event for event in group.events if not event.late]


def _from_us(timely: Iterable[Event]) -> Micros:
    return Micros(min(event.anchor_us for event in timely))


def _same(one: Move, other: Move) -> bool:
    """Return whether two moves say the same, whenever it became known."""
    return replace(one, known_us=NO_TIME) == replace(other, known_us=NO_TIME)
