"""The border of one colour that letterboxing and padding put around an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NOISE = 0.04
"""Of the range of grey levels: what compression leaves of an even border."""


def within_border(grey: NDArray[np.generic]) -> NDArray[np.generic]:
    """An image without the lines at its edges that are of one grey level, side by side.

    Args:
        grey: (rows, columns), grey levels of any real dtype.

    Returns:
        A view; the whole image where nothing would be left.
    """
    values = grey.astype(np.float32)
    noise = _NOISE * float(values.max() - values.min())
    for _ in range(2):  # what stands above or beside the image may end its even lines
        for axis in (1, 0):
            first, last = _inside(values.min(axis), values.max(axis), noise)
            if last - first < 2:
                return grey
            cut = slice(first, last)
            values, grey = (values[cut], grey[cut]) if axis else (values[:, cut], grey[:, cut])
    return grey


def _inside(low: NDArray[np.float32], high: NDArray[np.float32], noise: float) -> tuple[int, int]:
    """From where to where lines are not of the level of the outermost on their side."""
    return _even(low, high, noise), len(low) - _even(low[::-1], high[::-1], noise)


def _even(low: NDArray[np.float32], high: NDArray[np.float32], noise: float) -> int:
    """How many lines from the first on are even, and of the first one's level."""
    other = (np.maximum(high, high[0]) - np.minimum(low, low[0])) > noise
    return int(other.argmax()) if other.any() else len(low)
