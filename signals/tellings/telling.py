"""What a group of events that tell one thing says together.

Enough to decide whether another event tells the same, so that a group need not be put together
again from its events, and can outlive them.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from signals.frozen import fast_init
from signals.messages import Event, Micros

__all__ = ["Fullest", "Member", "Telling", "join", "telling_of"]

_FIGURES = frozenset({"deal_value", "capex", "stake", "loan", "other"})


class Member(NamedTuple):
    """An event of a group; groups and their events are ordered by it."""

    published_us: Micros
    event_id: str


class Fullest(NamedTuple):
    """The event that names the most parties, the earliest of those; its story's key is theirs."""

    parties: int
    member: Member
    anchor: str


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A group of events of one type; the first one names it.

    Attributes:
        members: its events, in order.
        parties: organisations that any of them names: those that the gazetteer knows, else all.
        figures: what it is said to be worth in dollars, as told, each once, ascending.
        directions: of an export control, without ``unclear``.
        countries: of its places.
        authority, counterpart: of an export control, as the first event has them.
    """

    type: str
    members: tuple[Member, ...]
    parties: frozenset[str]
    figures: tuple[Decimal, ...]
    directions: frozenset[str]
    countries: frozenset[str]
    authority: str | None
    counterpart: str | None
    fullest: Fullest

    @property
    def first(self) -> Member:
        """Return the earliest event."""
        return self.members[0]

    @property
    def last(self) -> Member:
        """Return the latest event."""
        return self.members[-1]

    @property
    def lead(self) -> str:
        """Return the id of the earliest event."""
        return self.members[0].event_id

    def tells(self, event_id: str) -> bool:
        """Return whether an event is of the group."""
        return any(member.event_id == event_id for member in self.members)


def telling_of(event: Event) -> Telling:
    """Return one event as a group."""
    known = frozenset(party.id for party in event.parties if party.known)
    parties = known or frozenset(party.id for party in event.parties)
    member = Member(event.published_us, event.event_id)
    return Telling(
        type=event.type,
        members=(member,),
        parties=parties,
        figures=_figures(event),
        directions=_said(event),
        countries=frozenset(p.country for p in event.places if p.country is not None),
        authority=event.authority,
        counterpart=event.counterpart,
        fullest=Fullest(len(parties), member, event.anchor),
    )


def join(one: Telling, other: Telling) -> Telling:
    """Return two groups of one type as one, whichever is the earlier."""
    earlier, later = (one, other) if one.members[0] <= other.members[0] else (other, one)
    members = (*earlier.members, *later.members)
    if earlier.members[-1] > later.members[0]:
        members = tuple(sorted(members))
    fuller = later.fullest.parties - earlier.fullest.parties
    if fuller == 0:
        fuller = 1 if later.fullest.member < earlier.fullest.member else -1
    figures = earlier.figures
    if later.figures and later.figures != figures:
        figures = tuple(sorted({*figures, *later.figures}))
    return Telling(
        type=earlier.type,
        members=members,
        parties=earlier.parties | later.parties,
        figures=figures,
        directions=earlier.directions | later.directions,
        countries=earlier.countries | later.countries,
        authority=earlier.authority,
        counterpart=earlier.counterpart,
        fullest=later.fullest if fuller > 0 else earlier.fullest,
    )


def _said(event: Event) -> frozenset[str]:
    direction = event.direction
    return frozenset() if direction is None or direction == "unclear" else frozenset({direction})


def _figures(event: Event) -> tuple[Decimal, ...]:
    """Return what an event is said to be worth in dollars; without a rate a figure says nothing."""
    found = {a.usd for a in event.amounts if a.usd is not None and a.kind in _FIGURES}
    return tuple(sorted(found))
