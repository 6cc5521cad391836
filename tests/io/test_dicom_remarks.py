"""What a DICOM header says that a reader of the result must know."""

import io

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import (
    BreastProjectionXRayImageStorageForProcessing,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalMammographyXRayImageStorageForProcessing,
)

from breastseg.core import Image
from breastseg.io.dicom_image import read_dicom
from breastseg.io.dicom_remarks import RAW

from .conftest import MakeDicom

PIXELS = np.arange(12, dtype=np.uint16).reshape(3, 4)


def read(make_dicom: MakeDicom, **said: object) -> Image:
    return read_dicom(io.BytesIO(make_dicom(PIXELS, Modality="MG", **said)), "scan")


@pytest.mark.parametrize(
    "said",
    [
        {"PresentationIntentType": "FOR PROCESSING"},
        {"SOPClassUID": DigitalMammographyXRayImageStorageForProcessing},
        {"SOPClassUID": BreastProjectionXRayImageStorageForProcessing},
        {
            "PresentationIntentType": "FOR PROCESSING",
            "SOPClassUID": DigitalMammographyXRayImageStorageForPresentation,
        },
    ],
)
def test_raw_grey_levels_are_read_with_a_remark(
    make_dicom: MakeDicom, said: dict[str, object]
) -> None:
    image = read(make_dicom, **said)
    assert image.remarks == (RAW,)
    np.testing.assert_array_equal(image.array[0], PIXELS)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"PresentationIntentType": "FOR PRESENTATION"},
        {"PresentationIntentType": None},
        {"SOPClassUID": DigitalMammographyXRayImageStorageForPresentation},
        {"SOPClassUID": "1.2.3.4"},  # of a vendor
    ],
)
def test_others_are_read_without(make_dicom: MakeDicom, said: dict[str, object]) -> None:
    assert read(make_dicom, **said).remarks == ()


def test_every_frame_has_the_remark(make_dicom: MakeDicom) -> None:
    file = make_dicom(np.stack([PIXELS, PIXELS]), PresentationIntentType="FOR PROCESSING")
    assert read_dicom(io.BytesIO(file), frame=1).remarks == (RAW,)


def test_side_and_view(make_dicom: MakeDicom) -> None:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "399368009", "SCT"
    code.CodeMeaning = "medio-lateral oblique"
    assert read(make_dicom).view == ""
    assert read(make_dicom, ImageLaterality="L", ViewPosition="MLO").view == "L MLO"
    assert read(make_dicom, Laterality="R", ViewPosition="").view == "R"
    assert read(make_dicom, ViewCodeSequence=[code]).view == "medio-lateral oblique"
    assert read(make_dicom, ViewCodeSequence=[code], ViewPosition="CC").view == "CC"
