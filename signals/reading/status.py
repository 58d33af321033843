"""How far a deal has come, and which way an export control goes."""

import re
from collections.abc import Sequence
from typing import cast

from signals.messages import DealStatus, Direction
from signals.reading.grammar import Clause
from signals.reading.ruleset import EventType

__all__ = ["read_direction", "read_status"]

_REACH = 26
# "exempts Samsung's and SK Hynix's plants in China from its export controls" turns what is far.
_FAR_TURNS = ("exempt", "waiv", "spare")
_FAR_REACH = 70
# "IREN closes up 11.5%": the tape does, no deal.
_TAPE_CLOSES = re.compile(r"\s(?:up|down|higher|lower|flat|mixed|above|below|at (?:a |\$|\d))")


def read_status(kind: EventType, clause: Clause) -> tuple[DealStatus | None, bool]:
    """Return the status by the type's precedence, and whether a word said so."""
    for value, has in kind.status:
        if all(any(_said(clause, name, value) for name in names) for names in has):
            return cast(DealStatus, value), True
    return cast(DealStatus | None, kind.default_status), False


def _said(clause: Clause, name: str, value: str) -> bool:
    spans = clause.spans.get(name, ())
    if value != "closed":
        return bool(spans)
    return any(_TAPE_CLOSES.match(clause.text.low, end) is None for _, end in spans)


def read_direction(kind: EventType, clauses: Sequence[Clause]) -> Direction | None:
    """Return the direction: each control or licence, turned by the operator nearest to it.

    A ban tightens and a licence relaxes; to lift, ease or refuse turns what it stands next to,
    and to require a licence tightens. A review, or both ways at once, is unclear.
    """
    if not kind.direction:
        return None
    votes: set[int] = set()
    for clause in clauses:
        votes |= _votes(kind, clause)
    if votes == {1}:
        return "tighten"
    return "relax" if votes == {-1} else "unclear"


def _votes(kind: EventType, clause: Clause) -> set[int]:
    operands = [(start, end, 1) for start, end in _spans(kind, clause, "tighten")]
    operands += [(start, end, -1) for start, end in _spans(kind, clause, "relax")]
    operands.sort()
    turns = _spans(kind, clause, "undo")
    requires = _spans(kind, clause, "require")
    votes = {1 for _ in _spans(kind, clause, "always_tighten")}
    votes |= {-1 for _ in _spans(kind, clause, "always_relax")}
    if votes:
        return votes
    turned: dict[int, int] = {}
    for turn in turns:
        is_far = clause.text.low.startswith(_FAR_TURNS, turn[0])
        index = _nearest(turn, operands, _FAR_REACH if is_far else _REACH)
        if index is not None:
            turned[index] = turned.get(index, 0) + 1
    for index, (start, end, sign) in enumerate(operands):
        if sign < 0 and any(_gap(span, (start, end)) <= _REACH for span in requires):
            sign = 1
        votes.add(sign if turned.get(index, 0) % 2 == 0 else -sign)
    if turned:
        # What an operator turns is the news; what stands beside it is its background.
        votes = {operands[index][2] * (-1 if count % 2 else 1) for index, count in turned.items()}
    if _spans(kind, clause, "unclear") and not turned:
        votes |= {1, -1}
    return votes


def _spans(kind: EventType, clause: Clause, name: str) -> list[tuple[int, int]]:
    return sorted(
        span for ref in kind.direction.get(name, ()) for span in clause.spans.get(ref, ())
    )


def _nearest(
    turn: tuple[int, int], operands: Sequence[tuple[int, int, int]], reach: int
) -> int | None:
    best: tuple[int, int] | None = None
    for index, (start, end, _) in enumerate(operands):
        gap = _gap(turn, (start, end))
        if gap <= reach and (start, end) != turn and (best is None or gap < best[0]):
            best = (gap, index)
    return None if best is None else best[1]


def _gap(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(other[0] - one[1], one[0] - other[1], 0)
