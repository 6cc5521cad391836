"""How far each pixel of one set lies from the nearest pixel of another, exactly.

Few pixels ask a KD tree. Where there are many, two transforms of the whole plane cost less. The
first spreads squared distances in a byte: one parabola along each axis, so that distances below
16 are exact (Felzenszwalb and Huttenlocher 2012, doi:10.4086/toc.2012.v008a019). The few pixels
that lie farther ask the tree again; many ask OpenCV's exact transform, of the same source.

On the unit grid squared distances are integers, which makes all three ways give the same float.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

REACH = 15
"""The farthest shift whose square leaves room in a byte for the mark of a farther pixel."""
FARTHER = 255
PIXELS_A_QUERY = 64
"""A query of the tree costs about as much as transforming this many pixels."""
EXACT_BELOW = 2**20
"""OpenCV's transform is in float32, which tells squared distances below this one apart."""


def nearest_distances(
    pixels: NDArray[np.bool_], others: NDArray[np.bool_], steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Euclidean distance of each pixel to the nearest of the others, between centres.

    Args:
        pixels: (H, W) bool, or another number of axes; n are set.
        others: the same shape, bool; at least one is set.
        steps: step along each axis; (ndim,) float64.

    Returns:
        (n,) float64, in array order and in units of the steps.
    """
    asked = np.flatnonzero(pixels)
    if (steps != steps[0]).any():
        return _by_tree(asked, others, steps)
    unit = np.ones_like(steps)
    if pixels.ndim != 2 or _few(asked, others):
        return _by_tree(asked, others, unit) * steps[0]
    squares = _near_squares(others).ravel()[asked]
    distances = np.sqrt(squares, dtype=np.float64)
    far = squares == FARTHER
    left = asked[far]
    if left.size:
        by_tree = _few(left, others) or sum(n * n for n in others.shape) >= EXACT_BELOW
        distances[far] = _by_tree(left, others, unit) if by_tree else _by_transform(left, others)
    return distances * steps[0]


def _few(asked: NDArray[np.intp], others: NDArray[np.bool_]) -> bool:
    """Whether the tree is the cheapest way; eight of its points cost as much as a query."""
    return (asked.size + np.count_nonzero(others) // 8) * PIXELS_A_QUERY <= others.size


def _by_tree(
    asked: NDArray[np.intp], others: NDArray[np.bool_], steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distances of the pixels of these flat indices."""
    from scipy.spatial import KDTree

    points, targets = (
        np.column_stack(np.unravel_index(flat, others.shape)) * steps
        for flat in (asked, np.flatnonzero(others))
    )
    # A plain tree: what a better one saves in queries, it costs in building.
    tree = KDTree(targets, leafsize=40, compact_nodes=False, balanced_tree=False)
    distances: NDArray[np.float64] = tree.query(points)[0]
    return distances


def _near_squares(others: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Squared distance of each pixel of the plane, exact below `FARTHER`; (H, W) uint8."""
    squares = np.where(others, np.uint8(0), np.uint8(FARTHER))
    for _ in ("down the columns", "along the rows"):
        reached = squares.copy()
        for shift in range(1, min(REACH, len(squares) - 1) + 1):
            moved = cv2.add(squares, shift * shift)
            np.minimum(reached[shift:], moved[:-shift], out=reached[shift:])
            np.minimum(reached[:-shift], moved[shift:], out=reached[:-shift])
        squares = cv2.transpose(reached)
    return squares


def _by_transform(asked: NDArray[np.intp], others: NDArray[np.bool_]) -> NDArray[np.float64]:
    """As `_by_tree` in the plane, with steps of one."""
    rows, columns = others.shape
    # OpenCV walks down columns: a width that is a power of two would map them to the same few
    # lines of the cache, and an odd one is never a multiple of it.
    away = np.ones((rows, columns | 1), np.uint8)
    away[:, :columns] = ~others
    found = cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distances = found[:, :columns].ravel()[asked].astype(np.float64)
    exact: NDArray[np.float64] = np.sqrt(np.rint(distances * distances))
    return exact
