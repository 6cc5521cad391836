"""TNBC by its slides, and as a flat copy."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.catalogue import open_data_set
from breastseg.data.sets.tnbc import Tnbc
from breastseg.io.write import write_png

SHAPE = (12, 16)


def colours(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*SHAPE, 3), np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three images of two slides, with an opaque alpha channel as the published ones have."""
    root = tmp_path / "TNBC_NucleiSegmentation"
    nuclei = np.zeros(SHAPE, bool)
    nuclei[2:5, 3:9] = True
    for number, stem in enumerate(("01_1", "01_2", "11_3")):
        slide = stem[:2]
        path = root / f"Slide_{slide}" / f"{stem}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        opaque = np.dstack((colours(number), np.full(SHAPE, 255, np.uint8)))
        Image.fromarray(opaque).save(path)
        write_png(root / f"GT_{slide}" / f"{stem}.png", nuclei)
    return root


def test_the_slide_is_the_patient(root: Path) -> None:
    cases = open_data_set("tnbc", root.parent).cases()
    assert [case.case_id for case in cases] == ["01_1", "01_2", "11_3"]
    assert [case.patient_id for case in cases] == ["01", "01", "11"]
    case = cases[0].load()
    image = case.images[0]
    np.testing.assert_array_equal(image.array, np.moveaxis(colours(0), 2, 0))
    assert image.modality is Modality.HISTOPATHOLOGY
    assert image.grid.spacing_mm == (0.00025, 0.00025)
    assert case.mask is not None
    assert case.mask.foreground.sum() == 18
    assert Tnbc(root).remarks() == ()


def test_incomplete_copy_is_counted(root: Path) -> None:
    (root / "GT_01" / "01_1.png").unlink()
    (root / "Slide_11" / "11_3.png").unlink()
    data_set = Tnbc(root)
    assert [case.mask_paths is None for case in data_set.cases()] == [True, False]
    assert data_set.remarks() == (
        "1 images without a mask: 01_1.png",
        "1 masks without an image: 11_3.png",
    )


def test_grey_picture_has_three_channels(root: Path) -> None:
    write_png(root / "Slide_01" / "01_1.png", colours(0)[..., 0])
    array = Tnbc(root).cases()[0].load().images[0].array
    assert array.shape == (3, *SHAPE)
    assert (array == array[:1]).all()


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"no image in .*Slide_01/01_1"):
        Tnbc(tmp_path).cases()


def test_one_name_twice(root: Path) -> None:
    write_png(root / "Slide_11" / "01_1.png", colours(0))
    with pytest.raises(DataSetError, match=r"Slide_11/01_1\.png have one name"):
        Tnbc(root).cases()


@pytest.mark.data
def test_pictures_of_the_published_data(data_root: Path) -> None:
    data_set = Tnbc(data_root)
    cases = data_set.cases()
    assert len(cases) == 6
    assert data_set.remarks() == ("no slide numbers: every image stands for its own patient",)
    case = cases[0].load()
    assert case.images[0].array.shape == (3, 512, 512)
    assert case.mask is not None
    assert 0.05 < case.mask.foreground.mean() < 0.6
