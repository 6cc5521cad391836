"""The distance between a lesion and the skin."""

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.core.prediction import Lesion, Prediction
from breastseg.core.provenance import Provenance
from breastseg.measure import LaidSkin, SeenSkin, skin_line, skin_of
from breastseg.measure.finding import findings


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
    skin = SeenSkin(skin_line(_half()))
    mask = np.zeros((9, 12), bool)
    mask[2:4, 3:6] = True
    grid = Grid((9, 12), (0.5, 0.2))
    assert skin.distance(_lesion(mask, grid), grid) == pytest.approx(3 * 0.2)
    pixels = Grid((9, 12), None)
    assert skin.distance(_lesion(mask, pixels), pixels) == 3
    mask[2, 3:10] = True
    assert skin.distance(_lesion(mask, pixels), pixels) == 0


def test_the_distance_is_the_shortest_of_all_pairs() -> None:
    rows, columns = np.mgrid[:30, :26]
    breast = (rows - 12) ** 2 + 1.3 * columns**2 < 18**2
    mask = (rows - 15) ** 2 + (columns - 5) ** 2 <= 9
    grid = Grid((30, 26), (0.3, 0.7))
    pairs = np.argwhere(mask)[:, None] - np.argwhere(skin_line(breast))[None]
    expected = np.hypot(*(pairs * (0.3, 0.7)).transpose(2, 0, 1)).min()
    skin = SeenSkin(skin_line(breast))
    assert skin.distance(_lesion(mask, grid), grid) == pytest.approx(expected)


def test_of_a_large_lesion_its_edge_alone_is_looked_at_and_a_skin_within_it_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import scipy.spatial

    asked: list[int] = []

    class Counting(scipy.spatial.KDTree):  # type: ignore[misc]
        def query(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
            asked.append(len(x))
            return super().query(x)  # type: ignore[no-any-return]

    monkeypatch.setattr(scipy.spatial, "KDTree", Counting)
    skin = SeenSkin(np.arange(300)[None, :] == np.full((200, 1), 290))
    mask = np.zeros((200, 300), bool)
    mask[20:180, 20:260] = True
    grid = Grid((200, 300), None)
    assert skin.distance(_lesion(mask, grid), grid) == 290 - 259
    assert asked == [2 * 160 + 2 * 240 - 4]
    mask[100, 260:295] = True
    assert skin.distance(_lesion(mask, grid), grid) == 0


def test_a_line_that_was_laid_is_met_at_a_right_angle_and_beyond_its_ends() -> None:
    mask = np.zeros((9, 12), bool)
    mask[5:7, 8:10] = True
    grid = Grid((9, 12), (0.5, 0.2))
    level = LaidSkin(((1.0, 0.0), (1.0, 3.0)))
    assert level.distance(_lesion(mask, grid), grid) == pytest.approx(4 * 0.5)
    slanted = LaidSkin(((0.0, 0.0), (4.0, 10.0)))  # 2 mm each way: at 45 degrees in millimetres
    away = min((row * 0.5 - column * 0.2) / 2**0.5 for row, column in np.argwhere(mask))
    assert slanted.distance(_lesion(mask, grid), grid) == pytest.approx(away)
    (row, column), (foot_row, foot_column) = slanted.shortest(_lesion(mask, grid), grid)[1]
    assert np.hypot((foot_row - row) * 0.5, (foot_column - column) * 0.2) == pytest.approx(away)
    assert foot_row * 0.5 == pytest.approx(foot_column * 0.2)  # on the line
    assert LaidSkin(((5.5, 0.0), (5.5, 1.0))).distance(_lesion(mask, grid), grid) == 0
    with pytest.raises(GeometryError, match="two points apart"):
        LaidSkin(((1.0, 2.0), (1.0, 2.0)))


def _mammogram(modality: Modality) -> Image:
    rows, columns = np.mgrid[:120, :80]
    breast = (rows - 60) ** 2 / 45**2 + columns**2 / 60**2 < 1
    grey = np.where(breast, 1200, 20).astype(np.uint16)
    return Image(grey[None], Grid(breast.shape, (0.5, 0.5)), modality=modality)


def test_findings_know_the_skin_of_a_mammogram_and_of_nothing_else() -> None:
    image = _mammogram(Modality.MAMMOGRAPHY)
    mask = np.zeros(image.grid.shape, np.float32)
    mask[58:63, 30:36] = 1
    made = Prediction(mask, image.grid, Provenance("test", "1"))
    found = findings(made, image)[0].skin_distance
    assert found == pytest.approx((59 - 35) * 0.5, abs=0.6)
    assert findings(made, _mammogram(Modality.ULTRASOUND))[0].skin_distance is None
    laid = LaidSkin(((0.0, 0.0), (0.0, 9.0)))
    assert findings(made, image, skin=laid)[0].skin_distance == 58 * 0.5


def test_no_skin_is_no_distance_and_other_shapes_are_refused() -> None:
    grid = Grid((9, 12), (0.5, 0.2))
    filled = Image(np.full((1, 9, 12), 7, np.uint8), grid, modality=Modality.MAMMOGRAPHY)
    assert skin_of(filled) is None
    mask = np.zeros((9, 12), bool)
    mask[4, 4] = True
    with pytest.raises(GeometryError, match="one on"):
        SeenSkin(skin_line(_half(9, 11))).distance(_lesion(mask, grid), grid)
