"""Presentation states, read by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from skimage.draw import polygon2mask

from breastseg.core.errors import UnsupportedError
from breastseg.dicom.presentation import COLOUR_STATE, GREY_STATE, presentation
from breastseg.dicom.subject import Subject
from breastseg.io.volume_series import read_series

from .subjects import expected, image_subject, phantoms, read_back, saved, volume_subject, write_mr


def lines(item: Dataset) -> list[np.ndarray]:
    return [np.reshape(one.GraphicData, (-1, 2)) for one in item.GraphicObjectSequence]


def without(subject: Subject, *names: str) -> Subject:
    tags = {k: v for k, v in subject.reference.tags.items() if k not in names}
    return replace(subject, reference=replace(subject.reference, tags=tags))


@pytest.mark.parametrize("name", ["us-still", "us-cine", "us-colour", "mg", "mg-tomo"])
def test_contours_enclose_the_lesions_of_their_frames(name: str) -> None:
    one = read_back(presentation(image_subject(name)))
    masks = expected(name)
    drawn = np.zeros_like(masks)
    for item in one.GraphicAnnotationSequence:
        source = item.ReferencedImageSequence[0]
        assert source.ReferencedSOPInstanceUID == phantoms()[name].objects[0].SOPInstanceUID
        frame = int(source.get("ReferencedFrameNumber", 1)) - 1
        for line in lines(item):
            if np.array_equal(line[0], line[-1]):
                drawn[frame] |= polygon2mask(masks.shape[1:], line[:, ::-1] - 0.5)
        assert item.TextObjectSequence[0].UnformattedTextValue.startswith("Research use only")
    assert np.array_equal(drawn, masks)


def test_the_ruler_is_as_long_as_it_says() -> None:
    subject = image_subject("us-still")
    one = read_back(presentation(subject))
    item = one.GraphicAnnotationSequence[0]
    long, short = [line for line in lines(item) if len(line) == 2][:2]
    spacing = subject.grid.spacing_mm
    assert spacing is not None
    lengths = [np.hypot(*((line[1] - line[0]) * spacing[::-1])) for line in (long, short)]
    words = item.TextObjectSequence[1].UnformattedTextValue
    assert words == f"Lesion 1: {lengths[0]:.3g} x {lengths[1]:.3g} mm"


def test_the_window_of_the_source_is_repeated() -> None:
    one = presentation(image_subject("mg"))
    window = one.SoftcopyVOILUTSequence[0]
    assert (one.SOPClassUID, window.WindowCenter, window.WindowWidth) == (GREY_STATE, 2048, 4096)
    assert (one.RescaleSlope, one.PresentationLUTShape) == (1, "IDENTITY")


def test_without_a_window_a_deep_image_would_be_shown_wrongly() -> None:
    with pytest.raises(UnsupportedError, match="no window"):
        presentation(without(image_subject("mg"), "WindowCenter"))


def test_an_image_in_colour_keeps_its_colours() -> None:
    one = presentation(image_subject("us-colour"))
    assert one.SOPClassUID == COLOUR_STATE
    assert one.ICCProfile[36:40] == b"acsp"


def test_slices_of_a_volume_have_contours_and_runs_agree(tmp_path: Path) -> None:
    write_mr(tmp_path)
    truth = phantoms()["mr"].truth
    subject = volume_subject(read_series(tmp_path), truth)
    one = presentation(subject)
    assert len(one.GraphicAnnotationSequence) == np.count_nonzero(truth.any(axis=(1, 2)))
    assert saved(one) == saved(presentation(subject))
