"""How much an alert matters: a documented sum, shown term by term in every alert.

    size     log10 of the largest amount over $100 million, 0 to 2.5
    status   signed, closed, agreed or an export control 1; in talks, an expansion 0.5; rumour 0.25
    move     the largest measured move over 5 %, 0 to 4, halved

The score is the sum: high from 3, medium from 1.5.
"""

from collections.abc import Iterable
from math import log10
from typing import Literal

from signals.alerts.story import Story
from signals.messages import Move

__all__ = ["Terms", "level_of", "move_terms", "score_of", "story_terms"]

Terms = tuple[tuple[str, float], ...]
_STATUS = {"rumored": 0.25, "in_talks": 0.5}


def story_terms(story: Story) -> Terms:
    """Return the terms of a story's score."""
    worth = [
        amount.usd
        for amount in story.visible.amounts
        if amount.usd is not None and amount.usd > 0 and amount.kind not in ("valuation", "revenue")
    ]
    size = log10(float(max(worth)) / 1e8) if worth else 0.0
    status = 0.5 if story.type == "expansion" else _STATUS.get(story.visible.status or "", 1.0)
    return (
        ("size", round(min(max(size, 0.0), 2.5), 4)),
        ("status", status),
        *move_terms(story.visible.moves),
    )


def move_terms(moves: Iterable[Move]) -> Terms:
    """Return the term of the largest measured move."""
    largest = max((abs(move.raw) for move in moves if move.raw is not None), default=0.0)
    return (("move", round(min(largest / 0.05, 4.0) / 2, 4)),)


def score_of(terms: Terms) -> float:
    """Return the score, to four decimals."""
    return round(sum(value for _, value in terms), 4)


def level_of(score: float) -> Literal["low", "medium", "high"]:
    """Return the severity of a score."""
    if score >= 3.0:
        return "high"
    return "medium" if score >= 1.5 else "low"
