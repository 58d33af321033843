"""Microsoft, IREN and Dell on 3 November 2025: three stories of one morning, told by twelve pages.

The facts are those of the public reports, the sentences ours. Among them stand amounts that are no
deal's value, and moves that the pages quote as they were at one minute or another.
"""

from datetime import date

import pytest

from signals.messages import Headline
from tapewire.recorded import read_tape
from tests.builders import CLOSE, OPEN, shown, us
from tests.golden.folding import Folded, case, fold

_TICKERS = ("DELL", "IREN", "MSFT")
_DAYS = [date(2025, 10, 31), date(2025, 11, 3)]
_TOLD = us(
    "2025-11-03T11:37:00Z"
)  # 06:37 in New York, where the clocks had gone back the day before


@pytest.fixture(scope="module")
def headlines() -> list[Headline]:
    return case("microsoft_iren_dell")


@pytest.fixture(scope="module")
def folded(headlines: list[Headline]) -> Folded:
    return fold([*headlines, *read_tape(days=_DAYS, tickers=_TICKERS)])


def _ids(*numbers: int) -> set[str]:
    return {h.id for h in case("microsoft_iren_dell") if int(h.id[-2:]) in numbers}


def test_twelve_pages_are_two_deals_and_an_expansion(folded: Folded) -> None:
    (cloud,) = folded.standing("deal", "org:microsoft", "org:iren")
    (servers,) = folded.standing("deal", "org:dell", "org:iren")
    (campus,) = folded.standing("expansion", "org:iren")

    assert {a.alert_id for a in folded.standing()} == {
        cloud.alert_id, servers.alert_id, campus.alert_id,
    }  # fmt: skip
    assert folded.told_by(cloud) == _ids(1, 2, 4, 7, 9, 10, 11)
    assert folded.told_by(servers) == _ids(3, 5, 8, 10)
    assert folded.told_by(campus) == _ids(6, 12)
    # One page that tells both deals ties them; all three live on the company that all are about.
    assert {cloud.anchor, servers.anchor, campus.anchor} == {"IREN"}


def test_no_page_raises_a_second_alert_of_a_story(folded: Folded) -> None:
    assert [a.headline_ids for a in folded.alerts if a.kind == "new"] == [
        ("wire-a:iren-01",), ("wire-b:iren-03",), ("site-a:iren-06",),
    ]  # fmt: skip
    told = {a.kind for a in folded.alerts if a.type is not None}
    assert told <= {"new", "confirmed", "corrected"}
    assert len({alert.alert_id for alert in folded.alerts}) == 3


def test_each_party_has_its_role_and_the_chip_maker_none(folded: Folded) -> None:
    roles = {
        frozenset((party.id, party.role) for party in alert.parties)
        for alert in folded.standing()
    }  # fmt: skip

    assert roles == {
        frozenset({("org:iren", "supplier"), ("org:microsoft", "buyer")}),
        frozenset({("org:dell", "supplier"), ("org:iren", "buyer")}),
        frozenset({("org:iren", "owner")}),
    }


def test_each_deal_has_its_own_worth_and_no_amount_that_stands_beside_it(folded: Folded) -> None:
    worth = {
        (amount.usd, amount.kind) for alert in folded.alerts for amount in alert.amounts
    }  # fmt: skip
    (cloud,) = folded.standing("deal", "org:microsoft", "org:iren")
    (servers,) = folded.standing("deal", "org:dell", "org:iren")

    assert worth == {(9_700_000_000, "deal_value"), (5_800_000_000, "deal_value")}
    assert [amount.usd for amount in cloud.amounts] == [9_700_000_000]
    assert [amount.usd for amount in servers.amounts] == [5_800_000_000]
    assert (cloud.status, servers.status) == ("signed", "signed")
    assert cloud.term is not None
    assert cloud.term.duration == "P5Y"


def test_the_site_is_in_texas_and_draws_200_megawatts(folded: Folded) -> None:
    (campus,) = folded.standing("expansion")

    assert {place.country for place in campus.places} == {"US"}
    assert ("200", "MW") in {(str(q.value), q.unit) for q in campus.quantities}
    assert campus.amounts == ()


def test_quoted_moves_are_claims_and_measured_ones_are_moves(folded: Folded) -> None:
    claims = {
        (claim.ticker, claim.ratio)
        for alert in folded.alerts
        for headline_id, claim in alert.claims
    }
    measured = {round(m.raw, 4) for a in folded.alerts for m in a.moves if m.raw is not None}

    assert {("IREN", 0.2326), ("DELL", 0.05)} <= claims
    assert measured.isdisjoint({0.18, 0.2326, 0.0428, 0.05, 0.0036})


def test_moves_are_those_of_the_tape_dated_to_the_open(folded: Folded) -> None:
    (cloud,) = folded.standing("deal", "org:microsoft", "org:iren")
    (servers,) = folded.standing("deal", "org:dell", "org:iren")

    gap = next(m for m in cloud.moves if m.milestone == "level:+0.20")
    assert (gap.from_us, gap.to_us) == (us("2025-10-31T20:00:00Z"), us(OPEN))
    assert ("IREN", "level:+0.20", 0.2028) in shown(cloud)
    assert ("IREN", "close", 0.1152) in shown(cloud)
    assert ("DELL", "level:+0.03", 0.0317) in shown(servers)
    assert ("DELL", "close", -0.0117) in shown(servers)
    # Microsoft moved by less than the first level: measured, and nothing to show.
    quiet = folded.moves_of("MSFT")
    assert quiet["after", "close"].move.raw == pytest.approx(-0.0015, abs=5e-5)
    assert quiet["after", "close"].move.to_us == us(CLOSE)
    assert [m for alert in folded.alerts for m in alert.moves if m.ticker == "MSFT"] == []


def test_first_page_came_before_the_open_on_a_clock_that_had_just_changed(folded: Folded) -> None:
    first = min(folded.alerts, key=lambda alert: alert.known_us)

    assert first.known_us == _TOLD
    # Four hours off, as on the Friday before, would have the open at 13:30.
    assert us(OPEN) - _TOLD == 173 * 60 * 1_000_000
