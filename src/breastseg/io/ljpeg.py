"""Bare lossless JPEG codestreams of grey images, as in DDSM's ``.LJPEG`` files.

ISO/IEC 10918-1 in its lossless mode (SOF3), one component of 2 to 16 bits; no file format is round
it, and common image readers know the other modes only.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.io.jpeg_lossless import lossless_decoder
from breastseg.io.source import check_size, name_of, opened

_SYNTAX = "1.2.840.10008.1.2.4.57"  # any predictor, DICOM PS3.5 A.4.2
_LOSSLESS, _SCAN = 0xC3, 0xDA
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # ISO/IEC 10918-1 B.1.1.3


def read_ljpeg(path: Path, source: str = "") -> NDArray[np.unsignedinteger]:
    """Read the image.

    Args:
        path: the file.
        source: what messages call it; the path by default.

    Returns:
        (rows, columns) as the codestream declares them; uint8 up to 8 bits, else uint16.

    Raises:
        UnreadableError: missing, empty, damaged, or no JPEG codestream.
        UnsupportedError: too large, in colour, or another mode of JPEG.
    """
    name = name_of(path, source)
    with opened(path, name) as stream:
        data = stream.read()
    bits, rows, columns = _frame(data, name)
    check_size(rows, columns, name)
    dtype = np.dtype("u1" if bits <= 8 else "<u2")
    numbers = (columns, rows, 1, 8 * dtype.itemsize, 0)
    try:
        with lossless_decoder(_SYNTAX, "MONOCHROME2", numbers) as decoder:
            samples = decoder.decode(data, rows * columns * dtype.itemsize)
    except ValueError as error:
        raise UnreadableError(
            f"{name}: is damaged or incomplete ({error})", "a whole file", "get the file again"
        ) from error
    pixels = np.frombuffer(samples, dtype).reshape(rows, columns)
    return pixels.astype(dtype.newbyteorder("="), copy=False)


def _frame(data: bytes, name: str) -> tuple[int, int, int]:
    """Bits a sample, rows and columns, from the frame header; ISO/IEC 10918-1 B.2.2."""
    at = 2 if data[:2] == b"\xff\xd8" else len(data)
    while at + 10 <= len(data) and data[at] == 0xFF and data[at + 1] != _SCAN:
        if data[at + 1] == 0xFF:  # a fill byte
            at += 1
            continue
        if data[at + 1] in _FRAMES:
            bits, rows, columns, components = struct.unpack_from(">BHHB", data, at + 4)
            if data[at + 1] != _LOSSLESS or components != 1:
                raise UnsupportedError(
                    f"{name}: is JPEG of mode {data[at + 1] - 0xC0} with {components} components",
                    "lossless JPEG (mode 3) of one component",
                )
            return bits, rows, columns
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    raise UnreadableError(f"{name}: holds no JPEG frame", "a lossless JPEG codestream")
