"""Stories that could explain one move, in the order of a documented score.

    closeness    2 where the event came at the second of the move, half of that six hours before it,
                 a third twelve hours before; halved again for an event that came after the move
    directness   1 for an event that the ticker takes part in, 0 for one of a related company
    type         0.5 for a deal or an export control, 0.25 for any other
    confidence   the reader's, halved: 0 to 0.5
    size         log10 of the largest amount over $100 million, 0 to 2.5, a fifth of it

The score is the sum, to four decimals: 0 to 4.5. Of two with one score the earlier comes first,
then the lesser id. All but the directness rests on a story's first timely telling alone, so that
retellings change nothing.

An event explains a move if the ticker takes part in it, and it was known at most a day (policy)
before the move's start or comes at most a day after its end. What happened to a related company
in that time is named as a possible cause where no event explains the move.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10
from typing import Literal

from signals.messages import Confounder, Event, EventEntry, Move
from signals.policy import HOUR_US, Policy

__all__ = [
    "Candidate",
    "candidates_of",
    "confounders_of",
    "explaining",
    "is_contested",
    "score_candidate",
    "sorted_by_score",
]

_MOST = 3  # others that are named beside a story's own
_HALVED_US = 6 * HOUR_US
_TYPES = {"deal": 0.5, "export_control": 0.5}
_NO_WORTH = frozenset({"valuation", "revenue"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A story that could explain a move: its earliest timely event, and the ticker's tie to it.

    ``lead`` is its first timely event in order, which it is measured under.
    """

    event: Event
    role: Literal["party", "related"]
    lead: str


def candidates_of(groups: Iterable[Sequence[EventEntry]]) -> list[Candidate]:
    """Return each group that could explain a move of the key's ticker, given its timely events."""
    found = []
    for timely in groups:
        if timely:
            first = min(timely, key=lambda entry: (entry.event.anchor_us, entry.event.event_id))
            is_party = any(entry.subject.role == "party" for entry in timely)
            role: Literal["party", "related"] = "party" if is_party else "related"
            found.append(Candidate(event=first.event, role=role, lead=timely[0].event.event_id))
    return found


def score_candidate(candidate: Candidate, move: Move) -> float:
    """Return how well an event explains a move: 0 to 4.5, to four decimals."""
    event = candidate.event
    apart_us = move.to_us - event.anchor_us
    closeness = 2 / (1 + abs(apart_us) / _HALVED_US)
    if apart_us < 0:
        closeness /= 2
    terms = (
        closeness,
        1.0 if candidate.role == "party" else 0.0,
        _TYPES.get(event.type, 0.25),
        event.confidence / 2,
        _size(event) / 5,
    )
    return round(sum(terms), 4)


def _size(event: Event) -> float:
    worth = [
        amount.usd
        for amount in event.amounts
        if amount.usd is not None and amount.usd > 0 and amount.kind not in _NO_WORTH
    ]
    return min(max(log10(float(max(worth)) / 1e8), 0.0), 2.5) if worth else 0.0


def sorted_by_score(candidates: Iterable[Candidate], move: Move) -> list[Candidate]:
    """Return the candidates, the best first."""
    return sorted(
        candidates,
        key=lambda one: (-score_candidate(one, move), one.event.anchor_us, one.event.event_id),
    )


def explaining(
    move: Move, candidates: Iterable[Candidate], policy: Policy
) -> tuple[Candidate, ...]:
    """Return the events that explain a move, the best first: those that the ticker takes part in.

    What a related company did is a possible cause, and explains nothing.
    """
    direct = [one for one in _near(move, candidates, policy) if one.role == "party"]
    return tuple(sorted_by_score(direct, move))


def _near(move: Move, candidates: Iterable[Candidate], policy: Policy) -> list[Candidate]:
    return [
        candidate
        for candidate in candidates
        if move.from_us - policy.explained_us
        <= candidate.event.anchor_us
        <= move.to_us + policy.explained_us
    ]


def is_contested(move: Move, policy: Policy) -> bool:
    """Return whether the stories behind a move are named: one move of a story and direction is.

    The crossing of the lowest level, and a move that was under way when the event came.
    """
    if move.relation == "before":
        return True
    if move.raw is None or not move.milestone.startswith("level:"):
        return False
    return abs(float(move.milestone.removeprefix("level:"))) == policy.levels[0]


def confounders_of(
    move: Move, candidates: Sequence[Candidate], policy: Policy, *, lead: str | None = None
) -> tuple[Confounder, ...]:
    """Return the stories that could explain a move, the best first; none where it is only one.

    Those of related companies are among them only where no direct one is near. Without a direct
    one even a single one is named.

    Args:
        move: a move of the ticker on whose key the candidates are.
        candidates: the stories on that key.
        policy: how far from the move an event may be.
        lead: what the story is measured under that the move belongs to; it is always among them,
            with the best three others. Without it the best four are given.
    """
    near = _near(move, candidates, policy)
    direct = [one for one in near if one.role == "party"]
    ranked = sorted_by_score(direct or near, move)
    own = next((one for one in candidates if one.lead == lead), None)
    others = [one for one in ranked if own is None or one.lead != lead]
    if not others or (own is None and len(direct) == 1):
        return ()
    named = others[: _MOST + 1] if own is None else sorted_by_score([own, *others[:_MOST]], move)
    return tuple(
        Confounder(
            ticker=move.ticker,
            event_id=one.event.event_id,
            headline_id=one.event.headline_id,
            type=one.event.type,
            role=one.role,
            score=score_candidate(one, move),
        )
        for one in named
    )
