"""Clusters of pixels that each belong to all of them, more or less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.histogram import features, neighbourhood, of_lesion, spread
from breastseg.classical.k_means import k_means
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within

_MOST_STEPS = 30
_SETTLED = 0.01  # no centre moves further than this fraction of a standard deviation


def fuzzy_c_means(
    points: NDArray[np.float32],
    near: NDArray[np.bool_],
    centres: NDArray[np.float32],
    fuzziness: float,
    spatial: float,
    window: int,
) -> NDArray[np.float32]:
    """Bezdek's fuzzy clusters, with the spatial term of Chuang and others.

    Args:
        points: (h, w, d) float32, the features of each pixel, in units of about 1.
        near: (h, w) bool, not empty: the pixels that the centres are fitted to.
        centres: (k, d) float32, where to start.
        fuzziness: the exponent m of the memberships in the objective, above 1.
        spatial: the exponent q of the memberships summed over a pixel's surroundings, by which its
            own are multiplied (p is 1); 0 leaves them out.
        window: side of the square over which it sums, odd.

    Returns:
        (h, w, k) float32, 0 to 1: how much each pixel belongs to each cluster; sums to 1.
    """
    belonging = _belonging(points, centres, fuzziness, spatial, window)
    for _ in range(_MOST_STEPS):
        weights = belonging[near] ** np.float32(fuzziness)
        total = np.maximum(weights.sum(axis=0), np.float32(1e-6))[:, None]
        moved = weights.T @ points[near] / total
        step = float(np.abs(moved - centres).max())
        centres = moved
        belonging = _belonging(points, centres, fuzziness, spatial, window)
        if step < _SETTLED:
            break
    return belonging


def _belonging(
    points: NDArray[np.float32],
    centres: NDArray[np.float32],
    fuzziness: float,
    spatial: float,
    window: int,
) -> NDArray[np.float32]:
    distance = np.stack([((points - centre) ** 2).sum(axis=-1) for centre in centres], axis=-1)
    nearest = distance.min(axis=-1, keepdims=True)
    # relative to the nearest centre's: no overflow where a pixel is all but equal to a centre
    near = (nearest + np.float32(1e-6)) / (distance + np.float32(1e-6))
    belonging = near ** np.float32(1 / (fuzziness - 1))
    belonging /= belonging.sum(axis=-1, keepdims=True)
    if spatial:
        around = cv2.blur(belonging, (window, window), borderType=cv2.BORDER_REFLECT)
        # running sums leave what should be 0 a little below it
        around = np.maximum(around.reshape(belonging.shape), np.float32(1e-6))
        belonging = belonging * around ** np.float32(spatial)
        belonging /= belonging.sum(axis=-1, keepdims=True)
    return np.asarray(belonging, np.float32)


@dataclass(frozen=True)
class FuzzyCMeans(ClassicalMethod):
    """Fuzzy clusters; a pixel is lesion as far as it belongs to those in the ellipse in the box.

    Attributes:
        clusters: how many clusters the neighbourhood is split into.
        position: weight of the place, against a grey level in standard deviations; higher makes
            masks rounder.
        texture: weight of the local standard deviation, against the same.
        fuzziness: from 1, all or nothing, upwards; higher lets pixels belong to several clusters.
        spatial: how much a pixel's neighbours count; 0 judges each pixel alone.
        window: radius of the square of neighbours, in pixels of the view.
    """

    name: ClassVar[str] = "fuzzy-c-means"
    summary: ClassVar[str] = "fuzzy clusters of pixels by grey level, place and neighbours"
    source: ClassVar[str] = (
        "Bezdek JC, Ehrlich R, Full W. FCM: the fuzzy c-means clustering algorithm. Comput Geosci "
        "10(2-3), 191-203 (1984), doi:10.1016/0098-3004(84)90020-7; Chuang KS, Tzeng HL, Chen S, "
        "Wu J, Chen TJ. Fuzzy c-means clustering with spatial information for image segmentation. "
        "Comput Med Imaging Graph 30(1), 9-15 (2006), doi:10.1016/j.compmedimag.2005.10.001"
    )
    weakness: ClassVar[str] = "clusters of unlike size: a small lesion in wide, uneven tissue"
    gives_probability: ClassVar[bool] = True

    clusters: Annotated[int, Within(2, 4)] = 2
    position: Annotated[float, Within(0, 4)] = 1.75
    texture: Annotated[float, Within(0, 1)] = 0.0
    fuzziness: Annotated[float, Within(1.1, 4)] = 2.0
    spatial: Annotated[float, Within(0, 4)] = 1.0
    window: Annotated[int, Within(1, 10)] = 4

    def delineate(self, view: View) -> NDArray[np.float32]:
        """Memberships of the lesion's clusters, summed; nothing where all pixels are equal."""
        if spread(view) == 0:
            return np.zeros(view.shape, np.float32)
        points = features(view, self.position, self.texture)
        near = neighbourhood(view)
        start = k_means(points[near], self.clusters)
        belonging = fuzzy_c_means(
            points, near, start, self.fuzziness, self.spatial, 2 * self.window + 1
        )
        lesion = belonging[..., of_lesion(belonging, view)].sum(axis=-1)
        return np.asarray(np.clip(lesion, 0, 1))
