"""Lesions one by one, from a network that tells them apart or from any probability map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.instance import Instance
from breastseg.core.prediction import Prediction
from breastseg.preprocess.geometry import Placement


def on_image(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    masks: NDArray[np.float32],
    placement: Placement,
    threshold: float = 0.5,
) -> tuple[Instance, ...]:
    """Bring what a network found at its own size to the image's grid.

    Args:
        boxes: (K, 4): x0, y0, x1, y1 in pixels of the network's input.
        scores: (K,), 0 to 1.
        masks: (K, rows, columns) of `placement.size`, probability of each pixel, 0 to 1.
        placement: where the image lies in that input.
        threshold: pixels of a mask at or above it are lesion.

    Returns:
        In the order given. An instance is left out where none of its pixels reaches the threshold
        on the image; a box is cut at the image's border.

    Raises:
        GeometryError: shapes that do not fit each other or the placement.
    """
    count = len(scores)
    if boxes.shape != (count, 4) or masks.shape != (count, *placement.size):
        raise GeometryError(
            f"boxes of shape {boxes.shape}, masks of {masks.shape} and {count} scores",
            f"({count}, 4), ({count}, {placement.size[0]}, {placement.size[1]})",
        )
    size = np.array(placement.source, np.float64)
    found = []
    for box, score, mask in zip(boxes.astype(np.float64), scores, masks, strict=True):
        region = placement.backward(mask) >= threshold
        if region.any():
            left, top, right, bottom = box
            ends = np.array([placement.point_back(top, left), placement.point_back(bottom, right)])
            low, high = np.clip([ends.min(axis=0), ends.max(axis=0)], 0, size)
            found.append(Instance(region, (*low, *high), float(score)))
    return tuple(found)


def instances_of(prediction: Prediction, threshold: float | None = None) -> tuple[Instance, ...]:
    """The lesions of a prediction, whatever the method: its instances, or else its outlines.

    An outline's score is its largest probability.

    Args:
        prediction: of any segmenter.
        threshold: of the map, for the outlines; the method's own operating point by default.

    Returns:
        The highest score first.
    """
    found = prediction.instances or tuple(
        Instance(lesion.region, lesion.box, lesion.peak) for lesion in prediction.lesions(threshold)
    )
    return tuple(sorted(found, key=lambda one: -one.score))
