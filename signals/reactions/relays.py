"""An event's way from the subjects that it names to the anchor that its story lives on."""

from collections.abc import Iterable
from dataclasses import replace

from signals.messages import EventRelay, Micros
from signals.reactions.rows import EntryRow
from signals.reactions.view import View
from signals.tellings import Telling

__all__ = ["relay_events"]


def relay_events(view: View, groups: Iterable[Telling]) -> None:
    """Pass the events whose anchor is this key on, to the anchor of their group's fullest.

    An event that a revision has given another anchor is passed on no more: that one does it.
    """
    targets = {event.event_id: group.fullest.anchor for group in groups for event in group.events}
    for row in view.entries():
        event = row.entry.event
        target = targets.get(event.event_id) if event.anchor == view.key else None
        before = row.relayed_to
        changed = view.draft.was_changed(f"event:{event.event_id}")
        if target == before and not changed:
            continue
        relayed = replace(row, relayed_to=target, relays=row.relays + 1)
        if before is not None and before != target:
            moved_to = target if event.anchor == view.key else event.anchor
            _relay(view, relayed, to=before, moved_to=moved_to)
        if target is not None and (target != before or changed):
            _relay(view, relayed, to=target, moved_to=None)
        if before is None and changed and event.status != "live" and event.anchor == view.key:
            # Live once, and forgotten since: its story has to hear of the retraction.
            _relay(view, relayed, to=event.anchor, moved_to=None)


def _relay(view: View, row: EntryRow, *, to: str, moved_to: str | None) -> None:
    event = row.entry.event
    relay = EventRelay(
        event=event,
        moved_to=moved_to if event.status == "live" else None,
        via=view.key,
        sequence=row.relays,
        known_us=Micros(max(view.received_us, event.received_us)),
    )
    view.draft.put(f"event:{event.event_id}", row)
    view.emit(to, relay, event.anchor_us)
