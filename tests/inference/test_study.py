"""The steps around a network for volumes."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core import Grid, Image, Modality, Prediction, Provenance
from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.core.prompt import Prompt
from breastseg.data.phantoms.volume import volume_phantom
from breastseg.inference.methods import bundle_folder
from breastseg.inference.study import read_study, segment_study
from breastseg.inference.volume_segmenter import VolumeSegmenter
from breastseg.io.memory import MAX_MEMORY, set_max_memory
from breastseg.io.volume import write_volume
from breastseg.preprocess.bias_field import bias_corrected
from breastseg.preprocess.breast_volume import breast_region_of_volume


class Everywhere:
    """Calls every voxel lesion, and remembers what it was shown."""

    name = "everywhere"
    seen: NDArray[np.generic]

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        self.seen = image.array
        probability = np.ones(image.grid.shape, np.float32)
        return Prediction(probability, image.grid, Provenance("everywhere", "1", steps=("all",)))


def test_the_network_alone() -> None:
    image = Image(np.zeros((2, 4, 5, 6), np.int16), Grid((4, 5, 6)), Modality.MRI)
    inner = Everywhere()
    found = segment_study(inner, image)
    assert found.probability.all()
    assert np.shares_memory(inner.seen, image.array)
    assert found.provenance.steps == ("all",)


def test_both_steps_are_taken_and_named() -> None:
    scan = volume_phantom(3, shape=(16, 64, 64), phases=2).images[0]
    inner = Everywhere()
    found = segment_study(inner, scan, correct_bias=True, within_breast=True)
    np.testing.assert_array_equal(inner.seen, bias_corrected(scan).array)
    np.testing.assert_array_equal(found.mask().foreground, breast_region_of_volume(scan))
    first, middle, last = found.provenance.steps
    assert "N4" in first
    assert middle == "all"
    assert "outside the breasts" in last


def test_memory_is_estimated_from_the_header_of_the_first_phase(tmp_path: Path) -> None:
    grid = Grid((40, 100, 100), (2.0, 1.0, 1.0))
    write_volume(np.zeros(grid.shape, np.int16), grid, tmp_path / "a.nii.gz")
    cut = (tmp_path / "a.nii.gz").read_bytes()[:300]  # it could not be decoded
    (tmp_path / "a.nii.gz").write_bytes(cut)
    method = VolumeSegmenter(bundle_folder("mri-phantom"), threads=1)
    set_max_memory(2**23)
    try:
        with pytest.raises(UnsupportedError, match=r"100 x 100 x 40 voxels, and the maps of them"):
            read_study(method, [tmp_path / "a.nii.gz"] * 2)
    finally:
        set_max_memory(MAX_MEMORY)
    with pytest.raises(UnreadableError):
        read_study(method, [tmp_path / "a.nii.gz"] * 2)


class Subtracting(Everywhere):
    """Takes two phases."""

    phases = 2


def test_phases_in_which_nothing_is_to_be_seen_are_told(tmp_path: Path) -> None:
    grid, paths = Grid((3, 4, 5), (2.0, 1.0, 1.0)), [tmp_path / f"{n}.nii" for n in range(3)]
    for path, values in zip(paths, (np.arange(60), np.arange(60), np.zeros(60)), strict=True):
        write_volume(values.reshape(grid.shape).astype(np.int16), grid, path)
    method = Subtracting()
    (same,) = read_study(method, paths[:2]).remarks
    assert same.startswith("phases 1 and 2 have the same values")
    (empty,) = read_study(method, [paths[0], paths[2]]).remarks
    assert empty.startswith("every voxel of phase 2 has the same value")
    write_volume(np.ones(grid.shape, np.int16) * np.arange(5, dtype=np.int16), grid, paths[2])
    (more,) = read_study(method, [paths[0], paths[2], paths[1]]).remarks
    assert more == "of 3 phases 'everywhere' takes the first 2"
