"""How much a grey level speaks for lesion, estimated from the view itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_BINS = 64
_BLUR_BINS = 3.0  # a core of a few hundred pixels leaves gaps in a histogram of 64 bins
_LEAST = 0.02  # density that any grey level has in either: bounds the odds


def grey_odds(
    grey: NDArray[np.float32], core: NDArray[np.bool_], ground: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Logarithm of the likelihood ratio of lesion and background at each pixel's grey level.

    The densities are the smoothed histograms of the two samples.

    Args:
        grey: (h, w) float32, 0 to 1.
        core: (h, w) bool, a sample of the lesion.
        ground: (h, w) bool, a sample of the background.

    Returns:
        (h, w) float32, about -4 to 4; above 0 where the grey level is more frequent in the core.
        Zero everywhere where a sample is empty.
    """
    if not (core.any() and ground.any()):
        return np.zeros(grey.shape, np.float32)
    level = np.clip((grey * _BINS).astype(int), 0, _BINS - 1)
    ratio = np.log(_density(level[core])) - np.log(_density(level[ground]))
    return np.asarray(ratio.astype(np.float32)[level])


def _density(levels: NDArray[np.int_]) -> NDArray[np.float64]:
    """Relative to that of evenly spread levels."""
    counts = np.bincount(levels, minlength=_BINS) * (_BINS / levels.size)
    return np.asarray(ndimage.gaussian_filter1d(counts, _BLUR_BINS, mode="nearest")) + _LEAST
