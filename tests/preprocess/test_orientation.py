"""Axes are exchanged and reversed, and voxels stay where they are in the patient."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core import Grid, Image
from breastseg.core.errors import GeometryError
from breastseg.io.volume import positions_mm
from breastseg.preprocess.orientation import Reorientation, oriented, reorientation

SHAPE = (3, 4, 5)
VALUES = np.arange(120).reshape(2, *SHAPE)
EVERY = [
    Reorientation(axes, away)
    for axes, away in product(permutations(range(3)), product((False, True), repeat=3))
]
"""The 48 ways to store a volume."""


def tilted(degrees: tuple[float, float, float] = (12, -20, 8)) -> NDArray[np.float64]:
    """A rotation about all three axes, nearest to none."""
    turned = np.eye(3)
    for axis, angle in enumerate(np.deg2rad(degrees)):
        one = np.eye(3)
        i, j = (part for part in range(3) if part != axis)
        one[[i, i, j, j], [i, j, i, j]] = (
            np.cos(angle),
            -np.sin(angle),
            np.sin(angle),
            np.cos(angle),
        )
        turned = turned @ one
    return turned


def grid(square: NDArray[np.float64] | None = None) -> Grid:
    direction = tilted() if square is None else square
    return Grid(SHAPE, (3.1, 0.8, 0.7), (7.75, 20.5, -155.25), tuple(direction.ravel().tolist()))


def test_the_letters_are_those_of_the_patient() -> None:
    axial = Image(VALUES, Grid(SHAPE, (3.0, 1.0, 1.0)))
    np.testing.assert_array_equal(oriented(axial, "SPL").array, VALUES)
    np.testing.assert_array_equal(oriented(axial, "IPL").array, VALUES[:, ::-1])
    np.testing.assert_array_equal(oriented(axial, "SAR").array, VALUES[:, :, ::-1, ::-1])
    sagittal = oriented(axial, "RIA")  # its slices run to the right, its rows to the feet
    np.testing.assert_array_equal(sagittal.array, VALUES.transpose(0, 3, 1, 2)[:, ::-1, ::-1, ::-1])
    assert sagittal.grid.spacing_mm == (1.0, 3.0, 1.0)


@pytest.mark.parametrize("wanted", ["SPL", "LSA", "AIR"])
def test_however_it_is_stored_it_becomes_the_same_volume(wanted: str) -> None:
    first = oriented(Image(VALUES, grid()), wanted)
    for stored in EVERY:
        given = Image(stored.apply(VALUES), stored.grid(grid()))
        found = oriented(given, wanted)
        np.testing.assert_array_equal(found.array, first.array)
        corners = np.array(list(product(*[(0, side - 1) for side in found.grid.shape])))
        np.testing.assert_allclose(
            positions_mm(found.grid, corners), positions_mm(first.grid, corners), atol=1e-9
        )
        turn = reorientation(given.grid, wanted)
        np.testing.assert_array_equal(turn.undo(found.array), given.array)


def test_two_axes_that_are_equally_near_do_not_depend_on_how_they_are_stored() -> None:
    halfway = grid(tilted((45, 0, 0)))
    first = oriented(Image(VALUES, halfway), "SPL").array
    for stored in EVERY:
        given = Image(stored.apply(VALUES), stored.grid(halfway))
        np.testing.assert_array_equal(oriented(given, "SPL").array, first)


def test_an_unknown_spacing_stays_unknown_and_an_image_has_no_orientation() -> None:
    assert oriented(Image(VALUES, Grid(SHAPE)), "IPL").grid.spacing_mm is None
    with pytest.raises(GeometryError, match="open the whole series"):
        reorientation(Grid((4, 5)), "SPL")
