"""Superpixels keep to edges, share their evidence with what is like them, and are then chosen."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.classical.slic import Slic, merged, superpixels
from breastseg.metrics import dice

from .views import disc, view

SHAPE, BOX = (90, 110), (15, 20, 75, 90)
LESION = view(SHAPE, BOX).radius <= 1
RNG = np.random.default_rng(0)
SPECKLE = (np.where(LESION, 0.3, 0.7) + RNG.normal(0, 0.08, SHAPE)).clip(0, 1).astype(np.float32)
SMOOTH = ndimage.gaussian_filter(SPECKLE, 1.5)
STRIPES = np.repeat([[0, 1, 2]], 2, axis=0)


def _stripes(*values: float) -> NDArray[np.float32]:
    return np.repeat(np.float32([values]), 2, axis=0)


def test_superpixels_are_connected_numbered_without_gaps_and_about_as_many_as_asked() -> None:
    labels = superpixels(SMOOTH, 100, 0.1)
    count = int(labels.max()) + 1
    assert 60 <= count <= 140
    assert np.array_equal(np.unique(labels), np.arange(count))
    assert all(ndimage.label(labels == one)[1] == 1 for one in range(count))


def test_superpixels_keep_to_edges_and_high_compactness_makes_squares() -> None:
    def mixed(compactness: float) -> float:
        labels = superpixels(np.where(LESION, 0.3, 0.7).astype(np.float32), 100, compactness)
        fraction = np.bincount(labels.ravel(), LESION.ravel()) / np.bincount(labels.ravel())
        return float(np.minimum(fraction, 1 - fraction)[labels].mean())

    assert mixed(0.05) < 0.003
    assert mixed(20) > 0.02


def test_no_tolerance_or_no_round_leaves_each_superpixel_its_own_mean() -> None:
    evidence = np.float32([[1, 0, -4], [3, 0, -2]])
    for tolerance, rounds in ((0, 3), (0.1, 0)):
        own = merged(STRIPES, _stripes(0, 0, 0), evidence, tolerance=tolerance, rounds=rounds)
        assert own.tolist() == [2, 0, -3]


def test_equal_neighbours_share_half_and_half_with_all_around() -> None:
    shared = merged(STRIPES, _stripes(0, 0, 0), _stripes(4, 0, -8), tolerance=0.1, rounds=1)
    # Borders of 2, 4 and 2 pixels: half its own, half the mean of the neighbours.
    assert shared.tolist() == [2, -1, -4]


def test_unequal_neighbours_share_less_by_the_square_of_their_difference() -> None:
    grey = _stripes(0, 0.2, 0.9)
    shared = merged(STRIPES, grey, _stripes(4, 0, -8), tolerance=0.2, rounds=1)
    like = np.exp(-1)
    assert shared[0] == pytest.approx(4 / (1 + like))
    assert shared[2] == pytest.approx(-8, abs=1e-3)


def test_higher_tolerance_merges_more() -> None:
    grey, evidence = _stripes(0, 0.2, 0.4), _stripes(4, 0, -8)
    spread = [
        np.ptp(merged(STRIPES, grey, evidence, tolerance=t, rounds=2)) for t in (0.05, 0.2, 0.5)
    ]
    assert spread[0] > spread[1] > spread[2]


def test_each_round_carries_evidence_one_superpixel_further() -> None:
    for rounds, reached in ((1, False), (2, True)):
        shared = merged(STRIPES, _stripes(0, 0, 0), _stripes(4, 0, 0), tolerance=0.1, rounds=rounds)
        assert (shared[2] > 0) == reached


def test_a_lone_superpixel_keeps_its_evidence() -> None:
    labels = np.zeros((3, 3), int)
    grey = np.zeros((3, 3), np.float32)
    assert merged(labels, grey, grey + 2, tolerance=0.1, rounds=4).tolist() == [2]


def test_a_dark_ellipse_in_speckle_is_outlined() -> None:
    found = Slic().delineate(view(SHAPE, BOX, grey=SPECKLE))
    assert found.dtype == bool
    assert dice(found, LESION) > 0.96


def test_trust_in_the_position_draws_the_ellipse() -> None:
    small = view(SHAPE, BOX).radius <= 0.6
    seen = view(SHAPE, BOX, grey=np.where(small, 0.4, 0.6).astype(np.float32))
    by_grey = Slic(position_trust=0, tolerance=0).delineate(seen)
    by_place = Slic(position_trust=40, tolerance=0, compactness=0.3).delineate(seen)
    assert dice(by_grey, small) > 0.95
    assert dice(by_place, LESION) > dice(by_grey, LESION) + 0.2


def test_more_superpixels_follow_finer_detail() -> None:
    spot = disc(SHAPE, (45, 55), 4)
    seen = view(SHAPE, BOX, grey=np.where(LESION & ~spot, 0.3, 0.7).astype(np.float32))
    coarse, fine = (
        Slic(segments=n, position_trust=0, tolerance=0, compactness=1).delineate(seen)[spot].mean()
        for n in (20, 600)
    )
    assert fine < coarse


def test_sharing_evidence_evens_out_speckle() -> None:
    grey = np.where(LESION, 0.4, 0.6) + RNG.normal(0, 0.25, SHAPE)
    seen = view(SHAPE, BOX, grey=grey.clip(0, 1).astype(np.float32))
    alone, shared = (
        dice(Slic(position_trust=0, segments=600, rounds=rounds).delineate(seen), LESION)
        for rounds in (0, 4)
    )
    assert shared > alone


def test_the_users_points_speak_for_their_superpixel() -> None:
    plain = Slic().delineate(view(SHAPE, BOX, grey=SPECKLE))
    seen = view(SHAPE, BOX, grey=SPECKLE, inside=((20, 25),), outside=((45, 62),))
    found = Slic(tolerance=0).delineate(seen)
    assert not plain[20, 25]
    assert plain[45, 62]
    assert found[20, 25]
    assert not found[45, 62]


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 30), (30, 1), (7, 60), (3, 3)])
def test_small_and_thin_views_are_delineated(shape: tuple[int, int]) -> None:
    for box in ((0, 0, 1, 1), (0, 0, *shape)):
        for allowed in (np.ones(shape, bool), np.zeros(shape, bool)):
            assert Slic().delineate(view(shape, box, allowed=allowed)).shape == shape
