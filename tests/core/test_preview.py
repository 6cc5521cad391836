"""The small PNG that a notebook shows."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from breastseg.core import Grid, Image, Prediction, Provenance
from breastseg.core.errors import GeometryError
from breastseg.core.preview import CONTOUR_RGB, MAX_SIDE_PX, preview

BLOCK = np.zeros((7, 9), bool)
BLOCK[2:6, 3:7] = True
EDGE = BLOCK.copy()
EDGE[3:5, 4:6] = False


def seen(png: bytes) -> NDArray[np.uint8]:
    with Pillow.open(io.BytesIO(png)) as image:
        image.load()
        return np.asarray(image)


def test_eight_bits_and_colours_stay_as_they_are() -> None:
    grey = np.arange(63, dtype=np.uint8).reshape(1, 7, 9)
    assert np.array_equal(seen(preview(grey)), np.repeat(grey[0, ..., None], 3, axis=2))
    rgb = np.arange(189, dtype=np.uint8).reshape(3, 7, 9)
    assert np.array_equal(seen(preview(rgb)), np.moveaxis(rgb, 0, 2))


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int16, np.uint16, np.bool_])
def test_other_values_are_stretched(dtype: type) -> None:
    values = np.linspace(0, 1, 63).reshape(1, 7, 9) * (1 if dtype in (np.bool_,) else 30000)
    shown = seen(preview(values.astype(dtype)))[..., 0]
    assert (shown.min(), shown.max()) == (0, 255)


def test_what_is_not_finite_is_black_and_nothing_is_warned_of() -> None:
    values = np.array([[[np.nan, 0.5, 1e308], [-1e308, np.inf, -np.inf]]])
    shown = seen(preview(values))[..., 0]
    assert shown[0, 2] == 255
    assert shown[0, 0] == shown[1, 0] == 0
    assert not seen(preview(np.full((1, 2, 2), np.nan))).any()


def test_the_contour_is_the_outermost_pixels_of_the_mask() -> None:
    shown = seen(preview(np.zeros((1, 7, 9), np.uint8), BLOCK))
    assert np.array_equal((shown == CONTOUR_RGB).all(axis=2), EDGE)


def test_of_a_volume_the_slice_with_most_of_the_mask_is_shown() -> None:
    phases = np.zeros((2, 5, 7, 9), np.uint8)
    phases[1] = np.arange(5, dtype=np.uint8)[:, None, None]
    mask = np.zeros((5, 7, 9), bool)
    assert seen(preview(phases))[0, 0, 0] == seen(preview(phases, mask))[0, 0, 0] == 2
    mask[3] = BLOCK
    shown = seen(preview(phases, mask))
    assert shown[0, 0, 0] == 3
    assert np.array_equal((shown == CONTOUR_RGB).all(axis=2), EDGE)


def test_a_large_image_is_thinned_out() -> None:
    assert max(seen(preview(np.zeros((1, 3000, 2500), np.uint8))).shape) <= MAX_SIDE_PX


def test_images_and_predictions_tell_what_they_are_in_one_line() -> None:
    grid = Grid((7, 9), (0.5, 0.25))
    image = Image(np.zeros((1, 7, 9), np.uint8), grid, source="a.png")
    made_by = Provenance("otsu", "1.0")
    found = Prediction(BLOCK.astype(np.float32), grid, made_by, image=image)
    assert repr(image) == "<Image a.png (unknown): 7x9 px of 0.5x0.25 mm, 1 channel of uint8>"
    assert repr(found) == (
        "<Prediction by otsu 1.0: 7x9 px of 0.5x0.25 mm, 25.40% lesion at a threshold of 0.5>"
    )
    assert np.array_equal((seen(found._repr_png_()) == CONTOUR_RGB).all(axis=2), EDGE)
    assert not seen(image._repr_png_()).any()
    alone = Prediction(BLOCK.astype(np.float32), grid, made_by)
    assert (seen(alone._repr_png_())[3, 4] == 255).all()
    with pytest.raises(GeometryError, match="8x9"):
        Prediction(np.zeros((8, 9), np.float32), Grid((8, 9)), made_by, image=image)
