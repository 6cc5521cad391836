"""Seeded region growing with a tolerance that adapts to the region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.gradient import border_gradient, magnitude, smoothed
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within

_SEED_PX = 7  # side of the square whose mean and spread tell a dark, smooth spot
_WALL = 6  # power of the elliptic distance: flat within the ellipse, steep beyond
_LEAST_SPREAD = 1e-3
_TINY = 1e-12


def darkest_spot(grey: NDArray[np.float32], core: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixel of the core in the darkest and smoothest surroundings.

    Returns:
        (h, w) bool, one pixel; none where the core is empty.
    """
    seed = np.zeros(grey.shape, bool)
    if core.any():
        square = (_SEED_PX, _SEED_PX)
        mean = cv2.blur(grey, square, borderType=cv2.BORDER_REPLICATE)
        power = cv2.blur(grey * grey, square, borderType=cv2.BORDER_REPLICATE)
        spread = np.sqrt(np.maximum(power - mean * mean, 0))
        seed.flat[int(np.argmin(np.where(core, mean + spread, np.inf)))] = True
    return seed


def joining(unlike: NDArray[np.float32], seeds: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The least tolerance at which a flood from the seeds reaches each pixel.

    It is the smallest, over all paths by pixels' sides from a seed, of the largest value on the
    path: one morphological reconstruction instead of a flood for every tolerance.

    Args:
        unlike: (h, w) float32, at least 0, how unlike the region a pixel is.
        seeds: (h, w) bool, at least one pixel.

    Returns:
        (h, w) float32, 0 on the seeds.
    """
    from skimage.morphology import reconstruction

    cost = np.where(seeds, 0, unlike)
    start = np.where(seeds, 0, max(float(cost.max()), _TINY))
    sides = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return np.asarray(reconstruction(start, cost, "erosion", footprint=sides), np.float32)


def growth_curve(
    joined: NDArray[np.float32], strength: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
    """How region and border change as the tolerance grows.

    A pair of neighbours lies on the border from the tolerance that one of them joins at up to that
    of the other, so that the sums along all borders are one pass over the pairs.

    Args:
        joined: (h, w) float32, the tolerance at which each pixel joins.
        strength: (h, w) float32, evidence of a border.

    Returns:
        (n,) float32, the tolerances at which the region changes, ascending; (n,) int64, its pixels
        there; (n,) float64, the mean strength along its border, 0 where it has none.
    """
    tolerances, rank = np.unique(joined, return_inverse=True)
    rank = rank.reshape(joined.shape)
    count = len(tolerances)
    total, pairs = np.zeros(count), np.zeros(count)
    for axis in (0, 1):
        step = np.moveaxis(rank, axis, 0)
        first = np.minimum(step[:-1], step[1:]).ravel()
        last = np.maximum(step[:-1], step[1:]).ravel()
        level = np.moveaxis(strength, axis, 0)
        between = ((level[:-1] + level[1:]) / 2).ravel()
        total += np.bincount(first, between, count) - np.bincount(last, between, count)
        pairs += np.bincount(first, minlength=count) - np.bincount(last, minlength=count)
    length = np.cumsum(pairs)
    mean = np.where(length > 0, np.cumsum(total) / np.maximum(length, 1), 0)
    return tolerances, np.cumsum(np.bincount(rank.ravel(), minlength=count)), mean


def unlikeness(
    grey: NDArray[np.float32], region: NDArray[np.bool_], darker: bool
) -> NDArray[np.float32]:
    """How far each pixel is from the mean of a region, in standard deviations of the region.

    Args:
        grey: (h, w) float32.
        region: (h, w) bool, not empty.
        darker: what is darker than the mean is not unlike at all.

    Returns:
        (h, w) float32, at least 0.
    """
    spread = max(float(grey[region].std()), _LEAST_SPREAD)
    apart = (grey - grey[region].mean()) / np.float32(spread)
    return np.asarray(np.maximum(apart, 0) if darker else np.abs(apart), np.float32)


def region_growing(
    unlike: NDArray[np.float32],
    seeds: NDArray[np.bool_],
    strength: NDArray[np.float32],
    *,
    min_px: float,
    size: float,
) -> NDArray[np.bool_]:
    """Grow a region from seeds up to the tolerance whose border has the strongest edge.

    Args:
        unlike: (h, w) float32, at least 0, how unlike the region a pixel is; infinite where it may
            not grow.
        seeds: (h, w) bool.
        strength: (h, w) float32, evidence of a border.
        min_px: a region of fewer pixels has not grown far enough.
        size: 0 goes by the mean strength along the border; above, that of larger regions counts
            more, by this power of their area.

    Returns:
        (h, w) bool; empty where there are no seeds, or no border has an edge.
    """
    open_to = np.isfinite(unlike)
    seeds = seeds & open_to
    if not seeds.any():
        return seeds
    closed = unlike[open_to].max() + np.float32(1)
    joined = joining(np.where(open_to, unlike, closed), seeds)
    tolerances, area, edge = growth_curve(joined, strength)
    score = np.where((area >= min_px) & (tolerances < closed), edge * area**size, 0)
    best = int(np.argmax(score))
    return joined <= tolerances[best] if score[best] > 0 else np.zeros(seeds.shape, bool)


@dataclass(frozen=True)
class RegionGrowing(ClassicalMethod):
    """A region grows from seeds over similar neighbours until its border is at its sharpest.

    The seeds are the user's points, else the darkest smooth spot in the middle of the box.

    Attributes:
        sigma: standard deviation of the smoothing before pixels are compared with the region, in
            pixels of the view; above, speckle counts less and thin necks leak less.
        edge_sigma: the same before the edge along the border is measured.
        outward: how much of the edge counts only if the view brightens away from the box's centre;
            0 counts edges of any direction.
        box_trust: how hard it is to grow out of the ellipse that fills the box, in standard
            deviations of the region's grey levels on that ellipse; 0 goes by the image alone.
        min_fraction: the region grows to at least this fraction of that ellipse.
        size: preference for larger regions: the sharpness of the border counts times this power of
            the area; 0 for none.
        darker: also take what is darker than the region.
        passes: how often the region is grown, each time with the mean and the spread of the last.
    """

    name: ClassVar[str] = "region-growing"
    summary: ClassVar[str] = "growth from a seed up to the tolerance with the sharpest border"
    source: ClassVar[str] = (
        "Adams R, Bischof L. Seeded region growing. IEEE Trans Pattern Anal Mach Intell 16(6), "
        "641-647 (1994), doi:10.1109/34.295913; with the adaptive homogeneity of Pohle R, Toennies "
        "KD. Segmentation of medical images using adaptive region growing. Proc SPIE 4322, "
        "1337-1346 (2001), doi:10.1117/12.431013"
    )
    weakness: ClassVar[str] = "lesions of uneven grey level, and borders with a gap to leak through"

    sigma: Annotated[float, Within(0, 6)] = 1.5
    edge_sigma: Annotated[float, Within(0, 6)] = 2.0
    outward: Annotated[float, Within(0, 1)] = 0.5
    box_trust: Annotated[float, Within(0, 10)] = 2.0
    min_fraction: Annotated[float, Within(0, 0.9)] = 0.4
    size: Annotated[float, Within(0, 2)] = 0.5
    darker: bool = True
    passes: Annotated[int, Within(1, 5)] = 2

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Grow within the view's allowed part."""
        marked = view.inside & view.allowed
        seeds = marked if marked.any() else darkest_spot(view.grey, view.core)
        if not seeds.any():
            return seeds
        smooth = smoothed(view.grey, self.sigma)
        vectors = border_gradient(
            view.grey,
            view.radius,
            sigma=self.edge_sigma,
            outward=self.outward,
            focus=np.inf,
            box_trust=0,
        )
        wall = np.where(view.allowed, self.box_trust * view.radius**_WALL, np.inf)
        region = view.core
        for _ in range(self.passes):
            region = region_growing(
                (unlikeness(smooth, region, self.darker) + wall).astype(np.float32),
                seeds,
                magnitude(vectors),
                min_px=self.min_fraction * np.count_nonzero(view.radius <= 1),
                size=self.size,
            )
            if not region.any():
                break
        return region
