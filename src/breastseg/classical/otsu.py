"""Otsu's threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.classical.histogram import HistogramMethod, histogram

_BINS = 256


def otsu(values: NDArray[np.float32]) -> np.float32:
    """The threshold that splits the histogram into its two tightest halves.

    Args:
        values: float32 of any shape, finite, at least one.

    Returns:
        The largest value of the darker half, to 1/256 of the range; the value where all are equal.
    """
    from skimage.filters import threshold_otsu

    counts, tops = histogram(values, _BINS)
    if np.count_nonzero(counts) < 2:
        return np.float32(tops[-1])
    last = int(threshold_otsu(hist=(counts, np.arange(_BINS))))
    return np.float32(tops[last])


@dataclass(frozen=True)
class Otsu(HistogramMethod):
    """One threshold for the whole view, where the variance between the two halves is largest."""

    name: ClassVar[str] = "otsu"
    summary: ClassVar[str] = "one threshold between the two halves of the histogram"
    source: ClassVar[str] = (
        "Otsu N. A threshold selection method from gray-level histograms. IEEE Trans Syst Man "
        "Cybern 9(1), 62-66 (1979), doi:10.1109/TSMC.1979.4310076"
    )
    weakness: ClassVar[str] = "shadows and a lesion whose grey levels overlap with its surroundings"

    def cut(self, near: NDArray[np.float32], within: NDArray[np.bool_]) -> np.float32:
        """Otsu's, of the values around the lesion."""
        return otsu(near)
