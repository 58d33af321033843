"""Beta, volatility, abnormal return and z-score, against formulas written another way."""

import itertools
import statistics
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.market.measures import abnormal_of, ratio, score_of, statistics_at
from signals.market.path import Close
from signals.messages import Micros
from signals.policy import DAY_US, Policy
from tests.builders import us

_START = us("2025-01-06T21:00:00Z")


def _days(count: int, *, seed: int = 1) -> list[Close]:
    random = Random(seed)
    price, benchmark, found = 100.0, 600.0, []
    for number in range(count):
        shock = random.gauss(0.0, 0.01)
        benchmark *= 1 + shock
        price *= 1 + 1.7 * shock + random.gauss(0.0, 0.02)
        close_us = Micros(_START + number * DAY_US)
        found.append(
            Close(
                close_us=close_us,
                close=Decimal(f"{price:.4f}"),
                received_us=Micros(close_us + 1),
                benchmark="SPY",
                benchmark_close=Decimal(f"{benchmark:.4f}"),
            )
        )
    return found


def _returns(closes: list[float]) -> list[float]:
    return [later / earlier - 1 for earlier, later in itertools.pairwise(closes)]


@pytest.mark.parametrize("count", [62, 100, 121, 200])
def test_beta_is_the_slope_of_the_last_120_returns(count: int) -> None:
    days = _days(count)
    own = _returns([float(day.close) for day in days])[-120:]
    market = _returns([float(day.benchmark_close or 0) for day in days])[-120:]

    found = statistics_at(days, Micros(days[-1].close_us + 1), Policy())

    assert found.beta == pytest.approx(statistics.linear_regression(market, own).slope, abs=1e-8)
    assert found.volatility == pytest.approx(statistics.stdev(own[-60:]), abs=1e-9)


def test_beta_is_one_under_sixty_returns() -> None:
    assert statistics_at(_days(60), Micros(_START + 99 * DAY_US), Policy()).beta == 1.0
    assert statistics_at(_days(61), Micros(_START + 99 * DAY_US), Policy()).beta != 1.0


def test_volatility_is_unknown_under_twenty_returns() -> None:
    assert statistics_at(_days(20), Micros(_START + 99 * DAY_US), Policy()).volatility is None
    assert statistics_at(_days(21), Micros(_START + 99 * DAY_US), Policy()).volatility


def test_beta_is_one_when_the_benchmark_never_moved() -> None:
    days = [Close(
                close_us=day.close_us, close=day.close, received_us=day.received_us,
        benchmark="SPY", benchmark_close=Decimal(600),
    ) for day in _days(90)]  # fmt: skip

    assert statistics_at(days, Micros(_START + 99 * DAY_US), Policy()).beta == 1.0


def test_closes_that_were_not_known_yet_are_not_looked_at() -> None:
    days = _days(100)
    at = days[80].close_us

    # The close of the moment itself was received a microsecond after it.
    assert statistics_at(days, at, Policy()) == statistics_at(days[:80], at, Policy())
    assert statistics_at(days, Micros(at + 1), Policy()) == statistics_at(
        days[:81], Micros(at + 1), Policy()
    )


def test_abnormal_is_raw_less_beta_times_the_benchmark() -> None:
    assert abnormal_of(0.2028, -0.01, 1.5) == pytest.approx(0.2178)
    assert abnormal_of(0.2028, None, 1.5) is None


def test_score_scales_the_deviation_by_the_root_of_time() -> None:
    assert score_of(0.10, 0.05, 1.0) == pytest.approx(2.0)
    assert score_of(0.10, 0.05, 4.0) == pytest.approx(1.0)
    for abnormal, volatility, span in ((None, 0.05, 1.0), (0.1, None, 1.0), (0.1, 0.05, 0.0)):
        assert score_of(abnormal, volatility, span) is None


@given(st.decimals("0.01", "10000", places=2), st.decimals("0.01", "10000", places=2))
def test_ratio_is_the_simple_return(later: Decimal, earlier: Decimal) -> None:
    expected = float((later - earlier) / earlier)

    assert ratio(later, earlier) == pytest.approx(expected, rel=1e-9, abs=1e-9)
