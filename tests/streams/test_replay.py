"""Replay: raw inputs and recorded reactions give the alerts of the live run."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from signals import names
from signals.errors import BadMessage
from signals.fold import Agent, Output, Result, Rows
from signals.messages import Alert, Headline, Micros, PriceSample
from signals.policy import HOUR_US, MINUTE_US
from streams.codec import encode
from streams.replay import Pipeline, alert_lines, order_alerts, replay_raw, replay_recorded
from tests.builders import OPEN, agents, as_input, canonical, headline, history, reading, trade, us

_READINGS = {"contract": (reading("IREN", "MSFT", worth="9.7"),)}
_TOLD = headline("contract", at=OPEN)


def _inputs() -> list[Headline | PriceSample]:
    prices = [
        trade("IREN", price, at=us(OPEN) + minute * MINUTE_US)
        for minute, price in [(-1, "60"), (1, "62"), (2, "66"), (70, "73")]
    ]
    gone = replace(
        _TOLD, revision=2, status="withdrawn", received_us=Micros(us(OPEN) + 2 * HOUR_US)
    )
    days = history("IREN", "60", until="2025-10-31T20:00:00Z", days=30)
    return canonical([*days, *prices, _TOLD, gone])


def _live(inputs: Iterable[Headline | PriceSample]) -> list[Output]:
    pipeline = Pipeline(agents(_READINGS))
    return [output for message in inputs for output in pipeline.feed(*as_input(message))]


def _alerts(outputs: Iterable[Output]) -> list[Alert]:
    return order_alerts(o.message for o in outputs if isinstance(o.message, Alert))


def test_raw_inputs_give_the_alerts_as_they_became_known() -> None:
    report = replay_raw(map(as_input, _inputs()), agents(_READINGS))

    assert report.alerts == _alerts(_live(_inputs()))
    kinds = [alert.kind for alert in report.alerts]
    assert kinds[0] == "new"
    assert set(kinds[-2:]) == {"retracted", "unexplained_move"}
    assert kinds.count("confirmed") >= 2
    known = [alert.known_us for alert in report.alerts]
    assert known == sorted(known)
    assert report.read == {names.HEADLINES: 2, names.PRICES: 34}


def test_what_cannot_be_folded_is_counted_by_its_reason() -> None:
    late = trade("IREN", "60", at=OPEN, received_s=3600)
    future = headline("contract", at=OPEN, received_s=-3600)
    report = replay_raw(map(as_input, [late, future]), agents(_READINGS))

    assert report.dead == {"late": 1, "future_publish_time": 1}
    assert (report.late, report.alerts) == (1, [])


def test_recorded_reactions_give_the_live_alerts_byte_for_byte() -> None:
    outputs = _live(_inputs())
    recorded = [(o.key, encode(o.message)) for o in outputs if o.topic == names.REACTIONS]
    live = [encode(alert) + b"\n" for alert in _alerts(outputs)]

    report = replay_recorded(recorded, agents(_READINGS))
    assert list(alert_lines(report.alerts)) == live
    assert report.read == {names.REACTIONS: len(recorded)}

    twice = [record for record in recorded for _ in range(2)]
    assert list(alert_lines(replay_recorded(twice, agents(_READINGS)).alerts)) == live
    again = [*recorded, *recorded]
    assert replay_recorded(again, agents(_READINGS)).sha256() == report.sha256()


def test_recorded_journal_gives_the_live_reactions_byte_for_byte() -> None:
    outputs = _live(_inputs())
    wanted = [encode(o.message) for o in outputs if o.topic == names.REACTIONS]
    pipeline = Pipeline(agents(_READINGS))

    found = [
        encode(output.message)
        for o in outputs
        if o.topic == names.JOURNAL
        for output in pipeline.fold(o.topic, o.key, o.message)
    ]

    assert found == wanted


def test_recorded_bytes_that_cannot_be_read_are_counted() -> None:
    report = replay_recorded([("IREN", b"{"), ("IREN", None)], agents(_READINGS))

    assert report.dead == {"not_json": 1, "null_value": 1}


def test_hash_is_of_the_alerts_and_nothing_else() -> None:
    first = replay_raw(map(as_input, _inputs()), agents(_READINGS))
    quiet = headline("nothing", at=OPEN, id="wire:quiet")
    more = replay_raw(map(as_input, [*_inputs(), quiet]), agents(_READINGS))
    fewer = replay_raw(map(as_input, _inputs()[:-1]), agents(_READINGS))

    assert first.sha256() == more.sha256() != fewer.sha256()


def test_each_revision_is_told_once_in_the_order_in_which_it_became_known() -> None:
    alerts = _alerts(_live(_inputs()))

    assert order_alerts([*reversed(alerts), *alerts]) == alerts


# ---- the pipeline itself -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sum:
    total: int


def _adding(rows: Rows, key: str, number: Any) -> Result:
    if number < 0:
        raise BadMessage("bad_value", "$", "must be 0 or more")
    if number == 0:
        return {"sum": None}, ()
    known = rows.get("sum")
    return {"sum": _Sum(total=number + (0 if known is None else known.total))}, ()


def _adder() -> Pipeline:
    return Pipeline([Agent(name="add", reads="numbers", step=_adding, rows={"sum": _Sum})])


def test_state_is_kept_by_key() -> None:
    pipeline = _adder()
    for key, number in [("a", 1), ("b", 10), ("a", 2)]:
        assert pipeline.fold("numbers", key, number) == ()

    assert pipeline.state("add", "a") == {"sum": _Sum(total=3)}
    assert pipeline.state("add", "b") == {"sum": _Sum(total=10)}


def test_message_that_is_refused_changes_nothing_but_the_count() -> None:
    pipeline = _adder()
    for number in (5, -1):
        pipeline.fold("numbers", "a", number)

    assert pipeline.state("add", "a") == {"sum": _Sum(total=5)}
    assert pipeline.dead == {"bad_value": 1}


def test_row_that_a_step_removes_is_gone() -> None:
    pipeline = _adder()
    for number in (5, 0):
        pipeline.fold("numbers", "a", number)

    assert pipeline.state("add", "a") == {}
