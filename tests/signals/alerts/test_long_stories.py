"""Stories that are told for weeks: what was measured stands, and state does not grow with time."""

import pytest

from signals.messages import Alert, Headline, PriceSample
from signals.policy import DAY_US, HOUR_US, MINUTE_US, Policy
from streams.replay import Pipeline
from tests.builders import (
    OPEN,
    agents,
    as_input,
    canonical,
    headline,
    history,
    reading,
    shown,
    trade,
    us,
)

_READINGS = {
    "contract": (reading("IREN", "MSFT", worth="9.7"),),
    "closed": (reading("IREN", "MSFT", worth="9.7", deal_status="closed"),),
}
_TOLD = us(OPEN) - HOUR_US


def _tape(days: int) -> list[PriceSample]:
    """A gap on the first day, quiet prices at the same hours of the days after it."""
    found = [*history("IREN", "100.00", until="2025-10-31T20:00:00Z")]
    found.append(trade("IREN", "100", at=us("2025-10-31T20:00:00Z") - MINUTE_US))
    for day in range(days):
        for hour in range(7):
            at_us = us(OPEN) + day * DAY_US + hour * HOUR_US
            found.append(trade("IREN", "121" if hour < 3 else "112", at=at_us))
    return found


def _told(every: int, days: int) -> list[Headline]:
    return [
        headline("contract", at=_TOLD + day * DAY_US, id=f"wire:{day:03}")
        for day in range(0, days, every)
    ]


def _run(inputs: list[Headline | PriceSample]) -> list[Alert]:
    pipeline = Pipeline(agents(_READINGS, policy=Policy()))
    return [
        output.message
        for message in canonical(inputs)
        for output in pipeline.feed(*as_input(message))
        if isinstance(output.message, Alert) and output.message.type is not None
    ]


@pytest.mark.parametrize("every", [1, 5, 13])
def test_retellings_over_two_months_take_no_move_back(every: int) -> None:
    alerts = _run([*_told(every, 60), *_tape(60)])

    assert len({alert.alert_id for alert in alerts}) == 1
    assert {alert.kind for alert in alerts} <= {"new", "confirmed"}
    assert ("IREN", "level:+0.20", 0.21) in shown(alerts[-1])
    assert len(alerts) < 12


def test_change_of_status_within_a_story_that_is_told_on_keeps_its_moves() -> None:
    closed = headline("closed", at=_TOLD + 40 * DAY_US, id="wire:closed")
    alerts = _run([*_told(5, 60), closed, *_tape(60)])

    changed = next(alert for alert in alerts if alert.kind == "status_changed")
    assert changed.status == "closed"
    assert ("IREN", "level:+0.20", 0.21) in shown(changed)


def test_change_of_status_of_a_quiet_story_is_told_in_the_same_story() -> None:
    closed = headline("closed", at=_TOLD + 100 * DAY_US, id="wire:closed")
    alerts = _run([*_told(5, 8), closed, *_tape(101)])

    assert len({alert.alert_id for alert in alerts}) == 1
    assert [alert.kind for alert in alerts if alert.kind not in ("new", "confirmed")] == [
        "status_changed"
    ]
