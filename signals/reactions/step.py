"""track_reactions: one subject's events and prices, joined.

News first or price first, early or late, the same reactions come out: whatever arrives, what it
can have changed is measured again from the whole path, compared with what was sent, and the
difference is sent as the next revision.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from signals import names
from signals.fold import EMPTY, Draft, Output, Result, Rows, Step
from signals.ids import derive_id
from signals.market.measures import statistics_at
from signals.market.path import PREFIX, DaysRow, Path, add_day, add_second, ended_us, path_part
from signals.market.sessions import Session, Sessions
from signals.messages import (
    Daily,
    Event,
    EventEntry,
    EventRelay,
    Journal,
    Micros,
    Move,
    MoveReport,
    Reaction,
    Second,
)
from signals.policy import DAY_US, HOUR_US, MINUTE_US, Policy
from signals.reactions.measure import Market, Milestones, measure_milestones
from signals.reactions.rows import (
    ClockRow,
    EntryRow,
    Guard,
    GuardsRow,
    MoveRow,
    Sent,
    StatisticsRow,
    TrackRow,
)
from signals.reactions.unexplained import (
    Candidate,
    explaining,
    find_move,
    move_id_of,
    move_past,
    previous_day,
    price_past,
)
from signals.tellings import Telling, group_tellings

__all__ = ["track_reactions_step"]

_SPAN_US = 6 * DAY_US  # the longest measuring span: the next close but one over a long weekend
_GAP_US = 5 * DAY_US  # how old the price before an event can be: a long weekend
_NO_TIME = Micros(0)


def track_reactions_step(policy: Policy, sessions: Sessions) -> Step:
    """Return the step of track_reactions: state per subject, reactions to anchors out."""

    def step(rows: Rows, key: str, message: Journal) -> Result:
        tracker = _Tracker(rows, key, policy, sessions)
        match message:
            case EventEntry():
                return tracker.on_event(message)
            case Second():
                return tracker.on_second(message)
            case Daily():
                return tracker.on_daily(message)
            case _:
                assert_never(message)

    return step


class _Tracker:
    """One step: the rows of a key, and what a message makes of them."""

    def __init__(self, rows: Rows, key: str, policy: Policy, sessions: Sessions) -> None:
        self._draft = Draft(rows)
        self._key = key
        self._policy = policy
        self._sessions = sessions
        self._received_us = _NO_TIME

    # ---- the three kinds of message ----

    def on_event(self, entry: EventEntry) -> Result:
        part = f"event:{entry.event.event_id}"
        before: EntryRow | None = self._draft.get(part)
        if before is not None and not _is_newer(entry.event, before.entry.event):
            return EMPTY
        self._received_us = entry.event.received_us
        relayed_to = None if before is None else before.relayed_to
        self._draft.put(part, EntryRow(entry=entry, relayed_to=relayed_to))
        self._advance(entry.event.anchor_us, priced=False)
        groups = self._groups()
        self._relay(groups)
        self._withdraw_others(groups)
        moved = self._report_moves(groups, self._reported_sessions())
        self._measure(groups, only=None if moved else self._regrouped(groups))
        return self._draft.result()

    def on_second(self, second: Second) -> Result:
        part = path_part(second.second_us)
        added = add_second(self._draft.get(part), second)
        if added is None:
            return EMPTY
        row, merged = added
        self._received_us = second.received_us
        clock = self._clock()
        is_late = second.second_us < clock.reached_us
        self._draft.put(part, row)
        self._advance(second.second_us, priced=True)
        touched = self._touched(merged, is_late=is_late)
        session = self._sessions.at(self._key, second.second_us)
        due = [session] if session is not None and self._may_report(session, merged) else []
        if touched or due:
            groups = self._groups()
            moved = self._report_moves(groups, due)
            self._measure(groups, only=None if moved else touched)
        return self._draft.result()

    def on_daily(self, day: Daily) -> Result:
        keep = max(self._policy.beta_days, self._policy.volatility_days) + 10
        row = add_day(self._draft.get("days"), day, keep=keep)
        if row is None:
            return EMPTY
        self._received_us = day.received_us
        self._draft.put("days", row)
        self._draft.drop("statistics")
        self._advance(day.close_us, priced=True)
        groups = self._groups()
        due = self._reported_sessions()
        following = self._sessions.following(self._key, day.close_us)
        if following is not None and following not in due:
            due.append(following)
        self._report_moves(groups, due)
        self._measure(groups, only=None)
        return self._draft.result()

    # ---- time ----

    def _clock(self) -> ClockRow:
        clock: ClockRow | None = self._draft.get("clock")
        return clock or ClockRow(newest_us=_NO_TIME, reached_us=_NO_TIME)

    def _advance(self, event_us: Micros, *, priced: bool) -> None:
        before = self._clock()
        newest_us = Micros(max(before.newest_us, event_us))
        reached_us = Micros(max(before.reached_us, event_us)) if priced else before.reached_us
        self._draft.put("clock", ClockRow(newest_us=newest_us, reached_us=reached_us))
        if newest_us // HOUR_US != before.newest_us // HOUR_US:
            self._forget(newest_us)

    def _forget(self, newest_us: Micros) -> None:
        """Drop what no record within the disorder bound can need any more."""
        measured_us = newest_us - _SPAN_US - self._policy.disorder_us
        for part in self._draft.parts(PREFIX):
            if int(part.removeprefix(PREFIX)) * MINUTE_US < measured_us - _GAP_US:
                self._draft.drop(part)
        for part in self._draft.parts("move:"):
            if int(part.removeprefix("move:")) < measured_us:
                self._draft.drop(part)
        told_us = newest_us - self._policy.story_us - self._policy.disorder_us
        for group in self._groups():
            if all(event.anchor_us < told_us for event in group.events):
                for event in group.events:
                    self._draft.drop(f"event:{event.event_id}")
                self._draft.drop(f"track:{group.first.event_id}")
                self._set_guard(group.first.event_id, None)
        for row in self._entries():
            if row.entry.event.status != "live" and row.entry.event.anchor_us < told_us:
                self._draft.drop(f"event:{row.entry.event.event_id}")

    # ---- tellings and their way to the anchor ----

    def _entries(self) -> list[EntryRow]:
        rows = [self._draft.get(part) for part in self._draft.parts("event:")]
        return [row for row in rows if isinstance(row, EntryRow)]

    def _groups(self) -> list[Telling]:
        live = [row.entry.event for row in self._entries() if row.entry.event.status == "live"]
        return group_tellings(live, self._policy)

    def _relay(self, groups: Iterable[Telling]) -> None:
        """Pass the events whose anchor is this key on, to the anchor of their group's fullest."""
        targets = {
            event.event_id: group.fullest.anchor for group in groups for event in group.events
        }
        for row in self._entries():
            event = row.entry.event
            if event.anchor != self._key:
                continue
            target = targets.get(event.event_id)
            before = row.relayed_to
            changed = self._was_changed(row)
            if before is not None and before != target:
                self._emit_relay(before, EventRelay(event=event, moved_to=target))
            if target is not None and (target != before or changed):
                self._emit_relay(target, EventRelay(event=event))
            part = f"event:{event.event_id}"
            self._draft.put(part, EntryRow(entry=row.entry, relayed_to=target))

    def _was_changed(self, row: EntryRow) -> bool:
        return self._draft.was_changed(f"event:{row.entry.event.event_id}")

    def _emit_relay(self, anchor: str, relay: EventRelay) -> None:
        self._emit(anchor, relay, relay.event.anchor_us)

    def _emit(self, key: str, message: EventRelay | Reaction | MoveReport, us: Micros) -> None:
        output = Output(topic=names.REACTIONS, key=key, message=message, event_us=us)
        self._draft.outputs.append(output)

    # ---- moves that no event explained when they happened ----

    def _may_report(self, session: Session, second: Second) -> bool:
        row: MoveRow | None = self._draft.get(f"move:{session.open_us}")
        if row is not None:
            return second.second_us <= row.report.move.to_us
        days: DaysRow | None = self._draft.get("days")
        if days is None or not days.days:
            return False
        if days.days[-1].close_us > session.open_us:
            return True  # a late price of an earlier session: let the search decide
        previous = previous_day(days.days, session)
        if previous is None or price_past(second, previous, self._policy) is None:
            return False
        known: StatisticsRow | None = self._draft.get("statistics")
        if known is None or known.close_us != previous.close_us:
            statistics = statistics_at(days.days, previous.close_us, self._policy)
            known = StatisticsRow(close_us=previous.close_us, statistics=statistics)
            self._draft.put("statistics", known)
        return move_past(second, previous, known.statistics, self._policy) is not None

    def _report_moves(self, groups: Iterable[Telling], sessions: list[Session]) -> bool:
        """Send what has changed of the sessions' reports; return whether any has."""
        candidates = self._candidates(groups)
        changed = False
        market = self._market() if sessions else None
        for day in sessions:
            part = f"move:{day.open_us}"
            before: MoveRow | None = self._draft.get(part)
            found = find_move(market, day) if market is not None else None
            after = self._report(before, day, found, candidates)
            if after is not None:
                self._draft.put(part, MoveRow(open_us=day.open_us, report=after))
                self._emit(self._key, after, after.move.to_us)
                changed = True
        return changed

    def _reported_sessions(self) -> list[Session]:
        """Return the sessions that have a report: an event can explain those."""
        found = []
        for part in self._draft.parts("move:"):
            session = self._sessions.at(self._key, Micros(int(part.removeprefix("move:"))))
            if session is not None:
                found.append(session)
        return found

    def _candidates(self, groups: Iterable[Telling]) -> list[Candidate]:
        entries = {row.entry.event.event_id: row.entry for row in self._entries()}
        found = []
        for group in groups:
            timely = [event for event in group.events if not event.late]
            if timely:
                first = min(timely, key=lambda event: (event.anchor_us, event.event_id))
                subject = entries[first.event_id].subject
                found.append(Candidate(event=first, subject=subject))
        return found

    def _report(
        self,
        before: MoveRow | None,
        session: Session,
        move: Move | None,
        candidates: Iterable[Candidate],
    ) -> MoveReport | None:
        old = None if before is None else before.report
        if move is None:
            if old is None or old.status == "withdrawn":
                return None
            report = replace(old, status="withdrawn")
        else:
            by = explaining(move, candidates, self._policy)
            report = MoveReport(
                id="",
                move_id=move_id_of(self._key, session),
                revision=0,
                status="live",
                ticker=self._key,
                move=move,
                explained_by=tuple(candidate.event.event_id for candidate in by),
                explained_headlines=tuple(candidate.event.headline_id for candidate in by),
            )
            if old is not None and _same_report(old, report):
                return None
        revision = 1 if old is None else old.revision + 1
        known_us = Micros(max(report.move.known_us, self._received_us))
        return replace(
            report,
            id=derive_id("mr", report.move_id, revision),
            revision=revision,
            move=replace(report.move, known_us=known_us),
        )

    # ---- reactions ----

    def _market(self) -> Market:
        days: DaysRow | None = self._draft.get("days")
        return Market(
            ticker=self._key,
            path=Path(self._draft),
            days=() if days is None else days.days,
            reached_us=self._clock().reached_us,
            sessions=self._sessions,
            policy=self._policy,
        )

    def _regrouped(self, groups: Iterable[Telling]) -> frozenset[str]:
        """Return the groups, by their first event, that are not as they were last measured."""
        found = set()
        for group in groups:
            track: TrackRow | None = self._draft.get(f"track:{group.first.event_id}")
            timely = [event.anchor_us for event in group.events if not event.late]
            if track is None or (
                track.event_ids != tuple(event.event_id for event in group.events)
                or track.anchor != group.fullest.anchor
                or (timely and track.from_us != min(timely))
                or self._role(group)[0] == "related"
            ):
                found.add(group.first.event_id)
        return frozenset(found)

    def _touched(self, second: Second, *, is_late: bool) -> frozenset[str]:
        """Return the groups, by their first event, that a second can make a difference to."""
        row: GuardsRow | None = self._draft.get("guards")
        if row is None:
            return frozenset()
        return frozenset(
            guard.lead for guard in row.guards if _may_change(guard, second, is_late=is_late)
        )

    def _set_guard(self, lead: str, guard: Guard | None) -> None:
        row: GuardsRow | None = self._draft.get("guards")
        guards = {} if row is None else {old.lead: old for old in row.guards}
        guards.pop(lead, None)
        if guard is not None:
            guards[lead] = guard
        if guards or row is not None:
            ordered = tuple(guards[name] for name in sorted(guards))
            self._draft.put("guards", GuardsRow(guards=ordered))

    def _measure(self, groups: Iterable[Telling], *, only: frozenset[str] | None) -> None:
        """Measure the groups (all, or those named by their first event), send what changed."""
        if not self._clock().reached_us:
            return
        market = self._market()
        for group in groups:
            if only is None or group.first.event_id in only:
                self._measure_group(market, group)

    def _withdraw_others(self, groups: Iterable[Telling]) -> None:
        """Withdraw what was sent for groups that are no more."""
        leads = {group.first.event_id for group in groups}
        for part in self._draft.parts("track:"):
            if part.removeprefix("track:") not in leads:
                self._withdraw(part)

    def _withdraw(self, part: str) -> None:
        track: TrackRow | None = self._draft.get(part)
        if track is None:
            return
        for sent in track.sent:
            if sent.live:
                gone = replace(sent, revision=sent.revision + 1, live=False)
                self._send(gone, track.event_ids, role="party", reason="withdrawn")
        self._draft.drop(part)
        self._set_guard(part.removeprefix("track:"), None)

    def _measure_group(self, market: Market, group: Telling) -> None:
        timely = [event for event in group.events if not event.late]
        if not timely:
            return
        lead = group.first.event_id
        part = f"track:{lead}"
        before: TrackRow | None = self._draft.get(part)
        from_us = Micros(min(event.anchor_us for event in timely))
        if from_us < self._clock().newest_us - _SPAN_US - self._policy.disorder_us:
            self._set_guard(lead, None)  # measured to the end: what was sent stands
            return
        milestones = measure_milestones(market, from_us)
        moves: Iterable[Move] = (*milestones.moves, *self._moves_before(from_us))
        event_ids = tuple(event.event_id for event in group.events)
        role, reason = self._role(group)
        if role == "related":
            moves = self._related_moves(moves, from_us)
        anchor = group.fullest.anchor
        known_us = Micros(max(self._received_us, min(e.received_us for e in timely)))
        sent = {} if before is None else {old.reaction_id: old for old in before.sent}
        wanted: dict[str, Sent] = {}
        for move in moves:
            session_us = move.from_us if move.relation == "before" else ""
            reaction_id = derive_id("rx", lead, self._key, move.milestone, session_us)
            old = sent.get(reaction_id)
            if old is not None and old.live and old.anchor == anchor and _same(old.move, move):
                wanted[reaction_id] = old
                continue
            if old is not None and old.live and old.anchor != anchor:
                gone = replace(old, revision=old.revision + 1, live=False)
                self._send(gone, event_ids, role=role, reason=reason)
                old = gone
            now = Sent(
                reaction_id=reaction_id,
                revision=1 if old is None else old.revision + 1,
                live=True,
                anchor=anchor,
                move=replace(move, known_us=Micros(max(move.known_us, known_us))),
            )
            wanted[reaction_id] = now
            self._send(now, event_ids, role=role, reason=reason)
        for reaction_id, old in sent.items():
            if reaction_id not in wanted:
                gone = old
                if old.live:
                    gone = replace(old, revision=old.revision + 1, live=False)
                    self._send(gone, event_ids, role=role, reason=reason)
                wanted[reaction_id] = gone
        row = TrackRow(
            event_ids=event_ids, anchor=anchor, from_us=from_us, sent=tuple(wanted.values())
        )
        self._draft.put(part, row)
        self._set_guard(lead, _guard(lead, from_us, milestones))

    def _related_moves(self, moves: Iterable[Move], from_us: Micros) -> list[Move]:
        """Return the moves that a related company's event can account for.

        Those up to the next close, unless an event of the ticker's own was near: then it explains
        the move, and a tie to somebody else's news does not.
        """
        closes = self._sessions.next_closes(self._key, from_us)
        until_us = closes[0] if closes else from_us + DAY_US
        near_us = self._policy.explained_us
        own = [
            row.entry.event.anchor_us
            for row in self._entries()
            if row.entry.subject.role == "party" and row.entry.event.status == "live"
        ]
        return [
            move
            for move in moves
            if move.relation == "after"
            and move.to_us <= until_us
            and not any(abs(anchor_us - move.to_us) <= near_us for anchor_us in own)
        ]

    def _moves_before(self, from_us: Micros) -> list[Move]:
        """Return the moves past the threshold that were under way when the event came."""
        found = []
        for part in self._draft.parts("move:"):
            row: MoveRow | None = self._draft.get(part)
            if row is None or row.report.status != "live":
                continue
            move = row.report.move
            if move.to_us < from_us <= move.to_us + self._policy.explained_us:
                found.append(move)
        return found

    def _role(self, group: Telling) -> tuple[str, str]:
        subjects = [
            row.entry.subject
            for row in self._entries()
            if row.entry.event.event_id in {event.event_id for event in group.events}
        ]
        best = min(subjects, key=lambda subject: (subject.role != "party", subject.reason))
        return best.role, best.reason

    def _send(self, sent: Sent, event_ids: tuple[str, ...], *, role: str, reason: str) -> None:
        reaction = Reaction(
            id=derive_id("rr", sent.reaction_id, sent.revision),
            reaction_id=sent.reaction_id,
            revision=sent.revision,
            status="live" if sent.live else "withdrawn",
            anchor=sent.anchor,
            event_ids=event_ids,
            role="party" if role == "party" else "related",
            reason=reason,
            move=sent.move,
        )
        self._emit(sent.anchor, reaction, sent.move.to_us)


def _is_newer(event: Event, known: Event) -> bool:
    if event.revision != known.revision:
        return event.revision > known.revision
    return event.received_us < known.received_us


def _same(one: Move, other: Move) -> bool:
    """Return whether two moves say the same, whenever it became known."""
    return replace(one, known_us=_NO_TIME) == replace(other, known_us=_NO_TIME)


def _same_report(old: MoveReport, new: MoveReport) -> bool:
    return (
        old.status == new.status
        and old.explained_by == new.explained_by
        and _same(old.move, new.move)
    )


def _may_change(guard: Guard, second: Second, *, is_late: bool) -> bool:
    ended = ended_us(second)
    if ended <= guard.from_us:
        return guard.base_us is None or second.second_us >= guard.base_us
    if guard.pending_us is not None and second.second_us >= guard.pending_us:
        return True
    if is_late or second.second_us in guard.uses:
        return True
    if guard.base_us is None or second.second_us >= guard.until_us:
        return False
    up, down = guard.up, guard.down
    return (up is not None and float(second.high) / guard.base - 1 >= up - 1e-9) or (
        down is not None and float(second.low) / guard.base - 1 <= down + 1e-9
    )


def _guard(lead: str, from_us: Micros, milestones: Milestones) -> Guard:
    base = milestones.base
    return Guard(
        lead=lead,
        from_us=from_us,
        until_us=milestones.until_us,
        base_us=None if base is None else base.second_us,
        base=0.0 if base is None else float(base.last),
        pending_us=milestones.pending_us,
        up=milestones.up,
        down=milestones.down,
        uses=tuple(sorted({move.to_us for move in milestones.moves})),
    )
