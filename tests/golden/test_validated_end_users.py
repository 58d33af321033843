"""Samsung's and SK hynix's plants in China, 2023 to 2025: a permit given, revoked, and given anew.

The facts are those of the public reports, the sentences ours. One page warns that what was revoked
is no ban: what was automatic is decided case by case.
"""

from collections.abc import Iterator

import pytest

from signals.messages import Headline, Micros, PriceSample
from signals.policy import MINUTE_US, Policy
from signals.reactions.measure import horizons_of
from streams.tables import load_sessions
from tests.builders import bar, daily, us
from tests.golden.folding import Folded, case, fold

_REVOKED = us("2025-08-29T17:30:00Z")  # Friday afternoon in New York, Saturday in Seoul
_FRIDAY = us("2025-08-29T06:30:00Z")  # Seoul's close
_MONDAY = us("2025-09-01T00:00:00Z")  # Seoul's open, on New York's Labor Day


def _prices(ticker: str, before: str, after: str) -> Iterator[PriceSample]:
    """A Friday's last minute and a Monday, with made-up prices."""
    index = {"benchmark": None, "benchmark_price": None}
    yield daily(ticker, before, at=_FRIDAY, **index)
    yield bar(ticker, (before,) * 4, at=_FRIDAY - MINUTE_US)
    for minute in range(390):
        yield bar(ticker, (after,) * 4, at=_MONDAY + minute * MINUTE_US)
    yield daily(ticker, after, at=_MONDAY + 390 * MINUTE_US, **index)


@pytest.fixture(scope="module")
def headlines() -> list[Headline]:
    return case("veu")


@pytest.fixture(scope="module")
def folded(headlines: list[Headline]) -> Folded:
    prices = [*_prices("005930.KS", "100", "96.5"), *_prices("000660.KS", "200", "191")]
    return fold([*headlines, *prices])


def _ids(*numbers: int) -> set[str]:
    return {h.id for h in case("veu") if int(h.id[-2:]) in numbers}


@pytest.mark.parametrize(
    ("until", "direction", "numbers"),
    [
        ("2023-12-31T00:00:00Z", "relax", (1, 2, 3)),
        ("2025-09-30T00:00:00Z", "tighten", (4, 5, 6, 7, 8, 9, 10)),
        ("2026-01-31T00:00:00Z", "relax", (11, 12, 13, 14)),
    ],
)
def test_each_decision_is_one_story_in_both_languages(
    headlines: list[Headline], until: str, direction: str, numbers: tuple[int, ...]
) -> None:
    known = fold([h for h in headlines if h.received_us < us(until)])

    *_, story = known.standing("export_control")
    assert known.told_by(story) == _ids(*numbers)
    assert (story.direction, story.anchor) == (direction, "gov:US>CN")


def test_each_story_is_told_as_new_once(folded: Folded) -> None:
    alerts = [alert for alert in folded.alerts if alert.type == "export_control"]

    assert [a.headline_ids for a in alerts if a.kind == "new"] == [
        ("desk-ko:veu-01",), ("wire-a:veu-04",), ("desk-ko:veu-11",),
    ]  # fmt: skip
    assert {a.kind for a in alerts} <= {"new", "confirmed", "corrected"}


def test_a_warning_that_it_is_no_ban_changes_neither_status_nor_direction(folded: Folded) -> None:
    alerts = [alert for alert in folded.alerts if alert.type == "export_control"]

    assert {alert.status for alert in alerts} == {None}
    assert {alert.direction for alert in alerts} == {"relax", "tighten"}
    assert "status_changed" not in {alert.kind for alert in alerts}


@pytest.mark.parametrize("number", [7, 8, 9, 13])
def test_a_page_that_names_no_company_is_told_all_the_same(number: int) -> None:
    (headline,) = [h for h in case("veu") if int(h.id[-2:]) == number]
    alone = fold([headline])

    (alert,) = [a for a in alone.alerts if a.type == "export_control"]
    assert (alert.kind, alert.tickers, alert.anchor) == ("new", (), "gov:US>CN")


def test_revocation_reaches_both_companies_whoever_tells_it_first(folded: Folded) -> None:
    (revoked,) = [a for a in folded.standing("export_control") if a.direction == "tighten"]

    assert set(revoked.tickers) == {"005930.KS", "000660.KS"}
    assert {party.role for party in revoked.parties} == {"affected"}


def test_seoul_reacts_at_its_next_open_while_new_york_keeps_labor_day(folded: Folded) -> None:
    for ticker, level in (("005930.KS", -0.035), ("000660.KS", -0.045)):
        moves = folded.moves_of(ticker)
        crossed, close = moves["after", "level:-0.03"].move, moves["after", "close"].move
        assert (crossed.from_us, crossed.to_us) == (_FRIDAY, _MONDAY)
        assert crossed.raw == pytest.approx(level)
        assert close.to_us == us("2025-09-01T06:30:00Z")
    times = horizons_of("INTC", Micros(_REVOKED), load_sessions(), Policy())
    assert times["close"] == us("2025-08-29T20:00:00Z")
    assert times["next_close"] == us("2025-09-02T20:00:00Z")
