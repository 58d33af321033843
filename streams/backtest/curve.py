"""The curve around the event: mean cumulative abnormal returns with their bands."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from signals.backtest.window import AFTER, BEFORE
from streams.backtest.observations import Observation
from streams.backtest.statistics import (
    LEAST,
    Floats,
    Integers,
    bootstrap_mean,
    generator,
    standard_error,
)

__all__ = ["CurveDay", "make_curve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveDay:
    """The mean cumulative abnormal return from day -5 to a day, with its two bands (ratios).

    ``mean`` to ``high`` are with the side of the trade, ``plain`` is without it.
    """

    day: int
    n: int
    mean: float | None = None
    error: float | None = None
    low: float | None = None
    high: float | None = None
    plain: float | None = None
    plain_n: int = 0


def make_curve(observations: Sequence[Observation], *, seed: int) -> list[CurveDay]:
    """Return the days -5 to 20; the bootstrap draws whole days of events."""
    known = [one for one in observations if one.window is not None]
    plain = _cumulative(known)
    sides = np.array([one.signal.side for one in known], dtype=np.float64)
    days: Integers = np.array([one.day for one in known], dtype=np.int64)
    signed = plain[sides != 0] * sides[sides != 0][:, None]
    low = high = np.full(BEFORE + AFTER + 1, np.nan)
    if len(signed):
        low, high = bootstrap_mean(signed, days[sides != 0], generator(seed, "curve"))
    found = []
    for k in range(BEFORE + AFTER + 1):
        values = signed[:, k][~np.isnan(signed[:, k])]
        every = plain[:, k][~np.isnan(plain[:, k])]
        day = CurveDay(day=k - BEFORE, n=len(values), plain_n=len(every))
        if len(values) >= LEAST:
            day = replace(
                day,
                mean=float(np.mean(values)),
                error=standard_error(values),
                low=float(low[k]),
                high=float(high[k]),
            )
        if len(every) >= LEAST:
            day = replace(day, plain=float(np.mean(every)))
        found.append(day)
    return found


def _cumulative(observations: Sequence[Observation]) -> Floats:
    """Return (n, days) sums from day -5 on; NaN from the first day on that is not known."""
    rows = [
        [np.nan if value is None else value for value in one.window.abnormal]
        for one in observations
        if one.window is not None
    ]
    return np.cumsum(np.array(rows, dtype=np.float64).reshape(-1, BEFORE + AFTER + 1), axis=1)
