"""track_reactions: one subject's events and prices, joined.

News first or price first, early or late, the same reactions come out: whatever arrives, what it
can have changed is measured again from the whole path, compared with what was sent, and the
difference is sent as the next revision.
"""

from dataclasses import replace
from typing import assert_never

from signals.fold import EMPTY, Draft, Result, Rows, Step
from signals.market.packing import packed_until
from signals.market.path import (
    DaysRow,
    add_day,
    days_part,
    forget_path,
    lay_second,
    pack_path,
)
from signals.market.sessions import Sessions
from signals.market.splits import add_split
from signals.messages import Daily, Event, EventEntry, Journal, Micros, Second, Split
from signals.policy import DAY_US, HOUR_US, Policy
from signals.reactions.calm import calmed, fold_calm, stays_watched
from signals.reactions.groups import regroup_event
from signals.reactions.guards import touched_groups
from signals.reactions.relays import relay_events
from signals.reactions.reports import (
    may_report,
    report_moves,
    reported_sessions,
    sessions_after,
)
from signals.reactions.rows import ClockRow, EntryRow
from signals.reactions.tracks import (
    forget_tracks,
    measure_changed,
    measure_groups,
    withdraw_gone,
)
from signals.reactions.view import View
from signals.tellings import slimmed

__all__ = ["track_reactions_step"]

_HOLIDAYS = 14  # days that a year's closed weeks are more than the average
_GAP_US = 5 * DAY_US  # how old the price before an event can be: a long weekend


def track_reactions_step(policy: Policy, sessions: Sessions) -> Step:
    """Return the step of track_reactions: state per subject, reactions to anchors out."""

    def step(rows: Rows, key: str, message: Journal) -> Result:
        match message:
            case Second():
                calm = fold_calm(rows, message)
                return calm or _fold_second(_view(rows, key, message.received_us), message)
            case EventEntry():
                return _fold_event(_view(rows, key, message.event.received_us), message)
            case Daily():
                return _fold_daily(_view(rows, key, message.received_us), message)
            case Split():
                return _fold_split(_view(rows, key, message.received_us), message)
            case _:
                assert_never(message)

    def _view(rows: Rows, key: str, received_us: Micros) -> View:
        return View(Draft(rows), key, received_us, policy, sessions)

    return step


def _fold_event(view: View, entry: EventEntry) -> Result:
    part = f"event:{entry.event.event_id}"
    before: EntryRow | None = view.draft.get(part)
    if before is not None and not _is_newer(entry.event, before.entry.event):
        return EMPTY
    # Only on its anchor is an event passed on whole; elsewhere it is grouped and measured, and of a
    # weak one no alert shows more than that it was told.
    kept = entry
    if entry.event.anchor != view.key or entry.event.weak:
        kept = replace(entry, event=slimmed(entry.event))
    after = EntryRow(entry=kept) if before is None else replace(before, entry=kept)
    view.draft.put(part, after)
    _advance(view, entry.event.anchor_us, priced=False)
    event, was = entry.event, None if before is None else before.entry.event
    change = regroup_event(view, event, was)
    relay_events(view, change, event)
    withdraw_gone(view, change)
    if report_moves(view, reported_sessions(view)):
        measure_groups(view, only=None)
    else:
        measure_changed(view, change, entry, was)
    return calmed(view)


def _fold_second(view: View, second: Second) -> Result:
    reached_us = view.clock.reached_us
    merged = lay_second(view.draft, second, reached_us)
    if merged is None:
        return EMPTY
    is_late = second.second_us < reached_us
    _advance(view, second.second_us, priced=True)
    # Nothing is measured, and nothing guarded, before the first price.
    touched = touched_groups(view.draft, merged, is_late=is_late) if reached_us else None
    session = view.sessions.at(view.key, second.second_us)
    due = [session] if session is not None and may_report(view, session, merged) else []
    if touched is None or touched or due:
        moved = report_moves(view, due)
        measure_groups(view, only=None if moved else touched)
    elif not is_late and stays_watched(view, second):
        return view.draft.result()  # out of the band, and nothing came of it: the band stands
    return calmed(view, None if is_late else merged)


def _fold_daily(view: View, day: Daily) -> Result:
    part = days_part(day.close_us)
    row = add_day(view.draft.get(part), day)
    if row is None:
        return EMPTY
    view.draft.put(part, row)
    view.draft.drop("watch")
    _advance(view, day.close_us, priced=True)
    report_moves(view, sessions_after(view, day.close_us))
    measure_groups(view, only=None)
    return calmed(view)


def _fold_split(view: View, split: Split) -> Result:
    row = add_split(view.draft.get("splits"), split)
    if row is None:
        return EMPTY
    view.draft.put("splits", row)
    view.draft.drop("watch")
    report_moves(view, sessions_after(view, split.effective_us))
    measure_groups(view, only=None)
    return calmed(view)


def _is_newer(event: Event, known: Event) -> bool:
    if event.revision != known.revision:
        return event.revision > known.revision
    return event.received_us < known.received_us


def _advance(view: View, event_us: Micros, *, priced: bool) -> None:
    before = view.clock
    newest_us = Micros(max(before.newest_us, event_us))
    reached_us = Micros(max(before.reached_us, event_us)) if priced else before.reached_us
    view.draft.put("clock", ClockRow(newest_us, reached_us))
    if packed_until(reached_us) != packed_until(before.reached_us):
        pack_path(view.draft, reached_us)
    if newest_us // HOUR_US != before.newest_us // HOUR_US:
        _forget(view)


def _forget(view: View) -> None:
    """Drop what no record within the disorder bound can need any more."""
    _forget_prices(view)
    draft = view.draft
    told_us = view.clock.newest_us - view.policy.story_us - view.policy.disorder_us
    for group in view.groups():
        entries = [view.entry(member.event_id).entry for member in group.members]
        if all(entry.event.anchor_us < told_us for entry in entries):
            for member in group.members:
                draft.drop(f"event:{member.event_id}")
            draft.drop(f"telling:{group.lead}")
    forget_tracks(view, told_us)
    for row in view.entries():
        if row.entry.event.status != "live" and row.entry.event.anchor_us < told_us:
            draft.drop(f"event:{row.entry.event.event_id}")


def _history_us(policy: Policy) -> int:
    """Return how far back closes are looked at: a session in a day and a half, and holidays."""
    wanted = max(policy.beta_days, policy.volatility_days, policy.volume_days) + 1
    return (wanted * 3 // 2 + _HOLIDAYS) * DAY_US


def _forget_prices(view: View) -> None:
    draft, measured_us = view.draft, view.measured_us
    history_us = _history_us(view.policy)
    forget_path(draft, measured_us - _GAP_US)
    for part in draft.parts("days"):
        row: DaysRow | None = draft.get(part)
        if row is not None and row.days[-1].close_us < measured_us - history_us:
            draft.drop(part)
    for part in draft.parts("move"):
        if int(part.removeprefix("move:")) < measured_us:
            draft.drop(part)
