"""The study: observations, cells, the curve around the event, placebo, and what is missing."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from signals.backtest.forward import HORIZONS
from signals.backtest.prices import Prices
from signals.backtest.signal import signals_of
from signals.messages import Alert, AlertKind, Micros, RuleSetId
from streams.backtest.curve import CurveDay, make_curve
from streams.backtest.observations import Missing, Observation, missing, observe, unlisted
from streams.backtest.placebo import Placebo, PlaceboPool, draw_placebo, make_pool
from streams.backtest.statistics import (
    Summary,
    adjust_p,
    summarise,
)

__all__ = ["GROUPS", "MEASURES", "Cell", "CurveDay", "Missing", "Observation", "Study", "run_study"]

GROUPS = ("all", "type", "status", "direction", "lang", "severity", "novelty", "kind")
# What a cell is the mean of: with the side of the trade, or as it was; less the benchmark, or raw.
MEASURES = ("signed_abnormal", "signed_raw", "abnormal", "raw")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The returns of a group at one horizon; ``p_adjusted`` is over all cells of the study."""

    measure: str
    group: str
    value: str
    horizon: str
    summary: Summary
    p_adjusted: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Everything that the tables and the report say.

    Attributes:
        cells: by measure, group, value and horizon.
        placebo: by horizon, of signed abnormal returns; None where no other day can be drawn.
        tests: how many p-values were adjusted together.
        alerts: how many were read; kinds: those that were traded.
        first_us, last_us: when the first and the last signal became known; of the alerts, where
            none of them is a signal.
    """

    observations: tuple[Observation, ...]
    cells: tuple[Cell, ...]
    curve: tuple[CurveDay, ...]
    placebo: Mapping[str, Placebo | None]
    without_placebo: int
    missing: tuple[Missing, ...]
    tests: int
    alerts: int
    kinds: tuple[AlertKind, ...]
    cost: float
    seed: int
    rules: tuple[RuleSetId, ...]
    first_us: Micros
    last_us: Micros

    def cell(self, measure: str, group: str, value: str, horizon: str) -> Cell | None:
        """Return a cell, None where the group has no observation."""
        wanted = (measure, group, value, horizon)
        for cell in self.cells:
            if (cell.measure, cell.group, cell.value, cell.horizon) == wanted:
                return cell
        return None

    @property
    def measured(self) -> frozenset[str]:
        """Return the horizons at which anything was measured."""
        return frozenset(
            found.horizon
            for one in self.observations
            for found in one.forward.returns
            if found.raw is not None
        )

    @property
    def entered(self) -> tuple[Observation, ...]:
        """Return the observations that could have been traded."""
        return tuple(one for one in self.observations if one.forward.entry is not None)


def run_study(
    alerts: Sequence[Alert],
    prices: Mapping[str, Prices],
    *,
    kinds: Collection[AlertKind],
    cost: float,
    seed: int,
    on_step: Callable[[str], None] = lambda _: None,
) -> Study:
    """Return the study of alerts over prices.

    Args:
        alerts: every revision, in any order; one at least.
        prices: by ticker.
        kinds: the transitions that are traded.
        cost: of a round trip, as a ratio of what is traded.
        seed: of bootstraps and placebos.
        on_step: called with what is being worked on, to show progress.
    """
    signals = signals_of(alerts, kinds, prices.keys())
    known = [one.known_us for one in signals or alerts]
    observations = observe(signals, prices, on_step)
    on_step("statistics")
    cells = _adjusted(_cells(observations, cost=cost, seed=seed))
    curve = make_curve(observations, seed=seed)
    on_step("placebo")
    traded = [one for one in observations if one.forward.entry is not None and one.signal.side]
    pool = make_pool(
        [(one.signal, one.forward) for one in traded], prices, _told(alerts), seed=seed
    )
    return Study(
        observations=tuple(observations),
        cells=tuple(cells),
        curve=tuple(curve),
        placebo=_placebos(traded, pool, cells, seed=seed),
        without_placebo=pool.without,
        missing=(*unlisted(alerts, kinds), *missing(observations)),
        tests=sum(cell.summary.p is not None for cell in cells),
        alerts=len(alerts),
        kinds=tuple(sorted(kinds)),
        cost=cost,
        seed=seed,
        rules=tuple(
            sorted({alert.rules for alert in alerts}, key=lambda one: (one.version, one.hash))
        ),
        first_us=min(known),
        last_us=max(known),
    )


def _told(alerts: Iterable[Alert]) -> dict[str, list[Micros]]:
    """Return when news was told of each ticker; a move that nobody explains is no news."""
    told: dict[str, list[Micros]] = {}
    for alert in alerts:
        if alert.type is not None:
            for ticker in alert.tickers:
                told.setdefault(ticker, []).append(alert.known_us)
    return {ticker: sorted(times) for ticker, times in sorted(told.items())}


# ---- cells ---------------------------------------------------------------------------------------


def _cells(observations: Sequence[Observation], *, cost: float, seed: int) -> list[Cell]:
    found = []
    for measure in MEASURES:
        for group in GROUPS:
            if group == "kind" and len({one.signal.kind for one in observations}) < 2:
                continue  # the same as all of them
            by_value: dict[str, list[Observation]] = {}
            for one in observations:
                name = "all" if group == "all" else getattr(one.signal, group)
                if name is not None:
                    by_value.setdefault(name, []).append(one)
            for name in sorted(by_value):
                for i, horizon in enumerate(HORIZONS):
                    summary = _summary(
                        by_value[name],
                        measure,
                        i,
                        cost=cost,
                        seed=seed,
                        name=f"{measure} {group} {name} {horizon}",
                    )
                    found.append(
                        Cell(
                            measure=measure,
                            group=group,
                            value=name,
                            horizon=horizon,
                            summary=summary,
                        )
                    )
    return found


def _summary(
    observations: Sequence[Observation],
    measure: str,
    i: int,
    *,
    cost: float,
    seed: int,
    name: str,
) -> Summary:
    values, days, scores = [], [], []
    for one in observations:
        found = one.forward.returns[i]
        value = one.value(measure, found)
        if value is None:
            continue
        values.append(value)
        days.append(one.day)
        side = one.signal.side if measure.startswith("signed") else 1
        scores.append(np.nan if found.z is None else side * found.z)
    return summarise(
        np.array(values, dtype=np.float64),
        np.array(days, dtype=np.int64),
        np.array(scores, dtype=np.float64),
        cost=cost,
        seed=seed,
        name=name,
    )


def _adjusted(cells: Sequence[Cell]) -> list[Cell]:
    tested = [cell.summary.p for cell in cells if cell.summary.p is not None]
    adjusted = iter(adjust_p(np.array(tested, dtype=np.float64)).tolist())
    return [
        cell if cell.summary.p is None else replace(cell, p_adjusted=next(adjusted))
        for cell in cells
    ]


# ---- placebo ----


def _placebos(
    traded: Sequence[Observation], pool: PlaceboPool, cells: Sequence[Cell], *, seed: int
) -> dict[str, Placebo | None]:
    means = {
        cell.horizon: cell.summary.mean
        for cell in cells
        if (cell.measure, cell.group) == ("signed_abnormal", "all")
    }
    found: dict[str, Placebo | None] = {}
    for i, horizon in enumerate(HORIZONS):
        kept = [k for k, one in enumerate(traded) if one.forward.returns[i].abnormal is not None]
        mean = means.get(horizon)
        found[horizon] = (
            None if mean is None else draw_placebo(pool, horizon, mean, seed=seed, kept=kept)
        )
    return found
