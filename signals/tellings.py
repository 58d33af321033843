"""Which events tell the same thing: a pure function of a set of events.

Events are taken in the order (published, id) and each joins the best group that it agrees with:
same type, the same parties or a part of them, figures that do not disagree, close in time. Figures
that disagree keep events apart, whatever else they share: "$38bn" and "$83bn" look alike to a
similarity score, and are two deals. A telling that agrees with two groups which agree with each
other joins them, the earlier one's id stands.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from signals.messages import Event, Micros
from signals.policy import DAY_US, Policy

__all__ = ["Telling", "add_telling", "group_tellings", "telling_of", "telling_order"]

_FIGURES = frozenset({"deal_value", "capex", "stake", "loan", "other"})
_ROUNDING = Decimal("0.06")  # "$10bn" for 14.8tn won, "nearly $9.7bn" for 9.65


@dataclass(slots=True)
class Telling:
    """A group of events that tell one thing, in the order (published, id); the first names it."""

    events: list[Event]
    parties: frozenset[str]
    figures: tuple[Decimal, ...]

    @property
    def first(self) -> Event:
        """Return the earliest event."""
        return self.events[0]

    @property
    def fullest(self) -> Event:
        """Return the event that names the most parties, the earliest of those."""
        return max(self.events, key=lambda event: len(_parties(event)))


def group_tellings(events: Iterable[Event], policy: Policy) -> list[Telling]:
    """Return the groups, by their first event's order. The order of ``events`` does not matter."""
    found: list[Telling] = []
    for linked in _linked(sorted(events, key=telling_order)):
        groups: list[Telling] = []
        for event in linked:
            groups = add_telling(groups, event, policy)
        found += groups
    return sorted(found, key=lambda group: telling_order(group.first))


def _linked(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Yield events, in order, by sets between which no two can tell one thing.

    Those of one type are linked by the parties that they share, and all of them by an event without
    parties. A busy key has many such sets: grouping them apart is what keeps it quick.
    """
    by_type: dict[str, list[Event]] = {}
    for event in events:
        by_type.setdefault(event.type, []).append(event)
    for same in by_type.values():
        if all(event.parties for event in same):
            yield from _linked_by_party(same)
        else:
            yield same


def _linked_by_party(events: Iterable[Event]) -> list[list[Event]]:
    sets: dict[str, list[Event]] = {}  # by party; the parties of a set have the same list
    for event in events:
        parties = _parties(event)
        met = {id(found): found for name in parties if (found := sets.get(name)) is not None}
        largest = max(met.values(), key=len, default=[])
        for other in met.values():
            if other is not largest:
                largest += other
                sets.update((name, largest) for one in other for name in _parties(one))
        largest.append(event)
        sets.update((name, largest) for name in parties)
    distinct = {id(found): found for found in sets.values()}
    return [sorted(found, key=telling_order) for found in distinct.values()]


def telling_of(events: Iterable[Event]) -> Telling:
    """Return events that are known to tell one thing as a group."""
    ordered = sorted(events, key=telling_order)
    return Telling(
        events=ordered,
        parties=frozenset().union(*(_parties(event) for event in ordered)),
        figures=tuple(figure for event in ordered for figure in _figures(event)),
    )


def add_telling(groups: list[Telling], event: Event, policy: Policy) -> list[Telling]:
    """Return the groups with an event that comes after all of theirs in order.

    The group that the event joins is changed in place.
    """
    single = telling_of([event])
    matches = [group for group in groups if _agree(group, single, policy)]
    if not matches:
        return [*groups, single]
    best = max(
        matches, key=lambda group: (_strength(group, single), telling_order(group.events[-1]))
    )
    _join(best, single)
    for other in [group for group in matches if group is not best]:
        if _same_figures(other, single) and _agree(best, other, policy):
            earlier, later = sorted((best, other), key=lambda group: telling_order(group.first))
            _join(earlier, later)
            groups = [group for group in groups if group is not later]
            best = earlier
    return groups


def telling_order(event: Event) -> tuple[int, str]:
    """Return what events are ordered by: published, then id."""
    return (event.published_us, event.event_id)


def _parties(event: Event) -> frozenset[str]:
    known = frozenset(party.id for party in event.parties if party.known)
    return known or frozenset(party.id for party in event.parties)


def _figures(event: Event) -> tuple[Decimal, ...]:
    """Return what an event is said to be worth in dollars; without a rate a figure says nothing."""
    return tuple(
        amount.usd for amount in event.amounts if amount.usd is not None and amount.kind in _FIGURES
    )


def _join(group: Telling, other: Telling) -> None:
    group.events = sorted((*group.events, *other.events), key=telling_order)
    group.parties |= other.parties
    group.figures = (*group.figures, *other.figures)


def _agree(group: Telling, other: Telling, policy: Policy) -> bool:
    # Nothing tells one thing of others' parties: most groups of a busy key are passed by here.
    if group.parties and other.parties and group.parties.isdisjoint(other.parties):
        return False
    one, two = group.first, other.first
    if one.type != two.type:
        return False
    if group.figures and other.figures and not _same_figures(group, other):
        return False
    apart_us = _apart_us(group, other)
    if apart_us > policy.status_us:
        return False
    if apart_us > policy.story_us and not (
        _same_figures(group, other) and group.parties == other.parties
    ):
        return False
    if one.type == "export_control":
        return _same_measure(group, other)
    if not _same_parties(group, other, apart_us):
        return False
    return one.type == "deal" or _same_places(group, other)


def _apart_us(group: Telling, other: Telling) -> Micros:
    return Micros(
        min(
            abs(one.published_us - two.published_us)
            for one in (group.events[0], group.events[-1])
            for two in (other.events[0], other.events[-1])
        )
    )


def _same_figures(group: Telling, other: Telling) -> bool:
    return any(
        abs(one - two) <= _ROUNDING * max(one, two)
        for one in group.figures
        for two in other.figures
    )


def _same_parties(group: Telling, other: Telling, apart_us: Micros) -> bool:
    one, two = group.parties, other.parties
    if one == two:
        return True
    if not (one <= two or two <= one):
        return False
    # One shared name is little: then the figures must say the same, or the day.
    if len(one & two) >= 2 or _same_figures(group, other):
        return True
    return bool(one & two) and apart_us <= DAY_US


def _same_measure(group: Telling, other: Telling) -> bool:
    directions = {event.direction for event in (*group.events, *other.events)} - {"unclear", None}
    if len(directions) > 1:
        return False
    one, two = group.first, other.first
    for field in ("authority", "counterpart"):
        here, there = getattr(one, field), getattr(two, field)
        if here is not None and there is not None and here != there:
            return False
    return not group.parties or not other.parties or bool(group.parties & other.parties)


def _same_places(group: Telling, other: Telling) -> bool:
    one = {place.country for event in group.events for place in event.places}
    two = {place.country for event in other.events for place in event.places}
    return not one or not two or bool(one & two)


def _strength(group: Telling, other: Telling) -> tuple[bool, int]:
    return (_same_figures(group, other), len(group.parties & other.parties))
