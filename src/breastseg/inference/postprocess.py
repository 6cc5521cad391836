"""Dropping regions that a bundle's operating point rejects.

Regions touch by a side or a corner, as in `breastseg.core.prediction.Prediction.lesions`. A
rejected region is not erased: its probabilities are scaled so that its score becomes half the
threshold. It stays visible in the map, and no mixture of it with its surroundings reaches the
threshold again when the map is resized.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import OutputSpec
from breastseg.core.regions import connected_regions
from breastseg.preprocess.geometry import Placement


def postprocess(
    probability: NDArray[np.float32], output: OutputSpec, smallest: float = 0.0
) -> NDArray[np.float32]:
    """Apply the rules of an operating point to a probability map.

    Args:
        probability: (rows, columns) or (slices, rows, columns) float32, 0 to 1, of the image and
            nothing but the image: the area rule takes its fraction of this array.
        output: a region is kept where its score is at least `min_score` and its area at least
            `min_area_fraction` of the array; of those kept, only the largest (the first in
            row-major order where two are equal) if `largest_only`.
        smallest: a region of fewer pixels or voxels than this is rejected too.

    Returns:
        The same shape, float32. Rejected regions lie below `output.threshold`; every other
        value is untouched.
    """
    return _judged(probability, output, smallest)[0]


def to_image_grid(
    probability: NDArray[np.float32], placement: Placement, output: OutputSpec
) -> NDArray[np.float32]:
    """Post-process a map at the network's size and bring it to the image's own grid.

    What lies in the padding is no part of the image and is left out. A region so small and
    faint that the resampling would smooth it away keeps one pixel, where its score lies.

    Args:
        probability: (rows, columns) of `placement.size`, float32, 0 to 1.
        placement: where the image lies in that map.
        output: the rules.

    Returns:
        `placement.source`, float32, 0 to 1.
    """
    part, (row, column) = placement.inner.slices, placement.inner.start
    inner, scores = _judged(probability[part], output)
    whole = np.zeros(placement.size, np.float32)
    whole[part] = inner
    result = np.clip(placement.backward(whole), 0, 1)
    for score_row, score_column in scores:
        # the source pixel in which the centre of the pixel with the score lies
        place = placement.point_back(row + score_row + 0.5, column + score_column + 0.5)
        there = int(place[0]), int(place[1])
        if result[there] < output.threshold:
            result[there] = inner[score_row, score_column]
    return result


def _judged(
    probability: NDArray[np.float32], output: OutputSpec, smallest: float = 0.0
) -> tuple[NDArray[np.float32], list[tuple[int, ...]]]:
    """The map with the rejected regions scaled down, and where each kept one has its score."""
    result = probability.astype(np.float32, copy=True)
    where = np.nonzero(result >= output.threshold)
    if not where[0].size:
        return result, []
    regions = connected_regions(result >= output.threshold)
    count = len(regions)
    values, owners = result[where], regions.labels[where] - 1  # of the outlined pixels alone: few
    areas = np.bincount(owners, minlength=count)
    scores = np.zeros(count, np.float32)
    np.maximum.at(scores, owners, values)
    least = max(smallest, output.min_area_fraction * result.size)
    kept = (scores >= output.min_score) & (areas >= least)
    if output.largest_only and kept.any():
        kept &= np.arange(count) == np.argmax(np.where(kept, areas, -1))
    factors = np.where(kept, np.float32(1), np.float32(0.5 * output.threshold) / scores)
    result[where] = values * factors[owners]
    highest = np.flatnonzero(kept[owners] & (values == scores[owners]))
    _, first = np.unique(owners[highest], return_index=True)
    places = np.stack([axis[highest[first]] for axis in where], axis=1)
    return result, [tuple(place) for place in places.tolist()]
