"""Otsu's thresholds between several classes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from skimage.filters import threshold_multiotsu

from breastseg.classical.multi_otsu import MultiOtsu, multi_otsu
from breastseg.classical.otsu import otsu

from .views import disc, view

SHAPE, BOX = (70, 70), (15, 15, 55, 55)


def test_three_grey_levels_are_told_apart() -> None:
    assert (
        multi_otsu(np.float32([0.1, 0.1, 0.4, 0.9]), 3).tolist() == np.float32([0.1, 0.4]).tolist()
    )


@pytest.mark.parametrize("classes", [2, 3, 4, 5])
def test_fewer_grey_levels_than_classes_give_fewer_thresholds(classes: int) -> None:
    assert multi_otsu(np.full(9, 0.3, np.float32), classes).size == 0
    assert multi_otsu(np.float32([0.3]), classes).size == 0
    assert multi_otsu(np.float32([0.3, 0.6, 0.3]), classes).tolist() == [np.float32(0.3)]


def test_the_variance_within_the_classes_is_least() -> None:
    levels = np.random.default_rng(0).permutation(64)[:14].astype(np.float32)
    values = np.repeat(np.append(levels, [0, 63]), np.arange(1, 17)).astype(np.float32)

    def within(cuts: tuple[float, ...]) -> float:
        classes = np.searchsorted(cuts, values)
        return sum(values[classes == c].var() * (classes == c).sum() for c in np.unique(classes))

    best = min(within(cuts) for cuts in combinations(np.unique(values)[:-1], 2))
    assert within(tuple(multi_otsu(values, 3))) == pytest.approx(best)


def test_they_are_those_of_scikit_image() -> None:
    rng = np.random.default_rng(4)
    values = np.concatenate([rng.normal(m, 0.05, 300) for m in (0.2, 0.5, 0.8)]).astype(np.float32)
    bin_width = float(np.ptp(values)) / 64
    assert np.allclose(
        multi_otsu(values, 3), threshold_multiotsu(values, 3, nbins=64), atol=1.01 * bin_width
    )
    assert multi_otsu(values, 2)[0] == pytest.approx(otsu(values), abs=2 * bin_width)


def rings() -> np.ndarray:
    """A dark middle in a grey ring in bright tissue; the box is around the ring."""
    grey = np.full(SHAPE, 0.8, np.float32)
    grey[disc(SHAPE, (34.5, 34.5), 20)] = 0.5
    grey[disc(SHAPE, (34.5, 34.5), 10)] = 0.2
    return grey


def test_all_classes_within_the_box_are_lesion() -> None:
    found = MultiOtsu(lean=0).delineate(view(SHAPE, BOX, grey=rings()))
    assert np.array_equal(found, rings() < 0.6)


def test_a_class_that_reaches_far_out_is_not() -> None:
    grey = np.where(rings() == 0.5, 0.5, rings()).astype(np.float32)
    grey[:, 34:][grey[:, 34:] > 0.6] = 0.5
    seen = view(SHAPE, BOX, grey=grey)
    assert np.array_equal(MultiOtsu(lean=0, fraction=0.75).delineate(seen), grey < 0.3)
    assert np.array_equal(MultiOtsu(lean=0, fraction=0.3).delineate(seen), grey < 0.6)


def test_a_higher_share_never_takes_more() -> None:
    grey = np.random.default_rng(2).random(SHAPE, np.float32)
    seen = view(SHAPE, BOX, grey=grey)
    areas = [MultiOtsu(classes=5, fraction=s).delineate(seen).sum() for s in (0.2, 0.4, 0.6, 0.8)]
    assert areas == sorted(areas, reverse=True)
    assert areas[0] > areas[-1]


def test_more_classes_let_the_darkest_be_smaller() -> None:
    values = np.random.default_rng(3).random(2000, np.float32)
    lowest = [float(multi_otsu(values, classes)[0]) for classes in (3, 4, 5)]
    assert lowest == pytest.approx([1 / 3, 1 / 4, 1 / 5], abs=0.03)
