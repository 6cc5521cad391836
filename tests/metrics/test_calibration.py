"""Calibration: by hand, and against scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.core import PlattScaling
from breastseg.core.errors import InputError
from breastseg.metrics.calibration import (
    TEMPERATURES,
    ReliabilityBins,
    brier_score,
    expected_calibration_error,
    fit_platt,
    fit_temperature,
    reliability_bins,
)

PROBABILITY = np.array([0.0, 0.1, 0.4, 0.5, 0.9, 1.0])
TRUTH = np.array([False, True, False, True, True, True])

seeds = given(seed=st.integers(0, 10_000))
few = settings(max_examples=20, deadline=None, derandomize=True)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_bins_by_hand() -> None:
    curve = reliability_bins(PROBABILITY, TRUTH, 2)
    assert curve.counts.tolist() == [3, 3]  # a bound belongs to the bin above it
    assert np.allclose(curve.mean, [0.5 / 3, 2.4 / 3])
    assert np.allclose(curve.observed, [1 / 3, 1])
    expected = (3 * abs(0.5 / 3 - 1 / 3) + 3 * abs(0.8 - 1)) / 6
    assert curve.expected_error == pytest.approx(expected)
    assert expected_calibration_error(PROBABILITY, TRUTH, 2) == pytest.approx(expected)


def test_empty_bins_count_nothing() -> None:
    curve = reliability_bins(np.array([0.05, 0.95]), np.array([False, True]), 10)
    assert curve.counts.tolist() == [1, *[0] * 8, 1]
    assert np.isnan(curve.mean[1:9]).all()
    assert curve.expected_error == pytest.approx(0.05)


def test_the_error_of_perfect_probabilities() -> None:
    # every count that can come true, by its probability
    for count, chance in (
        (1, 0.2),
        (3, 1 / 3),
        (10, 0.3),
        (29, 0.067),
        (29, 0.5),
        (5, 0.0),
        (5, 1),
    ):
        told = ReliabilityBins(
            np.array([count, 0]), np.array([0, 0]), np.array([count * chance, 0.0])
        )
        true = np.arange(count + 1)
        weights = np.array(
            [math.comb(count, k) * chance**k * (1 - chance) ** (count - k) for k in true]
        )
        expected = float((np.abs(true - count * chance) * weights).sum()) / count
        assert told.error_of_perfect == pytest.approx(expected, abs=1e-12)
    none = np.zeros(2)
    assert math.isnan(ReliabilityBins(none.astype(int), none.astype(int), none).error_of_perfect)


def test_brier_by_hand() -> None:
    expected = (0 + 0.81 + 0.16 + 0.25 + 0.01 + 0) / 6
    assert brier_score(PROBABILITY, TRUTH) == pytest.approx(expected)
    assert brier_score(np.full(6, 0.5), TRUTH) == 0.25


def test_of_no_image_nothing_is_known() -> None:
    assert math.isnan(brier_score(PROBABILITY[:0], TRUTH[:0]))
    assert math.isnan(expected_calibration_error(PROBABILITY[:0], TRUTH[:0]))


@few
@seeds
def test_the_curve_and_brier_agree_with_scikit_learn(seed: int) -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    probability = rng.random(60)
    truth = rng.random(60) < probability**2
    truth[:2] = True, False
    curve = reliability_bins(probability, truth, 7)
    observed, mean = calibration.calibration_curve(truth, probability, n_bins=7)
    filled = curve.counts > 0
    assert np.allclose(curve.mean[filled], mean)
    assert np.allclose(curve.observed[filled], observed)
    assert curve.counts.sum() == 60
    found = brier_score(probability, truth)
    assert found == pytest.approx(metrics.brier_score_loss(truth, probability))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(temperature: float) -> None:
    """Where every logit stands for as many images as it says, the right temperature is known."""
    logits, truth = [], []
    for logit in np.linspace(-3, 3, 13):
        ones = round(10_000 * float(sigmoid(logit)))
        logits += [logit * temperature] * 10_000
        truth += [True] * ones + [False] * (10_000 - ones)
    found = fit_temperature(np.array(logits), np.array(truth))
    assert found == pytest.approx(temperature, rel=1e-3)


@few
@seeds
def test_no_other_temperature_is_likelier(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, truth = rng.normal(0, 3, (40, 3)), rng.integers(0, 3, 40)
    truth = np.where(rng.random(40) < 0.6, logits.argmax(axis=1), truth)

    def loss(temperature: float) -> float:
        powers = np.exp(logits / temperature)
        return float(-np.log(powers[np.arange(40), truth] / powers.sum(axis=1)).mean())

    found = fit_temperature(logits, truth)
    assert all(loss(found) <= loss(other) + 1e-9 for other in np.geomspace(0.05, 100, 60))


@few
@seeds
def test_two_classes_have_the_temperature_of_their_difference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, truth = rng.normal(0, 2, (30, 2)), rng.random(30) < 0.5
    both = fit_temperature(logits, truth.astype(int))
    assert fit_temperature(logits[:, 1] - logits[:, 0], truth) == pytest.approx(both, rel=1e-4)


def test_the_ends_of_the_temperature() -> None:
    always_right = fit_temperature(np.array([2.0, -2.0]), np.array([True, False]))
    always_wrong = fit_temperature(np.array([2.0, -2.0]), np.array([False, True]))
    assert TEMPERATURES[0] <= always_right < 0.15  # below that every likelihood rounds to 1
    assert always_wrong == pytest.approx(TEMPERATURES[1], rel=1e-3)


@few
@seeds
def test_platt_agrees_with_scikit_learn(seed: int) -> None:
    """A target between 0 and 1 is an image of each kind, weighed by the two parts of it."""
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, 50)
    malignant = rng.random(50) < sigmoid(0.6 * logits - 0.3)
    malignant[:2] = True, False
    found = fit_platt(sigmoid(logits), malignant)
    there, others = malignant.sum(), (~malignant).sum()
    target = np.where(malignant, (there + 1) / (there + 2), 1 / (others + 2))
    oracle = linear.LogisticRegression(C=1e12, tol=1e-10, max_iter=10_000).fit(
        np.r_[logits, logits][:, None],
        np.r_[np.ones(50), np.zeros(50)],
        sample_weight=np.r_[target, 1 - target],
    )
    if oracle.coef_[0, 0] > 1e-3:
        assert found.slope == pytest.approx(oracle.coef_[0, 0], abs=1e-3)
        assert found.intercept == pytest.approx(oracle.intercept_[0], abs=1e-3)


def test_platt_is_finite_where_the_kinds_lie_apart() -> None:
    scaling = fit_platt(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]))
    assert 0 < scaling.slope < 5
    # The targets of two images each are 1/4 and 3/4.
    assert scaling(0.9) == pytest.approx(0.75, abs=0.1)
    assert scaling(0.1) == pytest.approx(1 - scaling(0.9), abs=1e-4)


def test_platt_does_not_turn_the_order_round() -> None:
    scaling = fit_platt(np.array([0.1, 0.2, 0.8, 0.9]), np.array([True, True, False, False]))
    assert scaling.slope == 0
    assert scaling(0.3) == pytest.approx(0.5, abs=1e-6)


def test_platt_makes_probabilities_truer() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 2000)
    malignant = rng.random(2000) < sigmoid(logits)
    sure = sigmoid(4 * logits + 1)
    scaling = fit_platt(sure[:1000], malignant[:1000])
    scaled = np.array([scaling(p) for p in sure[1000:]])
    before = expected_calibration_error(sure[1000:], malignant[1000:])
    assert expected_calibration_error(scaled, malignant[1000:]) < before / 2
    assert brier_score(scaled, malignant[1000:]) < brier_score(sure[1000:], malignant[1000:])
    assert scaling.slope == pytest.approx(0.25, abs=0.05)
    assert isinstance(scaling, PlattScaling)


def test_misuse_is_refused() -> None:
    with pytest.raises(InputError, match="0 bins"):
        reliability_bins(PROBABILITY, TRUTH, 0)
    with pytest.raises(InputError, match="6 images with it and 0 without"):
        fit_platt(PROBABILITY, np.ones(6, bool))
    with pytest.raises(InputError, match="probabilities outside"):
        fit_platt(PROBABILITY * 2, TRUTH)


@pytest.mark.parametrize(
    ("logits", "truth"),
    [
        (np.zeros(0), np.zeros(0, bool)),
        (np.zeros(3), np.zeros(4, bool)),
        (np.zeros((3, 2, 2)), np.zeros(3, int)),
        (np.full(3, np.inf), np.zeros(3, bool)),
        (np.zeros(3), np.zeros(3)),
        (np.zeros((3, 2)), np.full(3, 2)),
        (np.zeros((3, 2)), np.full(3, -1)),
    ],
)
def test_logits_that_make_no_sense_are_refused(logits: np.ndarray, truth: np.ndarray) -> None:
    with pytest.raises(InputError):
        fit_temperature(logits, truth)
