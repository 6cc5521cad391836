"""Outlines drawn over images, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from breastseg.core import Grid, Image
from breastseg.core.box import Box
from breastseg.core.errors import GeometryError
from breastseg.core.grid import Region
from breastseg.io.overlay import (
    PREDICTION_RGB,
    TRUTH_RGB,
    line_width,
    overlay,
    to_rgb,
)
from breastseg.io.ruler import RULER_RGB, LesionMarks, Line, bar_length_mm


def image(array: np.ndarray) -> Image:
    channels = array if array.ndim == 3 else array[None]
    return Image(channels, Grid(channels.shape[1:]))


def square(shape: tuple[int, int], first: int, last: int) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[first : last + 1, first : last + 1] = True
    return mask


def is_colour(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.asarray((picture == colour).all(axis=2))


def test_the_line_lies_on_the_rim_and_nothing_else_changes() -> None:
    grey = np.arange(100, dtype=np.uint8).reshape(10, 10)
    mask = square((10, 10), 2, 6)
    picture = overlay(image(grey), mask)
    rim = mask & ~square((10, 10), 3, 5)
    assert np.array_equal(is_colour(picture, PREDICTION_RGB), rim)
    assert np.array_equal(picture[~rim], np.repeat(grey[..., None], 3, 2)[~rim])


def test_the_edge_of_the_picture_closes_an_outline() -> None:
    grey = np.zeros((6, 6), np.uint8)
    picture = overlay(image(grey), np.ones((6, 6), bool))
    assert np.array_equal(is_colour(picture, PREDICTION_RGB), ~square((6, 6), 1, 4))


def test_truth_lies_under_the_outline() -> None:
    grey = np.zeros((12, 12), np.uint8)
    picture = overlay(image(grey), square((12, 12), 2, 6), square((12, 12), 2, 8))
    assert is_colour(picture, PREDICTION_RGB)[2, 2]
    assert is_colour(picture, TRUTH_RGB)[8, 8]


def marks(line: Line, number: int = 1) -> LesionMarks:
    return LesionMarks(number, Box.of(4, 4, 30, 30), (line,))


def test_a_diameter_is_dashed_between_diamonds_in_a_colour_of_its_own() -> None:
    grey = np.full((60, 60), 90, np.uint8)
    line = ((30.0, 5.0), (30.0, 54.0))
    picture = overlay(image(grey), np.zeros((60, 60), bool), None, [marks(line)])
    pink = is_colour(picture, RULER_RGB)
    for column in (5, 54):
        assert pink[25:36, column].sum() == 2, "the diamond is open"
        assert pink[25, column]
        assert pink[35, column]
    between = pink[30, 12:48]
    assert 0 < between.sum() < between.size
    assert np.array_equal(np.flatnonzero((picture != 90).any(axis=(1, 2))), np.arange(25, 36))


def test_diameters_and_letters_may_reach_over_the_edge() -> None:
    grey = np.zeros((120, 120), np.uint8)
    mark = LesionMarks(12, Box.of(0, 0, 120, 120), (((-0.5, -0.5), (119.5, 119.5)),))
    assert overlay(image(grey), np.ones((120, 120), bool), None, [mark]).shape == (120, 120, 3)


def test_lesions_are_numbered_above_their_box() -> None:
    grey = np.zeros((200, 200), np.uint8)
    for number, at in ((1, 60), (2, 120)):
        mark = LesionMarks(number, Box.of(at, at, at + 30, at + 30))
        picture = overlay(image(grey), np.zeros((200, 200), bool), None, [mark])
        rows, columns = np.nonzero(picture.max(axis=2) > 60)
        assert rows.size
        assert at - 24 < rows.min() <= rows.max() < at + 3
        assert at - 24 < columns.min() <= columns.max() < at + 10


@pytest.mark.parametrize(
    ("width_mm", "length"), [(51.2, 10), (24, 2), (25, 5), (3, 0.5), (4e-4, None)]
)
def test_the_scale_bar_is_a_round_length(width_mm: float, length: float | None) -> None:
    assert bar_length_mm(width_mm) == length


@pytest.mark.parametrize(
    ("grid", "length_px"),
    [
        (Grid((200, 400), (0.3, 0.1)), 50),
        (Grid((200, 400)), None),
        (Grid((200, 400), regions=(Region(Box.of(0, 0, 200, 400), (0.2, 0.2)),)), 50),
        (
            Grid(
                (200, 400),
                regions=(
                    Region(Box.of(0, 0, 200, 200), (0.2, 0.2)),
                    Region(Box.of(0, 200, 200, 400), (0.1, 0.1)),
                ),
            ),
            None,
        ),
    ],
)
def test_the_scale_bar_is_as_long_as_it_says(grid: Grid, length_px: int | None) -> None:
    shown = Image(np.zeros((1, 200, 400), np.uint8), grid)
    mask = np.zeros((200, 400), bool)
    mask[100:, 200:] = True
    pink = is_colour(overlay(shown, mask), RULER_RGB)
    if length_px is None:
        assert not pink.any()
        return
    assert not pink[100:, 200:].any(), "it keeps clear of the lesion"
    assert abs(int(pink.sum(axis=1).max()) - length_px) <= 2


def test_the_line_grows_with_the_picture() -> None:
    assert [line_width((n, n // 2)) for n in (50, 500, 1000, 4000)] == [1, 1, 2, 8]
    grey = np.zeros((1000, 1000), np.uint8)
    picture = overlay(image(grey), square((1000, 1000), 100, 199))
    assert is_colour(picture, PREDICTION_RGB)[150].sum() == 4


def test_eight_bits_stay_as_they_are_in_grey_and_colour() -> None:
    grey = np.array([[10, 20], [30, 40]], np.uint8)
    assert np.array_equal(to_rgb(image(grey))[..., 1], grey)
    colour = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    assert np.array_equal(to_rgb(image(colour)), np.moveaxis(colour, 0, 2))


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (np.array([[100, 300]], np.uint16), [0, 255]),
        (np.array([[-1.0, 0.0, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[7, 7]], np.int16), [0, 0]),
        (np.array([[np.nan, 0.0, np.inf, 2.0]], np.float32), [0, 0, 0, 255]),
        (np.array([[np.nan, np.nan]], np.float32), [0, 0]),
        (np.array([[True, False]]), [255, 0]),
    ],
)
def test_deeper_pictures_are_stretched(values: np.ndarray, shown: list[int]) -> None:
    assert to_rgb(image(values))[0, :, 0].tolist() == shown


def test_the_picture_given_is_not_changed() -> None:
    grey = np.zeros((8, 8), np.uint8)
    overlay(image(grey), np.ones((8, 8), bool), None, [marks(((1, 1), (6, 6)))])
    assert not grey.any()


def test_another_shape_is_refused() -> None:
    with pytest.raises(GeometryError, match="mask"):
        overlay(image(np.zeros((8, 8), np.uint8)), np.zeros((8, 9), bool))
