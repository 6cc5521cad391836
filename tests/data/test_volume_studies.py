"""The first phases of a study, and no more of its files than these."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import DataSetError, GroundTruthError
from breastseg.core.grid import Grid
from breastseg.core.image import Modality
from breastseg.data.dataset import CaseRef
from breastseg.data.phantoms.dicom import dicom_phantom
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


def test_a_mask_that_lies_elsewhere_than_a_folder_of_slices_is_refused(tmp_path: Path) -> None:
    phantom = dicom_phantom("mr", 1)
    folder, grid = tmp_path / "series", phantom.grid
    folder.mkdir()
    for number, one in enumerate(phantom.objects):
        one.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    assert grid is not None
    mask = tmp_path / "mask.nii.gz"
    ref = VolumeRef("a", "p", None, "made", folder, (mask,))
    write_volume(phantom.truth, grid, mask)
    truth = ref.load().mask
    assert truth is not None
    assert np.array_equal(truth.foreground, phantom.truth)
    # the same voxels in space, the slices counted the other way
    axes, steps = np.reshape(grid.direction or (), (3, 3)), np.array(grid.steps)
    last = np.array(grid.origin_mm) + axes[:, 0] * steps[0] * (grid.shape[0] - 1)
    turned = replace(
        grid,
        direction=tuple((axes * (-1, 1, 1)).ravel().tolist()),
        origin_mm=tuple(last.tolist()),
    )
    write_volume(phantom.truth[::-1], turned, mask)
    with pytest.raises(GroundTruthError, match="mm elsewhere than the image"):
        ref.load()
