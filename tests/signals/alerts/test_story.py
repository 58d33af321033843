"""What a story says of the events that tell it, and how much it matters."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from signals.alerts.severity import level_of, score_of, story_terms
from signals.alerts.story import Story, story_of
from signals.messages import Claim, Confounder, Evidence, Micros, Move, Reaction
from signals.policy import DAY_US, HOUR_US, Policy
from tests.builders import dollars, event, us

_AT = us("2025-11-03T12:00:00Z")


def _story(*steps: str, worth: str | None = "9.7", moves: tuple[Reaction, ...] = ()) -> Story:
    """The story of tellings an hour apart, by their deal status."""
    events: list[Any] = [
        replace(
            event(f"e{n}", "IREN", "MSFT", at=_AT + n * HOUR_US, worth=worth), deal_status=status
        )
        for n, status in enumerate(steps)
    ]
    return story_of(tuple(events), moves, Policy())


def _reaction(
    milestone: str, raw: float | None, *, ticker: str = "IREN", role: Any = "party",
    at: int = _AT + 1, from_us: int = _AT, event_id: str = "e0", status: Any = "live",
) -> Reaction:  # fmt: skip
    move = Move(
        ticker=ticker,
        milestone=milestone,
        relation="after",
        from_us=Micros(from_us),
        to_us=Micros(at),
        from_price=Decimal(100),
        to_price=None,
        raw=raw,
        abnormal=None,
        z=None,
        beta=None,
        benchmark=None,
        known_us=Micros(at),
    )
    return Reaction(
        id=f"{milestone}{ticker}",
        reaction_id=f"{milestone}{ticker}",
        revision=1,
        status=status,
        anchor="IREN",
        event_ids=(event_id,),
        role=role,
        reason="named",
        move=move,
    )


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        (["rumored", "in_talks", "signed"], "signed"),
        (["signed", "rumored"], "signed"),
        (["signed", "cancelled"], "cancelled"),
        (["cancelled", "signed"], "signed"),
        (["signed", "cancelled", "rumored"], "cancelled"),
        (["rumored", "denied"], "denied"),
        (["denied"], "denied"),
        (["agreed", "closed"], "closed"),
    ],
)
def test_status_is_how_far_the_deal_got(steps: list[str], status: str) -> None:
    assert _story(*steps).visible.status == status


def test_rounded_retelling_is_the_same_amount() -> None:
    one = event("a", "IREN", at=_AT, worth="9.7")
    two = event("b", "IREN", at=_AT + 1, worth="9.65")
    other = replace(event("c", "IREN", at=_AT + 2), amounts=(dollars("9.7", kind="capex"),))

    amounts = story_of((one, two, other), (), Policy()).visible.amounts

    assert [(amount.text, amount.kind) for amount in amounts] == [
        ("$9.7bn", "deal_value"),
        ("$9.7bn", "capex"),
    ]


def test_highest_level_of_one_second_is_shown() -> None:
    moves = tuple(_reaction(f"level:+0.{n}", 0.2) for n in ("03", "05", "10", "20"))

    assert [m.milestone for m in _story("signed", moves=moves).visible.moves] == ["level:+0.20"]


def test_horizons_of_a_party_are_shown_once_it_crossed_a_level() -> None:
    close = _reaction("close", 0.02, at=_AT + HOUR_US)
    level = _reaction("level:+0.03", 0.031)

    assert _story("signed", moves=(close,)).visible.moves == ()
    shown = _story("signed", moves=(close, level)).visible.moves
    assert [move.milestone for move in shown] == ["level:+0.03", "close"]


def test_related_company_is_shown_from_the_spill_over_level_on() -> None:
    small = _reaction("level:+0.03", 0.04, ticker="CIFR", role="related")
    large = _reaction("level:+0.05", 0.06, ticker="CIFR", role="related", at=_AT + 2)

    assert _story("signed", moves=(small,)).spilled == frozenset()
    story = _story("signed", moves=(small, large))
    assert story.spilled == {"CIFR"}
    assert [move.milestone for move in story.visible.moves] == ["level:+0.05"]


@pytest.mark.parametrize(("status", "milestone", "is_shown"), [
    ("signed", "level:-0.05", False),
    ("cancelled", "level:-0.05", True),
    ("cancelled", "level:+0.05", False),
])  # fmt: skip
def test_move_against_what_the_news_lets_expect_is_no_spill_over(
    status: str, milestone: str, is_shown: bool
) -> None:
    raw = 1.2 * float(milestone.removeprefix("level:"))
    move = _reaction(milestone, raw, ticker="CIFR", role="related")

    story = _story(status, moves=(move,))

    assert (story.spilled == {"CIFR"}) == is_shown
    assert bool(story.visible.moves) == is_shown


def test_party_that_is_related_too_is_no_spill_over() -> None:
    moves = (
        _reaction("level:+0.05", 0.06, ticker="IREN", role="related"),
        _reaction("close", 0.06, ticker="IREN", at=_AT + 2),
    )

    assert _story("signed", moves=moves).spilled == frozenset()


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "withdrawn"},
        {"event_id": "of another story"},
        {"from_us": _AT + 15 * DAY_US},
        {"raw": None},
    ],
)
def test_reaction_that_is_not_the_storys_is_not_shown(changes: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"raw": 0.06} | changes
    moves = (_reaction("level:+0.05", fields.pop("raw"), **fields),)

    assert _story("signed", moves=moves).visible.moves == ()


def test_title_is_of_a_telling_that_says_it_in_its_title() -> None:
    span = Evidence(field="body", start=0, end=1, text="x", rule="toy")
    digest = replace(event("digest", "IREN", at=_AT), evidence=(span,))
    told = event("told", "IREN", at=_AT + 1)

    assert story_of((digest, told), (), Policy()).title == "told"
    assert story_of((digest,), (), Policy()).title == "digest"


def test_story_is_known_from_its_latest_input() -> None:
    late = replace(event("a", "IREN", at=_AT), received_us=Micros(_AT + HOUR_US))

    assert story_of((late,), (), Policy()).known_us == _AT + HOUR_US


# ---- severity ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "worth", "raw", "terms", "level"),
    [
        ("signed", "9.7", 0.20, {"size": 1.9868, "status": 1.0, "move": 2.0}, "high"),
        ("signed", "9.7", None, {"size": 1.9868, "status": 1.0, "move": 0.0}, "medium"),
        ("rumored", "0.1", None, {"size": 0.0, "status": 0.25, "move": 0.0}, "low"),
        ("in_talks", "100", 0.05, {"size": 2.5, "status": 0.5, "move": 0.5}, "high"),
        ("signed", None, 0.9, {"size": 0.0, "status": 1.0, "move": 2.0}, "high"),
    ],
)
def test_severity_is_the_sum_of_its_terms(
    status: str, worth: str | None, raw: float | None, terms: dict[str, float], level: str
) -> None:
    moves = () if raw is None else (_reaction("level:+0.05", raw),)
    found = story_terms(_story(status, worth=worth, moves=moves))

    assert dict(found) == pytest.approx(terms, abs=1e-4)
    assert score_of(found) == pytest.approx(sum(terms.values()), abs=1e-3)
    assert level_of(score_of(found)) == level


def test_valuation_does_not_make_a_deal_larger() -> None:
    amounts = (dollars("10"), dollars("500", kind="valuation"))
    told = replace(event("a", "OPENAI", at=_AT), amounts=amounts)

    assert dict(story_terms(story_of((told,), (), Policy())))["size"] == pytest.approx(2.0)


def _confounder(event_id: str, score: float, *, ticker: str = "IREN") -> Confounder:
    return Confounder(
        ticker=ticker,
        event_id=event_id,
        headline_id=f"wire:{event_id}",
        type="deal",
        role="party",
        score=score,
    )


def test_both_stories_that_could_explain_a_move_are_named_in_order() -> None:
    named = (_confounder("other", 3.1), _confounder("e0", 2.4))
    move = replace(_reaction("level:+0.05", 0.06), confounders=named)
    again = replace(
        _reaction("level:-0.05", -0.06, at=_AT + 9),
        confounders=(_confounder("e0", 2.6), _confounder("other", 2.5)),
    )

    visible = _story("signed", moves=(move, again)).visible

    assert [(one.event_id, one.score) for one in visible.confounders] == [
        ("other", 3.1),
        ("e0", 2.6),
    ]


def test_tellings_of_the_story_itself_are_no_confounders() -> None:
    named = (_confounder("e1", 3.1), _confounder("e0", 2.4))
    move = replace(_reaction("level:+0.05", 0.06), confounders=named)

    assert _story("rumored", "signed", moves=(move,)).visible.confounders == ()


def test_a_ticker_that_is_not_shown_has_no_confounders() -> None:
    named = (_confounder("other", 3.1, ticker="CIFR"), _confounder("e0", 2.4, ticker="CIFR"))
    small = replace(
        _reaction("level:+0.03", 0.04, ticker="CIFR", role="related"), confounders=named
    )

    assert _story("signed", moves=(small,)).visible.confounders == ()


def test_claims_are_told_once_with_the_headline_that_says_so_first() -> None:
    span = Evidence(field="title", start=0, end=1, text="x", rule="claim.move")
    rise = Claim(party="org:iren", ticker="IREN", direction="up", ratio=0.2, evidence=span)
    fall = replace(rise, direction="down", ratio=None)
    one = replace(event("a", "IREN", at=_AT), claims=(rise,), lang="en")
    two = replace(event("b", "IREN", at=_AT + 1), claims=(fall, rise), lang="ko")
    three = replace(event("c", "IREN", at=_AT + 2), lang="und")

    story = story_of((one, two, three), (), Policy())

    assert story.claims == (("wire:a", rise), ("wire:b", fall))
    assert story.langs == ("en", "ko")
