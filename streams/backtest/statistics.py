"""Statistics of returns after events, each with its source; numpy and nothing else.

Notation: n observations x_1 … x_n in G days (clusters); ratios, never percent.
"""

from dataclasses import dataclass
from math import atan, cos, pi, sin, sqrt
from statistics import NormalDist
from zlib import crc32

import numpy as np
import numpy.typing as npt

__all__ = [
    "CONFIDENCE",
    "LEAST",
    "Summary",
    "adjust_p",
    "bootstrap_mean",
    "clustered_error",
    "generator",
    "standard_error",
    "summarise",
    "t_probability",
    "wilson",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LEAST = 10  # observations, below which a cell shows its count only
CONFIDENCE = 0.95
BOOTSTRAPS = 2000
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a group of returns says; all but the counts are None under ``LEAST`` observations.

    Attributes:
        n, days: observations, and the days that they fall on.
        mean, median, error: ratios; the error is the cross-sectional one of the mean.
        t: cross-sectional; p_t: its two-sided p with n - 1 degrees of freedom.
        t_clustered, p: the same with errors clustered by day and days - 1 degrees of freedom; this
            p is the one that is adjusted.
        t_standardised: of Boehmer, Musumeci and Poulsen; None where z-scores are not known.
        low, high: the bootstrap band of the mean, by day.
        hits: how many are above 0; hit_low, hit_high: Wilson's interval of the rate.
        net: the mean after costs; net_hits: how many are above 0 then.
    """

    n: int
    days: int
    mean: float | None = None
    median: float | None = None
    error: float | None = None
    t: float | None = None
    p_t: float | None = None
    t_clustered: float | None = None
    p: float | None = None
    t_standardised: float | None = None
    low: float | None = None
    high: float | None = None
    hits: int | None = None
    hit_rate: float | None = None
    hit_low: float | None = None
    hit_high: float | None = None
    net: float | None = None
    net_hits: int | None = None


def generator(seed: int, name: str) -> np.random.Generator:
    """Return random numbers of one purpose: another cell more or less does not change them."""
    return np.random.default_rng([seed, crc32(name.encode())])


def summarise(
    values: Floats, days: Integers, scores: Floats, *, cost: float, seed: int, name: str
) -> Summary:
    """Return the statistics of a group.

    Args:
        values: (n,) ratios, none of them NaN.
        days: (n,) the day of each.
        scores: (n,) z-scores, NaN where unknown.
        cost: of a round trip, a ratio taken off each value for ``net``.
        seed: of the bootstrap.
        name: of the group, for random numbers of its own.
    """
    n, count = len(values), len(np.unique(days))
    if n < LEAST:
        return Summary(n=n, days=count)
    mean, error = float(np.mean(values)), standard_error(values)
    clustered = clustered_error(values, days)
    low, high = bootstrap_mean(values[:, None], days, generator(seed, name))
    hits = int(np.sum(values > 0))
    hit_low, hit_high = wilson(hits, n)
    t, t_clustered = _quotient(mean, error), _quotient(mean, clustered)
    known = scores[~np.isnan(scores)]
    return Summary(
        n=n,
        days=count,
        mean=mean,
        median=float(np.median(values)),
        error=error,
        t=t,
        p_t=None if t is None else t_probability(t, n - 1),
        t_clustered=t_clustered,
        p=None if t_clustered is None else t_probability(t_clustered, count - 1),
        t_standardised=(
            _quotient(float(np.mean(known)), standard_error(known)) if len(known) >= LEAST else None
        ),
        low=float(low[0]),
        high=float(high[0]),
        hits=hits,
        hit_rate=hits / n,
        hit_low=hit_low,
        hit_high=hit_high,
        net=mean - cost,
        net_hits=int(np.sum(values - cost > 0)),
    )


def _quotient(mean: float, error: float | None) -> float | None:
    return mean / error if error else None


def standard_error(values: Floats) -> float:
    """Return s / sqrt(n), s with n - 1: the cross-sectional error of a mean.

    Over standardised abnormal returns the same quotient is the test of Boehmer, Musumeci & Poulsen,
    "Event-study methodology under conditions of event-induced variance", J. Financial Economics 30
    (1991), 253-272. Here each is standardised by the deviation of the daily returns before it.
    """
    return float(np.std(values, ddof=1) / sqrt(len(values)))


def clustered_error(values: Floats, days: Integers) -> float | None:
    """Return the error of a mean whose observations of one day depend on each other.

    sqrt(G / (G - 1) * sum over days of (sum of x - mean)^2) / n; None with one day only.
    Cameron & Miller, "A practitioner's guide to cluster-robust inference", J. Human Resources 50
    (2015), 317-372, equation 6 with a constant alone.
    """
    _, index = np.unique(days, return_inverse=True)
    count = int(index.max()) + 1
    if count < 2:
        return None
    sums = np.bincount(index, weights=values - np.mean(values), minlength=count)
    return float(sqrt(count / (count - 1) * float(np.sum(sums**2))) / len(values))


def t_probability(t: float, freedom: int) -> float:
    """Return the two-sided p of Student's t with a whole number of degrees of freedom.

    The finite series of Abramowitz & Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = atan(abs(t) / sqrt(freedom))
    square = cos(angle) ** 2
    if freedom % 2:
        term, total = cos(angle), 0.0
        for k in range(2, freedom, 2):
            total += term
            term *= square * k / (k + 1)
        inside = 2 / pi * (angle + sin(angle) * total)
    else:
        term, total = 1.0, 0.0
        for k in range(1, freedom, 2):
            total += term
            term *= square * k / (k + 1)
        inside = sin(angle) * total
    return min(max(1.0 - inside, 0.0), 1.0)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the interval of a rate: Wilson, J. American Statistical Association 22 (1927), 209."""
    rate, square = hits / n, _Z**2
    middle = (rate + square / (2 * n)) / (1 + square / n)
    half = _Z / (1 + square / n) * sqrt(rate * (1 - rate) / n + square / (4 * n * n))
    return middle - half, middle + half


def bootstrap_mean(
    values: Floats, days: Integers, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the percentile band of the mean of each column, by drawing whole days.

    Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979), 1-26;
    days are drawn with all that happened on them (Cameron, Gelbach & Miller, Review of Economics
    and Statistics 90 (2008), 414-427), since events of one day are not independent.

    Args:
        values: (n, m) ratios, NaN where unknown.
        days: (n,) the day of each.
        random: the draws.

    Returns:
        low and high, each (m,), NaN for a column without a value.
    """
    _, index = np.unique(days, return_inverse=True)
    count = int(index.max()) + 1
    known = ~np.isnan(values)
    sums = np.zeros((count, values.shape[1]))
    counts = np.zeros((count, values.shape[1]))
    np.add.at(sums, index, np.where(known, values, 0.0))
    np.add.at(counts, index, known.astype(float))
    drawn = random.integers(0, count, size=(BOOTSTRAPS, count))
    times = np.apply_along_axis(np.bincount, 1, drawn, minlength=count).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (times @ sums) / (times @ counts)
    empty = np.all(np.isnan(means), axis=0)
    means[:, empty] = 0.0
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.nanpercentile(means, (tail, 100 - tail), axis=0)
    low[empty], high[empty] = np.nan, np.nan
    return low, high


def adjust_p(values: Floats) -> Floats:
    """Return p-values that hold the share of false finds over all of them.

    Benjamini & Hochberg, "Controlling the false discovery rate", J. Royal Statistical Society B 57
    (1995), 289-300: the smallest m / k * p over the ranks k at or above each one's own.
    """
    m = len(values)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * m / np.arange(1, m + 1)
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted
