"""What was sent for each group of tellings, and what is sent when the measures change."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from signals.ids import derive_id
from signals.market.tape import Market
from signals.messages import Event, EventEntry, Micros, Move, Reaction
from signals.policy import DAY_US
from signals.reactions.guards import guard_of, set_guard
from signals.reactions.measure import measure_milestones
from signals.reactions.rows import MoveRow, Sent, Told, TrackRow
from signals.reactions.view import NO_TIME, SPAN_US, View, is_measured
from signals.tellings import Change, Telling

__all__ = ["forget_tracks", "measure_changed", "measure_groups", "tracked_of", "withdraw_gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What is measured of a group.

    Attributes:
        lead: its first timely event, which names its reactions.
        told: the timely events that came while there was something to measure, in order; a later
            one finds the measures as they stand.
        anchor: the key of its story.
        from_us: the earliest anchor time.
        received_us: the first receipt.
        role, reason: how the ticker is tied to it, the nearest tie of any of its events.
    """

    lead: str
    told: tuple[Told, ...]
    anchor: str
    from_us: Micros
    received_us: Micros
    role: str
    reason: str


def tracked_of(view: View, group: Telling) -> Tracked | None:
    """Return what is measured of a group; None where all its tellings came late."""
    entries = [view.entry(member.event_id).entry for member in group.members]
    timely = [entry.event for entry in entries if is_measured(entry.event)]
    if not timely:
        return None
    from_us = Micros(min(event.anchor_us for event in timely))
    nearest = min(
        (entry.subject for entry in entries),
        key=lambda subject: (subject.role != "party", subject.reason),
    )
    return Tracked(
        lead=timely[0].event_id,
        told=tuple(
            Told(event.anchor_us, event.event_id)
            for event in timely
            if event.anchor_us <= from_us + SPAN_US
        ),
        anchor=group.fullest.anchor,
        from_us=from_us,
        received_us=Micros(min(event.received_us for event in timely)),
        role=nearest.role,
        reason=nearest.reason,
    )


def measure_groups(view: View, *, only: frozenset[str] | None) -> None:
    """Measure the groups (all, or those named by their lead), and send what changed."""
    if view.clock.reached_us:
        found = (tracked_of(view, group) for group in view.groups())
        _measure(view, [t for t in found if t is not None and (only is None or t.lead in only)])


def measure_changed(view: View, change: Change, entry: EventEntry, before: Event | None) -> None:
    """Measure the groups that an event makes a difference to, and send what changed.

    A telling that comes after all that was measured changes none of it. An event of the ticker's
    own takes moves from the events of related companies (``_related_moves``).
    """
    if not view.clock.reached_us:
        return
    found = (tracked_of(view, group) for group in change.made)
    due = {t.lead: t for t in found if t is not None and _is_due(view, t)}
    tracks: list[TrackRow] = view.draft.values("track") if entry.subject.role == "party" else []
    if any(track.role != "party" for track in tracks):
        for group in view.groups():
            tracked = tracked_of(view, group)
            if tracked is None or tracked.role == "party":
                continue
            if before is not None or _is_near(view, tracked, entry.event):
                due.setdefault(tracked.lead, tracked)
    _measure(view, due.values())


def withdraw_gone(view: View, change: Change) -> None:
    """Withdraw what was sent for groups that are no more, or have another lead."""
    told: dict[str, TrackRow] = {}
    for group in change.gone:
        for member in group.members:
            track: TrackRow | None = view.draft.get(f"track:{member.event_id}")
            if track is not None and track.told:
                told[member.event_id] = track
    if not told:
        return
    leads = {t.lead for group in change.made if (t := tracked_of(view, group)) is not None}
    for lead, track in told.items():
        if lead not in leads:
            gone = tuple(_withdraw(view, track, sent) for sent in track.sent)
            view.draft.put(f"track:{lead}", replace(track, told=(), sent=gone))
            set_guard(view.draft, lead, None)


def forget_tracks(view: View, told_us: int) -> None:
    """Drop what was sent for groups that were measured from before a time."""
    for part in view.draft.parts("track"):
        track: TrackRow | None = view.draft.get(part)
        if track is not None and track.from_us < told_us:
            view.draft.drop(part)
            set_guard(view.draft, part.removeprefix("track:"), None)


def _is_due(view: View, now: Tracked) -> bool:
    """Return whether what was sent for a group is not what should stand."""
    track: TrackRow | None = view.draft.get(f"track:{now.lead}")
    if track is None or not track.told:
        return True
    if (track.anchor, track.from_us, track.role, track.reason) != (
        now.anchor, now.from_us, now.role, now.reason,
    ):  # fmt: skip
        return True
    return any(
        sent.live and _told_by(track, sent.move) != _told_by(now, sent.move) for sent in track.sent
    )


def _is_near(view: View, tracked: Tracked, event: Event) -> bool:
    """Return whether an event of the ticker's own is near to a move of a related company's."""
    track: TrackRow | None = view.draft.get(f"track:{tracked.lead}")
    return track is not None and any(
        abs(event.anchor_us - sent.move.to_us) <= view.policy.explained_us for sent in track.sent
    )


def _told_by(track: TrackRow | Tracked, move: Move) -> tuple[str, ...]:
    """Return the events that were out when a move was reached, the group's first at least."""
    until_us = max(move.to_us, track.from_us)
    return tuple(told.event_id for told in track.told if told.anchor_us <= until_us)


def _measure(view: View, groups: Iterable[Tracked]) -> None:
    market: Market | None = None
    for tracked in sorted(groups, key=lambda tracked: (tracked.from_us, tracked.lead)):
        market = market or view.market()
        _measure_group(view, market, tracked)


def _measure_group(view: View, market: Market, now: Tracked) -> None:
    if now.from_us < view.measured_us:
        set_guard(view.draft, now.lead, None)  # measured to the end: what was sent stands
        return
    milestones = measure_milestones(market, now.from_us)
    moves: Iterable[Move] = (*milestones.moves, *_moves_before(view, now.from_us))
    if now.role == "related":
        moves = _related_moves(view, moves, now.from_us)
    part = f"track:{now.lead}"
    sent = _send_moves(
        view,
        {_reaction_id(view, now.lead, move): move for move in moves},
        view.draft.get(part),
        now,
    )
    row = TrackRow(
        told=now.told,
        anchor=now.anchor,
        from_us=now.from_us,
        sent=sent,
        role=now.role,
        reason=now.reason,
    )
    view.draft.put(part, row)
    set_guard(view.draft, now.lead, guard_of(now.lead, now.from_us, milestones))


def _send_moves(
    view: View, moves: dict[str, Move], track: TrackRow | None, now: Tracked
) -> tuple[Sent, ...]:
    """Send the moves that differ from what was sent, withdraw those that are no more."""
    before = {} if track is None else {old.reaction_id: old for old in track.sent}
    is_same = track is not None and (track.anchor, track.role, track.reason) == (
        now.anchor, now.role, now.reason,
    )  # fmt: skip
    known_us = max(view.received_us, now.received_us)
    after: dict[str, Sent] = {}
    for reaction_id, move in moves.items():
        old = before.get(reaction_id)
        if (
            old is not None
            and track is not None
            and old.live
            and is_same
            and _same(old.move, move)
            and _told_by(track, move) == _told_by(now, move)
        ):
            after[reaction_id] = old
            continue
        if old is not None and old.anchor != now.anchor:
            old = _withdraw(view, now, old)
        sent = Sent(
            reaction_id=reaction_id,
            revision=1 if old is None else old.revision + 1,
            live=True,
            anchor=now.anchor,
            move=replace(move, known_us=Micros(max(move.known_us, known_us))),
        )
        after[reaction_id] = sent
        _send(view, now, sent)
    for reaction_id, old in before.items():
        if reaction_id not in after:
            after[reaction_id] = _withdraw(view, now, old)
    return tuple(after.values())


def _withdraw(view: View, track: TrackRow | Tracked, sent: Sent) -> Sent:
    """Return what was sent as withdrawn, and send that if it was live."""
    if not sent.live:
        return sent
    known_us = Micros(max(sent.move.known_us, view.received_us))
    move = replace(sent.move, known_us=known_us)
    gone = replace(sent, revision=sent.revision + 1, live=False, move=move)
    _send(view, track, gone)
    return gone


def _send(view: View, track: TrackRow | Tracked, sent: Sent) -> None:
    reaction = Reaction(
        id=derive_id("rr", sent.reaction_id, sent.revision),
        reaction_id=sent.reaction_id,
        revision=sent.revision,
        status="live" if sent.live else "withdrawn",
        anchor=sent.anchor,
        event_ids=_told_by(track, sent.move),
        role="party" if track.role == "party" else "related",
        reason=track.reason,
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
    for part in view.draft.parts("move"):
        row: MoveRow | None = view.draft.get(part)
        if row is None or row.report.status != "live":
            continue
        move = row.report.move
        if move.to_us < from_us <= move.to_us + view.policy.explained_us:
            found.append(move)
    return found


def _reaction_id(view: View, lead: str, move: Move) -> str:
    session_us = move.from_us if move.relation == "before" else ""
    return derive_id("rx", lead, view.key, move.milestone, session_us)


def _same(one: Move, other: Move) -> bool:
    """Return whether two moves say the same, whenever it became known."""
    return replace(one, known_us=NO_TIME) == replace(other, known_us=NO_TIME)
