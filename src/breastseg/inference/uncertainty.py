"""How unsure several predictions of one image are: a map, and one number for the image.

The map holds one of three measures, all from 0 (sure) to 1:

- the entropy of the mean, in bits: all there is, be it that the members are torn themselves or that
  they contradict each other (the predictive entropy);
- the mutual information, in bits: the part of it that comes from their contradiction. A member that
  says 0.5 adds to the first and not to this one;
- the deviation: twice the standard deviation between members, the largest that there can be.

L. Smith, Y. Gal: Understanding Measures of Uncertainty for Adversarial Example Detection, UAI 2018,
https://arxiv.org/abs/1803.08533.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError


class Measure(StrEnum):
    """What a map of uncertainty holds."""

    ENTROPY = "entropy"  # of the mean, in bits
    MUTUAL_INFORMATION = "mutual-information"  # in bits; 0 for a single member
    DEVIATION = "deviation"  # twice the standard deviation between members


def entropy(probability: NDArray[np.floating]) -> NDArray[np.float32]:
    """The entropy of lesion or not, in bits.

    Args:
        probability: any shape, 0 to 1.

    Returns:
        The same shape, float32: 0 at 0 and 1, 1 at 0.5.
    """
    p = probability.astype(np.float64)
    q = 1 - p
    # 0 log 0 is 0: the smallest number stands in for 0 inside the logarithm alone
    tiny = np.finfo(np.float64).tiny
    bits = -(p * np.log2(np.maximum(p, tiny)) + q * np.log2(np.maximum(q, tiny)))
    return np.clip(bits, 0, 1).astype(np.float32)


def uncertainty_map(
    members: NDArray[np.float32], measure: Measure = Measure.ENTROPY
) -> NDArray[np.float32]:
    """One measure of uncertainty for every pixel.

    Args:
        members: (M, *shape) float32, 0 to 1: the maps of M members.
        measure: which.

    Returns:
        shape, float32, 0 to 1.

    Raises:
        GeometryError: no member.
    """
    if members.ndim < 2 or len(members) < 1:
        raise GeometryError(f"members of shape {members.shape}", "(M, rows, columns), M at least 1")
    if measure is Measure.DEVIATION:
        deviation = members.std(axis=0, dtype=np.float64)
        return np.asarray(np.clip(2 * deviation, 0, 1), np.float32)
    whole = entropy(members.mean(axis=0, dtype=np.float64))
    if measure is Measure.ENTROPY:
        return whole
    return np.asarray(np.clip(whole - entropy(members).mean(axis=0), 0, 1), np.float32)
