"""Clusters of pixels by grey level, place and texture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.classical.histogram import features, filled, neighbourhood, of_lesion, spread
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within

_MOST_STEPS = 50


def k_means(points: NDArray[np.float32], clusters: int) -> NDArray[np.float32]:
    """The centres of the clusters that Lloyd's algorithm arrives at.

    It starts from groups of equal size in the order of the sum of the coordinates, and is therefore
    the same each time.

    Args:
        points: (n, d) float32, finite, at least one.
        clusters: how many, at least 1.

    Returns:
        (k, d) float32, where k is `clusters`, or fewer where fewer points differ.
    """
    order = np.argsort(points.sum(axis=1), kind="stable")
    nearest = np.empty(len(points), np.intp)
    nearest[order] = np.arange(len(points)) * clusters // len(points)
    for _ in range(_MOST_STEPS):
        _, nearest, counts = np.unique(nearest, return_inverse=True, return_counts=True)
        sums = [np.bincount(nearest, axis) for axis in points.T]
        centres = (np.stack(sums, axis=1) / counts[:, None]).astype(np.float32)
        moved = nearest_centre(points, centres)
        if np.array_equal(moved, nearest):
            break
        nearest = moved
    return centres


def nearest_centre(points: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.intp]:
    """The centre nearest to each point.

    Args:
        points: (..., d) float32.
        centres: (k, d) float32.

    Returns:
        (...) integers from 0 to k - 1.
    """
    # |p - c|^2 without |p|^2, which is the same for all centres
    return np.asarray(np.argmin((centres**2).sum(axis=1) - 2 * points @ centres.T, axis=-1))


@dataclass(frozen=True)
class KMeans(ClassicalMethod):
    """Clusters of pixels; those that lie for the most part in the ellipse in the box are lesion.

    Attributes:
        clusters: how many clusters the neighbourhood is split into.
        position: weight of the place, against a grey level in standard deviations; higher makes
            masks rounder.
        texture: weight of the local standard deviation, against the same.
        closing: notches and gaps narrower than twice this are filled, in pixels of the view; 0 for
            none.
    """

    name: ClassVar[str] = "k-means"
    summary: ClassVar[str] = "clusters of pixels by grey level and place"
    source: ClassVar[str] = (
        "Lloyd SP. Least squares quantization in PCM. IEEE Trans Inf Theory 28(2), 129-137 (1982), "
        "doi:10.1109/TIT.1982.1056489"
    )
    weakness: ClassVar[str] = "clusters of unlike size: a small lesion in wide, uneven tissue"

    clusters: Annotated[int, Within(2, 6)] = 2
    position: Annotated[float, Within(0, 4)] = 1.75
    texture: Annotated[float, Within(0, 1)] = 0.0
    closing: Annotated[int, Within(0, 16)] = 0

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Cluster the neighbourhood; nothing where all its pixels are equal."""
        if spread(view) == 0:
            return np.zeros(view.shape, bool)
        points = features(view, self.position, self.texture)
        centres = k_means(points[neighbourhood(view)], self.clusters)
        nearest = nearest_centre(points, centres)
        lesion = of_lesion(np.eye(len(centres), dtype=np.float32)[nearest], view)
        return filled(lesion[nearest], view, self.closing)
