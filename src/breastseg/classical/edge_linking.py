"""From edges to the region that they enclose."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.gradient import border_gradient
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.tidy import opened
from breastseg.classical.view import View
from breastseg.core.parameters import Within
from breastseg.core.regions import connected_regions

_BACK = 5  # pixels over which the direction of travel is taken
_STRAIGHT = 0.5  # cosine of the largest turn at an end point: 60 degrees
_ENOUGH = (
    0.8  # fraction of the core within the edges: a lesion's middle is a guess, not a certainty
)
_NEIGHBOURS = ((-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))

Pixel = tuple[int, int]


def end_points(edges: NDArray[np.bool_]) -> list[Pixel]:
    """The edge pixels with one neighbour, by a side or a corner; in reading order."""
    count = cv2.filter2D(
        edges.astype(np.uint8), -1, np.ones((3, 3), np.float32), borderType=cv2.BORDER_CONSTANT
    )
    return [(int(row), int(column)) for row, column in np.argwhere(edges & (count == 2))]


def linked(edges: NDArray[np.bool_], largest_px: float) -> NDArray[np.bool_]:
    """Join each end point with the nearest other one ahead of it by a straight line.

    Ahead is what lies within 60 degrees of the direction in which the edge runs out.

    Args:
        edges: (h, w) bool, edges one pixel wide.
        largest_px: the longest line that is drawn.

    Returns:
        (h, w) bool: the edges and the lines.
    """
    found = end_points(edges)
    if len(found) < 2 or largest_px <= 0:
        return edges.copy()
    ends = np.array(found, np.float64)
    travel = ends - np.array([_followed(edges, end) for end in found], np.float64)
    travel /= np.hypot(*travel.T)[:, None]
    steps = ends[None] - ends[:, None]
    distance = np.hypot(steps[..., 0], steps[..., 1])
    ahead = (steps * travel[:, None]).sum(axis=2) >= _STRAIGHT * distance
    ahead &= (distance > 0) & (distance <= largest_px)
    distance = np.where(ahead, distance, np.inf)
    out = edges.astype(np.uint8)
    for (row, column), nearest, away in zip(
        found, distance.argmin(axis=1), distance.min(axis=1), strict=True
    ):
        if np.isfinite(away):
            to_row, to_column = found[int(nearest)]
            cv2.line(out, (column, row), (to_column, to_row), 1)
    return out > 0


def _followed(edges: NDArray[np.bool_], end: Pixel) -> Pixel:
    """The pixel some way back along the edge that runs out at an end point."""
    passed = [end]
    for _ in range(_BACK):
        row, column = passed[-1]
        for down, along in _NEIGHBOURS:
            there = row + down, column + along
            inside = 0 <= there[0] < edges.shape[0] and 0 <= there[1] < edges.shape[1]
            if inside and edges[there] and there not in passed:
                passed.append(there)
                break
        else:
            break
    return passed[-1]


def enclosed(
    edges: NDArray[np.bool_],
    core: NDArray[np.bool_],
    ground: NDArray[np.bool_],
    largest_gap: int,
) -> NDArray[np.bool_]:
    """The region within the edges, once their gaps are closed as far as it takes to hold the core.

    The edges are thickened by a disc until what the background cannot reach holds the core; by as
    much the region is then worn off again. It grows with the disc, so that the least disc is found
    by bisection.

    Args:
        edges: (h, w) bool.
        core: (h, w) bool, what has to be enclosed; a fifth of it may be missed.
        ground: (h, w) bool, what may not be: background. So is all beyond the view.
        largest_gap: the widest gap that is closed, in pixels.

    Returns:
        (h, w) bool with the edges around; empty where even the largest disc does not enclose the
        core.
    """
    needed = max(1.0, _ENOUGH * np.count_nonzero(core))
    best = np.zeros(edges.shape, bool)
    low, high = 0, (largest_gap + 1) // 2 + 1  # the first that was not tried, the least that does
    while low < high:
        # the first try is the largest: where that fails, nothing else helps
        radius = (low + high) // 2 if best.any() else high - 1
        region = _within(edges, ground, radius)
        if np.count_nonzero(opened(region, 1) & core) >= needed:
            best, high = region, radius
        elif best.any():
            low = radius + 1
        else:
            break
    return best


def _within(edges: NDArray[np.bool_], ground: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """What cannot be reached from the background and from beyond the view past thickened edges.

    The disc is a threshold on distances, whose cost does not grow with its radius.
    """
    margin = radius + 1
    inner = (slice(margin, -margin),) * 2
    free = _distance(~np.pad(edges, margin)) > radius
    start = np.zeros(free.shape, bool)
    start[0, 0] = True
    start[inner] |= ground
    reached = connected_regions(free, corners=False).holding(start)
    return np.asarray((_distance(~reached) > radius)[inner])


def _distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Of each pixel of a mask to the nearest one that is not in it."""
    exact = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(exact, np.float32)


@dataclass(frozen=True)
class EdgeMethod(ClassicalMethod):
    """Edges, closed and filled. A subclass says what an edge is.

    Where the edges do not enclose the middle of the lesion, there is no mask.

    Attributes:
        sigma: standard deviation of the smoothing before the gradient is taken, in pixels of the
            view; above, fewer and blunter edges.
        outward: how much of an edge's strength counts only if the view brightens away from the
            box's centre there; 0 counts edges of any direction, 1 those of a dark lesion alone.
        focus: how far from the ellipse that fills the box edges still count, as a standard
            deviation in its radii.
        box_trust: strength of the edge that is assumed along this ellipse, as a fraction of the
            strongest in the view; 0 goes by the image alone.
        linking_px: end points of edges up to this far apart are joined by a line, in pixels of the
            view.
        largest_gap: gaps up to this width are closed, if that takes it to enclose the lesion's
            middle, in pixels of the view.
    """

    sigma: Annotated[float, Within(0, 6)] = 2.0
    outward: Annotated[float, Within(0, 1)] = 1.0
    focus: Annotated[float, Within(0.05, 2)] = 0.3
    box_trust: Annotated[float, Within(0, 1)] = 0.1
    linking_px: Annotated[int, Within(0, 60)] = 15
    largest_gap: Annotated[int, Within(0, 120)] = 100

    @abstractmethod
    def edges(self, vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Find the edges.

        Args:
            vectors: (2, h, w) float32, the gradient down and along, at most about 1 long.

        Returns:
            (h, w) bool; none where the gradient is zero.
        """

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Fill what the linked edges enclose."""
        vectors = border_gradient(
            view.grey,
            view.radius,
            sigma=self.sigma,
            outward=self.outward,
            focus=self.focus,
            box_trust=self.box_trust,
        )
        edges = linked(self.edges(vectors), self.linking_px)
        return enclosed(edges, view.core, view.ground, self.largest_gap)
