"""What a group of events that tell one thing says together.

Enough to decide whether another event tells the same, so that a group need not be put together
again from its events, and can outlive them.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from signals.frozen import fast_init
from signals.messages import Event, Micros
from signals.tellings.facts import Facts, facts_of

__all__ = ["Fullest", "Member", "Named", "Telling", "join", "telling_of"]

_ENDS = 2  # of a large group the first and the last events stand for what the others say


class Member(NamedTuple):
    """An event of a group; groups and their events are ordered by it."""

    published_us: Micros
    event_id: str


class Named(NamedTuple):
    """A name, and how many events of a group have it."""

    name: str
    events: int


class Fullest(NamedTuple):
    """The event that names the most parties, the earliest of those; its story's key is theirs.

    Of a weak event ``parties`` is -1: it leads nobody.
    """

    parties: int
    member: Member
    anchor: str


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A group of events of one type; the first one names it.

    Attributes:
        members: its events, in order.
        heads: what its first two and its last two events say, in order.
        told: how many events it was put together from.
        names: by which another telling of it may be found, each once, in alphabetical order.
        countries: that its events name, in alphabetical order.
        figures: what it is said to be worth in dollars, as told, each once, ascending.
        is_weak: whether all its events are weak: a story that nobody tells plainly.
    """

    type: str
    members: tuple[Member, ...]
    heads: tuple[Facts, ...]
    told: int
    names: tuple[Named, ...]
    countries: tuple[Named, ...]
    figures: tuple[Decimal, ...]
    is_weak: bool
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
        return event_id in [member.event_id for member in self.members]


def telling_of(event: Event) -> Telling:
    """Return one event as a group."""
    facts = facts_of(event)
    member = Member(event.published_us, event.event_id)
    parties = -1 if event.weak else len(facts.parties)
    return Telling(
        type=event.type,
        members=(member,),
        heads=(facts,),
        told=1,
        names=tuple(Named(name, 1) for name in sorted(facts.names(event.type))),
        countries=tuple(Named(code, 1) for code in sorted(facts.countries)),
        figures=facts.figures,
        is_weak=event.weak,
        fullest=Fullest(parties, member, event.anchor),
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
        heads=_heads(earlier.heads, later.heads),
        told=earlier.told + later.told,
        names=_counted(earlier.names, later.names),
        countries=_counted(earlier.countries, later.countries),
        figures=figures,
        is_weak=earlier.is_weak and later.is_weak,
        fullest=later.fullest if fuller > 0 else earlier.fullest,
    )


def _heads(one: tuple[Facts, ...], other: tuple[Facts, ...]) -> tuple[Facts, ...]:
    heads = (*one, *other)
    if one[-1].published_us > other[0].published_us:
        heads = tuple(sorted(heads, key=lambda facts: facts.published_us))
    if len(heads) <= 2 * _ENDS:
        return heads
    return (*heads[:_ENDS], *heads[-_ENDS:])


def _counted(one: tuple[Named, ...], other: tuple[Named, ...]) -> tuple[Named, ...]:
    counts = dict(one)
    for name, count in other:
        counts[name] = counts.get(name, 0) + count
    return tuple(Named(name, counts[name]) for name in sorted(counts))
