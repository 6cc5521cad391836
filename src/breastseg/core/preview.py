"""A small PNG of an image with the contour of a mask, for notebooks: numpy and zlib alone.

What is written for people to read, with its lesions measured, is `breastseg.io.overlay`'s.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

MAX_SIDE_PX = 1024
CONTOUR_RGB = (240, 170, 0)
"""Orange of Okabe and Ito, as on overlays."""


def preview(array: NDArray[np.generic], mask: NDArray[np.bool_] | None = None) -> bytes:
    """Draw an image, or one slice of a volume, and the contour of a mask on it.

    Args:
        array: (channels, rows, columns) or (channels, slices, rows, columns) of any real dtype.
            Three channels of an image are red, green and blue; of other channels, such as phases,
            the last is shown. 8-bit values are shown as they are, others from the smallest to the
            largest.
        mask: of the same grid. The slice shown is the one with most of it; the middle one where
            there is nothing.

    Returns:
        An RGB PNG of at most `MAX_SIDE_PX` pixels a side, thinned out where the image is larger.
    """
    if array.ndim == 4:
        areas = np.zeros(array.shape[1]) if mask is None else mask.sum(axis=(1, 2))
        index = int(areas.argmax()) if areas.any() else array.shape[1] // 2
        array, mask = array[-1:, index], None if mask is None else mask[index]
    elif array.shape[0] != 3:
        array = array[-1:]
    step = -(-max(array.shape[1:]) // MAX_SIDE_PX)
    rgb = np.empty((*array[0, ::step, ::step].shape, 3), np.uint8)
    rgb[:] = np.moveaxis(_eight_bit(array[:, ::step, ::step]), 0, 2)
    if mask is not None:
        rgb[_contour(mask[::step, ::step])] = CONTOUR_RGB
    return _png(rgb)


def _eight_bit(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return values.astype(np.uint8, copy=False)
    numbers = values.astype(np.float64)
    finite = np.isfinite(numbers)
    low = float(numbers[finite].min(initial=np.inf))
    high = float(numbers[finite].max(initial=-np.inf))
    if not high > low:
        return np.zeros(values.shape, np.uint8)
    unit = np.where(finite, numbers / 2 - low / 2, 0) / (high / 2 - low / 2)
    return (unit * 255).astype(np.uint8)


def _contour(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a mask that have one beside them, or the image's border, that is not of it."""
    around = np.pad(mask, 1)
    inner = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    return mask & ~inner


def _png(rgb: NDArray[np.uint8]) -> bytes:
    """(rows, columns, 3) as a PNG; W3C Portable Network Graphics, third edition."""
    rows, columns, _ = rgb.shape
    lines = np.zeros((rows, 1 + 3 * columns), np.uint8)  # each starts with its filter: none
    lines[:, 1:] = rgb.reshape(rows, -1)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines.tobytes())),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
