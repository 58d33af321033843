"""Placebo: the same tickers at the same time of day on other days, on which nothing was told.

If the figures of the alerts are no larger than those, they say nothing. Days are drawn as the
alerts came: all that was traded on one day is moved to one other day together, so that what days
have in common is in the placebo, too.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from signals.backtest.forward import HORIZONS, Forward, forward_of
from signals.backtest.prices import Prices
from signals.backtest.signal import Signal
from signals.market.markets import mic_of
from signals.market.sessions import Session
from signals.messages import Micros
from streams.backtest.statistics import CONFIDENCE, Floats, generator

__all__ = ["DRAWS", "NEAR", "POOL", "Placebo", "PlaceboPool", "draw_placebo", "make_pool"]

DRAWS = 1000
POOL = 60  # days that are drawn from, of each market
NEAR = 5  # sessions before and after an alert on the ticker that are left out
_REACH = 252  # sessions before the first alert that may be drawn, too: a year


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceboPool:
    """The signed abnormal returns of the observations on other days.

    Attributes:
        values: (n, POOL, horizons) ratios, NaN where an alert is near or no figure is known.
        clusters: (n,) which observations move together.
        without: observations that have no other day at all.
    """

    values: Floats
    clusters: tuple[int, ...]
    without: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placebo:
    """The means of the draws at one horizon.

    Attributes:
        mean, low, high: over the draws, and the middle 95 % of them.
        p: how often a draw lies as far from the draws' mean as the alerts do: (1 + k) / (1 + draws)
            (Phipson & Smyth, Statistical Applications in Genetics 9 (2010), article 39).
        n: how many observations a draw has on average.
    """

    horizon: str
    mean: float
    low: float
    high: float
    p: float
    n: float


def make_pool(
    observations: Sequence[tuple[Signal, Forward]],
    prices: Mapping[str, Prices],
    told: Mapping[str, Sequence[Micros]],
    *,
    seed: int,
) -> PlaceboPool:
    """Return the returns of observations on days without an alert near.

    Args:
        observations: each with an entry.
        prices: by ticker.
        told: when anything was told of a ticker, ascending.
        seed: of the choice of days.
    """
    values = np.full((len(observations), POOL, len(HORIZONS)), np.nan)
    days: dict[tuple[str | None, Micros], int] = {}
    clusters: list[int] = []
    pools: dict[str | None, list[Session]] = {}
    for i, (signal, forward) in enumerate(observations):
        entry = forward.entry
        if entry is None:
            raise ValueError("a placebo is made of observations with an entry")
        mic = mic_of(signal.ticker)
        if mic not in pools:
            pools[mic] = _days(observations, prices, seed=seed, market=mic)
        clusters.append(days.setdefault((mic, entry.session.open_us), len(days)))
        offset = entry.second_us - entry.session.open_us
        for k, session in enumerate(pools[mic]):
            if _is_near(told.get(signal.ticker, ()), session, prices[signal.ticker]):
                continue
            decided_us = Micros(session.open_us + offset - 1)
            other = forward_of(signal.ticker, prices[signal.ticker], decided_us)
            values[i, k] = [
                np.nan if found.abnormal is None else signal.side * found.abnormal
                for found in other.returns
            ]
    without = int(np.sum(np.all(np.isnan(values), axis=(1, 2))))
    return PlaceboPool(values=values, clusters=tuple(clusters), without=without)


def draw_placebo(
    pool: PlaceboPool, horizon: str, actual: float, *, seed: int, kept: Sequence[int] | None = None
) -> Placebo | None:
    """Return the placebo of a horizon; None where no day can be drawn.

    Args:
        pool: of all observations.
        horizon: one of ``HORIZONS``.
        actual: the mean of the alerts, that ``p`` is about.
        seed: of the draws.
        kept: which observations count; those with a figure of their own.
    """
    rows = np.arange(len(pool.clusters)) if kept is None else np.array(kept, dtype=np.int64)
    if not len(rows):
        return None
    values = pool.values[rows, :, HORIZONS.index(horizon)]
    _, index = np.unique(np.array(pool.clusters)[rows], return_inverse=True)
    random = generator(seed, f"placebo {horizon}")
    days = random.integers(0, POOL, size=(DRAWS, int(index.max()) + 1))
    drawn = values[np.arange(len(rows))[None, :], days[:, index]]  # (DRAWS, n)
    counts = np.sum(~np.isnan(drawn), axis=1)
    means = np.nansum(drawn, axis=1)[counts > 0] / counts[counts > 0]
    if not len(means):
        return None
    mean = float(np.mean(means))
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(means, (tail, 100 - tail))
    as_far = int(np.sum(np.abs(means - mean) >= abs(actual - mean)))
    return Placebo(
        horizon=horizon,
        mean=mean,
        low=float(low),
        high=float(high),
        p=(1 + as_far) / (1 + len(means)),
        n=float(np.mean(counts)),
    )


def _days(
    observations: Sequence[tuple[Signal, Forward]],
    prices: Mapping[str, Prices],
    *,
    seed: int,
    market: str | None,
) -> list[Session]:
    """Return the days of a market that placebos are drawn from, in no order of time."""
    here = [signal for signal, _ in observations if mic_of(signal.ticker) == market]
    ticker, times = here[0].ticker, [signal.known_us for signal in here]
    sessions = prices[ticker].market.sessions
    since_us = min(prices[signal.ticker].starts[0] for signal in here)
    before = sessions.previous(ticker, min(times))
    found: list[Session] = []
    for _ in range(_REACH):
        if before is None or before.close_us <= since_us:
            break
        found.append(before)
        before = sessions.previous(ticker, before.open_us)
    session = sessions.following(ticker, min(times))
    while session is not None and session.open_us <= max(times):
        found.append(session)
        session = sessions.following(ticker, session.close_us)
    found.sort(key=lambda day: day.open_us)
    if not found:
        return []
    random = generator(seed, f"days {market}")
    return [found[int(i)] for i in random.integers(0, len(found), size=POOL)]


def _is_near(told: Sequence[Micros], session: Session, prices: Prices) -> bool:
    """Return whether something was told of the ticker within ``NEAR`` sessions of a day."""
    sessions, ticker = prices.market.sessions, prices.market.ticker
    low, high = session, session
    for _ in range(NEAR):
        low = sessions.previous(ticker, low.open_us) or low
        high = sessions.following(ticker, high.close_us) or high
    return bisect_right(told, high.close_us) > bisect_left(told, low.open_us)
