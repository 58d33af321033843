"""No alert looks ahead, and a fold that does is caught: ten ways of doing so are planted.

A hand-made world of two days: news before the open, a correction, news that comes in late, a gap,
bars, a split that is told of after it took effect, and a close that is rewritten for it.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from signals import names
from signals.alerts import step as alerts_step
from signals.fold import Agent, Result, Rows
from signals.market import measures, path, seconds, session_moves
from signals.market.basis import Basis
from signals.messages import Alert, Daily, Headline, Micros, PriceSample, Second
from signals.policy import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Policy
from signals.reactions import measure, reports, step
from signals.reading import rates as rates_module
from signals.reading.rates import Rates
from streams.assemble import assemble_agents
from streams.rule_loading import load_rules
from tapewire.recorded import read_tape
from tests.builders import OPEN, agents, bar, daily, headline, reading, trade, us
from tests.golden.folding import case
from tests.golden.look_ahead import Inputs, faults

_POLICY = Policy()
_FRIDAY = us("2025-10-31T20:00:00Z")
_MONDAY, _TUESDAY = us(OPEN), us("2025-11-04T14:30:00Z")
_CLOSE = us("2025-11-03T21:00:00Z")
_READINGS = {
    "contract": (reading("IREN", "MSFT", worth="9.7"),),
    "contract, wrong": (reading("IREN", "MSFT", worth="97"),),
    "closed": (reading("IREN", "MSFT", worth="9.7", deal_status="closed"),),
    "lease": (reading("CIFR", "AMZN", worth="5.5"),),
}

Planted = Callable[[pytest.MonkeyPatch], Callable[[], Sequence[Agent]]]


def _folds() -> Sequence[Agent]:
    return agents(_READINGS, policy=_POLICY)


# ---- a world -------------------------------------------------------------------------------------


def _closes(ticker: str) -> list[PriceSample]:
    """A hundred days that follow a benchmark, none like the one before."""
    random, found = Random(ticker), []
    own, other = 100.0, 600.0
    for back in range(100, 0, -1):
        step_ = random.gauss(0.0, 0.01)
        other *= 1 + step_
        own *= 1 + 1.4 * step_ + random.gauss(0.0, 0.012)
        close = Decimal("100") if back == 1 else Decimal(f"{own:.2f}")
        end_us = _FRIDAY - (back - 1) * DAY_US
        found.append(
            replace(daily(ticker, str(close), at=end_us), benchmark_price=Decimal(f"{other:.2f}"))
        )
    return found


def _day(ticker: str, open_us: int, prices: Sequence[str]) -> list[PriceSample]:
    """Trades every ten minutes."""
    return [
        trade(
            ticker, price, at=open_us + n * 10 * MINUTE_US + n, received_s=0.4,
            benchmark="SPY", benchmark_price=Decimal(600) + n,
        )
        for n, price in enumerate(prices)
    ]  # fmt: skip


def _world() -> Inputs:
    told = _MONDAY - 3 * HOUR_US
    news = [
        headline("contract, wrong", at=told, id="wire:1", received_s=2),
        headline(
            "contract", at=told, id="wire:1", revision=2, received_us=told + 2 * HOUR_US
        ),
        headline("closed", at=_MONDAY + 4 * HOUR_US, id="wire:2", received_s=3 * 3600),
        headline("lease", at=_MONDAY + 110 * MINUTE_US, id="wire:3", received_s=1),
    ]  # fmt: skip
    gap = ["121.5", "122", "126", "119", "117", *(["110"] * 10), *(["98"] * 24)]
    bars = [
        bar(
            "CIFR", prices, at=_MONDAY + n * 20 * MINUTE_US, span_us=20 * MINUTE_US,
            benchmark="SPY", benchmark_price=Decimal(600) + n, benchmark_open=Decimal(600),
        )
        for n, prices in enumerate(
            [("108", "112", "107", "111"), ("111", "124", "110", "112"),
             *([("112", "112.5", "111", "112")] * 4), ("113", "118", "111", "113"),
             *([("113", "114", "112", "113")] * 12)]
        )
    ]  # fmt: skip
    halved = [*(["48"] * 5), *(["49"] * 34)]
    split = PriceSample(
        ticker="IREN", kind="split", event_us=_TUESDAY, source="actions", ratio=Decimal(2),
        received_us=Micros(_TUESDAY + 20 * MINUTE_US),
    )  # fmt: skip
    monday = daily("IREN", "98", at=_CLOSE)
    return [
        *_closes("IREN"), *_closes("CIFR"), *_closes("MSFT"),
        trade("IREN", "100", at=_FRIDAY - MINUTE_US), trade("CIFR", "100", at=_FRIDAY - MINUTE_US),
        *news, *bars, *_day("IREN", _MONDAY, gap), *_day("IREN", _TUESDAY, halved),
        split, monday, daily("CIFR", "125", at=_CLOSE),
        # Both are told again, adjusted for what came after them.
        replace(monday, close=Decimal("49"), received_us=Micros(_TUESDAY + 3 * HOUR_US)),
        replace(_closes("CIFR")[-1], close=Decimal("50"), received_us=Micros(_TUESDAY)),
    ]  # fmt: skip


# ---- it does not look ahead ----------------------------------------------------------------------


def test_no_alert_of_the_world_looks_ahead() -> None:
    assert faults(_world(), _folds, _POLICY) == []


@pytest.mark.parametrize("name", ["microsoft_iren_dell", "veu", "near_duplicates"])
def test_no_alert_of_a_golden_case_looks_ahead(name: str) -> None:
    days = [date(2025, 10, 31), date(2025, 11, 3)]
    tape = read_tape(days=days, tickers=("DELL", "IREN", "MSFT"), minutes=30)
    prices = list(tape) if name == "microsoft_iren_dell" else []

    def folds() -> Sequence[Agent]:
        return assemble_agents(_POLICY)

    assert faults([*case(name), *prices], folds, _POLICY) == []


def _rate_faults(rates: Rates) -> list[str]:
    """A value in won is told in dollars by a rate dated before the day of the headline."""
    days, dollar, won = rates.days, rates.per_euro["USD"], rates.per_euro["KRW"]
    found = []
    for row in range(len(days) - 40, len(days) - 1):
        published_us = Micros(days[row + 1] * DAY_US + 15 * HOUR_US)
        if not (dollar[row] and won[row] and days[row + 1] == days[row] + 1):
            continue
        told = rates.to_usd(Decimal(10**13), "KRW", published_us)
        expected = (Decimal(10**13) * Decimal(dollar[row]) / Decimal(won[row])).quantize(Decimal(1))
        if told != expected:
            found.append(f"{told} by a rate that was not dated before the day")
    return found


def test_no_amount_is_told_by_a_later_rate() -> None:
    assert _rate_faults(load_rules().rates) == []


# ---- and if it did -------------------------------------------------------------------------------


def _next_price(patch: pytest.MonkeyPatch) -> None:
    """The price at a time is the next one after it."""
    at = path.Path.at

    def mutant(self: path.Path, time_us: Micros) -> Second | None:
        later = self.between(Micros(time_us), Micros(time_us + HOUR_US))
        return next(later, None) or at(self, time_us)

    patch.setattr(path.Path, "at", mutant)


def _bar_before_its_end(patch: pytest.MonkeyPatch) -> None:
    """A bar's extremes are known when it begins."""
    opened = seconds._opened

    def mutant(sample: PriceSample, event_us: Micros, *rest: Any) -> Any:
        return opened(sample, sample.event_us, *rest)

    patch.setattr(seconds, "_opened", mutant)


def _adjusted_close(patch: pytest.MonkeyPatch) -> None:
    """Of two records of a close the later stands."""

    def mutant(row: path.DaysRow | None, day: Daily) -> path.DaysRow:
        days = {} if row is None else {old.close_us: old for old in row.days}
        days[day.close_us] = path.close_of(day)
        return path.DaysRow(days=tuple(days[close_us] for close_us in sorted(days)))

    patch.setattr(step, "add_day", mutant)


def _statistics_of_later_days(patch: pytest.MonkeyPatch) -> None:
    """Beta and volatility are those of all the days that there are."""

    def mutant(days: Sequence[path.Close], time_us: Micros, *rest: Any) -> measures.Statistics:
        return measures.statistics_at(days, Micros(time_us + 30 * DAY_US), *rest)

    patch.setattr(measure, "statistics_at", mutant)


def _close_of_the_day_itself(patch: pytest.MonkeyPatch) -> None:
    """The close before a session is its own."""

    def mutant(days: Sequence[path.Close], session: Any, before: Any) -> path.Close | None:
        return next((day for day in reversed(days) if day.close_us <= session.close_us), None)

    patch.setattr(session_moves, "previous_day", mutant)
    patch.setattr(reports, "previous_day", mutant)


def _known_when_it_happened(patch: pytest.MonkeyPatch) -> None:
    """An alert is dated to the move, not to the receipt of what showed it."""
    story_alert = alerts_step.story_alert

    def mutant(*given: Any, **named: Any) -> Alert:
        alert = story_alert(*given, **named)
        return replace(alert, known_us=max((m.to_us for m in alert.moves), default=alert.known_us))

    patch.setattr(alerts_step, "story_alert", mutant)


def _split_known_when_it_took_effect(patch: pytest.MonkeyPatch) -> None:
    """A split counts from when it took effect, before anybody was told."""
    patch.setattr(Basis, "received_us", lambda self, second_us: 0)
    fold_split = step._fold_split
    patch.setattr(
        step,
        "_fold_split",
        lambda view, split: fold_split(replace(view, received_us=split.effective_us), split),
    )


def _gap_of_the_extreme(patch: pytest.MonkeyPatch) -> None:
    """A crossing is dated to the first second, at the price that was reached later."""
    crossings = measure._Ruler.crossings

    def mutant(self: Any) -> list[Any]:
        span = (self._since_us, self._until_us)
        first_us = next((second.second_us for second in self._market.path.between(*span)), 0)
        return [replace(move, to_us=Micros(first_us)) for move in crossings(self)]

    patch.setattr(measure._Ruler, "crossings", mutant)


_PATCHED = [
    _next_price, _bar_before_its_end, _adjusted_close, _statistics_of_later_days,
    _close_of_the_day_itself, _known_when_it_happened, _split_known_when_it_took_effect,
    _gap_of_the_extreme,
]  # fmt: skip


@pytest.mark.parametrize("mutant", _PATCHED, ids=lambda planted: planted.__name__.strip("_"))
def test_planted_look_ahead_is_caught(
    mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)

    assert faults(_world(), _folds, _POLICY) != []


def _received_when_published(message: Headline) -> Headline:
    """Late news counts from when it was written."""
    return replace(message, received_us=message.published_us)


def _corrected_from_the_start(message: Headline) -> Headline:
    """A correction counts from when the first revision came: its modified date is not looked at."""
    if message.revision == 1:
        return message
    return replace(message, received_us=Micros(message.published_us + 2 * SECOND_US))


@pytest.mark.parametrize("mutant", [_received_when_published, _corrected_from_the_start])
def test_planted_date_of_a_headline_is_caught(mutant: Callable[[Headline], Headline]) -> None:
    def folds() -> Sequence[Agent]:
        return [_reading(agent) if agent.reads == names.HEADLINES else agent for agent in _folds()]

    def _reading(agent: Agent) -> Agent:
        def planted(rows: Rows, key: str, message: Headline) -> Result:
            return agent.step(rows, key, mutant(message))

        return replace(agent, step=planted)

    assert faults(_world(), folds, _POLICY) != []


def test_planted_rate_of_a_later_day_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates_module, "bisect_left", lambda days, day: bisect_left(days, day) + 1)

    assert _rate_faults(load_rules().rates) != []
