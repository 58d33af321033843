"""Whole cases of the join, told by its alerts: the IREN contract with prices made by hand."""

from dataclasses import replace
from typing import Any

import pytest

from signals import names
from signals.messages import Alert, Headline, Micros, MoveReport, PriceSample, Reaction
from signals.policy import HOUR_US, MINUTE_US, Policy
from signals.subjects import Relation, SubjectTables
from streams.codec import encode
from streams.replay import Pipeline
from tests.builders import (
    OPEN,
    agents,
    as_input,
    bar,
    canonical,
    daily,
    feed,
    headline,
    history,
    kinds,
    reading,
    run,
    shown,
    trade,
    us,
)

_FRIDAY = "2025-10-31T20:00:00Z"
_TOLD = "2025-11-03T11:37:00Z"  # 06:37 in New York
_DIGEST = "2025-11-03T15:06:32Z"
_CLOSE = "2025-11-03T21:00:00Z"
_READINGS = {
    "contract": (reading("IREN", "MSFT", worth="9.7"),),
    "계약": (reading("IREN", "MSFT", worth="9.7"),),
    "IREN alone": (reading("IREN", worth="9.7"),),
    "Microsoft alone": (reading("MSFT", worth="9.7"),),
    "corrected": (reading("IREN", "MSFT", worth="9.9"),),
    "lease": (reading("CIFR", "AMZN", worth="5.5"),),
}
_PEERS = SubjectTables(
    relations={"org:iren": (Relation(ticker="CIFR", reason="peer", since="2025-01-01"),)}
)

Inputs = list[Headline | PriceSample]


def _monday(ticker: str, friday: str, prices: tuple[str, str, str]) -> Inputs:
    """Friday's last minute, then Monday: the first minute's open and close, the day's close."""
    opened, then, closed = prices
    low, high = sorted((opened, then), key=float)
    return [
        *history(ticker, friday, until=_FRIDAY),
        bar(ticker, (friday,) * 4, at=us(_FRIDAY) - MINUTE_US),
        bar(ticker, (opened, high, low, then), at=OPEN),
        *(bar(ticker, (then,) * 4, at=us(OPEN) + n * 10 * MINUTE_US) for n in range(1, 39)),
        bar(ticker, (closed,) * 4, at=us(_CLOSE) - MINUTE_US),
        daily(ticker, closed, at=_CLOSE),
    ]


def _iren() -> Inputs:
    return _monday("IREN", "60.75", ("73.07", "72.00", "67.75"))


def _quiet(alerts: list[Alert]) -> list[Alert]:
    """The alerts that are about an event, not about a move by itself."""
    return [alert for alert in alerts if alert.type is not None]


def _live(inputs: Inputs, **options: Any) -> dict[str, Reaction]:
    """The last live reactions, by milestone."""
    found: dict[str, Reaction] = {}
    pipeline = Pipeline(agents(_READINGS, **options))
    for message in inputs:
        for output in pipeline.feed(*as_input(message)):
            if isinstance(output.message, Reaction):
                found[output.message.reaction_id] = output.message
    return {r.move.milestone: r for r in found.values() if r.status == "live"}


def _content(reactions: dict[str, Reaction]) -> dict[str, Reaction]:
    return {
        name: replace(r, id="", revision=0, move=replace(r.move, known_us=Micros(0)))
        for name, r in reactions.items()
    }


# ---- the contract --------------------------------------------------------------------------------


def test_gap_of_iren_is_dated_to_the_open_and_measured_from_the_last_price() -> None:
    reactions = _live(canonical([*_iren(), headline("contract", at=_TOLD)]))

    gap = reactions["level:+0.20"].move
    assert (gap.to_us, gap.from_us) == (us(OPEN), us(_FRIDAY))
    assert gap.raw == pytest.approx(0.2028, abs=5e-5)
    assert reactions["close"].move.raw == pytest.approx(0.1152, abs=5e-5)
    assert reactions["close"].move.to_us == us(_CLOSE)


def test_alert_of_the_contract_is_new_then_confirmed_by_the_gap() -> None:
    alerts = _quiet(run(agents(_READINGS), canonical([*_iren(), headline("contract", at=_TOLD)])))

    assert kinds(alerts)[:2] == ["new", "confirmed"]
    assert [alert.revision for alert in alerts] == list(range(1, len(alerts) + 1))
    assert shown(alerts[1]) == [("IREN", "level:+0.20", 0.2028)]
    last = alerts[-1]
    assert ("IREN", "close", 0.1152) in shown(last)
    assert (last.status, last.tickers, last.severity) == ("signed", ("IREN", "MSFT"), "high")
    assert [amount.text for amount in last.amounts] == ["$9.7bn"]


def test_nothing_was_measured_while_the_market_was_closed() -> None:
    reactions = _live(canonical([*_iren(), headline("contract", at=_TOLD)]))

    minute = reactions["PT1M"].move
    assert (minute.raw, minute.note) == (None, "no price between the event and the horizon")


def test_news_first_and_price_first_give_the_same_reactions() -> None:
    told = headline("contract", at=_TOLD)
    in_order = _content(_live(canonical([*_iren(), told])))

    assert _content(_live([told, *_iren()])) == in_order
    assert _content(_live([*_iren(), told])) == in_order


def test_late_prices_give_the_same_reactions() -> None:
    told, prices = headline("contract", at=_TOLD), _iren()

    assert _content(_live([told, *reversed(prices)])) == _content(_live([*prices, told]))


def test_late_news_is_told_and_not_measured() -> None:
    late = headline("contract", at=_TOLD, received_us=us(_TOLD) + 73 * HOUR_US)

    assert _live([*_iren(), late]) == {}
    assert kinds(_quiet(run(agents(_READINGS), [*_iren(), late]))) == ["new"]


def test_repeated_records_change_nothing() -> None:
    inputs = canonical([*_iren(), headline("contract", at=_TOLD), headline("계약", at=_DIGEST)])
    twice = [message for message in inputs for _ in range(2)]

    assert feed(Pipeline(agents(_READINGS)), twice) == feed(Pipeline(agents(_READINGS)), inputs)
    assert feed(Pipeline(agents(_READINGS)), [*inputs, *inputs]) == feed(
        Pipeline(agents(_READINGS)), inputs
    )


def test_every_alert_stands_without_the_inputs_that_came_after_it() -> None:
    inputs = canonical([*_iren(), headline("계약", at=_TOLD), headline("contract", at=_DIGEST)])
    alerts = run(agents(_READINGS), inputs)

    for alert in alerts:
        known = [message for message in inputs if message.received_us <= alert.known_us]
        assert encode(alert) in map(encode, run(agents(_READINGS), known))


# ---- without a price -----------------------------------------------------------------------------


def test_reaction_without_a_price_before_the_event_says_so() -> None:
    prices = [trade("IREN", "60", at=us(OPEN) + n * MINUTE_US) for n in range(5, 70)]
    reactions = _live(canonical([headline("contract", at=OPEN), *prices]))

    assert {r.move.note for r in reactions.values()} == {"no price is known before the event"}
    assert {r.move.raw for r in reactions.values()} == {None}


def test_price_before_the_event_that_comes_late_is_measured_from() -> None:
    before = trade("IREN", "60", at=us(OPEN) - 1_000_000)
    after = [trade("IREN", "66.5", at=us(OPEN) + n * MINUTE_US) for n in range(1, 7)]
    told = headline("contract", at=OPEN)

    in_order = _content(_live([before, told, *after]))

    assert in_order["level:+0.10"].move.raw == pytest.approx(0.1083, abs=5e-5)
    assert _content(_live([told, *after, before])) == in_order
    assert _content(_live([told, before, *after])) == in_order


def test_stale_price_at_the_event_makes_the_reaction_unknown() -> None:
    stale = trade("IREN", "60", at=us(OPEN))
    after = [trade("IREN", "66.5", at=us(OPEN) + n * MINUTE_US) for n in range(21, 90)]
    told = headline("contract", at=us(OPEN) + 20 * MINUTE_US)

    reactions = _live(canonical([stale, told, *after]))

    assert {r.move.note for r in reactions.values()} == {"the price at the event is stale"}


# ---- moves that nothing explains -----------------------------------------------------------------


def test_move_with_no_event_is_unexplained_until_a_headline_explains_it() -> None:
    digest = headline("contract", at=_DIGEST)
    alerts = run(agents(_READINGS), canonical([*_iren(), digest]))

    moves = [alert for alert in alerts if alert.type is None]
    assert kinds(moves) == ["unexplained_move", "explained"]
    assert moves[0].known_us < digest.received_us == moves[1].known_us
    assert moves[1].headline_ids == (digest.id,)
    (story,) = {alert.story_id for alert in _quiet(alerts)}
    last = [alert for alert in alerts if alert.story_id == story][-1]
    before = [move for move in last.moves if move.relation == "before"]
    assert [(m.milestone, m.to_us, round(m.raw or 0, 4)) for m in before] == [
        ("session", us(OPEN), 0.2028)
    ]


def test_move_that_was_explained_all_along_asks_for_no_alert() -> None:
    alerts = run(agents(_READINGS), canonical([*_iren(), headline("contract", at=_TOLD)]))

    assert [alert for alert in alerts if alert.type is None] == []


def test_move_is_unexplained_again_when_its_headline_is_withdrawn() -> None:
    told = headline("contract", at=_TOLD)
    gone = replace(told, revision=2, status="withdrawn", received_us=Micros(us(_CLOSE) + HOUR_US))
    alerts = run(agents(_READINGS), canonical([*_iren(), told, gone]))

    assert [alert.kind for alert in alerts if alert.type is None] == ["unexplained_move"]


def test_report_that_was_withdrawn_comes_back_with_a_later_price() -> None:
    # A first close of 60 makes 64 a move; the earlier receipt's close of 64 takes it back.
    days = history("IREN", "60.00", until=_FRIDAY)
    last = replace(days[-1], close=days[-1].close * 64 / 60, received_us=days[-1].received_us - 1)
    inputs: Inputs = [
        *days,
        trade("IREN", "65", at=us(OPEN) + MINUTE_US),
        last,
        trade("IREN", "75", at=us(OPEN) + 2 * MINUTE_US),
    ]
    pipeline = Pipeline(agents(_READINGS, policy=Policy(unexplained_z=2.0)))
    reports = [
        output.message
        for message in inputs
        for output in pipeline.feed(*as_input(message))
        if isinstance(output.message, MoveReport)
    ]

    assert [report.status for report in reports] == ["live", "withdrawn", "live"]


def test_late_price_shows_that_what_looked_like_a_split_was_a_fall() -> None:
    # 50 after a close of 97 looks like two for one; 80 between them makes it a fall.
    low = trade("IREN", "50", at=us(OPEN) + MINUTE_US)
    between = trade("IREN", "80", at=us(OPEN))
    in_order = [*history("IREN", "97", until=_FRIDAY), between, low]
    in_disorder = [*history("IREN", "97", until=_FRIDAY), low, between]
    policy = Policy(unexplained_raw=0.2, unexplained_z=1.5)

    moves = [
        [(alert.kind, alert.moves[0].raw) for alert in run(agents(_READINGS, policy=policy), given)]
        for given in (in_order, in_disorder)
    ]

    assert moves[0] == moves[1] == [("unexplained_move", pytest.approx(-0.4845, abs=5e-5))]


# ---- several companies ---------------------------------------------------------------------------


def _spilled(inputs: Inputs) -> list[Alert]:
    alerts = run(agents(_READINGS, tables=_PEERS), canonical(inputs))
    return [alert for alert in alerts if alert.kind == "spill_over"]


def test_related_company_without_news_of_its_own_gets_a_spill_over() -> None:
    cipher = _monday("CIFR", "18.65", ("18.70", "19.90", "19.80"))
    (alert, *_) = _spilled([*_iren(), *cipher, headline("contract", at=_TOLD)])

    assert ("CIFR", "level:+0.05", 0.067) in shown(alert)
    assert [t.limit for t in alert.explain.thresholds if t.name == "spill-over CIFR"] == [0.05]


def test_related_company_that_moved_less_gets_none() -> None:
    cipher = _monday("CIFR", "18.65", ("18.70", "19.40", "19.40"))

    assert _spilled([*_iren(), *cipher, headline("contract", at=_TOLD)]) == []


@pytest.mark.parametrize("at", ["2025-11-03T11:00:00Z", "2025-11-03T13:00:00Z"])
def test_related_company_with_news_of_its_own_gets_none(at: str) -> None:
    cipher = _monday("CIFR", "18.65", ("22.94", "22.80", "22.76"))
    inputs = [*_iren(), *cipher, headline("contract", at=_TOLD), headline("lease", at=at)]

    assert _spilled(inputs) == []


def test_move_of_the_related_company_belongs_to_its_own_story() -> None:
    cipher = _monday("CIFR", "18.65", ("22.94", "22.80", "22.76"))
    lease = headline("lease", at="2025-11-03T11:00:00Z")
    alerts = run(
        agents(_READINGS, tables=_PEERS),
        canonical([*_iren(), *cipher, headline("contract", at=_TOLD), lease]),
    )

    (last,) = [alert for alert in alerts if lease.id in alert.headline_ids][-1:]
    assert ("CIFR", "level:+0.20", 0.23) in shown(last)
    assert [alert for alert in alerts if alert.type is None] == []


# ---- corrections ---------------------------------------------------------------------------------


def test_withdrawn_headline_retracts_its_alert() -> None:
    told = headline("contract", at=_TOLD)
    gone = replace(told, revision=2, status="withdrawn", received_us=us(_DIGEST))
    alerts = _quiet(run(agents(_READINGS), canonical([*_iren(), told, gone])))

    assert alerts[-1].kind == "retracted"
    assert alerts[-1].known_us == us(_DIGEST)
    assert len({alert.alert_id for alert in alerts}) == 1


def test_corrected_headline_corrects_its_alert() -> None:
    told = headline("contract", at=_TOLD)
    better = replace(told, title="corrected", revision=2, received_us=Micros(us(_TOLD) + HOUR_US))
    alerts = run(agents(_READINGS), [told, better])

    assert kinds(alerts) == ["new", "corrected"]
    assert [amount.text for amount in alerts[-1].amounts] == ["$9.9bn"]


def test_correction_that_changes_the_anchor_leaves_one_story() -> None:
    told = headline("contract", at=_TOLD)
    other = replace(told, title="lease", revision=2, received_us=Micros(us(_TOLD) + HOUR_US))
    still = replace(told, title="Microsoft alone", revision=2, received_us=other.received_us)

    for revised, anchor in ((other, "CIFR"), (still, "MSFT")):
        alerts = run(agents(_READINGS), [told, revised])
        last = {(alert.story_id, alert.anchor): alert for alert in alerts}
        standing = {a.anchor for a in last.values() if a.kind not in ("retracted", "superseded")}
        assert standing == {anchor}, (revised.title, kinds(alerts))


def test_two_stories_that_a_telling_joins_become_one() -> None:
    inputs = [
        headline("Microsoft alone", at=_TOLD),
        headline("IREN alone", at=us(_TOLD) + HOUR_US),
        headline("contract", at=us(_TOLD) + 2 * HOUR_US),
    ]
    alerts = run(agents(_READINGS), inputs)

    last = {alert.alert_id: alert for alert in alerts}
    (standing,) = [alert for alert in last.values() if alert.kind != "superseded"]
    first = [alert for alert in alerts if alert.kind == "new"][:2]
    assert {last[alert.alert_id].kind for alert in first} == {"superseded"}
    assert (standing.anchor, standing.kind) == ("IREN", "new")
    assert first[1].story_id in standing.explain.supersedes
    assert len(standing.headline_ids) == 3


def test_reactions_count_on_when_a_story_gets_its_old_head_again() -> None:
    # An earlier telling takes the lead, is withdrawn, and the first one leads again.
    told = headline("contract", at=_TOLD)
    earlier = headline("계약", at=us(_TOLD) - HOUR_US, received_us=us(_TOLD) + HOUR_US)
    gone = replace(earlier, revision=2, status="withdrawn", received_us=us(_CLOSE))
    alone = _content(_live(canonical([*_iren(), told])))
    inputs = [*_iren(), told, earlier, gone]

    assert _content(_live(canonical(inputs))) == alone
    alerts = _quiet(run(agents(_READINGS), canonical(inputs)))
    last = [alert for alert in alerts if alert.headline_ids == (told.id,)][-1]
    assert ("IREN", "level:+0.20", 0.2028) in shown(last)


def test_retraction_reaches_a_story_that_the_subject_has_forgotten() -> None:
    told = headline("contract", at=_TOLD)
    gone = replace(told, revision=2, status="withdrawn", received_us=us("2025-12-01T12:00:00Z"))
    later = trade("IREN", "50", at="2025-12-01T11:00:00Z")
    alerts = _quiet(run(agents(_READINGS), [told, later, gone]))

    assert kinds(alerts) == ["new", "retracted"]


def test_journal_gets_a_headline_without_a_listed_company() -> None:
    readings = {"talks": (reading("OPENAI", worth="10", deal_status="in_talks"),)}
    outputs = list(Pipeline(agents(readings)).feed(*as_input(headline("talks", at=_TOLD))))

    assert [o.key for o in outputs if o.topic == names.JOURNAL] == ["org:openai"]
    assert [o.key for o in outputs if o.topic == names.ALERTS] == ["org:openai"]


def test_subject_forgets_what_no_record_can_need_any_more() -> None:
    pipeline = Pipeline(agents(_READINGS))
    feed(pipeline, canonical([*_iren(), headline("contract", at=_TOLD)]))
    kept = {part.partition(":")[0] for part in pipeline.state("track_reactions", "IREN")}
    assert {"event", "track", "path", "guards"} <= kept

    feed(pipeline, [trade("IREN", "50", at="2025-11-21T15:00:00Z")])

    parts = pipeline.state("track_reactions", "IREN")
    assert {part.partition(":")[0] for part in parts} >= {"clock", "days", "path"}
    assert [part for part in parts if part.startswith(("event:", "track:", "move:"))] == []
    assert sum(part.startswith("path:") for part in parts) == 1
    assert parts["guards"].guards == ()
