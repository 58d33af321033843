"""Which keys an event goes to, and which of them its story lives on."""

from typing import Any

import pytest

from signals.messages import Party, Place
from signals.subjects import Relation, SubjectTables, anchor_of, control_key, subjects_of
from signals.subjects.spills import expected_sign
from tests.builders import parties, reading

_NONE = SubjectTables()


def _keys(*names: str, tables: SubjectTables = _NONE, day: str = "2025-11-03") -> list[str]:
    found = subjects_of(reading(*names), tables, day=day)
    return [f"{subject.key} {subject.role} {subject.reason}" for subject in found]


def test_anchor_of_a_deal_is_its_least_prominent_known_party() -> None:
    unknown = Party(id="org:~rumble", name="Rumble", role="target", known=False)

    assert anchor_of(reading("MSFT", "IREN"), _NONE) == "IREN"
    assert anchor_of(reading("AMZN", "OPENAI"), _NONE) == "org:openai"
    deal = reading("MSFT", parties=(unknown, *parties("MSFT")))
    assert anchor_of(deal, _NONE) == "MSFT"
    assert anchor_of(reading(parties=(unknown,)), _NONE) == "org:~rumble"


@pytest.mark.parametrize(
    ("authority", "counterpart", "key"),
    [("US", "AE", "gov:US>AE"), ("US", None, "gov:US>*"), (None, None, "gov:*>*")],
)
def test_anchor_of_a_control_is_authority_and_counterpart(
    authority: str | None, counterpart: str | None, key: str
) -> None:
    control = reading("MSFT", type="export_control", authority=authority, counterpart=counterpart)

    assert control_key(authority, counterpart) == key
    assert anchor_of(control, _NONE) == key
    assert [s.key for s in subjects_of(control, _NONE, day="2025-11-03")] == [key, "MSFT"]


@pytest.mark.parametrize(
    ("authority", "counterpart", "named", "key"),
    [
        ("TR", "IR", ("TR", "US", "IR"), "gov:*>IR"),
        (None, "IR", ("IR",), "gov:*>IR"),
        ("IN", "US", ("IN", "US", "IR"), "gov:*>IR"),
        ("RU", "DE", ("RU", "DE"), "gov:RU>DE"),  # its own control
        ("US", "CN", ("US", "CN"), "gov:US>CN"),
    ],
)
def test_news_of_a_sanctioned_country_is_told_under_it_whoever_says_so(
    authority: str | None, counterpart: str, named: tuple[str, ...], key: str
) -> None:
    control = reading(
        type="export_control",
        authority=authority,
        counterpart=counterpart,
        places=tuple(Place(name=country, country=country) for country in named),
    )

    assert anchor_of(control, _NONE) == key


def test_where_no_party_is_known_tellings_meet_under_the_names_of_their_titles() -> None:
    unknown = Party(id="org:~quell", name="Quell", role="target", known=False)
    told = reading(parties=(unknown,), names=("org:openai", "zephyrine"))
    keys = [s.key for s in subjects_of(told, _NONE, day="2025-11-03", alone="headline:1")]

    assert keys == ["org:openai", "org:~quell", "name:zephyrine"]
    nobody = reading(names=("zephyrine", "quell"))
    assert anchor_of(nobody, _NONE, alone="headline:1") == "name:zephyrine"
    assert anchor_of(reading(), _NONE, alone="headline:1") == "headline:1"
    # Where somebody is known, names say nothing.
    assert [
        s.key for s in subjects_of(reading("IREN", names=("quell",)), _NONE, day="2025-11-03")
    ] == ["IREN"]


def test_anchor_of_an_expansion_is_the_owner() -> None:
    owner = Party(id="org:iren", name="IREN", role="owner", tickers=("IREN",), prominence=5)
    other = Party(id="org:dell", name="Dell", role="supplier", tickers=("DELL",))

    assert anchor_of(reading(type="expansion", parties=(other, owner)), _NONE) == "IREN"
    assert anchor_of(reading(type="expansion", parties=(other,)), _NONE) == "DELL"


def test_event_goes_to_every_listing_of_its_parties_the_anchor_first() -> None:
    tables = SubjectTables(listings={"org:microsoft": ("MSFT", "MSFT.L")})

    assert _keys("MSFT", "IREN", tables=tables) == [
        "IREN party supplier",
        "MSFT party buyer",
        "MSFT.L party buyer",
    ]


def test_ticker_that_no_party_has_is_a_subject_too() -> None:
    found = subjects_of(reading("IREN", tickers=("IREN", "DELL")), _NONE, day="2025-11-03")

    assert [(s.key, s.reason) for s in found] == [("IREN", "supplier"), ("DELL", "named")]


@pytest.mark.parametrize(
    ("day", "is_known"), [("2025-11-02", False), ("2025-11-03", True), ("2025-11-04", True)]
)
def test_relation_counts_from_the_day_that_it_was_known(day: str, is_known: bool) -> None:
    relation = Relation(ticker="CIFR", reason="peer", since="2025-11-03")
    tables = SubjectTables(relations={"org:iren": (relation,)})

    assert ("CIFR related peer" in _keys("IREN", "MSFT", tables=tables, day=day)) is is_known


def test_party_is_never_related_too() -> None:
    relation = Relation(ticker="MSFT", reason="customer", since="2025-01-01")
    tables = SubjectTables(relations={"org:iren": (relation,)})

    assert _keys("IREN", "MSFT", tables=tables) == ["IREN party supplier", "MSFT party buyer"]


def _related(kind: str, role: str, reason: str) -> bool:
    """Whether news of IREN in a role reaches a company tied to it."""
    party = Party(id="org:iren", name="IREN", role=role, tickers=("IREN",))
    tables = SubjectTables(
        relations={"org:iren": (Relation(ticker="X", reason=reason, since="2025-01-01"),)}
    )
    found = subjects_of(reading(type=kind, parties=(party,)), tables, day="2025-11-03")
    return any((s.key, s.role, s.of) == ("X", "related", "org:iren") for s in found)


@pytest.mark.parametrize(
    ("kind", "role", "reasons"),
    [
        ("deal", "supplier", {"supplier", "investor", "peer"}),
        ("deal", "partner", {"supplier", "investor"}),
        ("deal", "investee", {"supplier", "investor"}),
        ("deal", "target", {"investor", "peer"}),
        ("deal", "buyer", set()),
        ("deal", "acquirer", set()),
        ("export_control", "affected", {"supplier", "peer"}),
        ("expansion", "owner", {"supplier"}),
        ("a new type", "owner", {"supplier"}),
    ],
)
def test_news_reaches_those_that_its_type_and_role_concern(
    kind: str, role: str, reasons: set[str]
) -> None:
    ties = ("supplier", "customer", "peer", "investor")

    assert {reason for reason in ties if _related(kind, role, reason)} == reasons


def test_of_several_ties_the_nearest_is_the_reason() -> None:
    ties = tuple(
        Relation(ticker="NVDA", reason=reason, since="2025-01-01")
        for reason in ("peer", "investor", "supplier")
    )
    tables = SubjectTables(relations={"org:iren": ties})

    assert [key for key in _keys("IREN", tables=tables) if "related" in key] == [
        "NVDA related supplier"
    ]


@pytest.mark.parametrize(
    ("kind", "said", "sign"),
    [
        ("deal", {"status": "signed", "direction": None}, 1),
        ("deal", {"status": "cancelled", "direction": None}, -1),
        ("export_control", {"status": None, "direction": "tighten"}, -1),
        ("export_control", {"status": None, "direction": "relax"}, 1),
        ("export_control", {"status": None, "direction": "unclear"}, 0),
        ("expansion", {"status": None, "direction": None}, 1),
        ("a new type", {"status": None, "direction": None}, 0),
    ],
)
def test_what_news_says_is_expected_of_the_tied(kind: str, said: Any, sign: int) -> None:
    assert expected_sign(kind, **said) == sign


def test_event_without_any_party_has_a_subject_still() -> None:
    nobody = reading(parties=(), tickers=())

    assert [s.key for s in subjects_of(nobody, _NONE, day="2025-11-03", alone="headline:a:1")] == [
        "headline:a:1"
    ]
