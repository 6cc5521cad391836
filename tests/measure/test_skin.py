"""The distance between a lesion and the skin."""

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.grid import Grid
from breastseg.core.prediction import Lesion, Prediction
from breastseg.core.provenance import Provenance
from breastseg.measure import skin_distance, skin_line


def _lesion(mask: NDArray[np.bool_], grid: Grid) -> Lesion:
    return Prediction(mask.astype(np.float32), grid, Provenance("test", "1")).lesions()[0]


def _half(rows: int = 9, columns: int = 12, skin_column: int = 8) -> NDArray[np.bool_]:
    return np.arange(columns)[None, :] <= np.full((rows, 1), skin_column)


def test_the_skin_is_towards_the_air_alone() -> None:
    line = skin_line(_half())
    assert line.sum() == 9
    assert line[:, 8].all()
    assert not skin_line(np.ones((4, 5), bool)).any()


def test_the_distance_is_in_millimetres_by_the_axis() -> None:
    mask = np.zeros((9, 12), bool)
    mask[2:4, 3:6] = True
    grid = Grid((9, 12), (0.5, 0.2))
    assert skin_distance(_lesion(mask, grid), _half(), grid) == pytest.approx(3 * 0.2)
    pixels = Grid((9, 12), None)
    assert skin_distance(_lesion(mask, pixels), _half(), pixels) == 3
    mask[2, 3:10] = True
    assert skin_distance(_lesion(mask, pixels), _half(), pixels) == 0


def test_the_distance_is_the_shortest_of_all_pairs() -> None:
    rows, columns = np.mgrid[:30, :26]
    breast = (rows - 12) ** 2 + 1.3 * columns**2 < 18**2
    mask = (rows - 15) ** 2 + (columns - 5) ** 2 <= 9
    grid = Grid((30, 26), (0.3, 0.7))
    pairs = np.argwhere(mask)[:, None] - np.argwhere(skin_line(breast))[None]
    expected = np.hypot(*(pairs * (0.3, 0.7)).transpose(2, 0, 1)).min()
    assert skin_distance(_lesion(mask, grid), breast, grid) == pytest.approx(expected)


def test_no_skin_is_no_distance_and_other_shapes_are_refused() -> None:
    grid = Grid((9, 12), (0.5, 0.2))
    mask = np.zeros((9, 12), bool)
    mask[4, 4] = True
    assert skin_distance(_lesion(mask, grid), np.ones((9, 12), bool), grid) is None
    with pytest.raises(GeometryError, match="both on"):
        skin_distance(_lesion(mask, grid), np.ones((9, 11), bool), grid)
