"""The first phases of a study, and no more of its files than these."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import DataSetError
from breastseg.core.grid import Grid
from breastseg.core.image import Modality
from breastseg.data.dataset import CaseRef
from breastseg.data.volume_ref import VolumeRef
from breastseg.data.volume_studies import first_phases, require_volumes
from breastseg.io.volume import write_volume

GRID = Grid((3, 4, 5), (2.0, 0.7, 0.8))
OUTLINE = np.zeros(GRID.shape, bool)
OUTLINE[1, 1:3, 2:4] = True


@pytest.fixture
def ref(tmp_path: Path) -> VolumeRef:
    """Three phases of 0, 10 and 20, one file each."""
    paths = [tmp_path / f"{phase}.nii.gz" for phase in range(3)]
    for phase, path in enumerate(paths):
        write_volume(np.full(GRID.shape, 10 * phase, np.int16), GRID, path)
    write_volume(OUTLINE, GRID, tmp_path / "mask.nii.gz")
    first, *later = paths
    masks = (tmp_path / "mask.nii.gz",)
    return VolumeRef("a", "p", "malignant", "made", first, masks, "GE", 2, later_paths=tuple(later))


def test_the_first_phases_alone_are_read(ref: VolumeRef) -> None:
    ref.later_paths[1].unlink()
    two = pickle.loads(pickle.dumps(first_phases(ref, 2)))
    assert (two.key, two.patient_key, two.fold, two.scanner) == ("made/a", "made/p", 2, "GE")
    assert two.is_volume
    case = two.load()
    assert case.images[0].array[:, 0, 0, 0].tolist() == [0, 10]
    assert case.images[0].modality is Modality.MRI
    assert case.mask is not None
    np.testing.assert_array_equal(case.mask.foreground, OUTLINE)


def test_phases_in_one_file_are_counted(ref: VolumeRef, tmp_path: Path) -> None:
    phases = np.stack([np.full(GRID.shape, value, np.int16) for value in (1, 2, 3)])
    write_volume(phases, GRID, tmp_path / "all.nii.gz")
    together = replace(ref, image_path=tmp_path / "all.nii.gz", later_paths=())
    assert first_phases(together, 2).load().images[0].array[:, 0, 0, 0].tolist() == [1, 2]
    with pytest.raises(DataSetError, match=r"made/a: 3 phases. Expected: at least 4"):
        first_phases(together, 4).load()


def test_a_kind_that_sorts_its_own_series_reads_them_all(ref: VolumeRef) -> None:
    class Latest(VolumeRef):
        def read_image(self):
            image = super().read_image()
            return replace(image, array=image.array[::-1])

    latest = Latest(**vars(ref))
    assert first_phases(latest, 1).load().images[0].array[:, 0, 0, 0].tolist() == [20]


def test_pictures_are_no_volumes(ref: VolumeRef) -> None:
    require_volumes([ref, first_phases(ref, 1)])
    picture = CaseRef("b", "b", None, "images", Path("b.png"), ())
    with pytest.raises(DataSetError, match=r"images: holds images. Expected: data sets of volumes"):
        require_volumes([ref, picture])
