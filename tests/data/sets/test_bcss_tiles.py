"""BCSS in tiles: each a part of its region."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import DataSetError, UnreadableError
from breastseg.core.image import Modality
from breastseg.data.catalogue import open_data_set
from breastseg.data.sets.bcss_tiles import BcssTiles
from breastseg.io.write import write_png

# 4 and 2 micrometres a pixel: tiles of 32 and 64 pixels
COARSE = "TCGA-A1-A0SK-DX1_xmin1_ymin2_MPP-4.0000"
FINE = "TCGA-E2-A14V-DX1_xmin10_ymin20_MPP-2.0000"
SHAPE = (70, 101)


def colours(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 250, (*SHAPE, 3), np.uint8)


def codes() -> np.ndarray:
    """Tumour in the tile at (32, 64) alone, stroma elsewhere, some of the first tile outside."""
    values = np.full(SHAPE, 2, np.uint8)
    values[40:50, 70:90] = 1
    values[:5, :5] = 0
    return values


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "BCSS"
    for number, stem in enumerate((COARSE, FINE)):
        write_png(root / "images" / f"{stem}.png", colours(number))
        write_png(root / "masks" / f"{stem}.png", codes())
    return root


def test_tiles_cover_the_region(root: Path) -> None:
    cases = open_data_set("bcss-tiles", root.parent).cases()
    assert [case.case_id.removeprefix(COARSE) for case in cases[:6]] == [
        "_r00000_c00000",
        "_r00000_c00032",
        "_r00000_c00064",
        "_r00032_c00000",
        "_r00032_c00032",
        "_r00032_c00064",
    ]
    assert [case.case_id for case in cases[6:]] == [f"{FINE}_r00000_c00000"]
    assert {case.patient_id for case in cases} == {"TCGA-A1-A0SK", "TCGA-E2-A14V"}
    assert len({case.key for case in cases}) == 7


def test_a_tile_is_a_part_of_its_region(root: Path) -> None:
    cases = [pickle.loads(pickle.dumps(case)).load() for case in BcssTiles(root).cases()]
    assert [bool(case.mask.foreground.any()) for case in cases[:6]] == [False] * 5 + [True]
    image = cases[5].images[0]
    assert image.modality is Modality.HISTOPATHOLOGY
    assert image.grid.spacing_mm == (0.004, 0.004)
    np.testing.assert_array_equal(np.moveaxis(image.array, 0, 2), colours(0)[32:64, 64:96])
    np.testing.assert_array_equal(cases[5].mask.foreground, codes()[32:64, 64:96] == 1)
    assert (cases[0].images[0].array[:, :5, :5] == 255).all()
    assert cases[6].images[0].array.shape == (3, 64, 64)


def test_regions_without_a_mask_or_too_small_are_left_out(root: Path) -> None:
    (root / "masks" / f"{COARSE}.png").unlink()
    data_set = BcssTiles(root)
    assert [case.patient_id for case in data_set.cases()] == ["TCGA-E2-A14V"]
    assert data_set.remarks() == (f"1 images without a mask: {COARSE}",)
    write_png(root / "images" / f"{FINE}.png", colours(1)[:60])
    with pytest.raises(DataSetError, match="128 x 128 micrometres"):
        data_set.cases()


def test_damaged_picture(root: Path) -> None:
    (root / "images" / f"{COARSE}.png").write_bytes(b"no image")
    with pytest.raises(UnreadableError, match="is damaged"):
        BcssTiles(root).cases()


@pytest.mark.data
def test_tiles_of_the_published_data(data_root: Path) -> None:
    cases = BcssTiles(data_root).cases()
    assert len(cases) == 7 * 5 + 8 * 4 + 6 * 5
    case = cases[40].load()
    assert case.images[0].array.shape == (3, 512, 512)
