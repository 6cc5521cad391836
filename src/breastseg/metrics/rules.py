"""What holds for every metric: the empty-mask rule, and which arrays are accepted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError

EMPTY_RULE = (
    "Both masks empty: overlap 1, surface distance 0. Only one empty: overlap 0, "
    "surface distance undefined, left out of its mean and counted."
)
"""The empty-mask rule, in the words that every report prints."""


def check_pair(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> None:
    """Refuse what is not a pair of masks on one grid.

    Raises:
        InputError: an array is not bool; a probability must be cut at a threshold first.
        GeometryError: the shapes differ.
    """
    if mask.dtype != np.bool_ or truth.dtype != np.bool_:
        raise InputError(
            f"masks of dtype {mask.dtype} and {truth.dtype}",
            "two bool masks",
            "cut probabilities at a threshold first",
        )
    if mask.shape != truth.shape:
        raise GeometryError(
            f"a mask of shape {mask.shape} and a ground truth of {truth.shape}", "one shape"
        )
