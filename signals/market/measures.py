"""Measures of a move: raw, benchmark-adjusted, z-score, volume; beta and volatility in time.

Sums are made with ``math.fsum``, so that the same closes give the same bits in any order.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import fsum, sqrt

from signals.market.path import Close
from signals.market.splits import ONE, factor_between, jump_of
from signals.messages import Micros, Split
from signals.policy import Policy

__all__ = ["Statistics", "abnormal_of", "ratio", "score_of", "statistics_at", "volume_ratio_of"]

_LEAST_VOLATILITY_DAYS = 20
_LEAST_VOLUME_DAYS = 5
_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What the daily records say of a ticker at a time.

    Attributes:
        beta: against the benchmark; 1.0 where too few days are known.
        volatility: the deviation of one day's return (ratio), None under 20 returns.
        volume: the mean of the daily volumes in shares, None under 5 days.
    """

    beta: float
    volatility: float | None
    volume: float | None = None


def ratio(later: Decimal, earlier: Decimal) -> float:
    """Return later / earlier - 1, to ten decimals."""
    return round(float(later) / float(earlier) - 1.0, _DIGITS)


def statistics_at(
    days: Sequence[Close], time_us: Micros, policy: Policy, splits: Sequence[Split] = ()
) -> Statistics:
    """Return beta, volatility and volume from the closes known at a time.

    Returns are simple, of closes that follow each other; over a split they count it in, over a
    jump that looks like one they are left out.

    Args:
        days: ascending by close.
        time_us: closes after it, or received after it, are not looked at.
        policy: how many days, and the fewest for a beta (1.0 below it).
        splits: ascending; those received after ``time_us`` count too, since they say what the
            prices were, not what they would be.
    """
    wanted = max(policy.beta_days, policy.volatility_days, policy.volume_days) + 1
    known = [day for day in days if day.close_us <= time_us and day.received_us <= time_us]
    return _statistics_of(tuple(known[-wanted:]), tuple(splits), policy)


@lru_cache(maxsize=256)  # the events of a day have one; to find it again takes a fifth of the time
def _statistics_of(
    recent: tuple[Close, ...], splits: tuple[Split, ...], policy: Policy
) -> Statistics:
    own, paired = [], []
    for a, b, factor in _steps(recent, splits):
        own.append(ratio(b.close * factor, a.close))
        if a.benchmark_close is not None and b.benchmark_close is not None:
            paired.append((own[-1], ratio(b.benchmark_close, a.benchmark_close)))
    return Statistics(
        beta=_beta(paired[-policy.beta_days :], policy.beta_least),
        volatility=_deviation(own[-policy.volatility_days :]),
        volume=_mean_volume(recent[-policy.volume_days :], splits),
    )


def _steps(
    days: Sequence[Close], splits: Sequence[Split]
) -> Iterator[tuple[Close, Close, Decimal]]:
    """Yield each two closes that follow each other, and the splits between them as a factor."""
    for a, b in itertools.pairwise(days):
        between = [split for split in splits if a.close_us < split.effective_us <= b.close_us]
        if between:
            yield a, b, factor_between(between, a.close_us, b.close_us)
        elif jump_of(a.close, b.close) is None:
            yield a, b, ONE


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


def _mean_volume(days: Sequence[Close], splits: Sequence[Split]) -> float | None:
    """Return the mean daily volume, in shares as they are after the last of the days."""
    volumes = [
        float(day.volume * factor_between(splits, day.close_us, days[-1].close_us))
        for day in days
        if day.volume is not None
    ]
    return fsum(volumes) / len(volumes) if len(volumes) >= _LEAST_VOLUME_DAYS else None


def abnormal_of(raw: float, benchmark_raw: float | None, beta: float) -> float | None:
    """Return the raw move less beta times the benchmark's; None where that is not known."""
    return None if benchmark_raw is None else round(raw - beta * benchmark_raw, _DIGITS)


def score_of(abnormal: float | None, volatility: float | None, span_days: float) -> float | None:
    """Return the z-score of a move over a span of sessions; None where a part is not known."""
    if abnormal is None or not volatility or span_days <= 0.0:
        return None
    return round(abnormal / (volatility * sqrt(span_days)), 6)


def volume_ratio_of(
    shares: Decimal | None, daily: float | None, part_of_session: float
) -> float | None:
    """Return the shares traded in a part of a session over what an average day has in as much.

    Args:
        shares: None where it is not known.
        daily: the mean daily volume.
        part_of_session: ratio 0..1.
    """
    if shares is None or not daily or part_of_session <= 0.0:
        return None
    return round(float(shares) / (daily * part_of_session), 6)
