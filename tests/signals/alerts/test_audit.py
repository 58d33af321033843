"""An alert against itself: whole ones agree, and each field that is changed is named."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from signals.alerts.audit import audit_alert
from signals.messages import Alert, Micros
from signals.policy import Policy
from tapewire.recorded import read_recorded_headlines, read_tape
from tests.golden.folding import case, fold

_POLICY = Policy()


@pytest.fixture(scope="module")
def alerts() -> list[Alert]:
    days = [date(2025, 10, 31), date(2025, 11, 3), date(2025, 11, 4)]
    tape = read_tape(days=days, tickers=("AMZN", "CIFR", "DELL", "IREN", "MSFT", "SPY"), minutes=15)
    news = [*case("veu"), *case("near_duplicates"), *read_recorded_headlines()]
    return fold([*news, *tape]).alerts


@pytest.fixture(scope="module")
def confirmed(alerts: list[Alert]) -> Alert:
    """A story with moves past their levels."""
    return next(
        a for a in alerts if a.kind == "confirmed" and a.type == "deal" and a.anchor == "IREN"
    )


def test_what_the_agents_send_agrees_with_itself(alerts: list[Alert]) -> None:
    assert {alert.kind for alert in alerts} >= {"new", "confirmed", "status_changed"}

    found = {alert.alert_id: audit_alert(alert, _POLICY) for alert in alerts}

    assert {name: faults for name, faults in found.items() if faults} == {}


def _first_move(alert: Alert, **changes: object) -> Alert:
    number = next(n for n, move in enumerate(alert.moves) if move.raw is not None)
    moves = list(alert.moves)
    moves[number] = replace(moves[number], **changes)  # type: ignore[arg-type]
    return replace(alert, moves=tuple(moves))


def _first_threshold(alert: Alert, **changes: float) -> Alert:
    first, *rest = alert.explain.thresholds
    changed = (replace(first, **changes), *rest)
    return replace(alert, explain=replace(alert.explain, thresholds=changed))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda a: replace(a, alert_id="al_0"), "alert_id"),
        (lambda a: replace(a, story_id="st_0"), "story_id"),
        (lambda a: replace(a, severity="low"), "severity"),
        (lambda a: replace(a, known_us=Micros(1)), ".known_us"),
        (lambda a: replace(a, headline_ids=()), "explain.evidence[0]"),
        (lambda a: replace(a, moves=()), "explain.thresholds["),
        (lambda a: _first_move(a, raw=0.5), ".raw"),
        (lambda a: _first_move(a, to_us=Micros(2**60)), ".to_us"),
        (lambda a: _first_threshold(a, value=0.0), "explain.thresholds[0]"),
        (lambda a: _first_threshold(a, limit=9.0), "explain.thresholds[0]"),
        (lambda a: replace(a, explain=replace(a.explain, score=99.0)), "explain.score"),
        (lambda a: replace(a, explain=replace(a.explain, rules=())), "explain.rules"),
        (lambda a: replace(a, explain=replace(a.explain, terms=())), "explain.terms"),
    ],
)  # fmt: skip
def test_what_is_changed_is_named(
    confirmed: Alert, change: Callable[[Alert], Alert], path: str
) -> None:
    assert path in " ".join(fault.path for fault in audit_alert(change(confirmed), _POLICY))


def test_another_policy_has_other_thresholds(alerts: list[Alert]) -> None:
    moves = [alert for alert in alerts if alert.type is None]
    spilled = [a for a in alerts for t in a.explain.thresholds if t.name.startswith("spill-over")]
    strict = replace(_POLICY, unexplained_raw=0.06, spill_over_raw=0.07)

    assert moves or spilled
    assert all(audit_alert(alert, strict) for alert in [*moves, *spilled])


def test_a_fault_says_the_field_what_it_says_and_what_it_must_be(confirmed: Alert) -> None:
    (fault,) = audit_alert(replace(confirmed, severity="low"), _POLICY)

    assert str(fault) == f"severity says low, must be {confirmed.severity}"
