"""Filling polygons."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import points_in_poly

from breastseg.data.polygon import Polygon, PolygonRef, filled, from_centres, polygon_of

SHAPE = (12, 16)
inside = st.floats(0, 12, allow_nan=False)
anywhere = st.floats(-30, 40, allow_nan=False)


def box(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def test_box_of_whole_pixels() -> None:
    expected = np.zeros(SHAPE, bool)
    expected[2:5, 3:9] = True
    np.testing.assert_array_equal(filled(box(3, 2, 9, 5), SHAPE), expected)


def test_either_way_round_is_the_same() -> None:
    outline = ((1.2, 0.7), (9.4, 2.1), (12.9, 10.2), (4.4, 7.7))
    np.testing.assert_array_equal(filled(outline, SHAPE), filled(outline[::-1], SHAPE))


def test_triangle_by_hand() -> None:
    mask = filled(((0, 0), (4, 0), (0, 4)), (4, 4))
    # centres on the slope itself are on its right side, and so outside
    np.testing.assert_array_equal(mask, np.tril(np.ones((4, 4), bool), -1)[::-1])


def test_what_is_gone_round_twice_is_outside() -> None:
    outline = (*box(0, 0, 8, 8), (0, 0), *box(2, 2, 6, 6), (2, 2))
    mask = filled(outline, SHAPE)
    assert mask.sum() == 64 - 16
    assert not mask[2:6, 2:6].any()


def test_outside_the_picture_is_left_out() -> None:
    assert filled(box(-5, -5, 99, 99), SHAPE).all()
    assert not filled(box(-5, -5, -1, 99), SHAPE).any()
    assert not filled(box(16, 0, 20, 12), SHAPE).any()
    np.testing.assert_array_equal(np.nonzero(filled(box(-3, 10, 2, 40), SHAPE))[1], [0, 1] * 2)


@pytest.mark.parametrize("polygon", [(), ((3.0, 3.0),), ((1.0, 1.0), (9.0, 7.0))])
def test_fewer_than_three_corners_hold_nothing(polygon: Polygon) -> None:
    assert not filled(polygon, SHAPE).any()


@given(st.tuples(inside, inside, inside, inside))
def test_corners_of_a_box_land_within_half_a_pixel(sides: tuple[float, ...]) -> None:
    (x0, x1), (y0, y1) = sorted(sides[:2]), sorted(sides[2:])
    mask = filled(box(x0, y0, x1, y1), SHAPE)
    if x1 - x0 < 1 or y1 - y0 < 1:
        return
    for low, high, axis in ((y0, y1, 1), (x0, x1, 0)):
        span = np.flatnonzero(mask.any(axis=axis))
        assert abs(span[0] - low) <= 0.5
        assert abs(span[-1] + 1 - high) <= 0.5


@given(st.lists(st.tuples(anywhere, anywhere), min_size=3, max_size=9))
def test_agrees_with_another_implementation(corners: list[tuple[float, float]]) -> None:
    mask = filled(tuple(corners), SHAPE)
    rows, columns = np.indices(SHAPE)
    centres = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], axis=1)
    other = np.asarray(points_in_poly(centres, corners)).reshape(SHAPE)
    # They may differ only where a centre lies on the outline itself, up to rounding.
    assert _distance(centres, np.array(corners))[(mask != other).ravel()].max(initial=0) < 1e-6


def _distance(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """From each point to the nearest edge."""
    start, along = corners, np.roll(corners, -1, axis=0) - corners
    squared = np.maximum((along**2).sum(axis=1), 1e-300)
    part = np.clip(((points[:, None] - start) * along).sum(axis=2) / squared, 0, 1)
    return np.linalg.norm(points[:, None] - (start + part[..., None] * along), axis=2).min(axis=1)


@given(st.lists(st.tuples(inside, inside), min_size=3, max_size=9))
def test_neighbours_share_no_pixel_and_leave_none(corners: list[tuple[float, float]]) -> None:
    """A polygon and the rest of the image, cut along the same outline, make up the image."""
    around = (*box(0, 0, 16, 12), (0.0, 0.0), *corners, corners[0])
    assert (filled(tuple(corners), SHAPE) ^ filled(around, SHAPE)).all()


@pytest.mark.parametrize(
    ("x", "y"), [((1, 2), (1,)), ((1, float("nan")), (1, 2)), ((1, float("inf")), (1, 2))]
)
def test_odd_coordinates_are_refused(x: tuple[float, ...], y: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"one coordinate|not finite"):
        polygon_of(x, y)


def test_centres_become_corners() -> None:
    assert from_centres(((0.0, 2.0),)) == ((0.5, 2.5),)


def test_ref_merges_its_polygons_and_travels() -> None:
    polygons = (box(0, 0, 4, 4), box(2, 2, 6, 6))
    ref = PolygonRef("a", "p", None, "S", Path("i.png"), (Path("t.csv"),), polygons=polygons)
    again = pickle.loads(pickle.dumps(ref))
    assert again == ref
    assert again.read_mask_array(SHAPE).sum() == 16 + 16 - 4
    assert not ref.masks_are_images
