"""The events of a subject by what they tell, kept from step to step."""

from collections.abc import Iterator

from signals.messages import Event
from signals.reactions.view import View
from signals.tellings import Change, Telling, change_groups, telling_of

__all__ = ["regroup_event"]


def regroup_event(view: View, event: Event, before: Event | None) -> Change:
    """Put an event, as it is now, among the groups of the key, and return what that changed."""
    telling = telling_of(event) if event.status == "live" else None
    if telling is None and (before is None or before.status != "live"):
        return Change((), ())

    def parts(group: Telling) -> Iterator[Telling]:
        for member in group.members:
            yield telling_of(view.entry(member.event_id).entry.event)

    change = change_groups(view.groups(), event.event_id, telling, parts, view.policy)
    kept = {group.lead for group in change.made}
    for group in change.gone:
        if group.lead not in kept:
            view.draft.drop(f"telling:{group.lead}")
    for group in change.made:
        view.draft.put(f"telling:{group.lead}", group)
    return change
