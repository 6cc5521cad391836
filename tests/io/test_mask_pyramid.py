"""Masks written tile by tile: the same as the whole, in copies of half the size."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import GeometryError
from breastseg.io import mask_pyramid
from breastseg.io.mask_pyramid import read_mask_level, write_mask_pyramid
from breastseg.io.slide import Slide
from breastseg.io.tiled_tiff import TiledTiff

SIZE, TILE = (150, 203), 32


def whole() -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[16:96, 40:120] = True
    mask[140:, 190:] = True
    return mask


def tiles(mask: np.ndarray) -> Iterator[np.ndarray]:
    padded = np.pad(mask, ((0, -SIZE[0] % TILE), (0, -SIZE[1] % TILE)))
    for row in range(0, padded.shape[0], TILE):
        for column in range(0, padded.shape[1], TILE):
            yield padded[row : row + TILE, column : column + TILE]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mask_pyramid, "SMALLEST", 60)
    write_mask_pyramid(tmp_path / "mask.tif", tiles(whole()), SIZE, TILE, 0.5)
    return tmp_path / "mask.tif"


def test_every_copy_is_half_the_one_before(path: Path) -> None:
    with TiledTiff(path) as tiff:
        assert tiff.levels == (SIZE, (75, 102), (38, 51))
        assert tiff.spacing_um == pytest.approx((0.5, 0.5))
        np.testing.assert_array_equal(tiff.window(0, 0, 0, *SIZE)[..., 0], whole() * np.uint8(255))
        quarter = tiff.window(2, 0, 0, 38, 51)[..., 0] > 0
    assert quarter[4:24, 10:30].all()
    assert quarter[:30].sum() == 400


def test_finest_copy_that_fits(path: Path) -> None:
    mask, halvings = read_mask_level(path, 10**9)
    assert halvings == 0
    np.testing.assert_array_equal(mask, whole())
    assert read_mask_level(path, 75 * 102)[0].shape == (75, 102)
    assert read_mask_level(path, 1)[1] == 2


def test_slide_readers_take_it(path: Path) -> None:
    with Slide(path) as slide:
        assert slide.levels == (SIZE, (75, 102), (38, 51))
        np.testing.assert_array_equal(slide.region(0, 0, *SIZE)[..., 0] > 0, whole())


def test_too_few_tiles_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match=r"3 tiles. Expected: 35"):
        write_mask_pyramid(tmp_path / "m.tif", list(tiles(whole()))[:3], SIZE, TILE)
    with pytest.raises(GeometryError, match="35 tiles of 32 x 32"):
        write_mask_pyramid(tmp_path / "m.tif", [np.zeros((3, 3), bool)], SIZE, TILE)
    with pytest.raises(GeometryError, match="multiple of 16"):
        write_mask_pyramid(tmp_path / "m.tif", [], SIZE, 30)
    assert list(tmp_path.iterdir()) == []
