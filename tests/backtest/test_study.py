"""A planted effect is found, placebo finds none, and every figure is numpy's own."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from signals.backtest.forward import HORIZONS, forward_of
from signals.backtest.prices import Prices
from signals.backtest.signal import signals_of
from signals.messages import Alert, Micros
from streams.backtest import placebo
from streams.backtest.placebo import NEAR, POOL, make_pool
from streams.backtest.statistics import LEAST
from streams.backtest.study import Study, run_study
from tests.backtest.worlds import Market, alert, collect

EFFECT = 0.02
EXACT = 1e-9


def _alerts(market: Market, *, effect: float, every: int = 17) -> list[Alert]:
    """Alerts the night before some days, with the effect on those days."""
    found = []
    for i, ticker in enumerate(market.tickers):
        for day in range(140 + i, 235, every):
            market.add_effect(ticker, day, effect)
            lang = {"title": f"{ticker} 계약 체결"} if day % 2 else {}
            status = ("signed", "agreed")[day % 3 == 0]
            found.append(alert(ticker, market.night_before(day), number=day, status=status, **lang))
    return found


def _run(alerts: Sequence[Alert], prices: Mapping[str, Prices], **changes: Any) -> Study:
    given: dict[str, Any] = {"kinds": ("new",), "cost": 0.0005, "seed": 7}
    return run_study(alerts, prices, **(given | changes))


@pytest.fixture(scope="module")
def planted() -> Study:
    market = Market()
    alerts = _alerts(market, effect=EFFECT)
    return _run(alerts, collect(*market.samples()))


@pytest.fixture(scope="module")
def nothing() -> Study:
    market = Market()
    alerts = _alerts(market, effect=0.0)
    return _run(alerts, collect(*market.samples()))


def _main(study: Study, horizon: str = "close") -> Any:
    cell = study.cell("signed_abnormal", "all", "all", horizon)
    assert cell is not None
    return cell


def test_the_planted_effect_is_found_and_the_placebo_finds_none(planted: Study) -> None:
    cell, other = _main(planted), planted.placebo["close"]

    assert cell.summary.n > 60
    assert cell.summary.low < EFFECT < cell.summary.high
    assert cell.p_adjusted < 1e-4
    assert other is not None
    assert other.low < 0.0 < other.high
    assert abs(other.mean) < EFFECT / 10
    assert other.p < 0.002


def test_where_there_is_no_effect_nothing_is_found(nothing: Study) -> None:
    cell, other = _main(nothing), nothing.placebo["close"]

    assert cell.summary.low < 0.0 < cell.summary.high
    assert other is not None
    assert other.p > 0.05
    assert [one for one in nothing.cells if (one.p_adjusted or 1.0) < 0.05] == []


def test_the_curve_steps_up_at_day_0_and_not_before(planted: Study) -> None:
    mean = {day.day: day.mean for day in planted.curve}

    assert mean[0] - mean[-1] == pytest.approx(EFFECT, abs=0.005)
    assert abs(mean[-1]) < 0.01


def test_cells_are_means_over_their_observations(planted: Study) -> None:
    rows = pd.DataFrame(
        [
            {
                "status": one.signal.status,
                "lang": one.signal.lang,
                "horizon": found.horizon,
                "abnormal": found.abnormal,
                "raw": found.raw,
            }
            for one in planted.observations
            for found in one.forward.returns
        ]
    )
    seen = 0
    for cell in planted.cells:
        if cell.group not in ("status", "lang") or cell.summary.mean is None:
            continue
        part = rows[(rows[cell.group] == cell.value) & (rows["horizon"] == cell.horizon)]
        values = part[cell.measure.removeprefix("signed_")].dropna()
        assert cell.summary.n == len(values)
        assert cell.summary.mean == pytest.approx(values.mean(), abs=EXACT)
        assert cell.summary.median == pytest.approx(values.median(), abs=EXACT)
        assert cell.summary.error == pytest.approx(values.sem(), abs=EXACT)
        seen += 1
    assert seen >= 4 * 4 * 3


def test_the_curve_is_the_mean_of_cumulated_days(planted: Study) -> None:
    windows = np.array([one.window.abnormal for one in planted.observations if one.window], float)
    total = np.cumsum(windows, axis=1)

    for k, day in enumerate(planted.curve):
        column = total[:, k][~np.isnan(total[:, k])]
        assert day.n == len(column)
        assert day.mean == pytest.approx(column.mean(), abs=EXACT)
        assert day.error == pytest.approx(column.std(ddof=1) / np.sqrt(len(column)), abs=EXACT)
        assert day.low < day.mean < day.high


def test_the_side_turns_the_figures_and_the_plain_ones_stay() -> None:
    market = Market(shares=3)
    alerts = [
        alert(ticker, market.night_before(day), number=day, type="export_control", status=None,
              direction="tighten")
        for ticker in market.tickers
        for day in range(130, 230, 20)
    ]  # fmt: skip
    study = _run(alerts, collect(*market.samples()))

    signed, plain = _main(study), study.cell("abnormal", "all", "all", "close")
    assert plain is not None
    assert signed.summary.mean == pytest.approx(-plain.summary.mean, abs=EXACT)
    assert signed.summary.net == pytest.approx(signed.summary.mean - 0.0005, abs=EXACT)


def test_every_signal_is_in_the_figures_or_among_the_missing() -> None:
    market = Market(shares=3)
    alerts = _alerts(market, effect=0.0)
    alerts += [alert("GONE", market.night_before(150 + n), number=n) for n in range(4)]
    alerts += [alert(market.tickers[0], market.night_before(258), number=258)]
    nobody = alert("NONE", market.night_before(150), parties=(), tickers=())
    retold = alert("NONE", market.night_before(151), parties=(), tickers=(), revision=2)
    study = _run([*alerts, nobody, retold], collect(*market.samples()))

    assert len(study.observations) == len(alerts)
    unlisted, entry = (one for one in study.missing if one.horizon == "entry")
    assert (unlisted.reason, unlisted.count) == ("no_ticker", 1)
    assert (entry.reason, entry.count, entry.tickers) == ("not_in_files", 4, ("GONE",))
    for horizon in HORIZONS:
        missing = [one for one in study.missing if one.horizon in ("entry", horizon)]
        without = sum(one.count for one in missing if one.reason != "no_ticker")
        cell = study.cell("raw", "all", "all", horizon)
        assert cell is not None
        assert cell.summary.n + without == len(alerts)
    late = [one for one in study.missing if one.horizon == "day+5"]
    assert [(one.reason, one.count) for one in late] == [("beyond_data", 1)]


def test_a_small_group_shows_its_count_and_is_no_test(planted: Study) -> None:
    market = Market(shares=2)
    alerts = _alerts(market, effect=0.0, every=40)
    study = _run(alerts, collect(*market.samples()))

    assert 0 < _main(study).summary.n < LEAST
    assert study.tests == 0
    assert {cell.p_adjusted for cell in study.cells} == {None}
    assert set(study.placebo.values()) == {None}
    assert planted.tests == sum(cell.summary.p is not None for cell in planted.cells)


def test_placebo_days_have_no_alert_near() -> None:
    market = Market(shares=2)
    # The one share is told of every week, the other once.
    often = [alert("S00", market.night_before(day), number=day) for day in range(5, 255, NEAR)]
    once = [alert("S01", market.night_before(200), number=1)]
    study = _run([*often, *once], collect(*market.samples()))

    assert study.without_placebo > 40
    assert study.placebo["close"] is None or study.placebo["close"].n <= 3


def test_days_within_five_sessions_of_an_alert_are_never_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = Market(shares=1)
    prices = collect(*market.samples())
    days = range(130, 130 + POOL)
    monkeypatch.setattr(placebo, "_days", lambda *_, **__: [market.sessions[d] for d in days])
    told_us = market.night_before(150)  # between the sessions 149 and 150
    (signal,) = signals_of([alert("S00", told_us)], ["new"], prices)
    forward = forward_of("S00", prices["S00"], told_us)

    pool = make_pool([(signal, forward)], prices, {"S00": [told_us]}, seed=7)

    close = pool.values[0, :, HORIZONS.index("close")]
    assert [day for day, value in zip(days, close, strict=True) if np.isnan(value)] == list(
        range(150 - NEAR, 150 + NEAR)
    )


def test_a_placebo_is_made_at_the_same_time_of_the_session() -> None:
    market = Market(shares=1)
    prices = collect(*market.samples())
    told_us = market.night_before(150)
    (signal,) = signals_of([alert("S00", told_us)], ["new"], prices)
    forward = forward_of("S00", prices["S00"], told_us)

    pool = make_pool([(signal, forward)], prices, {}, seed=7)

    known = {
        found.abnormal
        for session in market.sessions
        for found in forward_of("S00", prices["S00"], Micros(session.open_us - 1)).returns
        if found.horizon == "close"
    }
    drawn = pool.values[0, :, HORIZONS.index("close")]
    assert set(drawn[~np.isnan(drawn)].tolist()) <= known
    assert len(set(drawn.tolist())) > POOL / 2


def test_another_seed_draws_other_days_and_the_same_seed_the_same(planted: Study) -> None:
    market = Market()
    alerts = _alerts(market, effect=EFFECT)
    prices = collect(*market.samples())

    assert _run(alerts[::-1], prices) == planted
    other = _run(alerts, prices, seed=8)
    assert other.placebo != planted.placebo
    assert _main(other).summary.mean == _main(planted).summary.mean
