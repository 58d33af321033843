"""What counts as one signal."""

from dataclasses import replace

from signals.backtest.signal import language_of, side_of, signals_of
from signals.messages import Micros, Party
from signals.policy import DAY_US
from tests.backtest.worlds import alert

NOON = 1_704_300_000_000_000


def test_thirty_tellings_of_a_story_are_one_signal_at_the_first() -> None:
    first = alert("IREN", NOON)
    tellings = [
        replace(first, revision=n, known_us=Micros(NOON + n), severity="high") for n in range(2, 31)
    ]

    (found,) = signals_of([*tellings, first], ["new"], ["IREN"])

    assert (found.known_us, found.revision, found.severity) == (NOON, 1, "low")


def test_each_party_is_a_signal_of_its_own_by_the_listing_that_has_prices() -> None:
    parties = (
        Party(id="org:a", name="A", role="buyer", tickers=("2330.TW", "TSM")),
        Party(id="org:b", name="B", role="supplier", tickers=("ASML.AS", "ASML")),
        Party(id="org:c", name="C", role="owner"),
    )

    found = signals_of([alert("TSM", NOON, parties=parties)], ["new"], ["TSM"])

    assert [one.ticker for one in found] == ["ASML.AS", "TSM"]


def test_only_the_transitions_that_are_asked_for_are_traded() -> None:
    first = alert("IREN", NOON)
    confirmed = replace(first, revision=2, kind="confirmed", known_us=Micros(NOON + 5))

    assert [one.kind for one in signals_of([first, confirmed], ["new"], [])] == ["new"]
    assert [one.known_us for one in signals_of([first, confirmed], ["confirmed"], [])] == [NOON + 5]
    assert len(signals_of([first, confirmed], ["new", "confirmed"], [])) == 2


def test_each_new_status_counts_once() -> None:
    first = alert("IREN", NOON)
    changes = [
        replace(first, revision=2, kind="status_changed", status="agreed"),
        replace(first, revision=3, kind="status_changed", status="cancelled"),
        replace(first, revision=4, kind="status_changed", status="cancelled"),
    ]

    found = signals_of(changes, ["status_changed"], [])

    assert [(one.status, one.side) for one in found] == [("agreed", 1), ("cancelled", -1)]


def test_novelty_looks_back_and_never_ahead() -> None:
    first = alert("IREN", NOON)
    again = alert("IREN", NOON + 13 * DAY_US, number=2)
    later = alert("IREN", NOON + 40 * DAY_US, number=3)
    retold = alert("IREN", NOON + 90 * DAY_US, number=4, headline_ids=("wire:1", "wire:2"))

    found = signals_of([later, again, first, retold], ["new"], [])

    assert [one.novelty for one in found] == ["first", "again", "first", "follow_up"]


def test_the_side_is_long_unless_the_news_is_bad() -> None:
    control = alert("NVDA", NOON, type="export_control", status=None)

    assert side_of(alert("IREN", NOON)) == 1
    assert side_of(alert("IREN", NOON, status="denied")) == -1
    assert side_of(replace(control, direction="tighten")) == -1
    assert side_of(replace(control, direction="relax")) == 1
    assert side_of(replace(control, direction="unclear")) == 0
    assert side_of(alert("IREN", NOON, type=None, status=None)) == 0


def test_a_title_with_hangul_is_korean() -> None:
    assert language_of("삼성전자, AMD와 계약") == "ko"
    assert language_of("Samsung signs with AMD") == "en"


def test_a_move_without_parties_counts_for_its_ticker() -> None:
    move = alert("IREN", NOON, type=None, status=None, parties=(), kind="unexplained_move")

    (found,) = signals_of([move], ["unexplained_move"], [])

    assert (found.ticker, found.side) == ("IREN", 0)
