"""An image knows which stored object it is."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest

from breastseg.core.errors import InputError
from breastseg.core.reference import Display, FrameReference, Reference, join_references
from breastseg.io.dicom_image import read_dicom, read_dicom_frames
from breastseg.io.raster import read_raster

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
STATED = {
    "StudyInstanceUID": "1.2.1",
    "SeriesInstanceUID": "1.2.2",
    "FrameOfReferenceUID": "1.2.4",
    "AccessionNumber": "A-17",
    "PatientName": "Doe^Jane",
    "PatientID": "P1",
    "StudyDate": "20260102",
}


def test_identifiers_and_what_a_derived_object_repeats(make_dicom: Callable[..., bytes]) -> None:
    image = read_dicom(io.BytesIO(make_dicom(np.zeros((2, 3), np.uint8), **STATED)))
    reference = image.reference
    assert reference is not None
    assert reference.frames == (FrameReference("1.2.2", "1.2.3", SECONDARY_CAPTURE, None),)
    assert (reference.study_uid, reference.series_uid) == ("1.2.1", "1.2.2")
    assert (reference.accession_number, reference.frame_of_reference_uid) == ("A-17", "1.2.4")
    assert reference.tags["PatientName"] == "Doe^Jane"
    assert reference.tags["StudyDate"] == "20260102"
    assert "PatientBirthDate" not in reference.tags


def test_of_several_windows_the_first_counts(make_dicom: Callable[..., bytes]) -> None:
    data = make_dicom(
        np.zeros((2, 3), np.uint8),
        WindowCenter=["40.5", "900"],
        WindowWidth=["80", "7"],
        RescaleSlope="0.5",
        RescaleIntercept="-2",
    )
    reference = read_dicom(io.BytesIO(data)).reference
    assert reference is not None
    assert reference.displays == (Display((0.5, -2.0, ""), (40.5, 80.0, "")),)
    joined = join_references([reference, reference])
    assert joined.displays == 2 * reference.displays


def test_frames_are_numbered_from_one(make_dicom: Callable[..., bytes]) -> None:
    images = read_dicom_frames(io.BytesIO(make_dicom(np.zeros((2, 2, 3), np.uint8))))
    numbers = [image.reference and image.reference.frames[0].number for image in images]
    assert numbers == [1, 2]


def test_the_patient_is_in_neither_the_dictionary_nor_the_repr(
    make_dicom: Callable[..., bytes],
) -> None:
    reference = read_dicom(io.BytesIO(make_dicom(np.zeros((2, 3), np.uint8), **STATED))).reference
    assert reference is not None
    assert "Doe" not in repr(reference)
    assert "Doe" not in str(reference.as_dict())


def test_a_picture_without_identifiers_has_empty_ones(make_dicom: Callable[..., bytes]) -> None:
    reference = read_dicom(io.BytesIO(make_dicom(np.zeros((2, 3), np.uint8)))).reference
    assert reference is not None
    assert (reference.study_uid, reference.series_uid, reference.accession_number) == ("",) * 3


def test_no_reference_for_a_png(make_raster: Callable[..., bytes]) -> None:
    assert read_raster(io.BytesIO(make_raster(np.zeros((2, 3), np.uint8), "PNG"))).reference is None


def test_slices_join_in_order() -> None:
    slices = [
        Reference("1", "A", "9", (FrameReference("2", str(number), SECONDARY_CAPTURE),))
        for number in (3, 4)
    ]
    joined = join_references(slices)
    assert [frame.instance_uid for frame in joined.frames] == ["3", "4"]
    assert joined.frame_of_reference_uid == "9"
    with pytest.raises(InputError, match="no slice"):
        join_references([])


@pytest.mark.parametrize(
    ("study", "patient", "words"), [("2", "A", "2 studies"), ("1", "B", "2 patients")]
)
def test_slices_of_two_patients_or_studies_are_no_volume(
    study: str, patient: str, words: str
) -> None:
    frame = FrameReference("one series", "3", SECONDARY_CAPTURE)
    slices = [
        Reference("1", "", "9", (frame,), {"PatientID": "A"}),
        Reference(study, "", "9", (frame,), {"PatientID": patient}),
    ]
    with pytest.raises(InputError, match=words):
        join_references(slices)
