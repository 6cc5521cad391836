"""Geodesic active contours, by morphology."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_LINES = tuple(
    np.array(line, np.uint8)
    for line in (
        [[0, 0, 0], [1, 1, 1], [0, 0, 0]],
        [[0, 1, 0], [0, 1, 0], [0, 1, 0]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0, 0, 1], [0, 1, 0], [1, 0, 0]],
    )
)


@dataclass(frozen=True)
class GeodesicContour(ClassicalMethod):
    """A contour that shrinks or grows until it lies on a strong edge.

    Attributes:
        sigma: standard deviation of the smoothing before the gradient is taken, in pixels of the
            view.
        alpha: how fast the speed falls with the gradient; it matters little, since the contour
            follows the order and the direction of speeds.
        stop: fraction of the view's pixels whose edges are strong enough to stop the balloon;
            without effect where there is none.
        balloon: below 0 it shrinks from outside, above 0 it grows from inside, 0 follows edges
            alone.
        start: where it starts, as a multiple of the ellipse in the box.
        rounding: how often it is smoothed after each step.
        iterations: at most; it stops when nothing changes.
    """

    name: ClassVar[str] = "geodesic-contour"
    summary: ClassVar[str] = "a contour that moves until it lies on a strong edge"
    source: ClassVar[str] = (
        "Caselles V, Kimmel R, Sapiro G. Geodesic active contours. Int J Comput Vis 22(1), 61-79 "
        "(1997), doi:10.1023/A:1007979827043; by morphology after Marquez-Neila P, Baumela L, "
        "Alvarez L. IEEE Trans Pattern Anal Mach Intell 36(1), 2-17 (2014), "
        "doi:10.1109/TPAMI.2013.106"
    )
    weakness: ClassVar[str] = "borders that fade out, where it leaks, and edges beside the lesion"

    sigma: Annotated[float, Within(0.5, 8)] = 3.0
    alpha: Annotated[float, Within(50, 5000, log=True)] = 1000.0
    stop: Annotated[float, Within(0.05, 0.95)] = 0.5
    balloon: Annotated[int, Within(-1, 1)] = 0
    start: Annotated[float, Within(0.3, 1.3)] = 0.95
    rounding: Annotated[int, Within(0, 4)] = 1
    iterations: Annotated[int, Within(1, 120)] = 40

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Evolve the contour within the view."""
        speed = edge_speed(view.grey, self.sigma, self.alpha)
        slope = (
            np.asarray(cv2.Sobel(speed, cv2.CV_32F, 0, 1, scale=1 / 8), np.float32),
            np.asarray(cv2.Sobel(speed, cv2.CV_32F, 1, 0, scale=1 / 8), np.float32),
        )
        free = speed > np.quantile(speed, self.stop)
        region = (((view.radius <= self.start) & view.allowed) | view.core).astype(np.uint8)
        for step in range(self.iterations):
            moved = region
            if self.balloon:
                swollen = (cv2.dilate if self.balloon > 0 else cv2.erode)(region, _CROSS)
                moved = np.where(free, swollen, region)
            moved = attracted(moved, slope)
            for turn in range(self.rounding):
                moved = rounded(moved, first_out=bool((step + turn) % 2))
            evolved = ((moved > 0) & view.allowed) | view.core
            if np.array_equal(evolved, region > 0):
                break
            region = evolved.astype(np.uint8)
        return np.asarray(region > 0)


def edge_speed(grey: NDArray[np.float32], sigma: float, alpha: float) -> NDArray[np.float32]:
    """How fast a contour may move: 1 where the image is even, towards 0 on its edges.

    Args:
        grey: (h, w) float32, 0 to 1.
        sigma: standard deviation of the smoothing in pixels.
        alpha: weight of the gradient.

    Returns:
        (h, w) float32, ``1 / sqrt(1 + alpha |gradient|)``.
    """
    smooth = cv2.GaussianBlur(grey, (0, 0), sigma)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    along = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
    return np.asarray(1 / np.sqrt(1 + alpha * np.hypot(down, along)), np.float32)


def attracted(
    region: NDArray[np.uint8], slope: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> NDArray[np.uint8]:
    """Move the border one pixel down the slope of the speed, that is towards the edges."""
    down = np.asarray(cv2.Sobel(region, cv2.CV_32F, 0, 1), np.float32)
    along = np.asarray(cv2.Sobel(region, cv2.CV_32F, 1, 0), np.float32)
    pull = down * slope[0] + along * slope[1]
    return np.where(pull > 0, 1, np.where(pull < 0, 0, region)).astype(np.uint8)


def rounded(region: NDArray[np.uint8], first_out: bool) -> NDArray[np.uint8]:
    """Shorten the border by morphology: what no straight line of three fits into is changed."""
    outer = (cv2.max, cv2.erode)
    inner = (cv2.min, cv2.dilate)
    for join, act in (outer, inner) if first_out else (inner, outer):
        parts = [act(region, line) for line in _LINES]
        result = parts[0]
        for part in parts[1:]:
            result = join(result, part)
        region = np.asarray(result, np.uint8)
    return region
