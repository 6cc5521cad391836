"""Grey levels to network input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import Intensity

LARGEST_SPAN = 1e37  # of float32, with room for a sum


def to_unit(grey: NDArray[np.generic]) -> NDArray[np.float32]:
    """Stretch grey levels so that the darkest is 0 and the brightest 1.

    Bit depth, window and offset of the file drop out, so an 8-bit and a 16-bit copy of one
    scan give the same input. Pixels that are not finite take the darkest finite value.

    Args:
        grey: any shape, any real dtype.

    Returns:
        The same shape, float32, 0 to 1; zeros where all pixels are equal.
    """
    values: NDArray[np.floating] = grey.astype(
        np.float32 if grey.dtype.itemsize <= 4 else np.float64
    )
    low, high = float(values.min()), float(values.max())
    if not high - low < LARGEST_SPAN:  # holes, or numbers so large that a difference overflows
        finite = np.isfinite(values)
        low = float(values[finite].min()) if finite.any() else 0.0
        values = np.where(finite, values, low).astype(np.float64) / 4
        low, high = float(values.min()), float(values.max())
    if high == low:
        return np.zeros(grey.shape, np.float32)
    return np.asarray(np.clip((values - low) / (high - low), 0, 1), np.float32)


def colour_to_unit(array: NDArray[np.generic]) -> NDArray[np.float32]:
    """Red, green and blue on one fixed scale: no light is 0, and full light is 1.

    Nothing is stretched, so that bare glass stays white in a tile that holds nothing else.

    Args:
        array: (1 or 3, rows, columns); whole numbers are divided by the largest of their type,
            others are stretched as by `to_unit`. Grey is repeated.

    Returns:
        (3, rows, columns) float32, 0 to 1.
    """
    if array.dtype.kind in "ui":
        full = np.float32(np.iinfo(array.dtype.name).max)
        unit = np.clip(array.astype(np.float32) / full, 0, 1)
    else:
        unit = to_unit(array)
    return np.array(np.broadcast_to(unit, (3, *array.shape[1:])))


def rescale(unit: NDArray[np.float32], intensity: Intensity) -> NDArray[np.float32]:
    """Bring [0, 1] to the scale that a network was trained on.

    Args:
        unit: any shape, float32, 0 to 1.
        intensity: the scale; z-scores of a constant image are 0.

    Returns:
        The same shape, float32.
    """
    if intensity is Intensity.UNIT:
        return unit.copy()
    if intensity is Intensity.SYMMETRIC:
        return unit * np.float32(2) - np.float32(1)
    deviation = unit.std(dtype=np.float64)
    if deviation < 1e-6:
        return np.zeros_like(unit)
    return np.asarray((unit - unit.mean(dtype=np.float64)) / deviation, np.float32)
