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
