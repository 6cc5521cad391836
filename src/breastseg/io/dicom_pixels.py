"""The frames of DICOM pixel data, decoded one at a time.

One decoder a transfer syntax, named here, rather than whichever happens to be installed: where
the right one refuses damaged data, a more lenient one would fill the rest with grey.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.io.jpeg_lossless import lossless_decoder
from breastseg.io.source import brief

if TYPE_CHECKING:
    from pydicom import Dataset

DECODERS = {
    "1.2.840.10008.1.2": "",  # implicit VR little endian
    "1.2.840.10008.1.2.1": "",  # explicit VR little endian
    "1.2.840.10008.1.2.2": "",  # explicit VR big endian
    "1.2.840.10008.1.2.4.50": "pillow",  # JPEG baseline
    "1.2.840.10008.1.2.4.51": "pillow",  # JPEG extended, of which only 8 bits
    "1.2.840.10008.1.2.4.57": "gdcm",  # JPEG lossless
    "1.2.840.10008.1.2.4.70": "gdcm",  # JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.80": "pyjpegls",  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.81": "pyjpegls",  # JPEG-LS near lossless
    "1.2.840.10008.1.2.4.90": "pylibjpeg",  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.91": "pylibjpeg",  # JPEG 2000
    "1.2.840.10008.1.2.4.201": "pylibjpeg",  # high-throughput JPEG 2000 lossless
    "1.2.840.10008.1.2.4.202": "pylibjpeg",  # the same, ordered by resolution
    "1.2.840.10008.1.2.4.203": "pylibjpeg",  # high-throughput JPEG 2000
    "1.2.840.10008.1.2.5": "pydicom",  # RLE
}
"""The pydicom plug-in for each transfer syntax that is read; none for uncompressed data."""

_PACKAGES = {"gdcm": "python-gdcm", "pylibjpeg": "pylibjpeg pylibjpeg-openjpeg"}
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
_RLE = "1.2.840.10008.1.2.5"
_KEYWORDS = {
    0x7FE00010: "PixelData",
    0x7FE00008: "FloatPixelData",
    0x7FE00009: "DoubleFloatPixelData",
}
_JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
_JPEG_END = b"\xff\xd9"  # which the coded data never holds, ISO/IEC 14495-1 A.1
_LONG_FORM = (b"OB", b"OW", b"OF", b"OD", b"UN")
_JPEG_2000_START = b"\xff\x4f\xff\x51"  # SOC and SIZ, ISO/IEC 15444-1 A.4
_JPEG_FRAME_HEADERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # ISO/IEC 10918-1 B.1.1.3


@dataclass(frozen=True)
class PixelData:
    """Where the pixel data of one file lies.

    Attributes:
        header: the image pixel module and what else was read.
        stream: the file.
        offset: of the value, in bytes from the file's start.
        frames: their declared number.
        keyword: ``"PixelData"`` or one of the floating-point kinds.
        vr: its value representation, e.g. ``"OW"``.
        name: what messages call the file.
    """

    header: Dataset
    stream: BinaryIO
    offset: int
    frames: int
    keyword: str
    vr: str
    name: str

    @property
    def transfer_syntax(self) -> str:
        """The transfer syntax UID."""
        return str(self.header.file_meta.TransferSyntaxUID)


def locate(header: Dataset, stream: BinaryIO, frames: int, name: str) -> PixelData:
    """Find the pixel data in a stream that stands at the end of the header.

    Raises:
        UnreadableError: there is none, or less than the header declares.
        UnsupportedError: a transfer syntax that is not read.
    """
    syntax = header.file_meta.TransferSyntaxUID
    if str(syntax) not in DECODERS:
        raise UnsupportedError(
            f"{name}: has the transfer syntax {brief(syntax.name)}",
            "uncompressed, RLE, JPEG, JPEG lossless, JPEG-LS or JPEG 2000",
            "convert it, for instance with dcmconv or gdcmconv",
        )
    _check_decoder(str(syntax), header, name)
    end = ">" if str(syntax).endswith("1.2.2") else "<"
    start = stream.read(8)
    keyword = ""
    if len(start) == 8:
        group, element = struct.unpack(end + "HH", start[:4])
        keyword = _KEYWORDS.get(group << 16 | element, "")
    if not keyword:
        raise UnreadableError(
            f"{name}: holds no pixel data",
            "a DICOM image",
            "it is a report or another kind of object, or it was cut short: export it again",
        )
    length = struct.unpack(end + "L", start[4:])[0]
    vr = "OW"
    if start[4:6] in _LONG_FORM and not header.original_encoding[0]:
        vr = start[4:6].decode()
        length = struct.unpack(end + "L", stream.read(4).ljust(4, b"\0"))[0]
    found = PixelData(header, stream, stream.tell(), frames, keyword, vr, name)
    if not DECODERS[str(syntax)]:
        _check_length(found, length)
    return found


def _check_decoder(syntax: str, header: Dataset, name: str) -> None:
    """Refuse what is known beforehand to have no decoder here."""
    from pydicom.pixels.decoders.base import get_decoder

    if syntax == _JPEG_EXTENDED and header.BitsStored > 8:
        raise UnsupportedError(
            f"{name}: is JPEG extended with {brief(header.BitsStored)} bits",
            "8 bits in that transfer syntax",
            "convert it to JPEG lossless, for instance with gdcmconv",
        )
    plugin = DECODERS[syntax]
    if plugin and plugin not in get_decoder(syntax).available_plugins:
        raise UnsupportedError(
            f"{name}: needs the decoder {plugin}, which is not installed",
            remedy=f"pip install {_PACKAGES.get(plugin, plugin)}",
        )


def _check_length(pixels: PixelData, length: int) -> None:
    """Refuse uncompressed data that is not as long as rows, columns and frames say."""
    header = pixels.header
    samples = header.Rows * header.Columns * header.SamplesPerPixel * pixels.frames
    if header.PhotometricInterpretation == "YBR_FULL_422":
        samples = samples // 3 * 2
    needed = math.ceil(samples * header.BitsAllocated / 8)
    pixels.stream.seek(0, 2)
    present = min(pixels.stream.tell() - pixels.offset, length)
    if present < needed:
        raise UnreadableError(
            f"{pixels.name}: holds {present} bytes of pixels, its header declares {needed}",
            "a whole file",
            "it was cut short or its header is wrong: export it again",
        )


def decode_frames(
    pixels: PixelData, indices: Sequence[int]
) -> Iterator[tuple[NDArray[np.generic], str]]:
    """Decode the frames with the given ascending indices, one at a time.

    Yields:
        (rows, columns) or (rows, columns, 3), and the photometric interpretation that it is
        in: YBR has become RGB.

    Raises:
        UnreadableError: a frame is missing, or of another size than the header declares.
    """
    if not DECODERS[pixels.transfer_syntax]:
        for index in indices:
            pixels.stream.seek(pixels.offset)
            yield _decode(pixels, pixels.stream, index, {"number_of_frames": pixels.frames})
        return
    with _decompressor(pixels) as decompress:
        for frame in _encoded_frames(pixels, indices):
            _check_codestream(frame, pixels)
            yield decompress(frame)


def _decode(
    pixels: PixelData, data: bytes | BinaryIO, index: int, options: Mapping[str, str | int]
) -> tuple[NDArray[np.generic], str]:
    """Let pydicom decode one frame.

    `options` go before what the header says; ``"syntax"`` among them is the transfer syntax.
    """
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.pixels.utils import as_pixel_options

    said = as_pixel_options(pixels.header, pixel_keyword=pixels.keyword, pixel_vr=pixels.vr)
    said.pop("extended_offsets", None)
    said.update(options)
    decoder = get_decoder(said.pop("syntax", pixels.transfer_syntax))
    array, properties = decoder.as_array(data, index=index, **said)
    return array, str(properties["photometric_interpretation"])


@contextmanager
def _decompressor(
    pixels: PixelData,
) -> Iterator[Callable[[bytes], tuple[NDArray[np.generic], str]]]:
    """Give what decodes one compressed frame."""
    from pydicom.encaps import encapsulate

    plugin = DECODERS[pixels.transfer_syntax]
    if plugin != "gdcm":
        single: dict[str, str | int] = {"number_of_frames": 1, "decoding_plugin": plugin}
        yield lambda frame: _decode(pixels, encapsulate([frame]), 0, single)
        return
    header = pixels.header
    colours = str(header.PhotometricInterpretation)
    numbers = (
        int(header.Columns),
        int(header.Rows),
        int(header.SamplesPerPixel),
        int(header.BitsAllocated),
        int(header.BitsStored),
        int(header.PixelRepresentation),
    )
    length = numbers[0] * numbers[1] * numbers[2] * numbers[3] // 8
    plain: dict[str, str | int] = {
        "syntax": _EXPLICIT_LITTLE_ENDIAN,
        "number_of_frames": 1,
        "planar_configuration": 0,
        "photometric_interpretation": "YBR_FULL" if colours == "YBR_FULL_422" else colours,
    }
    with lossless_decoder(pixels.transfer_syntax, colours, numbers) as process:
        yield lambda frame: _decode(pixels, process.decode(frame, length), 0, plain)


def _encoded_frames(pixels: PixelData, indices: Sequence[int]) -> Iterator[bytes]:
    """The compressed bytes of the frames with the given ascending indices."""
    from pydicom.encaps import generate_frames

    header = pixels.header
    offsets = None
    if "ExtendedOffsetTable" in header and "ExtendedOffsetTableLengths" in header:
        offsets = (header.ExtendedOffsetTable, header.ExtendedOffsetTableLengths)
    pixels.stream.seek(pixels.offset)
    every = enumerate(
        generate_frames(pixels.stream, number_of_frames=pixels.frames, extended_offsets=offsets)
    )
    for wanted in indices:
        for index, frame in every:
            if index == wanted:
                # A decoder moves nothing in this stream, but another reader of it may.
                here = pixels.stream.tell()
                yield frame
                pixels.stream.seek(here)
                break
        else:
            raise UnreadableError(
                f"{pixels.name}: frame {wanted + 1} of {pixels.frames} is missing",
                "a whole file",
                "it was cut short: export it again",
            )


def _check_codestream(frame: bytes, pixels: PixelData) -> None:
    """Refuse a frame whose own header declares another size, before memory is set aside for it."""
    if pixels.transfer_syntax == _RLE:
        return
    size = _codestream_size(frame)
    declared = (pixels.header.Rows, pixels.header.Columns)
    if size != declared:
        found = "no size" if size is None else f"{size[0]} x {size[1]} pixels"
        raise UnreadableError(
            f"{pixels.name}: a compressed frame declares {found}",
            f"{declared[0]} x {declared[1]} as in the header",
            "the file is damaged: export it again",
        )
    # CharLS counts zeros for seconds where such a stream just stops.
    if pixels.transfer_syntax in _JPEG_LS and _JPEG_END not in frame:
        raise UnreadableError(
            f"{pixels.name}: a compressed frame has no end", "a whole file", "export it again"
        )


def _codestream_size(frame: bytes) -> tuple[int, int] | None:
    """(rows, columns) as a JPEG, JPEG-LS or JPEG 2000 codestream states them."""
    if frame[:2] == b"\xff\xd8":
        return _jpeg_size(frame)
    start = frame.find(_JPEG_2000_START)  # at 0, but for files that wrongly wrap it in boxes
    if start < 0 or len(frame) < start + 24:
        return None
    right, bottom, left, top = struct.unpack_from(">4L", frame, start + 8)
    return bottom - top, right - left


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        if frame[at + 1] == 0xFF:  # a fill byte
            at += 1
        elif frame[at + 1] in _JPEG_FRAME_HEADERS:
            rows, columns = struct.unpack_from(">2H", frame, at + 5)
            return rows, columns
        else:
            at += 2 + struct.unpack_from(">H", frame, at + 2)[0]
    return None
