import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from breastseg.core.errors import GeometryError
from breastseg.metrics import SurfaceDistances, assd, hd95, surface_distances

from .shapes import ellipse, empty, few, full, mask, pairs, pixel


def test_two_pixels_by_hand() -> None:
    one, other = pixel((9, 9), 1, 1), pixel((9, 9), 4, 5)
    assert hd95(one, other) == assd(one, other) == 5
    assert hd95(one, other, (2, 3)) == math.hypot(6, 12)


def test_percentile_and_mean_by_hand() -> None:
    row = mask("." * 30)
    outline, truth = row.copy(), row.copy()
    outline[0, :21] = True
    truth[0, 0] = True
    # 21 boundary pixels at 0 to 20 from the truth: the 95th percentile is the 20th, 19.
    found = surface_distances(outline, truth)
    assert sorted(found.to_truth) == list(range(21))
    assert found.to_mask.tolist() == [0]
    assert found.hd95 == 19
    assert found.assd == pytest.approx(210 / 22)


@few
@given(arrays(float, st.integers(1, 90), elements=st.floats(0, 800)))
def test_the_percentile_is_that_of_numpy(values) -> None:
    found = SurfaceDistances(values, np.zeros(1), both_empty=False)
    assert found.hd95 == pytest.approx(np.percentile(values, 95), rel=1e-12, abs=1e-12)


def test_inner_pixels_are_no_boundary() -> None:
    block = full((5, 5))
    assert len(surface_distances(block, block).to_truth) == 16
    hole = block.copy()
    hole[2, 2] = False
    # The four sides of the hole join the boundary; its corners touch it by a point only.
    assert len(surface_distances(hole, hole).to_truth) == 20


@pytest.mark.parametrize("shape", [(1, 1), (6, 7)])
def test_empty_masks(shape) -> None:
    nothing, something = empty(shape), pixel(shape, 0, 0)
    assert hd95(nothing, nothing) == assd(nothing, nothing) == 0
    for pair in ((nothing, something), (something, nothing), (nothing, full(shape))):
        assert math.isnan(hd95(*pair))
        assert math.isnan(assd(*pair))
    assert hd95(something, something) == assd(something, something) == 0


@few
@given(pairs)
def test_properties(pair) -> None:
    outline, truth = pair
    there, back = surface_distances(outline, truth), surface_distances(truth, outline)
    if outline.any() != truth.any():
        assert math.isnan(there.hd95)
        return
    assert there.hd95 == back.hd95
    assert there.assd == pytest.approx(back.assd)
    assert there.assd >= 0
    assert hd95(truth, truth) == assd(truth, truth) == 0
    turned = surface_distances(np.rot90(outline), np.rot90(truth))
    assert turned.hd95 == pytest.approx(there.hd95)
    doubled = surface_distances(outline, truth, (2, 2))
    assert doubled.hd95 == pytest.approx(2 * there.hd95)
    assert doubled.assd == pytest.approx(2 * there.assd)


def test_shift_of_a_disc_by_hand() -> None:
    disc = ellipse((80, 80), (40, 30), (15, 15))
    moved = np.roll(disc, 4, axis=1)
    assert 3 <= hd95(disc, moved) <= 4


@pytest.mark.parametrize("spacing", [(1,), (1, 1, 1), (1, 0), (1, -2), (1, math.nan)])
def test_refuses_a_spacing_that_does_not_fit(spacing) -> None:
    with pytest.raises(GeometryError, match="finite values above 0"):
        hd95(full((3, 3)), full((3, 3)), spacing)


def test_a_volume() -> None:
    one, other = np.zeros((2, 3, 4, 5), bool)
    one[0, 0, 0] = other[2, 3, 4] = True
    assert hd95(one, other, (1, 2, 3)) == pytest.approx(math.sqrt(4 + 36 + 144))
