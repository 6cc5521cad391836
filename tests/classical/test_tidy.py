"""Of what a method chose, one smooth region without holes is left, and the rules hold for it."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import morphology

from breastseg.classical.tidy import closed, disc, opened, tidy

from . import views
from .views import view

SHAPE = (60, 60)
SEEN = view(SHAPE, (10, 10, 50, 50))
LESION = views.disc(SHAPE, (30, 30), 15)


def test_structuring_elements_are_round() -> None:
    assert disc(0).tolist() == [[1]]
    assert disc(1).tolist() == [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    assert disc(2).tolist() == [
        [0, 1, 1, 1, 0],
        [1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1],
        [0, 1, 1, 1, 0],
    ]


@pytest.mark.parametrize("radius", [0, 1, 3, 6])
def test_opening_and_closing_are_those_of_scikit_image(radius: int) -> None:
    noise = np.random.default_rng(0).random((50, 41))
    mask = morphology.dilation(noise > 0.97, disc(2)) > 0
    wide = np.pad(mask, radius, mode="edge")
    inner = slice(radius, radius + 50), slice(radius, radius + 41)
    footprint = disc(radius).astype(bool)
    # scikit-image takes what is beyond the padded edge for neither, as OpenCV does.
    assert np.array_equal(opened(mask, radius), morphology.opening(wide, footprint)[inner] & mask)
    assert np.array_equal(closed(mask, radius), morphology.closing(wide, footprint)[inner] | mask)
    assert not (opened(mask, radius) & ~mask).any()
    assert not (mask & ~closed(mask, radius)).any()


def test_a_region_at_the_edge_is_not_worn_off() -> None:
    mask = np.zeros((30, 30), bool)
    mask[:, :10] = True
    assert np.array_equal(opened(mask, 5), mask)


def test_a_clean_region_stays_as_it_is() -> None:
    assert np.array_equal(tidy(LESION, SEEN, 0, 0), LESION)
    smooth = tidy(LESION, SEEN, 3, 2)
    assert (smooth ^ LESION).mean() < 0.01


def test_holes_are_filled() -> None:
    holed = LESION & ~views.disc(SHAPE, (28, 33), 5)
    assert np.array_equal(tidy(holed, SEEN, 0, 0), LESION)


def test_a_bridge_thinner_than_the_opening_is_cut() -> None:
    joined = LESION.copy()
    joined[28:31, 44:60] = True
    joined[20:40, 52:60] = True
    assert tidy(joined, SEEN, 1, 0)[30, 55]
    cut = tidy(joined, SEEN, 3, 0)
    assert cut[30, 30]
    assert not cut[:, 46:].any()


def test_jagged_edges_are_smoothed() -> None:
    checkers = np.indices(SHAPE).sum(axis=0) % 2 == 0
    rim = views.disc(SHAPE, (30, 30), 17) & ~LESION
    jagged = LESION | (rim & checkers)

    def border(mask: np.ndarray) -> int:
        return int(np.abs(np.diff(mask.astype(int), axis=0)).sum())

    assert border(tidy(jagged, SEEN, 0, 2)) < border(tidy(jagged, SEEN, 0, 0))


def test_the_part_in_the_middle_is_kept_and_not_a_larger_one_beside_it() -> None:
    small = views.disc(SHAPE, (30, 30), 5)
    beside = np.zeros(SHAPE, bool)
    beside[:, :15] = True
    assert np.array_equal(tidy(small | beside, SEEN, 0, 0), small)


def test_without_a_part_in_the_middle_the_largest_is_kept() -> None:
    one, other = views.disc(SHAPE, (12, 12), 3), views.disc(SHAPE, (48, 48), 6)
    assert np.array_equal(tidy(one | other, SEEN, 0, 0), other)


def test_a_part_that_the_user_points_at_is_kept_too() -> None:
    beside = views.disc(SHAPE, (8, 8), 4)
    seen = view(SHAPE, (10, 10, 50, 50), inside=((8, 8),))
    assert np.array_equal(tidy(LESION | beside, seen, 0, 0), LESION | beside)


def test_nothing_lies_where_nothing_may_lie() -> None:
    allowed = np.zeros(SHAPE, bool)
    allowed[:, 20:40] = True
    seen = view(SHAPE, (10, 10, 50, 50), allowed=allowed)
    kept = tidy(np.ones(SHAPE, bool), seen, 3, 2)
    assert np.array_equal(kept, allowed)
    ring = allowed.copy()
    ring[25:35, 25:35] = False  # a hole that the user has called background is not filled
    kept = tidy(ring, view(SHAPE, (10, 10, 50, 50), allowed=ring), 0, 0)
    assert np.array_equal(kept, ring)


@pytest.mark.parametrize("shape", [(60, 60), (1, 1), (1, 40), (3, 2)])
@pytest.mark.parametrize("opening", [0, 3])
def test_nothing_chosen_leaves_nothing(shape: tuple[int, int], opening: int) -> None:
    seen = view(shape, (0, 0, *shape))
    assert not tidy(np.zeros(shape, bool), seen, opening, 2).any()
    assert tidy(np.ones(shape, bool), seen, opening, 2).all()
