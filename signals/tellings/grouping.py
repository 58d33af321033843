"""Events by what they tell: a pure function of a set of events.

Events are taken in the order (published, id) and each joins the best group that it agrees with. An
event that agrees with two groups which agree with each other joins them, the earlier one's first
event names the whole. So the newest event of all needs only to be added to the groups as they
stand; any other change groups those anew that it can be linked with.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from signals.messages import Event
from signals.policy import Policy
from signals.tellings.agreement import agree, bind, strength
from signals.tellings.telling import Telling, join, telling_of

__all__ = ["Change", "add_telling", "change_groups", "group_tellings", "regroup"]


class Change(NamedTuple):
    """What became of groups: those that are no more as they were, and those that are instead.

    The group of an event that was revised is among both, even if it says what it said.
    """

    gone: Sequence[Telling]
    made: Sequence[Telling]


def group_tellings(events: Iterable[Event], policy: Policy) -> list[Telling]:
    """Return the groups, by their first event. The order of ``events`` does not matter."""
    return regroup(map(telling_of, events), policy)


def regroup(tellings: Iterable[Telling], policy: Policy) -> list[Telling]:
    """Return the groups of tellings that are each taken as a whole, by their first event."""
    found: list[Telling] = []
    for linked in _linked(sorted(tellings, key=_order)):
        groups: list[Telling] = []
        for telling in linked:
            joined, absorbed = add_telling(groups, telling, policy)
            gone = {group.lead for group in absorbed}
            groups = [group for group in groups if group.lead not in gone]
            groups.append(joined)
        found += groups
    return sorted(found, key=_order)


def add_telling(
    groups: Iterable[Telling], telling: Telling, policy: Policy
) -> tuple[Telling, list[Telling]]:
    """Return the group that a telling is of, and the groups that this one takes the place of.

    ``telling`` comes after all of ``groups`` in order. Without a group that it agrees with it is a
    group of its own.
    """
    matches = [group for group in groups if agree(group, telling, policy)]
    if not matches:
        return telling, []
    if len(matches) == 1:
        return join(matches[0], telling), matches
    best = max(matches, key=lambda group: (strength(group, telling, policy), group.last))
    joined, absorbed = join(best, telling), [best]
    for other in sorted(matches, key=_order):
        if other is best:
            continue
        if bind(other, telling, policy) and agree(joined, other, policy):
            joined = join(joined, other)
            absorbed.append(other)
    return joined, absorbed


def change_groups(
    groups: Sequence[Telling],
    event_id: str,
    telling: Telling | None,
    parts: Callable[[Telling], Iterable[Telling]],
    policy: Policy,
) -> Change:
    """Return what becomes of the groups when an event is told otherwise, or no more.

    Args:
        groups: as they stand.
        event_id: the event that is new, revised or retracted.
        telling: that event as a group of its own, None where it is retracted.
        parts: the events of a group, each as a group, as they are now.
        policy: spans.
    """
    of = [group for group in groups if group.tells(event_id)]
    start = of if telling is None else [*of, telling]
    if not of and telling is not None and _is_newest(groups, telling):
        joined, absorbed = add_telling(groups, telling, policy)
        return Change(absorbed, (joined,))
    linked = _linked_with(groups, start)
    pieces = [one for group in linked for one in parts(group) if one.lead != event_id]
    if telling is not None:
        pieces.append(telling)
    after = regroup(pieces, policy)
    return Change(
        gone=[group for group in linked if group not in after or group in of],
        made=[group for group in after if group not in linked or group.tells(event_id)],
    )


def _is_newest(groups: Iterable[Telling], telling: Telling) -> bool:
    return all(group.last < telling.first for group in groups if group.type == telling.type)


def _linked_with(groups: Sequence[Telling], tellings: Iterable[Telling]) -> list[Telling]:
    """Return the groups that can tell one thing with any of some tellings, or with each other so.

    The rest are as they are whatever becomes of those tellings.
    """
    found: list[Telling] = []
    front, rest = list(tellings), list(groups)
    while front and rest:
        leads = {(one.type, one.lead) for one in front}
        names = {(one.type, name) for one in front for name, _ in one.names}
        front, others = list[Telling](), list[Telling]()
        for group in rest:  # as may_agree says of any of the front
            is_met = (group.type, group.lead) in leads or not names.isdisjoint(
                [(group.type, name) for name, _ in group.names]
            )
            (front if is_met else others).append(group)
        rest = others
        found += front
    return found


def _linked(tellings: Iterable[Telling]) -> Iterator[list[Telling]]:
    """Yield tellings, in order, by sets between which no two can tell one thing.

    Those of one type are linked by the names that they share; one without a name is alone. A busy
    key has many such sets: grouping them apart is what keeps it quick.
    """
    by_type: dict[str, list[Telling]] = {}
    for telling in tellings:
        by_type.setdefault(telling.type, []).append(telling)
    for same in by_type.values():
        yield from _linked_by_name(same)


def _linked_by_name(tellings: Iterable[Telling]) -> list[list[Telling]]:
    sets: dict[str, list[Telling]] = {}  # by name; the names of a set have the same list
    alone: list[list[Telling]] = []
    for telling in tellings:
        names = [named.name for named in telling.names]
        if not names:
            alone.append([telling])
            continue
        met = {id(known): known for name in names if (known := sets.get(name))}
        largest = max(met.values(), key=len, default=[])
        for other in met.values():
            if other is not largest:
                largest += other
                sets.update((named.name, largest) for one in other for named in one.names)
        largest.append(telling)
        sets.update((name, largest) for name in names)
    distinct = {id(known): known for known in sets.values()}
    return alone + [sorted(known, key=_order) for known in distinct.values()]


def _order(telling: Telling) -> tuple[int, str]:
    return telling.members[0]
