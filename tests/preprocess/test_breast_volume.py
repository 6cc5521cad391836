"""Breasts in front of a chest, whichever way the array lies."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.preprocess.breast_volume import body_region, breast_region_of_volume

STEP = 5.0
SHAPE = (8, 44, 64)  # 320 mm across


def woman() -> tuple[Image, NDArray[np.bool_], NDArray[np.bool_]]:
    """Two breasts before a chest with a heart; the true breasts; the heart."""
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]] * STEP
    chest = ((x - 160) / 150) ** 2 + ((y - 230) / 130) ** 2 < 1
    bumps = [((x - at) / 55) ** 2 + ((y - 110) / 85) ** 2 < 1 for at in (85, 235)]
    heart = (x - 180) ** 2 + (y - 195) ** 2 < 35**2
    breasts = (bumps[0] | bumps[1]) & ~chest
    values = np.where(chest | breasts, 100, 0) + np.where(heart, 60, 0)
    noise = np.abs(np.random.default_rng(0).normal(0, 4, SHAPE))
    image = Image((np.stack([values] * SHAPE[0]) + noise)[None], Grid(SHAPE, (STEP,) * 3))
    return image, np.stack([breasts] * SHAPE[0]), np.stack([heart] * SHAPE[0])


def test_breasts_are_kept_and_the_heart_is_not() -> None:
    image, breasts, heart = woman()
    found = breast_region_of_volume(image)
    assert found[breasts].mean() > 0.99
    assert not found[heart].any()
    body = body_region(image)
    assert body[heart].all()
    assert (found <= body).all()
    air = image.array[0] < 30
    assert found[air].mean() < 0.1  # a rim of one working voxel


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_direction_says_where_the_front_is(order: tuple[int, ...]) -> None:
    image, _, _ = woman()
    wanted = breast_region_of_volume(image)
    for flips in product((1, -1), repeat=3):
        turned = tuple(slice(None, None, flip) for flip in flips)
        direction = np.eye(3)[:, order] * np.array(flips)[list(order)]

        def lay(
            values: NDArray[np.generic], turned: tuple[slice, ...] = turned
        ) -> NDArray[np.generic]:
            return np.ascontiguousarray(np.transpose(values[turned], order))

        array = lay(image.array[0])
        grid = Grid(array.shape, (STEP,) * 3, None, tuple(direction.ravel().tolist()))
        found = breast_region_of_volume(Image(array[None], grid))
        # rounding of the smooth copy may tip single voxels
        assert (found != lay(wanted)).mean() < 0.01


def test_one_breast_is_returned_whole() -> None:
    image, _, _ = woman()
    half = Image(image.array[..., :32], Grid((8, 44, 32), (STEP,) * 3))
    np.testing.assert_array_equal(breast_region_of_volume(half), body_region(half))


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_nothing_is_found_where_nothing_is(value: float) -> None:
    image = Image(np.full((1, 5, 60, 60), value), Grid((5, 60, 60), (STEP,) * 3))
    assert not breast_region_of_volume(image).any()


def test_unknown_spacing_and_pictures_are_refused() -> None:
    for grid in (Grid((4, 5, 6)), Grid((5, 6), (1.0, 1.0))):
        with pytest.raises(GeometryError, match="a volume whose spacing is known"):
            body_region(Image(np.zeros((1, *grid.shape)), grid))
