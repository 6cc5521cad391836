"""A lesion's corners come back where they were: volumes, in millimetres, by SimpleITK's measure."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.uid import MRImageStorage

from breastseg.core import VolumeSpec
from breastseg.inference.sliding_window import sliding_window
from breastseg.io.volume import write_volume
from breastseg.io.volume_series import read_phases
from breastseg.preprocess.volume import prepare_volume, resample

from ..io.conftest import dicom_file

sitk = pytest.importorskip("SimpleITK")

PATCH = (12, 16, 16)
ROUNDING = 2e-3
"""In voxels: NIfTI keeps float32, DICOM sixteen digits."""


@dataclass(frozen=True)
class Scene:
    """A cuboid in a volume; all in SimpleITK's order (x, y, z).

    Attributes:
        size: voxels along each axis.
        spacing: millimetres.
        origin: millimetres.
        direction: (3, 3), of either handedness.
        first: voxel of the cuboid along each axis.
        last: one past its last voxel.
        ratio: voxels along one of the network's.
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: NDArray[np.float64]
    first: tuple[int, ...]
    last: tuple[int, ...]
    ratio: tuple[float, ...]

    def image(self) -> sitk.Image:
        """Bright in the cuboid."""
        values = np.full(self.size[::-1], 100, np.int16)
        x, y, z = map(slice, self.first, self.last)
        values[z, y, x] = 900
        image = sitk.GetImageFromArray(values)
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection(self.direction.ravel().tolist())
        return image


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    axes = []
    for _ in range(3):
        ratio = draw(st.sampled_from((0.5, 0.8, 1.0, 1.3, 2.0)))
        side = draw(st.integers(16, 26))
        least = int(np.ceil(4 * max(1, ratio)))
        first = draw(st.integers(2, side - least - 2))
        axes.append((side, first, draw(st.integers(first + least, side - 2)), ratio))
    size, first, last, ratio = zip(*axes, strict=True)
    turned = draw(st.booleans())
    signs = np.diag([draw(st.sampled_from((-1.0, 1.0))) for _ in range(3)])
    order = np.eye(3)[list(draw(st.permutations(range(3))))]
    seed = draw(st.integers(0, 999))
    oblique = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    return Scene(
        size,
        tuple(draw(st.sampled_from((0.6, 0.9, 1.4, 3.3))) for _ in range(3)),
        tuple(draw(st.floats(-200, 200)) for _ in range(3)),
        (oblique if turned else order) @ signs,
        first,
        last,
        ratio,
    )


def write_slices(image: sitk.Image, folder: Path) -> Path:
    """A series, each of whose slices lies where SimpleITK says."""
    folder.mkdir()
    cosines = np.reshape(image.GetDirection(), (3, 3)).T[:2].ravel()
    for index, pixels in enumerate(sitk.GetArrayFromImage(image)):
        place = image.TransformIndexToPhysicalPoint((0, 0, index))
        file = dicom_file(
            pixels,
            SOPClassUID=MRImageStorage,
            SOPInstanceUID=f"1.2.{index + 1}",
            Modality="MR",
            SeriesInstanceUID="1.2.3",
            FrameOfReferenceUID="1.2.4",
            ImagePositionPatient=[f"{value:.9f}"[:16] for value in place],
            ImageOrientationPatient=[f"{value:.9f}"[:16] for value in cosines],
            PixelSpacing=list(image.GetSpacing()[1::-1]),
        )
        (folder / f"{(7 * index) % 31:02d}.dcm").write_bytes(file)
    return folder


def outline(path: Path, scene: Scene, written: Path) -> None:
    """From a file through the network's grid, with the brightness as its output, to a mask."""
    image = read_phases([path])
    assert image.grid.spacing_mm is not None
    spec = VolumeSpec(
        patch=PATCH,
        spacing_mm=tuple(np.multiply(scene.spacing, scene.ratio)[::-1].tolist()),
        channels=1,
        percentiles=(0.0, 100.0),
    )
    prepared = prepare_volume(image, spec)
    found = sliding_window(prepared, lambda patches: patches, PATCH, spec.overlap)
    write_volume(resample(found, image.grid.shape) >= 0.5, image.grid, written)


def corners_mm(
    image: sitk.Image, first: NDArray[np.int64], last: NDArray[np.int64]
) -> list[tuple[float, ...]]:
    """The outer corners of a block of voxels."""
    sides = np.stack([first - 0.5, last - 0.5], axis=1).tolist()
    return [image.TransformContinuousIndexToPhysicalPoint(at) for at in itertools.product(*sides)]


def in_voxels(image: sitk.Image, places: list[tuple[float, ...]]) -> NDArray[np.float64]:
    """(n, 3), whole numbers at the centres."""
    return np.array([image.TransformPhysicalPointToContinuousIndex(place) for place in places])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    scene=scenes(),
    kind=st.sampled_from((".nii", ".nii.gz", ".nrrd", ".mha", "series")),
    out=st.sampled_from(("mask.nii.gz", "mask.nrrd", "mask.mha")),
)
def test_corners_of_a_cuboid_come_back(scene: Scene, kind: str, out: str) -> None:
    truth = scene.image()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if kind == "series":
            path = write_slices(truth, folder / kind)
        else:
            path = folder / f"scan{kind}"
            sitk.WriteImage(truth, str(path))
        outline(path, scene, folder / out)
        mask = sitk.ReadImage(str(folder / out))
    inside = np.argwhere(sitk.GetArrayFromImage(mask))[:, ::-1]
    # in voxels of the file that was read, whose axes may run the other way
    found = in_voxels(truth, corners_mm(mask, inside.min(axis=0), inside.max(axis=0) + 1))
    expected = in_voxels(truth, corners_mm(truth, np.array(scene.first), np.array(scene.last)))
    # the grid of the network has whole voxels, so its step is not quite what was asked for
    steps = np.divide(scene.size, np.rint(np.divide(scene.size, scene.ratio)))
    half = 0.5 * np.maximum(1, steps) + ROUNDING
    away = np.abs(expected[:, None] - found[None])
    assert (away <= half).all(axis=2).any(axis=1).all(), away.min(axis=1)
