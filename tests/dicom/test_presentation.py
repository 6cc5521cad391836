"""Presentation states, read by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.pixels import apply_rescale, apply_windowing
from skimage.draw import polygon2mask

from breastseg.core.errors import UnsupportedError
from breastseg.dicom.presentation import COLOUR_STATE, GREY_STATE, presentation
from breastseg.io.volume_series import read_series

from .subjects import (
    expected,
    image_subject,
    phantoms,
    read_back,
    saved,
    volume_subject,
    with_margins,
    write_mr,
)


def lines(item: Dataset) -> list[np.ndarray]:
    return [np.reshape(one.GraphicData, (-1, 2)) for one in item.GraphicObjectSequence]


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
    subject = image_subject("mg")
    plain = replace(subject, displays=(replace(subject.displays[0], window=None),))
    with pytest.raises(UnsupportedError, match="no window"):
        presentation(plain)
    with pytest.raises(UnsupportedError, match="a table"):
        presentation(replace(subject, displays=(replace(subject.displays[0], table=True),)))


@pytest.fixture
def slices(tmp_path: Path) -> list[Dataset]:
    """Of the phase after contrast, in space; the window of each is its own."""
    objects = [read_back(one) for one in phantoms()["mr"].objects]
    for one in objects:
        level = 40 * one.InstanceNumber
        one.WindowCenter, one.WindowWidth = [500 + level, 7], [900 + 2 * level, 9]
    write_mr(tmp_path, objects)
    return sorted(
        (one for one in objects if one.SeriesNumber == 2), key=lambda one: -one.InstanceNumber
    )


def test_each_slice_keeps_its_own_window(slices: list[Dataset], tmp_path: Path) -> None:
    subject = volume_subject(read_series(tmp_path), phantoms()["mr"].truth)
    one = read_back(presentation(subject))
    found = {
        image.ReferencedSOPInstanceUID: (item.WindowCenter, item.WindowWidth)
        for item in one.SoftcopyVOILUTSequence
        for image in item.ReferencedImageSequence
    }
    stated = {one.SOPInstanceUID: (one.WindowCenter[0], one.WindowWidth[0]) for one in slices}
    assert len(set(found.values())) == len(slices)
    assert found == stated


def test_slices_that_are_rescaled_differently_are_shown_as_without_a_state(
    slices: list[Dataset], tmp_path: Path
) -> None:
    """One rescaling holds for all images of a presentation state: windows take it over."""
    for one in slices:
        one.RescaleSlope, one.RescaleIntercept = 0.5 + one.InstanceNumber / 8, -one.InstanceNumber
        one.RescaleType = "US"
    every = [one for one in phantoms()["mr"].objects if one.SeriesNumber == 1]
    for path in tmp_path.iterdir():
        path.unlink()
    write_mr(tmp_path, [*slices, *every])
    subject = volume_subject(read_series(tmp_path), phantoms()["mr"].truth)
    state = read_back(presentation(subject))
    assert "RescaleSlope" not in state
    windows = {
        image.ReferencedSOPInstanceUID: item
        for item in state.SoftcopyVOILUTSequence
        for image in item.ReferencedImageSequence
    }
    for one in slices[::4]:
        stored = one.pixel_array
        shown = apply_windowing(apply_rescale(stored, one), one)
        window = windows[one.SOPInstanceUID]
        window.BitsStored, window.PixelRepresentation = one.BitsStored, one.PixelRepresentation
        window.PhotometricInterpretation = one.PhotometricInterpretation
        same = apply_windowing(stored, window)
        low, high = shown.min(), shown.max()
        np.testing.assert_allclose(
            (same - same.min()) / np.ptp(same), (shown - low) / (high - low), atol=1e-6
        )


def test_margins_lie_in_layers_of_their_own() -> None:
    plain, held = image_subject("us-cine"), with_margins(image_subject("us-cine"))
    assert [layer.GraphicLayer for layer in presentation(plain).GraphicLayerSequence] == ["LESIONS"]
    one = read_back(presentation(held))
    names = [layer.GraphicLayer for layer in one.GraphicLayerSequence]
    assert names == ["LESIONS", "INNER MARGIN", "OUTER MARGIN"]
    assert "90%" in one.GraphicLayerSequence[2].GraphicLayerDescription
    shape = held.grid.shape
    for name, which in (("INNER MARGIN", 1), ("OUTER MARGIN", 0)):
        shown, masks = np.zeros((6, *shape), bool), np.zeros((6, *shape), bool)
        for item in one.GraphicAnnotationSequence:
            if item.GraphicLayer == name:
                frame = item.ReferencedImageSequence[0].ReferencedFrameNumber - 1
                for line in lines(item):
                    shown[frame] |= polygon2mask(shape, line[:, ::-1] - 0.5)
        for plane in (plane for segment in held.segments for plane in segment.planes):
            assert plane.margin is not None
            masks[plane.index] |= plane.margin.masks(shape)[which]
        assert masks.any()
        assert np.array_equal(shown, masks)


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
