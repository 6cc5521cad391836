"""Maps of several kinds of lesion: their temperature, and their way back to the image's grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.inference.temperature import LEAST
from breastseg.preprocess.geometry import Placement


def tempered_classes(probability: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """The softmax of the logits divided by `temperature`, from the softmax of the logits.

    Source: Guo et al. 2017, https://proceedings.mlr.press/v70/guo17a.html, equation 9.

    Args:
        probability: (N, K + 1, ...) float32, 0 to 1, adding up to 1 along the second axis.
        temperature: above 0; 1 changes nothing, larger values draw the classes together.

    Returns:
        The same shape, float32, 0 to 1, adding up to 1; the array itself where the temperature
        is 1.
    """
    if temperature == 1:
        return probability
    logits = np.log(np.maximum(probability, LEAST)) / np.float32(temperature)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def classes_to_image_grid(
    maps: NDArray[np.float32], placement: Placement, probability: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Bring the maps of lesion classes to the image's own grid.

    Each pixel's probability of lesion is shared out among the classes as the network has it: where
    post-processing has lowered that probability, those of the classes are lowered alike.

    Args:
        maps: (K, rows, columns) of `placement.size`, float32, 0 to 1, without the background.
        placement: where the image lies in them.
        probability: `placement.source`, float32, 0 to 1, of any lesion, post-processed.

    Returns:
        (K, *placement.source) float32, 0 to 1, adding up to `probability`. Where the network gives
        no class anything, all have the same.
    """
    found = np.stack([np.clip(placement.backward(values), 0, 1) for values in maps])
    total = found.sum(axis=0)
    fraction = np.where(
        total > 0, found / np.where(total > 0, total, 1), np.float32(1 / len(found))
    )
    return np.asarray(fraction * probability, np.float32)
