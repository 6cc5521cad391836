"""Which bits of a decoded DICOM cell are the pixel's value, PS3.5 8.1.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset

CUT = (
    "some values have bits above those that Bits Stored declares: they were cut off, and these "
    "pixels may be far too dark; check the image before its mask is used"
)


def high_bit(header: Dataset) -> int:
    """The bit at which the values end, from 0: above its usual place in old files."""
    usual = int(header.BitsStored) - 1
    high = int(header.get("HighBit", usual))
    return high if usual < high < header.BitsAllocated else usual


def values_of(
    cells: NDArray[np.generic], header: Dataset, high: int
) -> tuple[NDArray[np.generic], tuple[str, ...]]:
    """The values in cells from which nothing was taken, brought down to where they count from 0.

    What lies below them in old files, such as an overlay, goes. Copies of the sign are no value,
    and bits in which the header declares an overlay are its own.

    Args:
        cells: integers of Bits Allocated; others pass as they are.
        header: with the image pixel module, and the overlays.
        high: the bit at which the values end, from 0.

    Returns:
        The values, and `CUT` where some had more bits than the header declares.

    Raises:
        ValueError: no such number of bits.
    """
    bits, allocated = int(header.BitsStored), int(header.BitsAllocated)
    if not 1 <= bits <= allocated:
        raise ValueError(f"{bits} bits stored of {allocated}")
    if bits == allocated or cells.dtype.kind not in "iu" or allocated != 8 * cells.dtype.itemsize:
        return cells, ()
    whole: NDArray[np.integer] = np.asarray(cells)
    values = np.asarray(whole << allocated - 1 - high >> allocated - bits)
    if high >= bits or any((group, 0x0102) in header for group in range(0x6000, 0x6020, 2)):
        return values, ()
    above = whole.view(f"{whole.dtype.byteorder}u{whole.dtype.itemsize}") >> bits
    return values, (CUT,) if ((above != 0) & (values != whole)).any() else ()


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
