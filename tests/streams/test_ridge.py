"""Logistic regression with many features against answers that have a closed form."""

import math
import sys

import pytest

from signals.errors import ConfigError
from streams.ridge import Case, fit_ridge


def _cases(shown: int, hold: int, values: tuple[tuple[int, float], ...]) -> list[Case]:
    return [Case(((0, 1.0), *values), place < hold) for place in range(shown)]


def test_without_penalty_the_weights_are_the_log_odds() -> None:
    cases = _cases(40, 10, ()) + _cases(40, 30, ((1, 1.0),))

    bias, weight = fit_ridge(cases, [0.0, 0.0], [0.0, 0.0])

    assert bias == pytest.approx(-math.log(3), abs=1e-3)
    assert bias + weight == pytest.approx(math.log(3), abs=1e-3)


def test_a_value_of_a_half_doubles_the_weight() -> None:
    cases = _cases(40, 10, ()) + _cases(40, 30, ((1, 0.5),))

    assert fit_ridge(cases, [0.0, 0.0], [0.0, 0.0])[1] == pytest.approx(4 * math.log(3), abs=1e-2)


def test_the_penalty_draws_a_weight_towards_zero() -> None:
    cases = _cases(40, 10, ()) + _cases(40, 30, ((1, 1.0),))
    free = fit_ridge(cases, [0.0, 0.0], [0.0, 0.0])[1]

    assert 0 < fit_ridge(cases, [0.0, 0.0], [0.0, 5.0])[1] < free


def test_a_fixed_logit_is_taken_off_the_bias() -> None:
    cases = [Case(((0, 1.0),), place < 20, offset=1.5) for place in range(40)]

    (bias,) = fit_ridge(cases, [0.0], [0.0])

    assert bias == pytest.approx(-1.5, abs=1e-3)


def test_without_scipy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)

    with pytest.raises(ConfigError, match=r"scipy is missing; pip install 'tapewire\[fit\]'"):
        fit_ridge([Case(((0, 1.0),), True)], [0.0], [0.0])
