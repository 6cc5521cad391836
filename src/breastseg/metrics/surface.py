"""How far the edge of a mask lies from the edge of the ground truth.

The boundary of a mask is its pixels with a side neighbour outside the mask or outside the
image (the mask without its erosion by a cross). Distances run between pixel centres, Euclidean,
in units of the spacing. This is the definition of MONAI, and both metrics agree with
``compute_hausdorff_distance(percentile=95)`` and ``compute_average_surface_distance
(symmetric=True)`` to rounding.

Reference: Taha and Hanbury 2015, doi:10.1186/s12880-015-0068-x.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.metrics.nearest import nearest_distances
from breastseg.metrics.rules import check_pair


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Distances between two boundaries, both ways; both arrays are empty if either mask is.

    Attributes:
        to_truth: for each boundary pixel of the mask, the distance to the nearest one of
            the ground truth; (n,) float64.
        to_mask: for each boundary pixel of the ground truth, the distance to the nearest one of
            the mask; (m,) float64.
        both_empty: neither mask has a pixel.
    """

    to_truth: NDArray[np.float64]
    to_mask: NDArray[np.float64]
    both_empty: bool

    @property
    def hd95(self) -> float:
        """The larger of the two directed 95th percentiles (linear between order statistics).

        Both masks empty: 0. One empty: NaN.
        """
        if not self.to_truth.size:
            return 0.0 if self.both_empty else math.nan
        return max(_percentile_95(self.to_truth), _percentile_95(self.to_mask))

    @property
    def assd(self) -> float:
        """Mean over all distances of both directions, so that a longer boundary weighs more.

        Both masks empty: 0. One empty: NaN.
        """
        if not self.to_truth.size:
            return 0.0 if self.both_empty else math.nan
        total = float(self.to_truth.sum() + self.to_mask.sum())
        return total / (self.to_truth.size + self.to_mask.size)


def surface_distances(
    mask: NDArray[np.bool_], truth: NDArray[np.bool_], spacing: Sequence[float] | None = None
) -> SurfaceDistances:
    """Distances between the boundaries of two masks.

    Args:
        mask: (H, W) bool, or 3-D.
        truth: the same shape, bool.
        spacing: step along each axis, e.g. millimetres; None counts in pixels.

    Raises:
        InputError: an array is not bool.
        GeometryError: the shapes differ, or the spacing does not fit them.
    """
    check_pair(mask, truth)
    steps = np.ones(truth.ndim) if spacing is None else np.asarray(spacing, np.float64)
    if steps.shape != (truth.ndim,) or not bool(np.all(np.isfinite(steps) & (steps > 0))):
        raise GeometryError(
            f"spacing {spacing} for masks of shape {truth.shape}",
            f"{truth.ndim} finite values above 0",
        )
    if not mask.any() or not truth.any():
        nothing = np.empty(0)
        return SurfaceDistances(nothing, nothing, both_empty=not mask.any() and not truth.any())
    window = _window(mask | truth)
    edge, true_edge = _boundary(mask[window]), _boundary(truth[window])
    return SurfaceDistances(
        to_truth=nearest_distances(edge, true_edge, steps),
        to_mask=nearest_distances(true_edge, edge, steps),
        both_empty=False,
    )


def hd95(
    mask: NDArray[np.bool_], truth: NDArray[np.bool_], spacing: Sequence[float] | None = None
) -> float:
    """95th percentile Hausdorff distance; arguments as `surface_distances`.

    Returns:
        `SurfaceDistances.hd95`, in units of the spacing, else pixels; NaN if one mask is empty.
    """
    return surface_distances(mask, truth, spacing).hd95


def assd(
    mask: NDArray[np.bool_], truth: NDArray[np.bool_], spacing: Sequence[float] | None = None
) -> float:
    """Average symmetric surface distance; arguments as `surface_distances`.

    Returns:
        `SurfaceDistances.assd`, in units of the spacing, else pixels; NaN if one mask is empty.
    """
    return surface_distances(mask, truth, spacing).assd


def _window(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """The smallest box that holds a mask which is not empty."""
    box = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        held = np.flatnonzero(mask.any(axis=others))
        box.append(slice(held[0], held[-1] + 1))
    return tuple(box)


def _boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The boundary pixels of a mask, as a mask."""
    padded = np.pad(mask, 1)
    inner = (slice(1, -1),) * mask.ndim
    surrounded = mask.copy()
    for axis in range(mask.ndim):
        for shifted in (slice(None, -2), slice(2, None)):
            surrounded &= padded[(*inner[:axis], shifted, *inner[axis + 1 :])]
    return mask & ~surrounded


def _percentile_95(values: NDArray[np.float64]) -> float:
    """As `np.percentile(values, 95)`, in a fraction of its time."""
    rank = 0.95 * (values.size - 1)
    below = int(rank)
    parted = np.partition(values, below)
    low, high = parted[below], parted[below + 1 :].min(initial=np.inf)
    return float(low if rank == below else low + (high - low) * (rank - below))
