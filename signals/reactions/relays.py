"""An event's way from the subjects that it names to the anchor that its story lives on."""

from collections.abc import Iterator
from dataclasses import replace

from signals.messages import Event, EventRelay, Micros
from signals.reactions.rows import EntryRow
from signals.reactions.view import View
from signals.tellings import Change, Telling

__all__ = ["relay_events"]


def relay_events(view: View, change: Change, event: Event) -> None:
    """Pass the events whose anchor is this key on, to the anchor of their group's fullest.

    An event that a revision has given another anchor is passed on no more: that one does it.

    Args:
        view: the step.
        change: the groups that are other than before.
        event: the one that came, new, revised or retracted.
    """
    if event.status != "live":
        _relay_event(view, event.event_id, None, changed=True)
    for group in change.made:
        target = group.fullest.anchor
        for event_id in _affected(group, change, event):
            _relay_event(view, event_id, target, changed=event_id == event.event_id)


def _affected(group: Telling, change: Change, event: Event) -> Iterator[str]:
    """Yield the events of a group that may be on their way to somewhere else."""
    before = {m.event_id for old in change.gone for m in old.members}
    settled = all(old.fullest.anchor == group.fullest.anchor for old in change.gone)
    for member in group.members:
        if not settled or member.event_id == event.event_id or member.event_id not in before:
            yield member.event_id


def _relay_event(view: View, event_id: str, target: str | None, *, changed: bool) -> None:
    row = view.entry(event_id)
    event = row.entry.event
    if event.anchor != view.key:
        target = None
    before = row.relayed_to
    if target == before and not changed:
        return
    relayed = replace(row, relayed_to=target, relays=row.relays + 1)
    if before is not None and before != target:
        moved_to = target if event.anchor == view.key else event.anchor
        _relay(view, relayed, to=before, moved_to=moved_to)
    if target is not None:
        _relay(view, relayed, to=target, moved_to=None)
    elif before is None and event.status != "live" and event.anchor == view.key:
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
