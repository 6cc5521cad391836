"""Polygons along the edges of pixels: exact, simple, and with holes."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from breastseg.core.errors import GeometryError
from breastseg.measure.polygons import joined_corners, polygons

masks = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def drawn(shape: tuple[int, int], rings: list[np.ndarray]) -> np.ndarray:
    """Filled by the even-odd rule: a pixel is inside where a ray from its middle crosses an odd
    number of edges to its left."""
    inside = np.zeros(shape, bool)
    for ring in rings:
        after = np.roll(ring, -1, axis=0)
        for (row, column), (below, other) in zip(ring, after, strict=True):
            if column == other and row != below:
                inside[min(row, below) : max(row, below), column:] ^= True
    return inside


def test_one_pixel() -> None:
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    (found,) = polygons(mask)
    assert found.outer.tolist() == [[1, 2], [1, 3], [2, 3], [2, 2]]
    assert (found.holes, found.area_px) == ((), 1)


def test_hole_and_what_lies_in_it() -> None:
    mask = np.ones((7, 7), bool)
    mask[1:6, 1:6] = False
    mask[3, 3] = True
    frame, middle = polygons(mask)
    assert (len(frame.holes), frame.area_px) == (1, 24)
    assert (middle.area_px, middle.outer[0].tolist()) == (1, [3, 3])


def test_corners_that_touch_are_joined() -> None:
    mask = np.eye(3, dtype=bool)
    (found,) = polygons(mask)
    np.testing.assert_array_equal(joined_corners(mask), drawn((3, 3), list(found.rings)))
    assert found.area_px == 5
    np.testing.assert_array_equal(mask, np.eye(3, dtype=bool))


def test_nothing_and_everything() -> None:
    assert polygons(np.zeros((4, 5), bool)) == ()
    (found,) = polygons(np.ones((4, 5), bool))
    assert found.area_px == 20
    with pytest.raises(GeometryError, match=r"\(rows, columns\)"):
        polygons(np.zeros((2, 2, 2), bool))


@given(masks)
def test_rings_are_the_mask(mask: np.ndarray) -> None:
    found, filled = polygons(mask), joined_corners(mask)
    assert not (mask & ~filled).any()
    rings = [ring for polygon in found for ring in polygon.rings]
    np.testing.assert_array_equal(drawn(mask.shape, rings), filled)
    assert sum(polygon.area_px for polygon in found) == filled.sum()
    assert len(found) == cv2.connectedComponents(filled.astype(np.uint8), connectivity=4)[0] - 1
    for polygon in found:
        alone = drawn(mask.shape, list(polygon.rings))
        assert cv2.connectedComponents(alone.astype(np.uint8), connectivity=4)[0] == 2


@settings(max_examples=50)
@given(masks)
def test_no_corner_is_met_twice(mask: np.ndarray) -> None:
    corners = [tuple(c) for p in polygons(mask) for ring in p.rings for c in ring.tolist()]
    assert len(corners) == len(set(corners))
