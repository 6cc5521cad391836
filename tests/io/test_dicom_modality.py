"""What made an image; another kind than those handled is known as such."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest

from breastseg.classical.otsu import Otsu
from breastseg.core.errors import InputError
from breastseg.core.image import Modality
from breastseg.io.dicom_image import read_dicom

MakeDicom = Callable[..., bytes]


@pytest.mark.parametrize(
    ("term", "part", "modality"),
    [
        ("US", "", Modality.ULTRASOUND),
        ("MG", "BREAST", Modality.MAMMOGRAPHY),
        ("CR", "BREAST", Modality.MAMMOGRAPHY),
        ("DX", "CHEST", Modality.OTHER),
        ("CT", "BREAST", Modality.OTHER),
        ("XA", "", Modality.OTHER),
        ("NM", "", Modality.OTHER),
        ("PT", "", Modality.OTHER),
        ("OT", "", Modality.UNKNOWN),
        ("", "", Modality.UNKNOWN),
    ],
)
def test_terms(make_dicom: MakeDicom, term: str, part: str, modality: Modality) -> None:
    data = make_dicom(np.zeros((2, 3), np.uint8), Modality=term, BodyPartExamined=part)
    assert read_dicom(io.BytesIO(data)).modality is modality


def test_another_kind_is_refused_by_the_term_that_the_file_states(make_dicom: MakeDicom) -> None:
    image = read_dicom(io.BytesIO(make_dicom(np.zeros((20, 30), np.uint8), Modality="CT")))
    with pytest.raises(InputError, match=r"modality CT \(DICOM\)"):
        Otsu().segment(image)


@pytest.mark.parametrize(
    ("term", "kind", "modality"),
    [
        ("", "1.2.840.10008.5.1.4.1.1.2", Modality.OTHER),  # CT
        ("OT", "1.2.840.10008.5.1.4.1.1.128", Modality.OTHER),  # PET
        ("US", "1.2.840.10008.5.1.4.1.1.2", Modality.OTHER),
        ("CT", "1.2.840.10008.5.1.4.1.1.6.1", Modality.OTHER),  # an ultrasound object
        ("", "1.2.840.10008.5.1.4.1.1.6.1", Modality.ULTRASOUND),
        ("OT", "1.2.840.10008.5.1.4.1.1.1.2", Modality.MAMMOGRAPHY),
        ("", "1.2.840.10008.5.1.4.1.1.7", Modality.UNKNOWN),  # secondary capture
        ("US\\CT", "1.2.840.10008.5.1.4.1.1.7", Modality.OTHER),
        ("US\\MR", "1.2.840.10008.5.1.4.1.1.7", Modality.OTHER),
    ],
)
def test_the_class_counts_where_the_term_says_nothing_or_something_else(
    make_dicom: MakeDicom, term: str, kind: str, modality: Modality
) -> None:
    data = make_dicom(np.zeros((2, 3), np.uint8), Modality=term.split("\\"), SOPClassUID=kind)
    assert read_dicom(io.BytesIO(data)).modality is modality
