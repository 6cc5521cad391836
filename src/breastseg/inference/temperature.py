"""Temperature scaling of probabilities.

C. Guo et al.: On Calibration of Modern Neural Networks, ICML 2017,
https://proceedings.mlr.press/v70/guo17a.html.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-7
"""Probabilities are held this far from 0 and 1, where float32 can still tell them from 1."""


def tempered(probability: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """The probability whose logit is that of `probability`, divided by `temperature`.

    Args:
        probability: any shape, float32, 0 to 1, of one class against the rest.
        temperature: above 0; 1 changes nothing, larger values draw towards 0.5.

    Returns:
        The same shape, float32, 0 to 1; the array itself where the temperature is 1.
    """
    if temperature == 1:
        return probability
    inside = np.clip(probability, LEAST, 1 - LEAST)
    logit = np.log(inside) - np.log1p(-inside)
    return np.asarray(1 / (1 + np.exp(logit / np.float32(-temperature))), np.float32)
