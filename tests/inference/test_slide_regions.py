"""Outlines without a peak, or too small, on a mask in tiles: as on the whole mask at once."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from breastseg.core.bundle import OutputSpec
from breastseg.inference.postprocess import postprocess
from breastseg.inference.slide_regions import AT_SCORE, IN_REGION, regions_to_keep

SIDE = 8


def in_tiles(levels: np.ndarray, side: int = SIDE) -> Iterator[np.ndarray]:
    for row in range(0, levels.shape[0], side):
        for column in range(0, levels.shape[1], side):
            yield levels[row : row + side, column : column + side]


def kept_of(levels: np.ndarray, side: int = SIDE, min_px: float = 0) -> np.ndarray:
    """The mask put together again."""
    across = levels.shape[1] // side
    tiles = list(regions_to_keep(in_tiles(levels, side), across, min_px))
    rows = [np.hstack(tiles[start : start + across]) for start in range(0, len(tiles), across)]
    return np.vstack(rows)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    tiles=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    blur=st.floats(0.0, 4.0),
    threshold=st.floats(0.3, 0.7),
    above=st.floats(0.0, 0.3),
    min_px=st.sampled_from([0, 2, 9, 40]),
)
def test_as_on_the_whole_mask(
    seed: int, tiles: tuple[int, int], blur: float, threshold: float, above: float, min_px: int
) -> None:
    field = np.random.default_rng(seed).random((tiles[0] * SIDE, tiles[1] * SIDE))
    field = ndimage.gaussian_filter(field, blur)
    field = np.float32((field - field.min()) / np.ptp(field))
    fraction = (min_px - 0.5) / field.size if min_px else 0.0  # not on the edge of rounding
    point = OutputSpec(threshold, min_score=threshold + above, min_area_fraction=fraction)
    levels = np.where(field >= point.min_score, AT_SCORE, IN_REGION)
    levels = np.where(field >= point.threshold, levels, 0).astype(np.uint8)
    expected = postprocess(field, point) >= np.float32(threshold)
    np.testing.assert_array_equal(kept_of(levels, min_px=min_px), expected)


def test_peak_far_away_keeps_an_outline() -> None:
    levels = np.zeros((4 * SIDE, 4 * SIDE), np.uint8)
    levels[2, 1:31] = levels[2:30, 30] = levels[29, 1:31] = IN_REGION  # a bracket through all tiles
    levels[29, 1] = AT_SCORE
    levels[20:24, 5:9] = IN_REGION  # within it, and weak
    expected = levels > 0
    expected[20:24, 5:9] = False
    np.testing.assert_array_equal(kept_of(levels), expected)


@pytest.mark.parametrize("corner", [(7, 7, 8, 8), (8, 7, 7, 8), (7, 15, 8, 16), (15, 8, 16, 7)])
def test_tiles_touch_by_a_corner(corner: tuple[int, int, int, int]) -> None:
    levels = np.zeros((3 * SIDE, 3 * SIDE), np.uint8)
    levels[corner[:2]], levels[corner[2:]] = IN_REGION, AT_SCORE
    np.testing.assert_array_equal(kept_of(levels), levels > 0)
    levels[corner[2:]] = IN_REGION
    assert not kept_of(levels).any()


def test_last_column_does_not_touch_the_next_row() -> None:
    levels = np.zeros((2 * SIDE, 2 * SIDE), np.uint8)
    levels[7, 15], levels[8, 0] = IN_REGION, AT_SCORE  # beside each other only in the file
    expected = np.zeros(levels.shape, bool)
    expected[8, 0] = True
    np.testing.assert_array_equal(kept_of(levels), expected)


def test_no_tiles() -> None:
    assert list(regions_to_keep([], 3)) == []
