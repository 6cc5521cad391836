"""MAMA-MIA: phases in order, outlines on their grid, the published partition."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import DataSetError
from breastseg.core.grid import Grid
from breastseg.core.image import Modality
from breastseg.data.catalogue import open_data_set
from breastseg.data.sets.mama_mia import MamaMia
from breastseg.io.volume import write_volume
from breastseg.io.write import write_text

from ..workbook import write_workbook

SHAPE = (3, 4, 5)
GRID = Grid(SHAPE, (2.0, 0.7, 0.8), (1.0, 2.0, 3.0), (-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
OUTLINE = np.zeros(SHAPE, bool)
OUTLINE[1, 1:3, 2:4] = True


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two studies with three and two phases; the second is written in lower case."""
    folder = tmp_path / "MAMA-MIA"
    for case, stem, phases in (("DUKE_001", "DUKE_001", 3), ("ISPY2_2", "ispy2_2", 2)):
        for phase in range(phases):
            values = np.full(SHAPE, 10 * phase, np.int16)
            write_volume(values, GRID, folder / "images" / case / f"{stem}_{phase:04d}.nii.gz")
        write_volume(OUTLINE, GRID, folder / "segmentations" / "expert" / f"{stem}.nii.gz")
    write_text(folder / "train_test_splits.csv", "train_split,test_split\nDUKE_001,ISPY2_2\nX,\n")
    write_workbook(
        folder / "clinical_and_imaging_info.xlsx",
        [["patient_id", "age", "manufacturer"], ["DUKE_001", 51, "SIEMENS"], ["ISPY2_2", 40, None]],
    )
    return folder


@pytest.mark.parametrize("above", [False, True])
def test_cases_carry_what_the_tables_say(root: Path, above: bool) -> None:
    data_set = open_data_set("mama-mia", root.parent if above else root)
    cases = data_set.cases()
    assert [case.key for case in cases] == ["MAMA-MIA/DUKE_001", "MAMA-MIA/ISPY2_2"]
    assert [case.fold for case in cases] == [1, 2]
    assert [case.scanner for case in cases] == ["SIEMENS", None]
    assert {case.label for case in cases} == {"malignant"}
    assert data_set.remarks() == ()


def test_a_case_is_a_volume_with_its_phases_as_channels(root: Path) -> None:
    ref = pickle.loads(pickle.dumps(MamaMia(root).cases()[0]))
    loaded = ref.load()
    (image,) = loaded.images
    assert image.array[:, 0, 0, 0].tolist() == [0, 10, 20]
    assert image.modality is Modality.MRI
    assert loaded.mask is not None
    np.testing.assert_array_equal(loaded.mask.foreground, OUTLINE)
    assert loaded.mask.grid == image.grid
    np.testing.assert_allclose(image.grid.direction or (), GRID.direction)


def test_partial_copies_are_remarked(root: Path) -> None:
    (root / "segmentations" / "expert" / "ispy2_2.nii.gz").unlink()
    write_volume(OUTLINE, GRID, root / "segmentations" / "expert" / "NACT_9.nii.gz")
    (root / "train_test_splits.csv").unlink()
    data_set = MamaMia(root)
    assert [case.mask_paths is None for case in data_set.cases()] == [False, True]
    assert {case.fold for case in data_set.cases()} == {None}
    assert data_set.remarks() == (
        "1 studies without a mask: ISPY2_2",
        "1 masks of studies not there: NACT_9.nii.gz",
        "no train_test_splits.csv: folds are not known",
    )


def test_what_is_missing_is_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataSetError, match=r"no images and no segmentations/expert.*syn60868042"):
        MamaMia(tmp_path / "empty").cases()
    (root / "images" / "DUKE_001" / "DUKE_001_0001.nii.gz").unlink()
    with pytest.raises(
        DataSetError, match=r"DUKE_001: no phase 0001. Expected: all phases from 0000 to 0002"
    ):
        MamaMia(root).cases()


@pytest.mark.parametrize(
    ("values", "grid", "said"),
    [
        (OUTLINE[1:], Grid((2, 4, 5), GRID.spacing_mm), "another shape"),
        (OUTLINE, Grid(SHAPE, GRID.spacing_mm, GRID.origin_mm), "mm elsewhere than the image"),
    ],
)
def test_outlines_on_another_grid_are_refused(
    root: Path, values: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], grid: Grid, said: str
) -> None:
    write_volume(values, grid, root / "segmentations" / "expert" / "DUKE_001.nii.gz")
    with pytest.raises(DataSetError, match=said):
        MamaMia(root).cases()[0].load()


def test_phases_on_two_grids_are_refused(root: Path) -> None:
    phase = root / "images" / "DUKE_001" / "DUKE_001_0001.nii.gz"
    write_volume(np.zeros(SHAPE, np.int16), Grid(SHAPE, (2.0, 0.7, 0.9)), phase)
    with pytest.raises(DataSetError, match="volumes of one grid"):
        MamaMia(root).cases()[0].load()
