"""Measures of a move: raw, benchmark-adjusted, z-score; beta and volatility, point in time.

Sums are made with ``math.fsum``, so that the same closes give the same bits in any order.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import fsum, sqrt

from signals.messages import Daily, Micros
from signals.policy import Policy

__all__ = ["Statistics", "abnormal_of", "ratio", "score_of", "statistics_at"]

_LEAST_VOLATILITY_DAYS = 20
_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Beta against the benchmark, and the deviation of one day's return (ratio), if known."""

    beta: float
    volatility: float | None


def ratio(later: Decimal, earlier: Decimal) -> float:
    """Return later / earlier - 1, to ten decimals."""
    return round(float(later) / float(earlier) - 1.0, _DIGITS)


def statistics_at(days: Sequence[Daily], time_us: Micros, policy: Policy) -> Statistics:
    """Return beta and volatility from the closes known at a time.

    Args:
        days: ascending by close.
        time_us: closes after it, or received after it, are not looked at.
        policy: how many days, and the fewest for a beta (1.0 below it).
    """
    wanted = max(policy.beta_days, policy.volatility_days) + 1
    known = [day for day in days if day.close_us <= time_us and day.received_us <= time_us]
    recent = known[-wanted:]
    returns = [ratio(b.close, a.close) for a, b in itertools.pairwise(recent)]
    pairs = [
        (ratio(b.close, a.close), ratio(b.benchmark_close, a.benchmark_close))
        for a, b in itertools.pairwise(recent)
        if a.benchmark_close is not None and b.benchmark_close is not None
    ]
    return Statistics(
        beta=_beta(pairs[-policy.beta_days :], policy.beta_least),
        volatility=_deviation(returns[-policy.volatility_days :]),
    )


def _beta(pairs: Sequence[tuple[float, float]], least: int) -> float:
    if len(pairs) < least:
        return 1.0
    mean_y = fsum(y for y, _ in pairs) / len(pairs)
    mean_x = fsum(x for _, x in pairs) / len(pairs)
    variance = fsum((x - mean_x) ** 2 for _, x in pairs)
    if variance == 0.0:
        return 1.0
    covariance = fsum((y - mean_y) * (x - mean_x) for y, x in pairs)
    return round(covariance / variance, _DIGITS)


def _deviation(returns: Sequence[float]) -> float | None:
    if len(returns) < _LEAST_VOLATILITY_DAYS:
        return None
    mean = fsum(returns) / len(returns)
    return sqrt(fsum((value - mean) ** 2 for value in returns) / (len(returns) - 1))


def abnormal_of(raw: float, benchmark_raw: float | None, beta: float) -> float | None:
    """Return the raw move less beta times the benchmark's; None where that is not known."""
    return None if benchmark_raw is None else round(raw - beta * benchmark_raw, _DIGITS)


def score_of(abnormal: float | None, volatility: float | None, span_days: float) -> float | None:
    """Return the z-score of a move over a span of sessions; None where a part is not known."""
    if abnormal is None or not volatility or span_days <= 0.0:
        return None
    return round(abnormal / (volatility * sqrt(span_days)), 6)
