"""An event's way from the subjects that it names to the anchor that its story lives on."""

from collections.abc import Iterable

from signals.messages import EventRelay
from signals.reactions.rows import EntryRow
from signals.reactions.view import View
from signals.tellings import Telling

__all__ = ["relay_events"]


def relay_events(view: View, groups: Iterable[Telling]) -> None:
    """Pass the events whose anchor is this key on, to the anchor of their group's fullest."""
    targets = {event.event_id: group.fullest.anchor for group in groups for event in group.events}
    for row in view.entries():
        event = row.entry.event
        if event.anchor != view.key:
            continue
        part = f"event:{event.event_id}"
        target = targets.get(event.event_id)
        before = row.relayed_to
        changed = view.draft.was_changed(part)
        if before is not None and before != target:
            _emit(view, before, EventRelay(event=event, moved_to=target))
        if target is not None and (target != before or changed):
            _emit(view, target, EventRelay(event=event))
        view.draft.put(part, EntryRow(entry=row.entry, relayed_to=target))


def _emit(view: View, anchor: str, relay: EventRelay) -> None:
    view.emit(anchor, relay, relay.event.anchor_us)
