"""Otsu's thresholds between three or more classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.classical.histogram import HistogramMethod, histogram
from breastseg.core.parameters import Within

_BINS = 64  # the search grows with the fourth power of this at five classes


def multi_otsu(values: NDArray[np.float32], classes: int) -> NDArray[np.float32]:
    """The thresholds that split the histogram into its tightest classes.

    Args:
        values: float32 of any shape, finite, at least one.
        classes: how many, at least 2.

    Returns:
        (classes - 1,) float32, ascending, each the largest value of its class to 1/64 of the range;
        fewer where there are fewer grey levels than classes, none where all values are equal.
    """
    from skimage.filters import threshold_multiotsu

    counts, tops = histogram(values, _BINS)
    possible = min(classes, int(np.count_nonzero(counts)))
    if possible < 2:
        return np.zeros(0, np.float32)
    last = threshold_multiotsu(hist=(counts, np.arange(_BINS)), classes=possible)
    return np.asarray(tops[np.asarray(last, int)])


@dataclass(frozen=True)
class MultiOtsu(HistogramMethod):
    """Several thresholds; as many of the darkest classes are lesion as lie in the ellipse.

    Attributes:
        classes: how many classes the neighbourhood is split into.
        fraction: a class is lesion, with all darker ones, where this fraction of its pixels lies in
            the ellipse inscribed in the box; higher masks shrink.
    """

    name: ClassVar[str] = "multi-otsu"
    summary: ClassVar[str] = "thresholds between several classes, the darkest being lesion"
    source: ClassVar[str] = (
        "Liao PS, Chen TS, Chung PC. A fast algorithm for multilevel thresholding. J Inf Sci Eng "
        "17(5), 713-727 (2001), doi:10.6688/JISE.2001.17.5.1"
    )
    weakness: ClassVar[str] = "a lesion that is itself of several classes, half of them like tissue"

    classes: Annotated[int, Within(3, 5)] = 3
    fraction: Annotated[float, Within(0.2, 0.8)] = 0.5
    around: Annotated[float, Within(1, 3)] = 1.8

    def cut(self, near: NDArray[np.float32], within: NDArray[np.bool_]) -> np.float32:
        """The upper end of the brightest class that lies in the ellipse, but for the last."""
        cuts = multi_otsu(near, self.classes)
        if not cuts.size:
            return np.float32(near.max())
        classes = np.searchsorted(cuts, near)
        sizes = np.bincount(classes)
        held = np.bincount(classes[within], minlength=sizes.size) / sizes
        return np.float32(cuts[np.flatnonzero(held[:-1] >= self.fraction).max(initial=0)])
