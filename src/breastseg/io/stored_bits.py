"""Which bits of a decoded DICOM cell are the pixel's value, PS3.5 8.1.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset


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
