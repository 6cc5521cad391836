"""DICOM images: ultrasound, mammography, secondary capture; single and multi-frame.

Pixels come out as a viewer would show them (see `breastseg.io.dicom_display`): grey as one
channel, colour as RGB, and colour whose channels are all equal as one channel. Overlays, masks
and burned-in text are left as they are.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from breastseg.core.errors import BreastsegError, InputError, UnreadableError, UnsupportedError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.io.blame import blamed
from breastseg.io.dicom_display import show_grey, show_palette
from breastseg.io.dicom_modality import modality_of
from breastseg.io.dicom_pixels import Decoded, PixelData, decode_frames, locate
from breastseg.io.dicom_reference import reference_of
from breastseg.io.dicom_regions import scaled_regions, scan_region
from breastseg.io.dicom_remarks import remarks, view
from breastseg.io.dicom_spacing import spacing_mm, spacing_remarks
from breastseg.io.functional_groups import frame_header
from breastseg.io.source import (
    brief,
    check_size,
    constant_remark,
    name_of,
    one_if_equal,
    opened,
    quiet,
)

if TYPE_CHECKING:
    from pydicom import Dataset

DICOM_ERRORS = (
    OSError,
    EOFError,
    ValueError,  # includes UnicodeError
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,  # includes NotImplementedError and RecursionError
    AssertionError,
    MemoryError,
    StopIteration,
    struct.error,
    zlib.error,
)
"""What pydicom and its decoders raise on damaged input, found by feeding them damaged input.

To these come pydicom's own two, which derive from nothing but Exception.
"""

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_GREY = ("MONOCHROME1", "MONOCHROME2")


def read_dicom(path: Path | BinaryIO, source: str = "", frame: int = 0) -> Image:
    """Read one frame of a DICOM image; the others are neither decoded nor held.

    Args:
        path: a DICOM file, or a seekable binary stream of one.
        source: what messages and the image call it; the path by default.
        frame: its index, from 0.

    Returns:
        (channels, rows, columns) with 1 or 3 channels; uint8, uint16 or float32, as the header
        asks.

    Raises:
        InputError: there is no such frame.
        UnreadableError: missing, empty, truncated, damaged, or no DICOM image.
        UnsupportedError: too large, or a kind of image or compression that is not read.
    """
    return next(read_dicom_frames(path, source, (frame,)))


def read_dicom_frames(
    path: Path | BinaryIO, source: str = "", frames: Sequence[int] | None = None
) -> Iterator[Image]:
    """Read the frames of a DICOM image one after the other.

    Args:
        path: as for `read_dicom`.
        source: as for `read_dicom`.
        frames: ascending indices from 0; all by default.

    Yields:
        One image a frame; only one frame is held at a time. `Image.frame` is its index where
        the file has more than one.

    Raises:
        InputError: as for `read_dicom`.
        UnreadableError: as for `read_dicom`, when the frame in question is reached.
        UnsupportedError: as for `read_dicom`.
    """
    name = name_of(path, source)
    with opened(path, source) as stream:
        with decoding(name):
            pixels = read_header(stream, name)
            wanted = range(pixels.frames) if frames is None else frames
            _check_frames(wanted, pixels)
            decoded = decode_frames(pixels, wanted)
        for index in wanted:
            with decoding(name):
                image = _show(next(decoded), pixels, index)
            yield image


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """The one place where the exceptions of pydicom and its decoders become ours.

    Args:
        name: what messages call the file.

    Raises:
        UnreadableError: for what pydicom or a decoder raises in it.
        InputError: the machine failed, as with a full disk: that is no fault of the file.
    """
    try:
        with quiet():
            yield
    except BreastsegError:
        raise
    except _every_dicom_error() as error:
        what = brief(error, 200) or type(error).__name__
        damage = UnreadableError(
            f"{name}: is damaged or incomplete ({what})",
            "a whole DICOM image",
            "export the file again",
        )
        raise blamed(error, name, damage) from error


def _every_dicom_error() -> tuple[type[Exception], ...]:
    """With pydicom's own; asked for when something went wrong, as importing it takes time."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (*DICOM_ERRORS, BytesLengthException, InvalidDicomError)


def read_header(stream: BinaryIO, name: str) -> PixelData:
    """Read what describes the pixels, and check it before any is decoded.

    To be called within `decoding`.

    Args:
        stream: of a DICOM file, at its start; stays open as long as its frames are decoded.
        name: what messages call the file.

    Raises:
        UnreadableError: no image, or cut short.
        UnsupportedError: too large, or a kind of image or compression that is not read.
    """
    from pydicom import dcmread
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    # pydicom would inflate such a file whole, whatever its size then is.
    if _DEFLATED in stream.read(2048):
        raise UnsupportedError(
            f"{name}: is deflated", "another transfer syntax", "convert it, e.g. with dcmconv"
        )
    stream.seek(0)
    header = dcmread(stream, stop_before_pixels=True, force=True)
    if "TransferSyntaxUID" not in header.file_meta:
        implicit, little_endian = header.original_encoding
        explicit = ExplicitVRLittleEndian if little_endian else ExplicitVRBigEndian
        header.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    _check_kind(header, name)
    check_size(header.Rows, header.Columns, name)
    return locate(header, stream, name)


def _check_kind(header: Dataset, name: str) -> None:
    """Refuse objects that are no image, or no single one."""
    kind = header.get("SOPClassUID")
    what = brief(getattr(kind, "name", None) or kind or "an object of unknown class")
    if "Rows" not in header or "Columns" not in header:
        raise UnreadableError(
            f"{name}: holds no image ({what})",
            "a DICOM image",
            "name the image that goes with it, or export it again if it was cut short",
        )
    if header.get("TotalPixelMatrixColumns", 0) > header.Columns:
        raise UnsupportedError(
            f"{name}: is one part of a whole-slide image ({what})",
            "images that are stored whole",
            "export the region of interest as an image",
        )
    photometric = str(header.PhotometricInterpretation)
    known = photometric in (*_GREY, "PALETTE COLOR", "RGB") or photometric.startswith("YBR_")
    samples = 1 if photometric in (*_GREY, "PALETTE COLOR") else 3
    if not known or header.SamplesPerPixel != samples:
        raise UnsupportedError(
            f"{name}: has {brief(header.SamplesPerPixel)} samples a pixel in {brief(photometric)}",
            "1 in MONOCHROME1, MONOCHROME2 or PALETTE COLOR, 3 in RGB or YBR",
            "convert it to one of these",
        )


def _check_frames(wanted: Sequence[int], pixels: PixelData) -> None:
    for index in wanted[-1:] if isinstance(wanted, range) else wanted:
        if not 0 <= index < pixels.frames:
            raise InputError(
                f"{pixels.name}: frame {index}", f"frames 0 to {pixels.frames - 1} of this file"
            )


def _show(decoded: Decoded, pixels: PixelData, index: int) -> Image:
    """One decoded frame as an image."""
    array, photometric, lost = decoded
    header = frame_header(pixels.header, index)
    if photometric in _GREY:
        array = show_grey(array, header)[None]
    else:
        if photometric == "PALETTE COLOR":
            array = show_palette(array, header)
        elif photometric != "RGB":
            raise UnsupportedError(f"{pixels.name}: has colours in {photometric}", "RGB or YBR")
        array = one_if_equal(np.moveaxis(array, 2, 0))
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    frame = index if pixels.frames > 1 else None
    return Image(
        np.ascontiguousarray(array),
        Grid(array.shape[1:], spacing_mm(header), regions=scaled_regions(header, array.shape[1:])),
        modality_of(header),
        pixels.name,
        frame,
        view(header),
        (
            *remarks(header),
            *spacing_remarks(header),
            *pixels.remarks,
            *lost,
            *constant_remark(array),
        ),
        scan_region(header, array.shape[1:]),
        reference_of(header, frame),
    )
