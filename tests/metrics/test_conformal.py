"""Conformal bounds: by hand, as properties, and by simulation of what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import morphology

from breastseg.core.distance import narrowed, widened
from breastseg.core.errors import InputError
from breastseg.metrics.conformal import (
    inner_margin,
    outer_margin,
    risk_controlling_threshold,
    tolerance_bound,
)


def test_the_bound_is_the_one_of_the_book() -> None:
    # one of 22 cases is above the 90 % point with 1 - .9^22 = .902, one of 21 with .891
    assert tolerance_bound(np.arange(1.0, 23.0), 0.9) == 22
    assert tolerance_bound(np.arange(1.0, 22.0), 0.9) == math.inf
    # P(Binomial(9, .5) < 7) = 466 / 512 = .910, and below 6 it is .746
    assert tolerance_bound(np.arange(1.0, 10.0), 0.5) == 7
    assert tolerance_bound(np.arange(1.0, 10.0), 0.5, 0.7) == 6


def test_nine_of_ten_calibrations_cover_what_they_say() -> None:
    generator = np.random.default_rng(0)
    # a bound on uniform scores is its own coverage
    bounds = np.array([tolerance_bound(one, 0.8) for one in generator.random((4000, 60))])
    held = float((bounds >= 0.8).mean())
    assert 0.9 - 0.02 < held < 0.96  # four standard errors, and the step of 60 cases


def test_the_threshold_by_hand() -> None:
    losses = np.array([[0.0, 0.1, 0.5], [0.0, 0.0, 1.0], [0.0, 0.2, 0.2]])
    thresholds = np.array([0.2, 0.5, 0.8])
    # (sum + 1) / 4: .25, .325, .675
    assert risk_controlling_threshold(thresholds, losses, 0.33) == 0.5
    assert risk_controlling_threshold(thresholds, losses, 0.3) == 0.2
    assert risk_controlling_threshold(thresholds, losses, 0.2) is None


def test_the_threshold_holds_its_risk_in_the_mean() -> None:
    generator = np.random.default_rng(1)
    thresholds = np.linspace(0.01, 0.99, 99)
    risks = []
    for _ in range(600):
        hardness = generator.uniform(0.3, 3, (31, 1))
        losses = thresholds[None] ** hardness
        chosen = risk_controlling_threshold(thresholds, losses[:-1], 0.2)
        assert chosen is not None
        risks.append(losses[-1, int(np.searchsorted(thresholds, chosen))])
    assert np.mean(risks) < 0.2 + 4 * np.std(risks) / math.sqrt(len(risks))


def test_margins_by_hand() -> None:
    mask, truth = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    mask[3:6, 3:6] = True
    truth[3:6, 3:8] = True  # two columns more
    assert outer_margin(mask, truth) == 2
    assert outer_margin(mask, truth, (1.0, 0.5)) == 1
    assert inner_margin(mask, truth) == 0
    assert inner_margin(truth, mask) == 2  # the last two columns, the inner one 2 deep
    assert outer_margin(np.zeros_like(mask), truth) == math.inf
    assert outer_margin(mask, np.zeros_like(mask)) == 0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.sampled_from([None, (1.0, 1.0), (0.3, 0.7)]))
def test_a_mask_widened_by_its_margin_holds_the_truth(
    seed: int, steps: tuple[float, float] | None
) -> None:
    generator = np.random.default_rng(seed)
    mask, truth = generator.random((2, 14, 17)) < 0.15
    margin = outer_margin(mask, truth, steps)
    if math.isfinite(margin):
        assert (widened(mask, margin, steps) >= truth).all()
        assert margin == 0 or not (widened(mask, margin * 0.999, steps) >= truth).all()
    inner = inner_margin(mask, truth, steps)
    assert (narrowed(mask, inner, steps) <= truth).all()
    assert inner == 0 or not (narrowed(mask, inner * 0.999, steps) <= truth).all()


def test_widening_is_dilation_with_a_disc() -> None:
    mask = np.random.default_rng(2).random((30, 31)) < 0.02
    np.testing.assert_array_equal(widened(mask, 3), morphology.dilation(mask, morphology.disk(3)))


@pytest.mark.parametrize("coverage", [0, 1, math.nan])
def test_a_coverage_that_is_none_is_refused(coverage: float) -> None:
    with pytest.raises(InputError, match="coverage"):
        tolerance_bound(np.ones(3), coverage)


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        tolerance_bound(np.array([1, math.nan]), 0.5)
    with pytest.raises(InputError, match="rising"):
        risk_controlling_threshold(np.array([0.1, 0.2]), np.array([[0.5, 0.1]]), 0.5)
    with pytest.raises(InputError, match="0 to 1"):
        risk_controlling_threshold(np.array([0.1, 0.2]), np.array([[0.5, 1.1]]), 0.5)
