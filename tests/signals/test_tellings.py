"""Which events tell the same thing."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.messages import Event, Place
from signals.policy import DAY_US, HOUR_US, Policy
from signals.tellings import Telling, add_telling, change_groups, group_tellings, telling_of
from tests.builders import event, parties, us

_AT = us("2025-11-03T12:00:00Z")


def _grouped(*events: Event) -> list[list[str]]:
    return [[m.event_id for m in group.members] for group in group_tellings(events, Policy())]


def _control(event_id: str, *, at: int = _AT, **changes: Any) -> Event:
    fields = {"type": "export_control", "deal_status": None, "parties": ()} | changes
    return replace(event(event_id, "MSFT", at=at), **fields)


def test_same_parties_and_figure_are_one() -> None:
    assert _grouped(
        event("a", "IREN", "MSFT", at=_AT, worth="9.7"),
        event("b", "MSFT", "IREN", at=_AT + HOUR_US, worth="9.65"),
        event("c", "IREN", "MSFT", at=_AT + 2 * HOUR_US),
    ) == [["a", "b", "c"]]


def test_figures_that_disagree_are_two() -> None:
    assert _grouped(
        event("a", "AMZN", "OPENAI", at=_AT, worth="38"),
        event("b", "AMZN", "OPENAI", at=_AT + 1, worth="83"),
    ) == [["a"], ["b"]]


def test_telling_without_a_figure_joins_the_latest_of_two() -> None:
    assert _grouped(
        event("a", "AMZN", "OPENAI", at=_AT, worth="38"),
        event("b", "AMZN", "OPENAI", at=_AT + 1, worth="83"),
        event("c", "AMZN", "OPENAI", at=_AT + 2),
    ) == [["a"], ["b", "c"]]


def test_part_of_the_parties_is_one_when_the_figure_says_so() -> None:
    whole = event("a", "IREN", "MSFT", at=_AT, worth="9.7")

    assert _grouped(whole, event("b", "IREN", at=_AT + 3 * DAY_US, worth="9.7")) == [["a", "b"]]
    assert _grouped(whole, event("b", "IREN", at=_AT + 3 * DAY_US)) == [["a"], ["b"]]
    assert _grouped(whole, event("b", "IREN", at=_AT + HOUR_US)) == [["a", "b"]]


def test_a_rival_bid_for_the_same_company_is_another_deal() -> None:
    target, microsoft, amazon = (
        replace(party, prominence=rank)
        for party, rank in zip(parties("IREN", "MSFT", "AMZN"), (60, 97, 96), strict=True)
    )
    told = [
        replace(event(f"e{n}", "IREN", at=_AT + n * HOUR_US), parties=(target, microsoft))
        for n in range(4)
    ]
    rival = replace(
        event("rival", "IREN", at=_AT + 5 * HOUR_US), parties=(target, microsoft, amazon)
    )

    assert _grouped(*told, rival) == [["e0", "e1", "e2", "e3"], ["rival"]]
    # Of two tellings it is not known yet who the parties are.
    assert _grouped(*told[:2], rival) == [["e0", "e1", "rival"]]


def test_other_parties_are_another_deal() -> None:
    assert _grouped(
        event("a", "IREN", "MSFT", at=_AT, worth="9.7"),
        event("b", "IREN", "AMZN", at=_AT, worth="9.7"),
    ) == [["a"], ["b"]]


def test_telling_that_agrees_with_two_groups_joins_them() -> None:
    one = event("a", "IREN", at=_AT, worth="9.7")
    two = event("b", "MSFT", at=_AT + 1, worth="9.7")

    assert _grouped(one, two) == [["a"], ["b"]]
    joining = event("c", "IREN", "MSFT", at=_AT + 2, worth="9.7")
    assert _grouped(one, two, joining) == [["a", "b", "c"]]


@pytest.mark.parametrize(
    ("days", "worth", "is_one"),
    [(13, None, True), (15, None, False), (15, "9.7", True), (364, "9.7", True),
     (366, "9.7", False), (15, "12", False)],
)  # fmt: skip
def test_after_two_weeks_only_the_same_figures_go_on(
    days: int, worth: str | None, is_one: bool
) -> None:
    first = event("a", "IREN", "MSFT", at=_AT, worth="9.7")
    later = event("b", "IREN", "MSFT", at=_AT + days * DAY_US, worth=worth)

    assert len(_grouped(first, later)) == (1 if is_one else 2)


def test_types_are_apart() -> None:
    deal = event("a", "MSFT", at=_AT)

    assert _grouped(deal, replace(deal, event_id="b", type="expansion")) == [["a"], ["b"]]


def test_controls_of_one_authority_and_direction_are_one() -> None:
    tighten = _control("a", authority="US", counterpart="CN", direction="tighten")
    again = _control("b", authority="US", at=_AT + HOUR_US, direction="unclear")
    relax = _control("c", authority="US", counterpart="CN", direction="relax")
    other = _control("d", authority="NL", counterpart="CN", direction="tighten")

    assert _grouped(tighten, again) == [["a", "b"]]
    assert _grouped(tighten, relax) == [["a"], ["c"]]
    assert _grouped(tighten, other) == [["a"], ["d"]]


def test_sites_in_two_countries_are_two_expansions() -> None:
    texas = replace(
        event("a", "IREN", at=_AT), type="expansion", places=(Place(name="Texas", country="US"),)
    )
    busan = replace(
        texas,
        event_id="b",
        published_us=texas.published_us + HOUR_US,
        places=(Place(name="Busan", country="KR"),),
    )

    assert _grouped(texas, busan) == [["a"], ["b"]]
    assert _grouped(texas, replace(busan, places=())) == [["a", "b"]]


@st.composite
def _events(draw: st.DrawFn) -> list[Event]:
    names = st.lists(
        st.sampled_from(["IREN", "MSFT", "AMZN", "OPENAI"]), min_size=1, max_size=3, unique=True
    )
    return [
        event(
            f"e{number}",
            *draw(names),
            at=_AT + draw(st.integers(0, 40)) * DAY_US // 2,
            worth=draw(st.sampled_from([None, "9.7", "9.9", "97", "38"])),
        )
        for number in range(draw(st.integers(1, 8)))
    ]


@given(events=_events(), data=st.data())
def test_grouping_is_a_function_of_the_set(events: list[Event], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(events))

    assert sorted(name for group in _grouped(*events) for name in group) == sorted(
        event.event_id for event in events
    )
    assert _grouped(*shuffled) == _grouped(*events)


@given(events=_events())
def test_adding_the_last_telling_is_grouping_anew(events: list[Event]) -> None:
    *others, last = sorted(events, key=lambda event: telling_of(event).first)

    groups = group_tellings(others, Policy())
    joined, absorbed = add_telling(groups, telling_of(last), Policy())

    after = [joined, *(group for group in groups if group not in absorbed)]
    assert sorted(after, key=lambda group: group.first) == group_tellings(events, Policy())


@given(events=_events(), data=st.data())
def test_any_change_gives_what_grouping_anew_gives(
    events: list[Event], data: st.DataObject
) -> None:
    policy, groups, known = Policy(), [], {}

    def parts(group: Telling) -> list[Telling]:
        return [telling_of(known[member.event_id]) for member in group.members]

    changes = [*events, *data.draw(st.lists(st.sampled_from(events), max_size=4))]
    for each in changes:
        now = None if each.event_id in known and data.draw(st.booleans()) else each
        if now is not None and each.event_id in known:
            now = replace(each, amounts=())
        telling = None if now is None else telling_of(now)
        change = change_groups(groups, each.event_id, telling, parts, policy)
        known.pop(each.event_id, None)
        known |= {} if now is None else {each.event_id: now}
        groups = [group for group in groups if group not in change.gone] + list(change.made)

        assert sorted(groups, key=lambda group: group.first) == group_tellings(
            known.values(), policy
        )
