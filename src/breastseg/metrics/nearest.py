"""How far each pixel of one set lies from the nearest pixel of another, exactly.

Three ways, each taken where it costs least:

- a KD tree, for few pixels, and for volumes;
- a search along the row for the column whose own nearest pixel makes the distance shortest, for
  many pixels of a plane: it ends soon where distances are short (Saito and Toriwaki 1994,
  doi:10.1016/0031-3203(94)90133-3);
- OpenCV's transform of the whole plane, for many pixels at long distances, if both axes have the
  same step (Felzenszwalb and Huttenlocher 2012, doi:10.4086/toc.2012.v008a019).

On the unit grid squared distances are integers, so that all three give the same float.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PIXELS_A_QUERY = 64
"""A query of the tree costs about as much as transforming this many pixels."""
MOST_COLUMNS = 32
"""How many columns a pixel looks at on either side."""
FARTHER = 127
"""So many rows or more: twice as many still fit a byte."""
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
    unit = steps[0] if (steps == steps[0]).all() else 1.0
    steps = steps / unit
    if others.ndim != 2 or _few(int(np.count_nonzero(pixels)), others):
        return _by_tree(np.flatnonzero(pixels), others, steps) * unit
    # A pixel that looks beyond its row meets the margin, on the left that of the row before. An odd
    # width is for OpenCV: it walks down columns, and a power of two would map each of them to a few
    # lines of the cache.
    margin = ((0, 0), (0, MOST_COLUMNS + others.shape[1] % 2 + 1))
    asked, others = np.flatnonzero(np.pad(pixels, margin)), np.pad(others, margin)
    distances = _along_rows(asked, others, steps)
    if distances is None:
        return _far(asked, others, steps) * unit
    left = np.flatnonzero(np.isinf(distances))
    if left.size:
        distances[left] = _far(asked[left], others, steps)
    return distances * unit


def _few(queries: int, others: NDArray[np.bool_]) -> bool:
    """Whether the tree is the cheapest way; eight of its points cost as much as a query."""
    points = int(np.count_nonzero(others))
    return (queries + points // 8) * PIXELS_A_QUERY <= others.size


def _far(
    asked: NDArray[np.intp], others: NDArray[np.bool_], steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distances of pixels of a plane that have no other one close by."""
    exact = sum(length**2 for length in others.shape) < EXACT_BELOW
    if exact and bool((steps == 1).all()) and not _few(asked.size, others):
        return _by_transform(asked, others)
    return _by_tree(asked, others, steps)


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


def _by_transform(asked: NDArray[np.intp], others: NDArray[np.bool_]) -> NDArray[np.float64]:
    """As `_by_tree`, in a plane of unit steps."""
    import cv2

    away = (~others).view(np.uint8)
    found = cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distances = found.ravel().take(asked).astype(np.float64)
    exact: NDArray[np.float64] = np.sqrt(np.rint(distances * distances))
    return exact


def _along_rows(
    asked: NDArray[np.intp], others: NDArray[np.bool_], steps: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """As `_by_tree`, but infinite beyond `MOST_COLUMNS`; None if too many are as far as that.

    The rightmost `MOST_COLUMNS` columns of the plane must be empty.
    """
    rows_away = _rows_to_nearest(others).ravel()
    nearest = rows_away.take(asked)
    # With equal steps no pixel looks farther aside than the nearest one in its own column is away.
    if np.minimum(nearest, MOST_COLUMNS).sum() > others.size:
        return None
    square = (np.arange(FARTHER + 1) * steps[0]) ** 2
    limit = min(square[FARTHER], ((MOST_COLUMNS + 1) * steps[1]) ** 2)
    square[FARTHER] = np.inf
    found = square.take(nearest)
    looking = np.arange(asked.size)
    for column in range(1, MOST_COLUMNS + 1):
        aside = (column * steps[1]) ** 2
        looking = looking[found[looking] > aside]
        if not looking.size:
            break
        here = asked[looking]
        nearest = np.minimum(rows_away[here - column], rows_away[here + column])
        found[looking] = np.minimum(found[looking], square[nearest] + aside)
    distances: NDArray[np.float64] = np.sqrt(np.where(found <= limit, found, np.inf))
    return distances


def _rows_to_nearest(others: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """How many rows each pixel lies from the nearest set one in its column, at most `FARTHER`."""
    away = ~others * np.uint8(FARTHER)
    rows = 1
    while rows < min(len(others), FARTHER + 1):
        moved = away + np.uint8(rows)
        np.minimum(away[rows:], moved[:-rows], out=away[rows:])
        np.minimum(away[:-rows], moved[rows:], out=away[:-rows])
        rows *= 2
    return away
