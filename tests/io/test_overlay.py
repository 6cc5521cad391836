"""Outlines drawn over images, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from breastseg.core import Grid, Image
from breastseg.core.errors import GeometryError
from breastseg.io.overlay import (
    CALLIPER_RGB,
    PREDICTION_RGB,
    TRUTH_RGB,
    line_width,
    overlay,
    to_rgb,
)


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


def test_callipers_have_crosses_at_their_ends_and_dots_between() -> None:
    grey = np.zeros((40, 40), np.uint8)
    picture = overlay(image(grey), np.zeros((40, 40), bool), None, [((20.0, 4.0), (20.0, 34.0))])
    white = is_colour(picture, CALLIPER_RGB)
    for column in (4, 34):
        assert white[18:23, column].all()
        assert white[20, column - 2 : column + 3].all()
    between = white[20, 10:29]
    assert 0 < between.sum() < between.size
    assert not white[:15].any()
    assert not white[26:].any()


def test_callipers_may_reach_over_the_edge() -> None:
    grey = np.zeros((20, 20), np.uint8)
    ends = ((-0.5, -0.5), (19.5, 19.5))
    assert overlay(image(grey), np.ones((20, 20), bool), None, [ends]).shape == (20, 20, 3)


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
    overlay(image(grey), np.ones((8, 8), bool), None, [((1, 1), (6, 6))])
    assert not grey.any()


def test_another_shape_is_refused() -> None:
    with pytest.raises(GeometryError, match="outline"):
        overlay(image(np.zeros((8, 8), np.uint8)), np.zeros((8, 9), bool))
