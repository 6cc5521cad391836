"""The frames of DICOM pixel data, decoded one at a time.

One decoder a transfer syntax, named here, rather than whichever happens to be installed: where
the right one refuses damaged data, a more lenient one would fill the rest with grey.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.io.codestream import Codestream, jpeg_damage, read_codestream
from breastseg.io.encapsulated import Fragment, find_frames, read_frame
from breastseg.io.jpeg_lossless import lossless_decoder
from breastseg.io.source import brief
from breastseg.io.stored_bits import high_bit, values_of, without_overlay

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
_IMPLICIT = "1.2.840.10008.1.2"
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
_JPEG_2000 = tuple(syntax for syntax, plugin in DECODERS.items() if plugin == "pylibjpeg")
_LONG_FORM = (b"OB", b"OW", b"OF", b"OD", b"UN")
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True)
class PixelData:
    """Where the pixel data of one file lies.

    Attributes:
        header: the image pixel module and what else was read.
        stream: the file.
        offset: of the value, in bytes from the file's start.
        found: frames that are there whole, or of compressed data at all.
        frames: the larger of `found` and their declared number.
        keyword: ``"PixelData"`` or one of the floating-point kinds.
        vr: its value representation, e.g. ``"OW"``.
        name: what messages call the file.
        remarks: what is wrong with the file, where it is read all the same.
        fragments: of each compressed frame; empty for uncompressed data.
    """

    header: Dataset
    stream: BinaryIO
    offset: int
    found: int
    frames: int
    keyword: str
    vr: str
    name: str
    remarks: tuple[str, ...] = ()
    fragments: tuple[list[Fragment], ...] = ()

    @property
    def transfer_syntax(self) -> str:
        """The transfer syntax UID."""
        return str(self.header.file_meta.TransferSyntaxUID)


class Decoded(NamedTuple):
    """One frame.

    Attributes:
        array: (rows, columns) or (rows, columns, 3).
        photometric: the photometric interpretation that it is in: YBR has become RGB.
        remarks: what was lost.
    """

    array: NDArray[np.generic]
    photometric: str
    remarks: tuple[str, ...] = ()


def locate(header: Dataset, stream: BinaryIO, name: str) -> PixelData:
    """Find the pixel data in a stream that stands at the end of the header.

    Raises:
        UnreadableError: there is none, or less than one frame of it.
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
    keyword, vr, length, explicit = _element(header, stream, name)
    if keyword != "PixelData" and "BitsStored" not in header:  # nor need it be, PS3.3 C.7.6.24
        header.BitsStored = header.BitsAllocated
    remarks: tuple[str, ...] = ()
    if explicit and str(syntax) == _IMPLICIT:
        remarks = (
            "the file says that its value representations are implicit, and they are explicit",
        )
    offset = stream.tell()
    encapsulated = bool(DECODERS[str(syntax)])
    if encapsulated != (length == _UNDEFINED):
        kind = "compressed" if encapsulated else "uncompressed"
        raise UnreadableError(
            f"{name}: declares {kind} pixel data ({brief(syntax.name)}) and holds the other kind",
            "pixel data as the transfer syntax says",
            "export it again",
        )
    fragments = find_frames(stream, offset, str(syntax)) if encapsulated else []
    found = len(fragments) or _whole_frames(header, stream, offset, length, name)
    declared = _declared_frames(header)
    if found > max(1, declared):
        said = f"{declared or 'no number of'} {'frame' if declared == 1 else 'frames'}"
        remarks += (f"the header declares {said}, and the file holds {found}: all are read",)
    frames = max(found, declared, 1)
    return PixelData(
        header, stream, offset, found, frames, keyword, vr, name, remarks, tuple(fragments)
    )


def _element(header: Dataset, stream: BinaryIO, name: str) -> tuple[str, str, int, bool]:
    """Keyword, value representation and length of the pixel data, and whether it is explicit."""
    end = ">" if str(header.file_meta.TransferSyntaxUID).endswith("1.2.2") else "<"
    start = stream.read(8)
    keyword = ""
    if len(start) == 8:
        group, element = struct.unpack(end + "HH", start[:4])
        keyword = _KEYWORDS.get(group << 16 | element, "")
    if not keyword:
        raise UnreadableError(
            f"{name}: holds no pixel data",
            "a DICOM image",
            "export it again if it was cut short: it may also be a report or another object",
        )
    # As an implicit length these letters would be an odd number, which no length is.
    if start[4:6] in _LONG_FORM and start[6:8] == b"\0\0":
        length = struct.unpack(end + "L", stream.read(4).ljust(4, b"\0"))[0]
        return keyword, start[4:6].decode(), length, True
    return keyword, "OW", struct.unpack(end + "L", start[4:])[0], False


def _declared_frames(header: Dataset) -> int:
    """Number of Frames; 0 where it is absent or no number above 0."""
    try:
        return max(0, int(header.get("NumberOfFrames") or 0))
    except (TypeError, ValueError):
        return 0


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


def _whole_frames(header: Dataset, stream: BinaryIO, offset: int, length: int, name: str) -> int:
    """How many frames of uncompressed data are whole.

    Raises:
        UnreadableError: not one; compressed data without a fragment come here too.
    """
    samples = header.Rows * header.Columns * header.SamplesPerPixel
    if header.PhotometricInterpretation == "YBR_FULL_422":
        samples = samples // 3 * 2
    bits = samples * header.BitsAllocated
    declared = max(1, _declared_frames(header))
    present = 0 if length == _UNDEFINED else min(stream.seek(0, 2) - offset, length)
    found = 8 * present // bits
    if found < 1:
        raise UnreadableError(
            f"{name}: holds {present} bytes of pixels, its header declares "
            f"{-(-bits * declared // 8)}",
            "a whole file",
            "export it again: it was cut short or its header is wrong",
        )
    padding = 8 * present - declared * bits < 16  # the byte that makes the length even
    return declared if found > declared and padding else found


def decode_frames(pixels: PixelData, indices: Sequence[int]) -> Iterator[Decoded]:
    """Decode the frames with the given ascending indices, one at a time.

    Raises:
        UnreadableError: a frame is missing, damaged, or of another size than the header declares.
    """
    if DECODERS[pixels.transfer_syntax]:
        with _decompressor(pixels) as decompress:
            for index in indices:
                _check_found(pixels, index)
                frame = read_frame(pixels.stream, pixels.fragments[index])
                yield decompress(frame, _checked(frame, pixels))
        return
    for index in indices:
        _check_found(pixels, index)
        pixels.stream.seek(pixels.offset)
        options: dict[str, str | int] = {"number_of_frames": pixels.found}
        yield _whole_cells(pixels, pixels.stream, index, options, high_bit(pixels.header))


def _check_found(pixels: PixelData, index: int) -> None:
    if index < pixels.found:
        return
    missing = f"frame {index + 1} of {pixels.frames} is missing"
    if index + 1 < pixels.frames:
        missing = f"frames {index + 1} to {pixels.frames} of {pixels.frames} are missing"
    raise UnreadableError(
        f"{pixels.name}: {missing}", "a whole file", "export it again: it was cut short"
    )


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


def _whole_cells(
    pixels: PixelData,
    data: bytes | BinaryIO,
    index: int,
    options: Mapping[str, str | int],
    high: int,
) -> Decoded:
    """Let pydicom decode one frame of whole cells and take the values, which end at `high`."""
    said = {**options, "bits_stored": int(pixels.header.BitsAllocated)}
    array, photometric = _decode(pixels, data, index, said)
    values, remarks = values_of(array, pixels.header, high)
    return Decoded(values, photometric, remarks)


Decompress = Callable[[bytes, Codestream | None], Decoded]


@contextmanager
def _decompressor(pixels: PixelData) -> Iterator[Decompress]:
    """Give what decodes one compressed frame."""
    plugin = DECODERS[pixels.transfer_syntax]
    if plugin != "gdcm":
        yield lambda frame, said: _decompressed(pixels, frame, said, plugin)
        return
    header = pixels.header
    colours = str(header.PhotometricInterpretation)
    numbers = (
        int(header.Columns),
        int(header.Rows),
        int(header.SamplesPerPixel),
        int(header.BitsAllocated),
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

        def decompress(frame: bytes, said: Codestream | None) -> Decoded:
            cell = said is not None and said.precision > header.BitsStored
            high = high_bit(header) if cell else int(header.BitsStored) - 1
            return _whole_cells(pixels, process.decode(frame, length), 0, plain, high)

        yield decompress


def _decompressed(pixels: PixelData, frame: bytes, said: Codestream | None, plugin: str) -> Decoded:
    """One frame by one of pydicom's decoders."""
    from pydicom.encaps import encapsulate

    header = pixels.header
    data, high, usual = encapsulate([frame]), high_bit(header), int(header.BitsStored) - 1
    options: dict[str, str | int] = {"number_of_frames": 1, "decoding_plugin": plugin}
    if said is None:  # RLE holds whole cells
        return _whole_cells(pixels, data, 0, options, high)
    if header.SamplesPerPixel > 1:
        # the decoders give the samples of a pixel together, whatever the header says of them
        options["planar_configuration"] = 0
    # so does a codestream that is deeper than the stored bits
    if said.precision > header.BitsStored and high > usual:
        return _whole_cells(pixels, data, 0, options, high)
    array, photometric = _decode(pixels, data, 0, options)
    if said.precision > header.BitsStored and pixels.transfer_syntax in (*_JPEG_2000, *_JPEG_LS):
        array = without_overlay(array, header)
    return Decoded(array, photometric)


def _checked(frame: bytes, pixels: PixelData) -> Codestream | None:
    """What the codestream of a frame declares; None for RLE, which declares nothing.

    Raises:
        UnreadableError: another size than the header's, before memory is set aside for it, or
            coded data that end early.
    """
    if pixels.transfer_syntax == _RLE:
        return None
    said = read_codestream(frame)
    declared = (pixels.header.Rows, pixels.header.Columns)
    if said is None or (said.rows, said.columns) != declared:
        found = "no size" if said is None else f"{said.rows} x {said.columns} pixels"
        raise UnreadableError(
            f"{pixels.name}: a compressed frame declares {found}",
            f"{declared[0]} x {declared[1]} as in the header",
            "export it again: the file is damaged",
        )
    # CharLS counts zeros for seconds where such a stream just stops.
    damage = jpeg_damage(frame)
    if pixels.transfer_syntax in _JPEG_LS and _JPEG_END not in frame:
        damage = "it has no end"
    if damage:
        raise UnreadableError(
            f"{pixels.name}: a compressed frame is damaged or incomplete ({brief(damage)})",
            "a whole file",
            "export it again",
        )
    return said
