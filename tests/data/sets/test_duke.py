"""The Duke crop: phases in order, and a box that stays a box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breastseg.core.box import Box
from breastseg.core.errors import DataSetError
from breastseg.core.grid import Grid
from breastseg.core.image import Modality
from breastseg.data.sets.duke import Duke
from breastseg.io.volume import write_volume

SHAPE = (4, 6, 7)
GRID = Grid(SHAPE, (1.1, 0.76, 0.76), (1.0, 2.0, 3.0))
BOX = np.zeros(SHAPE, bool)
BOX[1:3, 2:5, 3:7] = True


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "Duke-Breast-Cancer-MRI" / "nifti"
    for phase in range(3):
        values = np.full(SHAPE, 100 * phase, np.int16)
        write_volume(values, GRID, folder / f"Breast_MRI_007_{phase:04d}.nii.gz")
    write_volume(BOX, GRID, folder / "Breast_MRI_007_tumour_BOX.nii.gz")
    write_volume(BOX, GRID, folder / "Breast_MRI_007_breast_sparse.nii.gz")
    return tmp_path


@pytest.mark.parametrize("place", [".", "Duke-Breast-Cancer-MRI", "Duke-Breast-Cancer-MRI/nifti"])
def test_phases_and_box(root: Path, place: str) -> None:
    data = Duke(root / place)
    assert data.case_ids() == ("Breast_MRI_007",)
    loaded = data.load("Breast_MRI_007")
    (image,) = loaded.case.images
    assert image.array[:, 0, 0, 0].tolist() == [0, 100, 200]
    assert image.array.dtype == np.int16
    assert image.modality is Modality.MRI
    np.testing.assert_allclose(image.grid.spacing_mm, GRID.spacing_mm, rtol=1e-6)
    assert (loaded.case.label, loaded.case.source) == ("malignant", data.name)
    assert loaded.case.mask is None  # a box is no outline
    assert loaded.tumour_box == Box.of(1, 2, 3, 3, 5, 7)


def test_what_is_missing_is_named(root: Path, tmp_path: Path) -> None:
    data, folder = Duke(root), Duke(root).folder
    with pytest.raises(DataSetError, match=r"no study Breast_MRI_1.*Breast_MRI_007"):
        data.load("Breast_MRI_1")
    (folder / "Breast_MRI_007_0001.nii.gz").unlink()
    with pytest.raises(DataSetError, match=r"no Breast_MRI_007_0001\.nii\.gz"):
        data.load("Breast_MRI_007")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataSetError, match=r"no \*_0000\.nii\.gz.*e3sv-re93"):
        Duke(tmp_path / "empty").case_ids()
    with pytest.raises(DataSetError, match="no folder"):
        Duke(tmp_path / "nowhere").case_ids()


@pytest.mark.parametrize(
    ("box", "grid", "said"),
    [
        (np.zeros(SHAPE, bool), GRID, "no voxel of a box"),
        (BOX ^ (np.indices(SHAPE).sum(axis=0) == 6), GRID, "other than one box"),
        (BOX, Grid(SHAPE, (1.1, 0.76, 0.76)), "mm elsewhere than the phases"),
    ],
)
def test_what_is_no_box_is_refused(
    root: Path, box: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], grid: Grid, said: str
) -> None:
    data = Duke(root)
    write_volume(box, grid, data.folder / "Breast_MRI_007_tumour_BOX.nii.gz")
    with pytest.raises(DataSetError, match=said):
        data.load("Breast_MRI_007")


def test_phases_on_two_grids_are_refused(root: Path) -> None:
    data = Duke(root)
    values = np.zeros(SHAPE, np.int16)
    other = Grid(SHAPE, (1.2, 0.76, 0.76), GRID.origin_mm)
    write_volume(values, other, data.folder / "Breast_MRI_007_0002.nii.gz")
    with pytest.raises(DataSetError, match=r"lies up to 0\.3 mm elsewhere"):
        data.load("Breast_MRI_007")


@pytest.mark.data
def test_the_real_crop(data_root: Path) -> None:
    data = Duke(data_root)
    if not any(data.folder.glob("*_0000.nii.gz")):
        pytest.skip("no Duke-Breast-Cancer-MRI here")
    loaded = data.load(data.case_ids()[0])
    image = loaded.case.images[0]
    assert image.array.shape == (5, 64, 160, 160)
    np.testing.assert_allclose(image.grid.spacing_mm or (), (1.1, 0.759, 0.759), atol=1e-3)

    volumes = image.array.astype(np.float32)
    rise = (volumes[1] - volumes[0])[loaded.tumour_box.slices]
    assert rise.mean() > 5 * (volumes[1] - volumes[0]).mean()  # the tumour takes up contrast
