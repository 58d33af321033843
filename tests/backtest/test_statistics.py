"""The statistics against statsmodels, scipy and loops written from the definitions."""

from math import sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from streams.backtest.statistics import (
    BOOTSTRAPS,
    LEAST,
    adjust_p,
    bootstrap_mean,
    clustered_error,
    generator,
    summarise,
    t_probability,
    wilson,
)

_RANDOM = np.random.default_rng(5)
VALUES = _RANDOM.normal(0.004, 0.02, 83)
DAYS = np.sort(_RANDOM.integers(19_700, 19_720, 83))
SCORES = VALUES / _RANDOM.uniform(0.01, 0.03, 83)
EXACT = 1e-9


@pytest.fixture(scope="module")
def summary() -> object:
    return summarise(VALUES, DAYS, SCORES, cost=0.001, seed=7, name="x")


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 20, 41, 300, 1001])
@pytest.mark.parametrize("t", [0.0, 0.3, -1.0, 1.96, 4.2, -9.0])
def test_the_p_of_t_is_that_of_scipy(t: float, freedom: int) -> None:
    assert t_probability(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), abs=1e-12)


def test_the_cross_sectional_test_is_that_of_scipy(summary) -> None:
    expected = stats.ttest_1samp(VALUES, 0.0)

    assert summary.mean == pytest.approx(np.mean(VALUES), abs=EXACT)
    assert summary.t == pytest.approx(expected.statistic, abs=EXACT)
    assert summary.p_t == pytest.approx(expected.pvalue, abs=EXACT)
    assert summary.error == pytest.approx(stats.sem(VALUES), abs=EXACT)


def test_errors_by_day_are_those_of_statsmodels(summary) -> None:
    fitted = sm.OLS(VALUES, np.ones(len(VALUES))).fit(
        cov_type="cluster", cov_kwds={"groups": DAYS}, use_t=True
    )

    assert clustered_error(VALUES, DAYS) == pytest.approx(fitted.bse[0], abs=EXACT)
    assert summary.t_clustered == pytest.approx(fitted.tvalues[0], abs=EXACT)
    days = len(set(DAYS.tolist()))
    assert summary.p == pytest.approx(2 * stats.t.sf(abs(fitted.tvalues[0]), days - 1), abs=EXACT)
    assert clustered_error(VALUES, np.zeros(83, dtype=np.int64)) is None


def test_the_standardised_test_is_a_t_test_of_the_scores(summary) -> None:
    expected = SCORES.mean() / (SCORES.std(ddof=1) / sqrt(len(SCORES)))

    assert summary.t_standardised == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize(("hits", "n"), [(0, 12), (5, 12), (60, 61), (61, 61)])
def test_the_interval_of_the_hit_rate_is_that_of_statsmodels(hits: int, n: int) -> None:
    assert wilson(hits, n) == pytest.approx(
        proportion_confint(hits, n, alpha=0.05, method="wilson"), abs=EXACT
    )


def test_costs_come_off_every_trade(summary) -> None:
    assert summary.hits == sum(value > 0 for value in VALUES)
    assert summary.net == pytest.approx(np.mean(VALUES) - 0.001, abs=EXACT)
    assert summary.net_hits == sum(value > 0.001 for value in VALUES)


def test_adjusted_p_is_that_of_statsmodels() -> None:
    p = _RANDOM.uniform(0, 1, 57) ** 3

    assert adjust_p(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=EXACT)
    assert len(adjust_p(np.array([]))) == 0


def test_the_bootstrap_draws_whole_days() -> None:
    low, high = bootstrap_mean(VALUES[:, None], DAYS, generator(7, "cell"))

    names = sorted(set(DAYS.tolist()))
    random = generator(7, "cell")
    drawn = random.integers(0, len(names), size=(BOOTSTRAPS, len(names)))
    by_day = {day: [v for v, d in zip(VALUES, DAYS, strict=True) if d == day] for day in names}
    means = []
    for row in drawn:
        values = [value for k in row for value in by_day[names[k]]]
        means.append(sum(values) / len(values))
    assert (low[0], high[0]) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=EXACT)


def test_the_bootstrap_is_wider_where_one_day_holds_many() -> None:
    shocks = np.repeat(_RANDOM.normal(0, 0.02, 10), 20)
    days = np.repeat(np.arange(10), 20)
    together = bootstrap_mean(shocks[:, None], days, generator(1, "a"))
    apart = bootstrap_mean(shocks[:, None], np.arange(200), generator(1, "a"))

    assert together[1][0] - together[0][0] > 2 * (apart[1][0] - apart[0][0])


def test_a_band_of_nothing_is_nothing() -> None:
    values = np.array([[0.1, np.nan], [0.2, np.nan], [0.3, np.nan]])
    low, high = bootstrap_mean(values, np.arange(3), generator(1, "a"))

    assert 0.1 <= low[0] <= high[0] <= 0.3
    assert np.isnan(low[1])
    assert np.isnan(high[1])


def test_a_small_group_has_a_count_only() -> None:
    few = summarise(
        VALUES[: LEAST - 1], DAYS[: LEAST - 1], SCORES[: LEAST - 1], cost=0.0, seed=1, name="x"
    )

    assert (few.n, few.mean, few.p, few.low, few.hits) == (LEAST - 1, None, None, None, None)


def test_random_numbers_follow_from_seed_and_name_alone() -> None:
    def first(seed: int, name: str) -> int:
        return int(generator(seed, name).integers(0, 2**62))

    assert first(7, "a") == first(7, "a")
    assert len({first(7, "a"), first(7, "b"), first(8, "a")}) == 3
