"""The synthetic DICOM studies: read by our reader, the truth where the pixels are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breastseg.core.image import Modality
from breastseg.data.phantoms.dicom import DicomPhantom, dicom_phantoms, write_dicom_phantoms
from breastseg.io.dicom_remarks import SLICE_OF_TOMOSYNTHESIS
from breastseg.io.open import open_images
from breastseg.io.volume import read_volume
from breastseg.io.volume_series import read_series


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("phantoms")
    write_dicom_phantoms(made, 1)
    return made


@pytest.fixture(scope="module")
def phantoms() -> dict[str, DicomPhantom]:
    return {one.name: one for one in dicom_phantoms(1)}


@pytest.mark.parametrize("name", ["us-still", "us-cine", "us-colour", "mg", "mg-tomo"])
def test_images_are_read_with_scale_and_reference(
    folder: Path, phantoms: dict[str, DicomPhantom], name: str
) -> None:
    images = list(open_images(folder / "studies" / name / "0001.dcm"))
    truth = phantoms[name].truth
    assert len(images) == (len(truth) if truth.ndim == 3 else 1)
    for image in images:
        assert image.grid.shape == truth.shape[-2:]
        assert image.grid.spacing_mm is not None
        assert image.modality in (Modality.ULTRASOUND, Modality.MAMMOGRAPHY)
        assert image.reference is not None
        assert image.reference.study_uid
        assert (SLICE_OF_TOMOSYNTHESIS in image.remarks) == (name == "mg-tomo")
    assert truth.any()
    assert len(set(truth.shape[-2:])) == 2


def test_the_series_of_slices_is_oblique_and_its_truth_lies_on_it(folder: Path) -> None:
    image = read_series(folder / "studies" / "mr")
    truth = read_volume(folder / "truth" / "mr.nii.gz")
    assert image.array.shape[0] == 2
    assert image.grid.shape == truth.grid.shape
    np.testing.assert_allclose(image.grid.direction or (), truth.grid.direction or (), atol=1e-5)
    assert min(abs(value) for value in (image.grid.direction or ())[3:6]) > 0.05


def test_a_lesion_lies_in_a_corner_and_the_same_seed_gives_the_same_objects(
    phantoms: dict[str, DicomPhantom],
) -> None:
    rows, columns = np.nonzero(phantoms["us-still"].truth)
    assert max(rows.min(), columns.min()) <= 5
    again = next(dicom_phantoms(1))
    assert phantoms[again.name].objects == again.objects
