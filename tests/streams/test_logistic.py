"""Logistic regression against answers that have a closed form."""

import math

import pytest

from streams.logistic import Sample, fit_logistic, fit_platt


def test_without_penalty_the_weights_are_the_log_odds() -> None:
    samples = [Sample((0,), 10, 30), Sample((0, 1), 30, 10)]

    bias, weight = fit_logistic(samples, [0.0, 0.0], l1=0, l2=0)

    assert bias == pytest.approx(-math.log(3), abs=0.05)
    assert bias + weight == pytest.approx(math.log(3), abs=0.05)


def test_a_feature_that_says_nothing_is_dropped_by_the_penalty() -> None:
    samples = [Sample((0,), 10, 30), Sample((0, 1), 10, 30)]

    assert fit_logistic(samples, [0.0, 0.5], l1=1.0, l2=0.1)[1] == 0.0


def test_the_penalty_draws_a_weight_towards_zero() -> None:
    samples = [Sample((0,), 10, 30), Sample((0, 1), 30, 10)]
    free = fit_logistic(samples, [0.0, 0.0], l1=0, l2=0)[1]

    assert 0 < fit_logistic(samples, [0.0, 0.0], l1=2.0, l2=0.5)[1] < free


def test_a_fixed_logit_is_taken_off_the_bias() -> None:
    (bias,) = fit_logistic([Sample((0,), 20, 20, offset=1.5)], [0.0], l1=0, l2=0)

    assert bias == pytest.approx(-1.5, abs=0.05)


def test_platt_mends_logits_that_are_too_sure() -> None:
    judged = [(4.0, place < 75) for place in range(100)] + [
        (-4.0, place < 25) for place in range(100)
    ]

    scale, shift = fit_platt(judged)

    assert scale == pytest.approx(math.log(3) / 4, abs=0.03)
    assert shift == pytest.approx(0, abs=0.05)


def test_platt_leaves_what_has_one_outcome() -> None:
    assert fit_platt([(2.0, True)]) == (1.0, 0.0)
