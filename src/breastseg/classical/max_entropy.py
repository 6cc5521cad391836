"""The threshold of maximum entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from breastseg.classical.histogram import HistogramMethod, histogram
from breastseg.core.parameters import Within

_BINS = 256


def max_entropy(values: NDArray[np.float32]) -> np.float32:
    """The threshold whose two halves have the most information together.

    With P the fraction of the bins up to the threshold, H the sum of their -p log(p) and H' that of
    all bins, log(P (1 - P)) + H / P + (H' - H) / (1 - P) is largest.

    Args:
        values: float32 of any shape, finite, at least one.

    Returns:
        The largest value of the darker half, to 1/256 of the range; the value where all are equal.
    """
    counts, tops = histogram(values, _BINS)
    if np.count_nonzero(counts) < 2:
        return np.float32(tops[-1])
    # neither side is empty: the first bin holds the minimum and the last the maximum
    fraction = counts / counts.sum()
    entropy = -xlogy(fraction, fraction)
    dark, of_dark = np.cumsum(fraction)[:-1], np.cumsum(entropy)[:-1]
    gain = np.log(dark * (1 - dark)) + of_dark / dark + (entropy.sum() - of_dark) / (1 - dark)
    return np.float32(tops[np.argmax(gain)])


@dataclass(frozen=True)
class MaxEntropy(HistogramMethod):
    """One threshold for the whole view, where the entropies of its two halves add up to most."""

    name: ClassVar[str] = "max-entropy"
    summary: ClassVar[str] = "one threshold of which both sides have the most entropy"
    source: ClassVar[str] = (
        "Kapur JN, Sahoo PK, Wong AKC. A new method for gray-level picture thresholding using the "
        "entropy of the histogram. Comput Vis Graph Image Process 29(3), 273-285 (1985), "
        "doi:10.1016/0734-189X(85)90125-2"
    )
    weakness: ClassVar[str] = "a few very bright or dark pixels pull the threshold to themselves"

    lean: Annotated[float, Within(0, 4)] = 3.0

    def cut(self, near: NDArray[np.float32], within: NDArray[np.bool_]) -> np.float32:
        """That of maximum entropy, of the values around the lesion."""
        return max_entropy(near)
