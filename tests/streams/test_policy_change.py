"""A worker that is started again with another policy goes on with the state of the old one."""

from dataclasses import replace

from signals.fold import Agent, Result, Rows
from signals.messages import Alert
from signals.policy import MINUTE_US, Policy
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

_READINGS = {"contract": (reading("IREN", worth="9.7"),)}
_NOON = us(OPEN) + 90 * MINUTE_US
_WIDER = Policy(levels=(0.15, 0.30), horizons=(), unexplained_raw=0.5, unexplained_alone=0.6)


class _Started:
    """Agents whose steps are those of one policy first, and then of another, over one state."""

    def __init__(self, first: Policy, then: Policy) -> None:
        self._policies = (first, then)
        self.starts = 0

    def agents(self) -> tuple[Agent, ...]:
        made = [agents(_READINGS, policy=policy) for policy in self._policies]
        return tuple(self._joined(pair) for pair in zip(*made, strict=True))

    def _joined(self, pair: tuple[Agent, ...]) -> Agent:
        def step(rows: Rows, key: str, message: object) -> Result:
            return pair[self.starts].step(rows, key, message)

        return replace(pair[0], step=step)


def _alerts(first: Policy, then: Policy) -> tuple[list[Alert], list[Alert]]:
    """The alerts before and after the second start, at noon."""
    prices = ["103.5", "104", "111", "116"]
    tape = [
        trade("IREN", price, at=us(OPEN) + n * 60 * MINUTE_US) for n, price in enumerate(prices)
    ]
    inputs = canonical(
        [
            *history("IREN", "100.00", until="2025-10-31T20:00:00Z"),
            trade("IREN", "100", at=us(OPEN) - MINUTE_US),
            headline("contract", at=us(OPEN) - MINUTE_US // 2),
            *tape,
        ]
    )
    started = _Started(first, then)
    pipeline = Pipeline(started.agents())
    found: tuple[list[Alert], list[Alert]] = ([], [])
    for message in inputs:
        started.starts = int(message.received_us >= _NOON)
        for output in pipeline.feed(*as_input(message)):
            if isinstance(output.message, Alert):
                found[started.starts].append(output.message)
    assert not pipeline.dead
    return found


def test_what_was_decided_stands_and_what_comes_is_decided_by_the_new_policy() -> None:
    before, after = _alerts(Policy(horizons=()), _WIDER)
    (_, after_old) = _alerts(Policy(horizons=()), Policy(horizons=()))

    assert ("IREN", "level:+0.03", 0.035) in shown(before[-1])
    assert ("IREN", "level:+0.10", 0.11) in shown(after_old[-1])
    last = {milestone: raw for _, milestone, raw in shown(after[-1])}
    assert last["level:+0.15"] == 0.16
    assert "level:+0.10" not in last


def test_revisions_go_on_over_the_start() -> None:
    before, after = _alerts(Policy(horizons=()), _WIDER)
    revisions = [alert.revision for alert in (*before, *after)]

    assert len({alert.alert_id for alert in (*before, *after)}) == 1
    assert revisions == list(range(1, len(revisions) + 1))
