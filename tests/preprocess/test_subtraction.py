"""What contrast added."""

import numpy as np
import pytest

from breastseg.core.errors import InputError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.preprocess.subtraction import subtract_first


def test_unsigned_phases_may_differ_downwards() -> None:
    array = np.array([[5, 9], [7, 2], [5, 65535]], np.uint16).reshape(3, 1, 1, 2)
    grid = Grid((1, 1, 2), (1.0, 2.0, 3.0))
    found = subtract_first(Image(array, grid, source="scan"))
    assert found.array.dtype == np.float32
    np.testing.assert_array_equal(found.array[:, 0, 0], [[2, -7], [0, 65526]])
    assert (found.grid, found.source) == (grid, "scan")


def test_what_is_left_is_called_by_its_own_phases() -> None:
    phases = ("before", "at 60 s", "at 120 s")
    found = subtract_first(Image(np.zeros((3, 1, 1, 1)), Grid((1, 1, 1)), phases=phases))
    assert found.phases == phases[1:]


def test_one_phase_is_not_enough() -> None:
    with pytest.raises(InputError, match="has 1 phase"):
        subtract_first(Image(np.zeros((1, 1, 1, 1)), Grid((1, 1, 1))))
