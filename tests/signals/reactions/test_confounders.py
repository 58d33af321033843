"""Which stories could explain one move, and in which order."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from signals.messages import Micros, Move
from signals.policy import HOUR_US, Policy
from signals.reactions.confounders import (
    Candidate,
    confounders_of,
    explaining,
    is_contested,
    score_candidate,
)
from tests.builders import event, us

_FROM = us("2025-10-31T20:00:00Z")
_TO = us("2025-11-03T14:30:00Z")


def _move(**changes: Any) -> Move:
    fields: dict[str, Any] = {
        "ticker": "CIFR",
        "milestone": "level:+0.05",
        "relation": "after",
        "from_us": _FROM,
        "to_us": _TO,
        "from_price": Decimal("18.65"),
        "to_price": Decimal("22.94"),
        "raw": 0.23,
        "abnormal": None,
        "z": None,
        "beta": None,
        "benchmark": None,
        "known_us": _TO,
    }
    return Move(**(fields | changes))


def _candidate(
    name: str, *, hours: float, role: Any = "party", worth: str | None = None, **changes: Any
) -> Candidate:
    """A story that is first told so many hours before the crossing."""
    told = event(name, "CIFR", "AMZN", at=Micros(round(_TO - hours * HOUR_US)), worth=worth)
    return Candidate(event=replace(told, **changes), role=role, lead=name)


def _order(*candidates: Candidate) -> list[str]:
    return [one.event.event_id for one in explaining(_move(), candidates, Policy())]


def test_the_score_is_the_sum_that_the_documentation_says() -> None:
    lease = _candidate("lease", hours=3, worth="5.5", confidence=0.9)

    # closeness 2 / (1 + 3/6), a party, a deal, confidence 0.9 / 2, log10(55) / 5
    assert score_candidate(lease, _move()) == pytest.approx(1.3333 + 1 + 0.5 + 0.45 + 0.3481, 1e-4)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"hours": 1}, {"hours": 5}),
        ({"hours": 2}, {"hours": -1.5}),  # what comes after a move tells of it at best
        ({"hours": 2, "type": "deal"}, {"hours": 2, "type": "expansion"}),
        ({"hours": 2, "confidence": 0.9}, {"hours": 2, "confidence": 0.6}),
        ({"hours": 2, "worth": "38"}, {"hours": 2, "worth": "0.2"}),
    ],
)
def test_the_better_explanation_comes_first(better: dict[str, Any], worse: dict[str, Any]) -> None:
    first, second = _candidate("z", **better), _candidate("a", **worse)

    assert _order(second, first) == _order(first, second) == ["z", "a"]


def test_of_equal_stories_the_lesser_id_comes_first() -> None:
    one, two = _candidate("a", hours=2), _candidate("b", hours=2)

    assert _order(two, one) == ["a", "b"]


def test_a_related_companys_story_explains_nothing_and_is_named_where_nothing_does() -> None:
    direct, tied = _candidate("own", hours=20), _candidate("tied", hours=1, role="related")

    assert _order(direct, tied) == ["own"]
    assert _order(tied) == []
    (named,) = confounders_of(_move(), [tied], Policy())
    assert (named.event_id, named.role) == ("tied", "related")
    assert confounders_of(_move(), [direct, tied], Policy()) == ()


def test_a_story_a_day_from_the_move_explains_nothing() -> None:
    start = (_TO - _FROM) / HOUR_US
    far = [
        _candidate("old", hours=start + 24.1),
        _candidate("late", hours=-24.1),
    ]
    near = [_candidate("before", hours=start + 24), _candidate("after", hours=-24)]

    assert sorted(_order(*far, *near)) == ["after", "before"]


def test_a_lone_story_has_no_confounders() -> None:
    alone = [_candidate("own", hours=1)]

    assert confounders_of(_move(), alone, Policy(), lead="own") == ()
    assert confounders_of(_move(), alone, Policy()) == ()


def test_a_storys_move_names_it_among_the_best_three_others_in_order() -> None:
    near = [_candidate(f"n{hours}", hours=hours) for hours in (1, 2, 3, 4)]
    own = _candidate("own", hours=9)

    found = confounders_of(_move(), [own, *near], Policy(), lead="own")

    assert [one.event_id for one in found] == ["n1", "n2", "n3", "own"]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert {one.ticker for one in found} == {"CIFR"}


def test_one_move_of_a_story_and_direction_names_its_confounders() -> None:
    policy = Policy()
    levels = [f"level:{sign}0.{n}" for sign in "+-" for n in ("03", "05", "10", "20")]
    moves = [_move(milestone=name, raw=float(name[6:])) for name in levels]

    assert [m.milestone for m in moves if is_contested(m, policy)] == ["level:+0.03", "level:-0.03"]
    assert is_contested(_move(milestone="session", relation="before"), policy)
    assert not is_contested(_move(milestone="close"), policy)
    assert is_contested(_move(), Policy(levels=(0.05, 0.1)))
