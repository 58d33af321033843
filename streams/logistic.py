"""Logistic regression with L1 and L2 penalty over features that are there or not, deterministic."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Sample", "fit_logistic", "fit_platt"]

_PASSES = 16
_PLATT_PASSES = 30
_STILL = 0.05  # logits: a pass that moves no weight further ends the fit


@dataclass(frozen=True, slots=True)
class Sample:
    """Like cases: the features that they show, how many of each kind, a fixed logit."""

    features: tuple[int, ...]
    positive: int
    negative: int
    offset: float = 0.0


def fit_logistic(
    samples: Sequence[Sample], start: Sequence[float], *, l1: float, l2: float
) -> list[float]:
    """Return the weights that minimise log loss + l1 |w| + l2 w² / 2; feature 0 is the bias.

    Cyclic coordinate descent with a trust region for each weight (Genkin, Lewis and Madigan, Large-
    Scale Bayesian Logistic Regression for Text Categorization, 2007).

    Args:
        samples: each with feature 0.
        start: a weight for each feature, from which the search begins.
        l1: penalty on a weight's size; the bias has none.
        l2: penalty on half a weight's square.
    """
    fit = _Fit(samples, list(start))
    trust = [1.0] * len(start)
    for number in range(_PASSES):
        furthest = 0.0
        for feature in range(len(start)):
            # Most weights are zero and stay so: between full passes only the others are moved.
            if number % 4 and not fit.weights[feature]:
                continue
            step = fit.step(feature, l1 if feature else 0.0, l2 if feature else 0.0)
            step = max(-trust[feature], min(trust[feature], step))
            if step:
                trust[feature] = max(2 * abs(step), trust[feature] / 2)
                fit.move(feature, step)
                furthest = max(furthest, abs(step))
        if furthest < _STILL and number % 4 == 0:
            break
    return fit.weights


class _Fit:
    """The weights, and for each sample its logit, the loss's slope and its curvature."""

    def __init__(self, samples: Sequence[Sample], weights: list[float]) -> None:
        self.weights = weights
        self.positive = [float(sample.positive) for sample in samples]
        self.count = [float(sample.positive + sample.negative) for sample in samples]
        self.columns: list[list[int]] = [[] for _ in weights]
        self.logits = [sample.offset for sample in samples]
        self.slopes = [0.0] * len(samples)
        self.curves = [0.0] * len(samples)
        for place, sample in enumerate(samples):
            for feature in sample.features:
                self.columns[feature].append(place)
                self.logits[place] += weights[feature]
            self._settle(place)

    def _settle(self, place: int) -> None:
        ratio = 1 / (1 + math.exp(-max(-30.0, min(30.0, self.logits[place]))))
        self.slopes[place] = self.count[place] * ratio - self.positive[place]
        self.curves[place] = self.count[place] * ratio * (1 - ratio)

    def step(self, feature: int, l1: float, l2: float) -> float:
        """Return Newton's step for one weight, which stops at zero."""
        weight, column = self.weights[feature], self.columns[feature]
        slope = l2 * weight + sum([self.slopes[place] for place in column])
        if not weight and abs(slope) <= l1:
            return 0.0
        curve = l2 + 1e-6 + sum([self.curves[place] for place in column])
        if slope + l1 <= curve * weight:
            return -(slope + l1) / curve
        return -(slope - l1) / curve if slope - l1 >= curve * weight else -weight

    def move(self, feature: int, step: float) -> None:
        self.weights[feature] += step
        for place in self.columns[feature]:
            self.logits[place] += step
            self._settle(place)


def fit_platt(judged: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Return scale and shift that make confidences of held-out logits: Platt's scaling.

    The targets are drawn in as he did, so that few cases give no certainty. A set without both
    outcomes is left as it is.
    """
    right = sum(answer for _, answer in judged)
    wrong = len(judged) - right
    if not right or not wrong:
        return 1.0, 0.0
    high, low = (right + 1) / (right + 2), 1 / (wrong + 2)
    scale, shift = 1.0, 0.0
    for _ in range(_PLATT_PASSES):
        gradient, curve = [0.0, 0.0], [1e-9, 0.0, 1e-9]
        for logit, answer in judged:
            value = max(-30.0, min(30.0, scale * logit + shift))
            ratio = 1 / (1 + math.exp(-value))
            slope, bend = ratio - (high if answer else low), ratio * (1 - ratio)
            gradient[0] += slope * logit
            gradient[1] += slope
            curve[0] += bend * logit * logit
            curve[1] += bend * logit
            curve[2] += bend
        spread = max(curve[0] * curve[2] - curve[1] ** 2, 1e-9)
        steps = (
            (curve[2] * gradient[0] - curve[1] * gradient[1]) / spread,
            (curve[0] * gradient[1] - curve[1] * gradient[0]) / spread,
        )
        scale, shift = (
            max(0.05, scale - max(-1, min(1, steps[0]))),
            shift - max(-1, min(1, steps[1])),
        )
        if max(map(abs, steps)) < 1e-6:
            break
    return scale, shift
