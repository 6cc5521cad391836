"""The walker's probability is the solution of a circuit of resistors, with or without a prior."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import segmentation

from breastseg.classical.random_walker import RandomWalker, random_walker
from breastseg.metrics import dice

from .views import disc, view

SHAPE, BOX = (90, 110), (15, 20, 75, 90)
LESION = view(SHAPE, BOX).radius <= 1
RNG = np.random.default_rng(0)
SPECKLE = (np.where(LESION, 0.3, 0.7) + RNG.normal(0, 0.1, SHAPE)).clip(0, 1).astype(np.float32)
EVEN = np.full(SHAPE, 0.5, np.float32)


def _row(*values: int) -> NDArray[np.bool_]:
    return np.array([values], bool)


@pytest.mark.parametrize("turned", [False, True])
def test_between_two_seeds_on_even_ground_it_falls_linearly(turned: bool) -> None:
    grey, core, ground = np.zeros((1, 5), np.float32), _row(1, 0, 0, 0, 0), _row(0, 0, 0, 0, 1)
    if turned:
        grey, core, ground = grey.T, core.T, ground.T
    walked = random_walker(grey, core, ground, grey, beta=10, prior_weight=0)
    assert walked.dtype == np.float32
    assert walked.shape == grey.shape
    assert np.allclose(walked.ravel(), [1, 0.75, 0.5, 0.25, 0])


def test_nearly_all_of_the_fall_is_across_an_edge() -> None:
    grey = np.float32([[0, 0, 1, 1]])
    walked = random_walker(grey, _row(1, 0, 0, 0), _row(0, 0, 0, 1), grey, beta=1, prior_weight=0)
    across = np.exp(-1 / 0.25)  # the grey levels' variance is a quarter
    drop = (1 / across) / (2 + 1 / across)
    assert walked[0, 1] - walked[0, 2] == pytest.approx(drop, abs=1e-6)


def test_the_prior_pulls_a_pixel_by_its_weight() -> None:
    grey, prior = np.zeros((1, 3), np.float32), np.float32([[0, 0.9, 0]])
    walked = random_walker(grey, _row(1, 0, 0), _row(0, 0, 1), prior, beta=1, prior_weight=2)
    assert walked[0, 1] == pytest.approx((1 + 2 * 0.9) / (2 + 2))


def test_without_a_prior_it_is_scikit_images() -> None:
    grey = SPECKLE[::3, ::3]
    core, ground = disc(grey.shape, (15, 18), 4), ~disc(grey.shape, (15, 18), 13)
    ours = random_walker(grey, core, ground, EVEN[::3, ::3], beta=0.5, prior_weight=0)
    theirs = segmentation.random_walker(
        grey.astype(float),
        np.where(core, 1, np.where(ground, 2, 0)),
        beta=0.5 * 10 / grey.std(dtype=float),  # it divides by ten standard deviations
        mode="bf",
        return_full_prob=True,
    )
    assert np.allclose(ours, theirs[0], atol=1e-5)


def test_with_nothing_to_go_by_it_does_not_know() -> None:
    none = np.zeros(SHAPE, bool)
    walked = random_walker(SPECKLE, none, none, EVEN, beta=10, prior_weight=0)
    assert np.array_equal(walked, EVEN)


@pytest.mark.parametrize("one", [0.0, 1.0])
def test_with_seeds_of_one_kind_alone_all_is_of_that_kind(one: float) -> None:
    seeds = disc(SHAPE, (45, 55), 5)
    none = np.zeros(SHAPE, bool)
    core, ground = (seeds, none) if one else (none, seeds)
    walked = random_walker(SPECKLE, core, ground, EVEN, beta=10, prior_weight=0)
    assert np.allclose(walked, one, atol=1e-5)


def test_a_dark_ellipse_in_speckle_is_outlined_with_confidence() -> None:
    probability = RandomWalker().delineate(view(SHAPE, BOX, grey=SPECKLE))
    assert probability.dtype == np.float32
    assert probability.min() >= 0
    assert probability.max() <= 1
    assert dice(probability >= 0.5, LESION) > 0.96
    assert probability[45, 55] > 0.99
    assert probability[2, 2] < 0.01


def test_trust_in_the_position_draws_the_ellipse_and_trust_in_the_grey_levels_the_lesion() -> None:
    lesion = LESION & (np.indices(SHAPE)[1] < 70)
    grey = np.where(lesion, 0.3, 0.7).astype(np.float32)
    seen = view(SHAPE, BOX, grey=grey)
    by_place = RandomWalker(grey_trust=0, position_trust=40, prior_weight=10).delineate(seen)
    by_grey = RandomWalker(grey_trust=3, position_trust=0, prior_weight=10).delineate(seen)
    assert dice(by_place >= 0.5, LESION) > 0.97
    assert dice(by_grey >= 0.5, lesion) > 0.97


def test_a_low_prior_weight_leaves_the_decision_to_seeds_and_edges() -> None:
    grey = np.where(disc(SHAPE, (45, 55), 20), 0.3, 0.7).astype(np.float32)
    seen = view(SHAPE, BOX, grey=grey)
    trust = {"grey_trust": 0.0, "position_trust": 40.0, "beta": 100.0}
    light = RandomWalker(prior_weight=0.001, **trust).delineate(seen) >= 0.5
    heavy = RandomWalker(prior_weight=10, **trust).delineate(seen) >= 0.5
    assert dice(light, disc(SHAPE, (45, 55), 20)) > 0.92
    assert dice(heavy, LESION) > 0.97


def test_with_a_low_beta_edges_stop_it_less() -> None:
    grey = np.where(disc(SHAPE, (45, 55), 20), 0.3, 0.7).astype(np.float32)
    seen = view(SHAPE, BOX, grey=grey)
    trust = {"grey_trust": 0.0, "position_trust": 0.0, "prior_weight": 0.001}
    blind, keen = (RandomWalker(beta=b, **trust).delineate(seen) for b in (1, 300))
    step = [one[45, 55 + 16] - one[45, 55 + 24] for one in (blind, keen)]
    assert step[0] < 0.8
    assert step[1] > 0.95


def test_the_users_points_are_seeds() -> None:
    seen = view(SHAPE, BOX, grey=SPECKLE, inside=((45, 5),), outside=((45, 71),))
    probability = RandomWalker(prior_weight=0.001).delineate(seen)
    without = RandomWalker(prior_weight=0.001).delineate(view(SHAPE, BOX, grey=SPECKLE))
    assert probability[45, 5] > without[45, 5] + 0.5
    assert probability[45, 71] < without[45, 71] - 0.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 30), (30, 1), (7, 60), (3, 3)])
def test_small_and_thin_views_are_delineated(shape: tuple[int, int]) -> None:
    for box in ((0, 0, 1, 1), (0, 0, *shape)):
        for allowed in (np.ones(shape, bool), np.zeros(shape, bool)):
            probability = RandomWalker().delineate(view(shape, box, allowed=allowed))
            assert probability.shape == shape
            assert np.isfinite(probability).all()
