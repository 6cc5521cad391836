"""BCSS in the official layout and in that of a copy with drawn masks."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.catalogue import open_data_set
from breastseg.data.sets.bcss import Bcss
from breastseg.io.write import write_png

OFFICIAL = "TCGA-A1-A0SK-DX1_xmin45749_ymin25055_MPP-0.2500"
COARSE = "TCGA-E2-A14V-DX1_xmin10_ymin20_MPP-0.5"
SHAPE = (12, 16)


def colours(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 250, (*SHAPE, 3), np.uint8)


def codes() -> np.ndarray:
    """Every code once and more, the first row outside."""
    values = (np.arange(SHAPE[0] * SHAPE[1]) % 22).astype(np.uint8).reshape(SHAPE)
    values[0] = 0
    return values


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "BCSS"
    for number, stem in enumerate((OFFICIAL, COARSE)):
        write_png(root / "rgbs_colorNormalized" / f"{stem}.png", colours(number))
        write_png(root / "masks" / f"{stem}.png", codes())
    return root


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    root = tmp_path / "drawn"
    mask = np.zeros(SHAPE, bool)
    mask[2:5, 3:9] = True
    write_png(root / "images" / "1008.png", colours(1))
    write_png(root / "images" / "1019.png", colours(2))
    write_png(root / "masks" / "1008.png", mask)
    write_png(root / "masks" / "7.png", mask)
    return root


def test_names_tell_patient_and_spacing(root: Path) -> None:
    first, second = open_data_set("bcss", root.parent).cases()
    assert (first.case_id, first.patient_id) == (OFFICIAL, "TCGA-A1-A0SK")
    assert first.spacing_mm == (0.00025, 0.00025)
    assert (second.patient_id, second.spacing_mm) == ("TCGA-E2-A14V", (0.0005, 0.0005))
    assert first.label == "malignant"
    assert Bcss(root).remarks() == ()


def test_tumour_is_three_codes_and_the_outside_is_white(root: Path) -> None:
    case = pickle.loads(pickle.dumps(Bcss(root).cases()[0])).load()
    image, truth = case.images[0], codes()
    assert image.modality is Modality.HISTOPATHOLOGY
    assert image.grid.spacing_mm == (0.00025, 0.00025)
    assert (image.array.shape, image.array.dtype) == ((3, *SHAPE), np.uint8)
    np.testing.assert_array_equal(case.mask.foreground, np.isin(truth, (1, 19, 20)))
    known = truth != 0
    assert (image.array[:, ~known] == 255).all()
    np.testing.assert_array_equal(image.array[:, known], np.moveaxis(colours(0), 2, 0)[:, known])


def test_drawn_masks(drawn: Path) -> None:
    data_set = Bcss(drawn)
    outlined, bare = data_set.cases()
    assert (outlined.patient_id, bare.mask_paths) == ("1008", None)
    case = outlined.load()
    assert case.mask is not None
    assert case.mask.foreground.sum() == 18
    assert case.images[0].grid.spacing_mm == (0.00025, 0.00025)
    assert data_set.remarks() == (
        "1 images without a mask: 1019",
        "1 masks without an image: 7",
        "2 images whose name tells no patient: each stands for its own: 1008, 1019",
    )


def test_mask_that_is_drawn_under_an_official_name(root: Path) -> None:
    write_png(root / "masks" / f"{OFFICIAL}.png", codes() > 5)
    with pytest.raises(
        DataSetError, match=r"holds the value 255. Expected: codes of tissue, 0 to 21"
    ):
        Bcss(root).cases()[0].load()


def test_mask_of_another_size(root: Path) -> None:
    write_png(root / "masks" / f"{OFFICIAL}.png", codes()[1:])
    with pytest.raises(DataSetError, match=r"has \(11, 16\) pixels, the image \(12, 16\)"):
        Bcss(root).cases()[0].load()


def test_two_pictures_of_one_stem(drawn: Path) -> None:
    (drawn / "images" / "1008.jpg").write_bytes(b"x")
    with pytest.raises(DataSetError, match=r"1008\.jpg and 1008\.png .* have one stem"):
        Bcss(drawn).cases()


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="no images and no masks in"):
        Bcss(tmp_path).cases()


@pytest.mark.data
def test_regions_of_the_published_data(data_root: Path) -> None:
    cases = Bcss(data_root).cases()
    assert [case.case_id for case in cases] == ["1008", "1015", "1019"]
    case = cases[1].load()
    assert case.images[0].array.shape == (3, 2048, 4096)
    assert case.mask is not None
    assert 0.05 < case.mask.foreground.mean() < 0.95
