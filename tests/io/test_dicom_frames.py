"""No frame is dropped without a word, and no damaged one passes as an image."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from breastseg.core.errors import UnreadableError
from breastseg.core.image import Image
from breastseg.io.dicom_image import read_dicom_frames

from .lossless import encode

MakeDicom = Callable[..., bytes]
FRAMES = np.stack([np.full((33, 40), 10 * n, np.uint8) for n in range(1, 6)])
FRAMES[:, 4:9, 5:20] = 200
NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
COMPRESSED = (RLELossless, JPEG2000Lossless, JPEGLSLossless, JPEGBaseline8Bit, JPEGLosslessSV1)


def jpeg(frame: NDArray[np.uint8], **options: object) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(frame).save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


def encoded(syntax: UID) -> list[bytes] | None:
    if syntax == JPEGBaseline8Bit:
        return [jpeg(frame) for frame in FRAMES]
    return [encode(frame, 8) for frame in FRAMES] if syntax == JPEGLosslessSV1 else None


def read(data: bytes) -> tuple[list[Image], str]:
    """The frames that come, and what then went wrong."""
    found: list[Image] = []
    frames: Iterator[Image] = read_dicom_frames(io.BytesIO(data), "a.dcm")
    try:
        found.extend(frames)
    except UnreadableError as error:
        return found, str(error)
    return found, ""


@pytest.mark.parametrize("syntax", [*NATIVE, *COMPRESSED], ids=lambda uid: uid.name)
@pytest.mark.parametrize("declared", [None, 0, 1, 3])
def test_frames_that_the_header_does_not_count(
    make_dicom: MakeDicom, syntax: UID, declared: int | None
) -> None:
    data = make_dicom(FRAMES, syntax=syntax, encoded=encoded(syntax))
    data = with_count(data, declared)
    images, problem = read(data)
    assert not problem
    assert [image.frame for image in images] == [0, 1, 2, 3, 4]
    assert [int(image.array[0, 0, 0]) for image in images] == pytest.approx(
        [10, 20, 30, 40, 50], abs=2
    )
    assert any("the file holds 5: all are read" in remark for remark in images[0].remarks)


@pytest.mark.parametrize("syntax", [*NATIVE, *COMPRESSED], ids=lambda uid: uid.name)
def test_frames_that_are_missing_come_after_those_that_are_there(
    make_dicom: MakeDicom, syntax: UID
) -> None:
    data = with_count(make_dicom(FRAMES, syntax=syntax, encoded=encoded(syntax)), 7)
    images, problem = read(data)
    assert len(images) == 5
    assert "frames 6 to 7 of 7 are missing" in problem


@pytest.mark.parametrize("syntax", [*NATIVE, *COMPRESSED], ids=lambda uid: uid.name)
def test_a_cut_file_keeps_its_whole_frames(make_dicom: MakeDicom, syntax: UID) -> None:
    data = make_dicom(FRAMES, syntax=syntax, encoded=encoded(syntax))
    start = data.rindex(b"\xe0\x7f\x10\0") + 12
    images, problem = read(data[: start + (len(data) - start) * 7 // 10])
    assert len(images) == 3
    assert all(int(image.array.max()) > 190 for image in images)
    assert problem


def with_count(data: bytes, count: int | None) -> bytes:
    from pydicom import dcmread

    ds = dcmread(io.BytesIO(data))
    del ds.NumberOfFrames
    if count is not None:
        ds.NumberOfFrames = count
    stream = io.BytesIO()
    ds.save_as(stream)
    return stream.getvalue()


def test_one_frame_in_many_fragments(make_dicom: MakeDicom) -> None:
    whole = jpeg(FRAMES[0])
    pieces = [whole[at : at + 200] for at in range(0, len(whole), 200)]
    pieces = [piece + b"\0" * (len(piece) % 2) for piece in pieces]
    data = make_dicom(FRAMES[:1], syntax=JPEGBaseline8Bit, encoded=pieces)
    images, problem = read(with_count(data, None))
    assert (len(images), problem) == (1, "")


def test_an_even_length_is_no_second_frame(make_dicom: MakeDicom) -> None:
    images, _ = read(with_count(make_dicom(np.zeros((1, 1), np.uint8)), None))
    assert len(images) == 1


def test_explicit_data_under_an_implicit_label(make_dicom: MakeDicom) -> None:
    data = make_dicom(FRAMES[:1])
    label = b"\x14\x001.2.840.10008.1.2.1\0"
    assert label in data
    images, problem = read(data.replace(label, b"\x14\x001.2.840.10008.1.2\0\0\0", 1))
    assert not problem
    assert np.array_equal(images[0].array[0], FRAMES[0])
    assert any("implicit" in remark for remark in images[0].remarks)


def test_compressed_data_under_a_label_of_plain_data(make_dicom: MakeDicom) -> None:
    data = make_dicom(FRAMES[:1], syntax=JPEGBaseline8Bit, encoded=[jpeg(FRAMES[0])])
    label = b"\x16\x001.2.840.10008.1.2.4.50"
    images, problem = read(data.replace(label, b"\x16\x001.2.840.10008.1.2.1\0\0\0", 1))
    assert not images
    assert "holds the other kind" in problem


@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("syntax", COMPRESSED, ids=lambda uid: uid.name)
def test_a_codestream_that_ends_early_behind_an_end_marker(
    make_dicom: MakeDicom, syntax: UID, fraction: float
) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (64, 64), np.uint8)
    whole = codestream(make_dicom, noise, syntax)
    cut = whole[: int(fraction * len(whole))] + whole[-2:]
    data = make_dicom(noise, syntax=syntax, encoded=[cut + b"\0" * (len(cut) % 2)])
    images, problem = read(data)
    assert not images
    assert problem


def codestream(make: MakeDicom, pixels: NDArray[np.uint8], syntax: UID) -> bytes:
    from pydicom import dcmread
    from pydicom.encaps import get_frame

    if syntax == JPEGBaseline8Bit:
        return jpeg(pixels)
    if syntax == JPEGLosslessSV1:
        return encode(pixels, 8)
    return get_frame(dcmread(io.BytesIO(make(pixels, syntax=syntax))).PixelData, 0)


def test_a_constant_image_says_so(make_dicom: MakeDicom) -> None:
    (image,), _ = read(make_dicom(FRAMES[0], RescaleSlope=0, RescaleIntercept=0))
    assert any("nothing to see" in remark for remark in image.remarks)
