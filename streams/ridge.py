"""Logistic regression with L2 penalty over many features with values, by scipy.

Many small weights are what words need: no single one says much, and L1 would choose among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from signals.errors import ConfigError

__all__ = ["Case", "fit_ridge"]

_ROUNDS = 300


@dataclass(frozen=True, slots=True)
class Case:
    """One case: the value of each feature that it shows, whether it holds, a fixed logit."""

    values: tuple[tuple[int, float], ...]
    holds: bool
    offset: float = 0.0


def fit_ridge(
    cases: Sequence[Case], start: Sequence[float], penalties: Sequence[float]
) -> list[float]:
    """Return the weights that minimise log loss + sum of penalty w² / 2 over the features.

    Args:
        cases: at least one.
        start: a weight for each feature, from which the search begins.
        penalties: a penalty for each feature, 0 for none.
    Raises: ConfigError where scipy is missing.
    """
    numpy, sparse, minimize = _scipy()
    places = [place for case in cases for place, _ in case.values]
    values = [value for case in cases for _, value in case.values]
    ends = [0]
    for case in cases:
        ends.append(ends[-1] + len(case.values))
    shown = sparse.csr_matrix((values, places, ends), shape=(len(cases), len(start)))
    sides = numpy.array([1.0 if case.holds else -1.0 for case in cases])
    offsets = numpy.array([case.offset for case in cases])
    penalty = numpy.array(penalties, dtype=float)

    def loss(weights: Any) -> tuple[float, Any]:
        margins = sides * (shown @ weights + offsets)
        slopes = -sides / (1 + numpy.exp(numpy.clip(margins, -30, 30)))
        total = numpy.logaddexp(0, -margins).sum() + (penalty * weights**2).sum() / 2
        return float(total), shown.T @ slopes + penalty * weights

    options = {"maxiter": _ROUNDS, "ftol": 1e-9, "gtol": 1e-4}
    found = minimize(loss, numpy.array(start), jac=True, method="L-BFGS-B", options=options)
    return [float(weight) for weight in found.x]


def _scipy() -> tuple[Any, Any, Any]:
    """Return numpy, scipy.sparse and scipy's minimize, loaded only to fit."""
    try:
        import numpy
        from scipy import sparse
        from scipy.optimize import minimize
    except ImportError as error:
        raise ConfigError(f"{error.name} is missing; pip install 'tapewire[fit]'") from error
    return numpy, sparse, minimize
