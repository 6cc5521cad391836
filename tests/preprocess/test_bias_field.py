"""N4: known shading is taken away, and ratios of phases stay."""

from __future__ import annotations

import numpy as np
import pytest

from breastseg.core.errors import GeometryError, InputError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.preprocess.bias_field import bias_corrected, bias_field
from breastseg.preprocess.breast_volume import body_region

SHAPE = (8, 24, 24)
GRID = Grid(SHAPE, (5.0, 5.0, 5.0), (1.0, 2.0, 3.0))


def shaded() -> tuple[Image, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """A ball of two tissues before and after contrast; the shading over it."""
    z, y, x = np.indices(SHAPE)
    ball = ((z - 3.5) / 5) ** 2 + ((y - 11.5) / 11) ** 2 + ((x - 11.5) / 11) ** 2 < 1
    tissue = np.where(ball, np.where((x // 4 + y // 4) % 2, 100.0, 140.0), 0)
    shading = np.exp(0.9 * (x - 11.5) / 11)
    return Image(np.stack([tissue, 1.5 * tissue]) * shading, GRID), shading


def test_shading_is_found_and_taken_away() -> None:
    image, shading = shaded()
    body = image.array[0] > 0
    field = bias_field(image)
    assert field.dtype == np.float32
    remaining = np.log(shading / field)[body]
    assert remaining.std() < 0.3 * np.log(shading)[body].std()
    assert abs(np.log(field)[body_region(image)].mean()) < 0.05


def test_ratios_of_phases_and_the_grid_are_kept() -> None:
    image, _ = shaded()
    before = image.array.copy()
    corrected = bias_corrected(image)
    np.testing.assert_array_equal(image.array, before)
    assert corrected.grid == GRID
    body = before[0] > 0
    np.testing.assert_allclose(corrected.array[1][body] / corrected.array[0][body], 1.5, rtol=1e-5)
    again = bias_corrected(image)
    np.testing.assert_array_equal(corrected.array, again.array)


def test_an_empty_volume_has_no_shading() -> None:
    assert (bias_field(Image(np.zeros((1, *SHAPE)), GRID)) == 1).all()


def test_what_cannot_be_corrected() -> None:
    thin = Image(np.zeros((1, 2, 24, 24)), Grid((2, 24, 24), (5.0, 5.0, 5.0)))
    with pytest.raises(GeometryError, match="at least 4 along each axis"):
        bias_field(thin)
    with pytest.raises(GeometryError, match="a volume whose spacing is known"):
        bias_field(Image(np.zeros((1, *SHAPE)), Grid(SHAPE)))
    for rounds, levels in ((0, 3), (5, 0), (5, 7)):
        with pytest.raises(InputError, match="1 or more, and 1 to 6"):
            bias_field(thin, rounds, levels)
