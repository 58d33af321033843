"""Reports of moves that no event explained when they happened: one a session, revised."""

from collections.abc import Iterable
from dataclasses import replace

from signals.ids import derive_id
from signals.market.measures import statistics_at
from signals.market.sessions import Session
from signals.messages import Daily, Micros, Move, MoveReport, Second
from signals.reactions.rows import MoveRow, StatisticsRow
from signals.reactions.unexplained import (
    Candidate,
    explaining,
    find_move,
    move_id_of,
    move_past,
    previous_day,
    price_past,
)
from signals.reactions.view import NO_TIME, View
from signals.tellings import Telling

__all__ = ["may_report", "report_moves", "reported_sessions", "sessions_after"]


def may_report(view: View, session: Session, second: Second) -> bool:
    """Return whether a second can make, or change, the report of its session."""
    row: MoveRow | None = view.draft.get(f"move:{session.open_us}")
    if row is not None and row.report.status == "live":
        return second.second_us <= row.report.move.to_us
    days = view.days()
    if not days:
        return False
    if days[-1].close_us > session.open_us:
        return True  # a late price of an earlier session: let the search decide
    previous = previous_day(days, session)
    if previous is None or price_past(second, previous, view.policy) is None:
        return False
    known: StatisticsRow | None = view.draft.get("statistics")
    if known is None or known.close_us != previous.close_us:
        statistics = statistics_at(days, previous.close_us, view.policy)
        known = StatisticsRow(close_us=previous.close_us, statistics=statistics)
        view.draft.put("statistics", known)
    return move_past(second, previous, known.statistics, view.policy) is not None


def reported_sessions(view: View) -> list[Session]:
    """Return the sessions that have a report: an event can explain those."""
    found = []
    for part in view.draft.parts("move:"):
        session = view.sessions.at(view.key, Micros(int(part.removeprefix("move:"))))
        if session is not None:
            found.append(session)
    return found


def sessions_after(view: View, day: Daily) -> list[Session]:
    """Return the sessions whose report a close can change: those that have one, and later ones."""
    found = {session.open_us: session for session in reported_sessions(view)}
    from_us = Micros(max(day.close_us, view.measured_us))
    session = view.sessions.following(view.key, from_us)
    while session is not None and session.open_us <= view.clock.reached_us:
        found[session.open_us] = session
        session = view.sessions.following(view.key, session.close_us)
    return [found[open_us] for open_us in sorted(found)]


def report_moves(view: View, groups: Iterable[Telling], sessions: list[Session]) -> bool:
    """Send what has changed of the sessions' reports; return whether any has."""
    if not sessions:
        return False
    candidates = _candidates(view, groups)
    market = view.market()
    changed = False
    for session in sessions:
        part = f"move:{session.open_us}"
        row: MoveRow | None = view.draft.get(part)
        before = None if row is None else row.report
        move = find_move(market, session)
        after = _withdrawn(before) if move is None else _reported(view, session, move, candidates)
        if after is None or (before is not None and _same_report(before, after)):
            continue
        after = _revised(view, before, after)
        view.draft.put(part, MoveRow(open_us=session.open_us, report=after))
        view.emit(view.key, after, after.move.to_us)
        changed = True
    return changed


def _candidates(view: View, groups: Iterable[Telling]) -> list[Candidate]:
    entries = {row.entry.event.event_id: row.entry for row in view.entries()}
    found = []
    for group in groups:
        timely = [event for event in group.events if not event.late]
        if timely:
            first = min(timely, key=lambda event: (event.anchor_us, event.event_id))
            found.append(Candidate(event=first, subject=entries[first.event_id].subject))
    return found


def _withdrawn(before: MoveReport | None) -> MoveReport | None:
    return None if before is None else replace(before, status="withdrawn")


def _reported(
    view: View, session: Session, move: Move, candidates: Iterable[Candidate]
) -> MoveReport:
    by = explaining(move, candidates, view.policy)
    return MoveReport(
        id="",
        move_id=move_id_of(view.key, session),
        revision=0,
        status="live",
        ticker=view.key,
        move=move,
        explained_by=tuple(candidate.event.event_id for candidate in by),
        explained_headlines=tuple(candidate.event.headline_id for candidate in by),
    )


def _revised(view: View, before: MoveReport | None, after: MoveReport) -> MoveReport:
    revision = 1 if before is None else before.revision + 1
    known_us = Micros(max(after.move.known_us, view.received_us))
    return replace(
        after,
        id=derive_id("mr", after.move_id, revision),
        revision=revision,
        move=replace(after.move, known_us=known_us),
    )


def _same_report(old: MoveReport, new: MoveReport) -> bool:
    return (old.status, old.explained_by, replace(old.move, known_us=NO_TIME)) == (
        new.status,
        new.explained_by,
        replace(new.move, known_us=NO_TIME),
    )
