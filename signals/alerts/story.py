"""A story: what a group of tellings says, and what was measured after it.

A pure function of the set of live events and reactions of an anchor, so that the last state of a
story does not depend on the order in which they came.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from signals.alerts.novelty import novelty_of
from signals.ids import derive_id
from signals.messages import (
    Amount,
    Claim,
    Confounder,
    DealStatus,
    Direction,
    Event,
    Evidence,
    Micros,
    Move,
    Novelty,
    Party,
    Place,
    Quantity,
    Reaction,
    Term,
)
from signals.policy import Policy
from signals.subjects.spills import expected_sign

__all__ = ["Story", "Visible", "story_id_of", "story_of"]

_T = TypeVar("_T")

_RANK: dict[str, int] = {"rumored": 0, "in_talks": 1, "agreed": 2, "signed": 3, "closed": 4}
_SAME_AMOUNT = Decimal("0.03")
_EVIDENCE_TELLINGS = 3
_MOST_CLAIMS = 5
_NO_LANG = "und"  # BCP 47: undetermined


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """The part of a story whose change is a transition."""

    status: DealStatus | None
    direction: Direction | None
    tickers: tuple[str, ...]
    amounts: tuple[Amount, ...]
    moves: tuple[Move, ...]
    confounders: tuple[Confounder, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A story as it stands.

    Attributes:
        spilled: the tickers whose moves are a spill-over, not a party's own reaction.
        claims: the moves that its headlines tell of, each with the headline's id.
        langs: the languages of its tellings, in alphabetical order.
        known_us: the latest receipt among its events and moves.
    """

    story_id: str
    type: str
    title: str
    visible: Visible
    parties: tuple[Party, ...]
    quantities: tuple[Quantity, ...]
    places: tuple[Place, ...]
    term: Term | None
    events: tuple[Event, ...]
    evidence: tuple[tuple[str, Evidence], ...]
    spilled: frozenset[str]
    known_us: int
    novelty: Novelty
    claims: tuple[tuple[str, Claim], ...] = ()
    langs: tuple[str, ...] = ()


def story_of(events: tuple[Event, ...], reactions: Iterable[Reaction], policy: Policy) -> Story:
    """Return the story of a group's events, in order, with the reactions that belong to it.

    What it says is said by the events that are not weak: those only tell it once more.
    """
    plain = tuple(event for event in events if not event.weak) or events
    members = {event.event_id for event in events}
    own = _own(reactions, members, Micros(plain[0].anchor_us + policy.story_us))
    status, direction = _status(plain), _direction(plain)
    sign = expected_sign(plain[0].type, status=status, direction=direction)
    moves, spilled = _moves(own, sign, policy)
    tickers = tuple(dict.fromkeys(ticker for event in plain for ticker in event.tickers))
    visible = Visible(
        status=status,
        direction=direction,
        tickers=tickers,
        amounts=_amounts(plain),
        moves=moves,
        confounders=_confounders(own, members, {move.ticker for move in moves}),
    )
    terms = [event.term for event in plain if event.term is not None]
    received = [event.received_us for event in events]
    return Story(
        story_id=story_id_of(events[0].type, events[0].event_id),
        type=events[0].type,
        title=_title(plain),
        visible=visible,
        parties=_by(lambda party: party.id, (p for event in plain for p in event.parties)),
        quantities=_by(
            lambda quantity: (quantity.value, quantity.unit),
            (quantity for event in plain for quantity in event.quantities),
        ),
        places=_by(
            lambda place: (place.country, place.name),
            (place for event in plain for place in event.places),
        ),
        term=terms[0] if terms else None,
        events=events,
        evidence=tuple(
            (event.headline_id, span)
            for event in plain[:_EVIDENCE_TELLINGS]
            for span in event.evidence
        ),
        spilled=spilled,
        known_us=max([*received, *(move.known_us for move in moves)]),
        novelty=novelty_of(events),
        claims=_claims(plain),
        langs=tuple(sorted({event.lang for event in events} - {_NO_LANG})),
    )


@lru_cache(maxsize=4_096)  # asked for several times for each event
def story_id_of(event_type: str, first: str) -> str:
    """Return the id of the story of a type whose earliest event has an id."""
    return derive_id("st", event_type, first)


def _by(key: Callable[[_T], object], items: Iterable[_T]) -> tuple[_T, ...]:
    """Return the first item of each key, in order."""
    found: dict[object, _T] = {}
    for item in items:
        found.setdefault(key(item), item)
    return tuple(found.values())


def _title(events: tuple[Event, ...]) -> str:
    """Return the first title that tells the event itself; a digest's title only if none does."""
    telling = [e for e in events if any(span.field == "title" for span in e.evidence)]
    return (telling or list(events))[0].title


def _status(events: tuple[Event, ...]) -> DealStatus | None:
    """Return how far the deal got; cancelled or denied if that was published after it got there.

    A rumour that is told again after the signing does not take the signing back.
    """
    staged = [event for event in events if event.deal_status in _RANK]
    ended = [event for event in events if event.deal_status in ("cancelled", "denied")]
    if not staged:
        return ended[-1].deal_status if ended else None
    furthest = max(staged, key=lambda event: _RANK[event.deal_status or ""])
    after = [event for event in ended if event.published_us > furthest.published_us]
    return (after[-1] if after else furthest).deal_status


def _direction(events: tuple[Event, ...]) -> Direction | None:
    directions = [event.direction for event in events if event.direction is not None]
    clear = [direction for direction in directions if direction != "unclear"]
    return (clear or directions or [None])[0]


def _amounts(events: tuple[Event, ...]) -> tuple[Amount, ...]:
    """Return each amount once, as first told; a rounded retelling of one is the same."""
    found: list[Amount] = []
    for amount in (amount for event in events for amount in event.amounts):
        if not any(_same_amount(amount, known) for known in found):
            found.append(amount)
    return tuple(found)


def _same_amount(one: Amount, other: Amount) -> bool:
    if one.kind != other.kind:
        return False
    if one.usd is not None and other.usd is not None:
        return abs(one.usd - other.usd) <= _SAME_AMOUNT * max(one.usd, other.usd)
    return one.currency == other.currency and one.value == other.value


def _claims(events: tuple[Event, ...]) -> tuple[tuple[str, Claim], ...]:
    """Return each claimed move once, as first told, the first few."""
    found: dict[object, tuple[str, Claim]] = {}
    for event in events:
        for claim in event.claims:
            found.setdefault(
                (claim.party, claim.direction, claim.ratio), (event.headline_id, claim)
            )
    return tuple(found.values())[:_MOST_CLAIMS]


def _confounders(
    reactions: Iterable[Reaction], members: Collection[str], tickers: Collection[str]
) -> tuple[Confounder, ...]:
    """Return, by ticker that is shown, the stories that could explain its moves, the best first.

    A ticker whose candidates all turned out to be this story has none.
    """
    best: dict[tuple[str, str], Confounder] = {}
    for reaction in reactions:
        for one in reaction.confounders:
            known = best.get((one.ticker, one.event_id))
            if one.ticker in tickers and (known is None or one.score > known.score):
                best[one.ticker, one.event_id] = one
    contested = {one.ticker for one in best.values() if one.event_id not in members}
    named = [one for one in best.values() if one.ticker in contested]
    return tuple(sorted(named, key=lambda one: (one.ticker, -one.score, one.event_id)))


def _own(reactions: Iterable[Reaction], members: set[str], until_us: Micros) -> list[Reaction]:
    """Return the live reactions to a story's events.

    What a ticker did after a retelling of an old story is not what the story did to it.
    """
    return [
        reaction
        for reaction in reactions
        if reaction.status == "live"
        and members.intersection(reaction.event_ids)
        and reaction.move.from_us <= until_us
    ]


def _moves(
    reactions: list[Reaction], sign: int, policy: Policy
) -> tuple[tuple[Move, ...], frozenset[str]]:
    """Return the moves that a reader sees, and the tickers that are spill-overs.

    A party is shown once it has crossed a level, with its horizons; a related company only where
    it crossed the spill-over level in the direction that such news is expected to move it. Of the
    levels that a ticker crosses in one second the highest is shown. What a quiet ticker did is on
    reactions.v1, and is no transition of a story.
    """
    crossed = {
        r.move.ticker
        for r in reactions
        if r.role == "party" and (_level(r.move) > 0 or r.move.relation == "before")
    }
    party = {r.move.ticker for r in reactions if r.role == "party"}
    far = {
        r.move.ticker
        for r in reactions
        if r.role == "related" and _is_spill_over(r.move, sign, policy)
    }
    spilled = frozenset(far - party)
    shown: dict[tuple[object, ...], Move] = {}
    for reaction in sorted(reactions, key=_reaction_order):
        move = reaction.move
        if move.raw is None or move.ticker not in crossed | spilled:
            continue
        if move.ticker in spilled and not _is_spill_over(move, sign, policy):
            continue
        is_level = move.milestone.startswith("level:")
        name = ("level", move.to_us, move.raw > 0) if is_level else (move.milestone, move.from_us)
        shown.setdefault((move.ticker, move.relation, *name), move)
    ordered = sorted(shown.values(), key=lambda m: (m.to_us, m.ticker, m.milestone))
    return tuple(ordered), spilled


def _is_spill_over(move: Move, sign: int, policy: Policy) -> bool:
    is_expected = move.raw is not None and move.raw * sign >= 0
    return is_expected and _level(move) >= policy.spill_over_raw


def _reaction_order(reaction: Reaction) -> tuple[object, ...]:
    # The highest level first; of two measurements of one milestone the earlier anchor stands.
    move = reaction.move
    return (-_level(move), move.from_us, move.ticker, move.milestone, reaction.reaction_id)


def _level(move: Move) -> float:
    return abs(float(move.milestone[6:])) if move.milestone.startswith("level:") else 0.0
