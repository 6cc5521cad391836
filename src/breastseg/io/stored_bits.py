"""Which bits of a decoded DICOM cell are the pixel's value, PS3.5 8.1.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset

    from breastseg.io.dicom_pixels import PixelData

_BIG_ENDIAN = "1.2.840.10008.1.2.2"


def top_bit(header: Dataset) -> dict[str, str | int]:
    """What pydicom must be told of files whose values end above the stored bits' usual place."""
    high = int(header.get("HighBit", header.BitsStored - 1))
    above = header.BitsStored <= high < header.BitsAllocated
    return {"bits_stored": high + 1} if above else {}


def lowered(array: NDArray[np.generic], header: Dataset) -> NDArray[np.generic]:
    """Values that end at High Bit, brought down to where they count from 0.

    What lies below them in old files, such as an overlay, goes.

    Args:
        array: as pydicom decodes it when it is told `top_bit`.
        header: with the image pixel module.
    """
    top = top_bit(header)
    if not top or array.dtype.kind not in "iu":
        return array
    whole: NDArray[np.integer] = np.asarray(array)
    return np.asarray(whole >> int(top["bits_stored"]) - int(header.BitsStored))


def without_overlay(array: NDArray[np.generic], header: Dataset) -> NDArray[np.generic]:
    """Values of JPEG 2000 or JPEG-LS without an overlay in the bits above them, PS3.3 C.9.2.

    pydicom clears these bits of all other kinds. Without an overlay there they are left: then it
    is more often Bits Stored that is wrong.

    Args:
        array: as decoded.
        header: with the image pixel module, and the overlays.
    """
    bits = int(header.BitsStored)
    groups = [group for group in range(0x6000, 0x6020, 2) if (group, 0x0102) in header]
    above = any(header[group, 0x0102].value >= bits for group in groups)
    if array.dtype.kind not in "iu" or not above:
        return array
    shift = max(0, 8 * array.dtype.itemsize - bits)
    whole: NDArray[np.integer] = np.asarray(array)
    return np.asarray(whole << shift >> shift)


CUT = (
    "some values have bits above those that Bits Stored declares: they were cut off, and these "
    "pixels may be far too dark; check the image before its mask is used"
)


def cut_bits(pixels: PixelData, index: int) -> tuple[str, ...]:
    """`CUT` where an uncompressed frame holds more than its header declares, else nothing.

    Copies of the sign are no value, and bits in which the header declares an overlay are its own.

    Args:
        pixels: of the image.
        index: of a frame that is there whole.
    """
    header = pixels.header
    bits, cell = int(header.BitsStored), int(header.BitsAllocated)
    overlaid = any((group, 0x0102) in header for group in range(0x6000, 0x6020, 2))
    whole = cell in (8, 16, 32) and pixels.keyword == "PixelData" and not pixels.fragments
    if not whole or bits >= cell or overlaid or top_bit(header):
        return ()
    count = int(header.Rows) * int(header.Columns) * int(header.SamplesPerPixel)
    order = ">" if pixels.transfer_syntax == _BIG_ENDIAN else "<"
    pixels.stream.seek(pixels.offset + index * count * cell // 8)
    values = np.frombuffer(pixels.stream.read(count * cell // 8), f"{order}u{cell // 8}")
    above = values >> bits
    signs = header.PixelRepresentation == 1
    copies = signs & (above == 2 ** (cell - bits) - 1) & (values >> (bits - 1) & 1 == 1)
    return (CUT,) if (above[~copies] != 0).any() else ()
