"""Reports of moves that no event explained when they happened: one a session, revised."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from signals.ids import derive_id
from signals.market.basis import basis_after
from signals.market.measures import statistics_at
from signals.market.path import anywhere, inside
from signals.market.session_moves import SessionBase, previous_day
from signals.market.sessions import Session
from signals.market.splits import MOST_STEP, factor_between
from signals.messages import Micros, Move, MoveReport, Second
from signals.policy import SECOND_US
from signals.reactions.confounders import Candidate, candidates_of, confounders_of, explaining
from signals.reactions.guards import Bounds
from signals.reactions.rows import MoveRow, WatchRow
from signals.reactions.unexplained import find_move, move_id_of, move_past
from signals.reactions.view import NO_TIME, View

__all__ = [
    "may_report",
    "report_moves",
    "reported_sessions",
    "sessions_after",
    "watch_session",
]

# A price within these ratios of the close before has not been through a split since.
_NEAR, _FAR = Decimal("0.6"), Decimal("1.7")
_NEAREST, _FARTHEST = 0.75, 0.75 * MOST_STEP  # of the close before: 0.75 / 1.35 is no split
_MOST_NAMED = 10  # events that a report names: a busy day has more


def may_report(view: View, session: Session, second: Second) -> bool:
    """Return whether a second can make, or change, the report of its session."""
    row: MoveRow | None = view.draft.get(f"move:{session.open_us}")
    if row is not None and row.report.status == "live":
        return second.second_us <= row.report.move.to_us
    is_late = second.second_us < view.clock.reached_us
    if is_late and (row is not None or view.clock.reached_us >= session.close_us):
        return True  # a late price of an earlier session: let the search decide
    watch = _watch(view, session)
    if watch is None:
        return False
    if watch.near and not _is_near(second, watch.previous.close):
        watch = replace(watch, near=False)
        view.draft.put("watch", watch)
    if is_late and not watch.near:
        return True  # it can lie between two prices of which the later looked like a split
    return move_past(second, _base(view, session, watch, second), view.policy) is not None


def watch_session(view: View, bounds: Bounds, newest: Second | None) -> None:
    """Narrow the bounds to where the newest session's report stays as it is.

    ``newest`` is the newest second on the key.
    """
    reached_us = view.clock.reached_us
    session = view.sessions.at(view.key, reached_us)
    if session is None:
        following = view.sessions.following(view.key, reached_us)
        if following is not None:
            bounds.until_us = min(bounds.until_us, following.open_us)
        return
    bounds.until_us = min(bounds.until_us, session.close_us)
    row: MoveRow | None = view.draft.get(f"move:{session.open_us}")
    if row is not None and row.report.status == "live":
        bounds.after_us = max(bounds.after_us, row.report.move.to_us)
        return
    watch = _watch(view, session)
    if watch is None:
        return
    if newest is None:
        bounds.until_us = min(bounds.until_us, reached_us)
        return
    if watch.near:
        bounds.watch_band(float(watch.previous.close), _NEAREST - 1, _FARTHEST - 1)
    basis = _base(view, session, watch, newest).basis
    next_us = Micros(reached_us + SECOND_US)  # the newest second may stand on both sides
    scale = float(basis.factor(next_us)) * float(basis.suspected(next_us))
    near = view.policy.unexplained_raw - 1e-6
    bounds.watch_band(float(watch.previous.close) / scale, -near, near)


def _is_near(second: Second, close: Decimal) -> bool:
    base = float(close)
    return _NEAREST * base < float(second.low) and float(second.high) < _FARTHEST * base


def _watch(view: View, session: Session) -> WatchRow | None:
    """Return what the session's prices are compared with, None while that is not known."""
    known: WatchRow | None = view.draft.get("watch")
    if known is not None and known.open_us == session.open_us:
        return known
    days = view.days()
    before = view.sessions.previous(view.key, session.open_us)
    previous = previous_day(days, session, before)
    if previous is None:
        return None
    statistics = statistics_at(days, session.open_us, view.policy, view.splits())
    until_us = Micros(view.clock.reached_us + SECOND_US)
    close = float(previous.close)
    quiet = inside(_NEAREST * close, _FARTHEST * close)
    near = all(
        _is_near(second, previous.close)
        for second in view.path().between(session.open_us, until_us, quiet=quiet)
    )
    found = WatchRow(open_us=session.open_us, previous=previous, statistics=statistics, near=near)
    view.draft.put("watch", found)
    return found


def _base(view: View, session: Session, watch: WatchRow, second: Second) -> SessionBase:
    """Return what a second's prices are compared with.

    Jumps that look like a split are only looked for where the price is far from the close before.
    """
    close, close_us = watch.previous.close, watch.previous.close_us
    splits = view.splits()
    step = second.last * factor_between(splits, close_us, second.second_us) / close
    seconds: Iterable[Second] = ()
    if not _NEAR < step < _FAR:
        until_us = Micros(second.second_us + SECOND_US)
        seconds = view.path().between(session.open_us, until_us, quiet=anywhere)
    return SessionBase(
        session=session,
        previous=watch.previous,
        statistics=watch.statistics,
        basis=basis_after(close, close_us, seconds, splits),
    )


def reported_sessions(view: View) -> list[Session]:
    """Return the sessions that have a report: an event can explain those."""
    found = []
    for part in view.draft.parts("move"):
        session = view.sessions.at(view.key, Micros(int(part.removeprefix("move:"))))
        if session is not None:
            found.append(session)
    return found


def sessions_after(view: View, time_us: Micros) -> list[Session]:
    """Return the sessions whose report a close or a split can change.

    Those that have one, and those that open at ``time_us`` or later.
    """
    found = {session.open_us: session for session in reported_sessions(view)}
    from_us = Micros(max(time_us, view.measured_us))
    session = view.sessions.following(view.key, from_us)
    while session is not None and session.open_us <= view.clock.reached_us:
        found[session.open_us] = session
        session = view.sessions.following(view.key, session.close_us)
    return [found[open_us] for open_us in sorted(found)]


def report_moves(view: View, sessions: list[Session]) -> bool:
    """Send what has changed of the sessions' reports; return whether any has."""
    if not sessions:
        return False
    candidates = candidates_of(view.timely(group) for group in view.groups())
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


def _withdrawn(before: MoveReport | None) -> MoveReport | None:
    return None if before is None else replace(before, status="withdrawn")


def _reported(
    view: View, session: Session, move: Move, candidates: Sequence[Candidate]
) -> MoveReport:
    by = explaining(move, candidates, view.policy)[:_MOST_NAMED]
    return MoveReport(
        id="",
        move_id=move_id_of(view.key, session),
        revision=0,
        status="live",
        ticker=view.key,
        move=move,
        explained_by=tuple(candidate.event.event_id for candidate in by),
        explained_headlines=tuple(candidate.event.headline_id for candidate in by),
        confounders=confounders_of(move, candidates, view.policy),
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
    return _said(old) == _said(new)


def _said(report: MoveReport) -> tuple[object, ...]:
    """Return what a report says, whenever it became known."""
    move = replace(report.move, known_us=NO_TIME)
    return (report.status, report.explained_by, report.confounders, move)
