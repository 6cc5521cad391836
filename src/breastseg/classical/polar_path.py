"""The cheapest closed path around the lesion's centre, by dynamic programming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within

_RAYS = 96
_STEPS = 64
_NEAREST, _FARTHEST = 0.25, 1.75  # radii looked at, in units of the ellipse in the box
_REACH = 3  # steps by which neighbouring rays may differ
_FORBIDDEN = 1e4  # more than any path costs, yet finite: demands that contradict leave a path
_UNSURE = 0.5  # weight of the prior of a candidate, whose box is not as good as a user's
_FOUND_RAYS = 2.0  # smoothing of the contour of the region that was found, in rays


@dataclass(frozen=True)
class PolarPath(ClassicalMethod):
    """A star-shaped contour: one radius a ray, chosen together so that the path is cheapest.

    The view is resampled on rays from the centre of the ellipse in the box. Crossing a ray is cheap
    where the image turns from dark to bright, where what lies within looks like the lesion's core
    and what lies without like its surroundings, and near the ellipse; neighbouring rays must agree.

    Attributes:
        sigma: standard deviation of the smoothing before the gradient is taken, in pixels of the
            view; larger ignores speckle and loses fine lobes.
        edge: weight of the turn from dark to bright.
        area: weight of the grey levels within and without.
        prior: weight of the deviation from the ellipse; larger keeps closer to it. Of a candidate
            half of it, and from between the ellipse and the region that was found.
        bend: weight of the difference between neighbouring rays; larger gives rounder contours.
        target: the radius that the prior draws to, in units of the ellipse.
        fit: how far a contour reaches towards each side of a box drawn by a user, at least, as a
            fraction of the way from its centre; it is stretched where it falls short, unless the
            user has marked background too. 0 leaves it.
    """

    name: ClassVar[str] = "polar-path"
    summary: ClassVar[str] = "the cheapest closed path around the centre, by dynamic programming"
    source: ClassVar[str] = (
        "Timp S, Karssemeijer N. A new 2D segmentation method based on dynamic programming applied "
        "to computer aided detection in mammography. Med Phys 31(5), 958-971 (2004), "
        "doi:10.1118/1.1688039"
    )
    weakness: ClassVar[str] = "shapes that a ray from the centre crosses more than once"

    sigma: Annotated[float, Within(0.5, 8)] = 2.0
    edge: Annotated[float, Within(0, 8)] = 3.0
    area: Annotated[float, Within(0, 4)] = 1.0
    prior: Annotated[float, Within(0, 32)] = 8.0
    bend: Annotated[float, Within(0.01, 4, log=True)] = 0.25
    target: Annotated[float, Within(0.7, 1.2)] = 1.0
    fit: Annotated[float, Within(0, 1)] = 0.9

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Resample, price, find the path, stretch it to the box, and fill it."""
        rays = Rays.of(view)
        path = cheapest_closed_path(self._cost(view, rays), self.bend)
        down, along = rays.unit(rays.radii[path])
        if view.given and not view.outside.any():
            down, along = stretched(down, self.fit), stretched(along, self.fit)
        return rays.filled(down, along, view.shape)

    def _cost(self, view: View, rays: Rays) -> NDArray[np.float32]:
        """What it costs to cross each ray at each radius, (n, m)."""
        grey = rays.sample(np.asarray(cv2.GaussianBlur(view.grey, (0, 0), self.sigma), np.float32))
        weight, expected = self.prior, np.full((len(rays.angles), 1), self.target)
        if view.found is not None:
            weight *= _UNSURE
            expected = expected * (1 + rays.reached(view.found)) / 2
        cost = self.edge * edge_cost(grey) + self.area * area_cost(grey)
        cost += weight * (rays.radii - expected) ** 2
        cost[rays.sample(view.allowed.astype(np.float32)) < 0.5] = _FORBIDDEN
        step = rays.radii[1] - rays.radii[0]
        for ray, radius in rays.beside(view.inside):
            cost[ray, rays.radii < radius + step] += _FORBIDDEN
        for ray, radius in rays.beside(view.outside):
            cost[ray, rays.radii > radius - step] += _FORBIDDEN
        return cost.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Rays:
    """Rays from the centre of an ellipse, at equal steps of its angle.

    Attributes:
        centre: (row, column) in pixels, in which whole numbers are the pixels' centres.
        axes: half the ellipse's height and width in pixels.
        angles: (n,) in radians, from 0.
        radii: (m,) in units of the ellipse, at equal steps.
    """

    centre: tuple[float, float]
    axes: tuple[float, float]
    angles: NDArray[np.float64]
    radii: NDArray[np.float64]

    @classmethod
    def of(cls, view: View) -> Rays:
        """Those of the ellipse in a view's box."""
        row0, column0, row1, column1 = view.box
        return cls(
            ((row0 + row1 - 1) / 2, (column0 + column1 - 1) / 2),
            ((row1 - row0) / 2, (column1 - column0) / 2),
            np.asarray(np.arange(_RAYS) * (2 * np.pi / _RAYS), np.float64),
            np.asarray(np.linspace(_NEAREST, _FARTHEST, _STEPS), np.float64),
        )

    def unit(self, radii: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How far down and along points at radii (n,) or (n, m) lie, in units of the axes."""
        angles = self.angles.reshape(-1, *[1] * (radii.ndim - 1))
        return radii * np.sin(angles), radii * np.cos(angles)

    def sample(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """The image on the rays, (n, m) float32; beyond its edge, the edge's values."""
        down, along = self.unit(
            np.broadcast_to(self.radii, (len(self.angles), len(self.radii))).astype(np.float64)
        )
        rows = (self.centre[0] + down * self.axes[0]).astype(np.float32)
        columns = (self.centre[1] + along * self.axes[1]).astype(np.float32)
        return np.asarray(
            cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
            np.float32,
        )

    def reached(self, region: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The last radius of each ray that lies in a region, (n, 1), smoothed; at least the first.

        A region that no ray meets is taken for the ellipse.
        """
        met = self.sample(region.astype(np.float32)) >= 0.5
        if not met.any():
            return np.ones((len(self.angles), 1))
        last = np.max(np.where(met, self.radii, self.radii[0]), axis=1)
        return np.asarray(ndimage.gaussian_filter1d(last, _FOUND_RAYS, mode="wrap")[:, None])

    def beside(self, marks: NDArray[np.bool_]) -> list[tuple[int, float]]:
        """The two rays beside each marked pixel, with the pixel's radius."""
        rows, columns = np.nonzero(marks)
        down = (rows - self.centre[0]) / self.axes[0]
        along = (columns - self.centre[1]) / self.axes[1]
        count = len(self.angles)
        turns = np.arctan2(down, along) / (2 * np.pi) * count
        left = np.floor(turns).astype(int)
        radii = np.hypot(down, along).tolist()
        return [
            (int(ray) % count, radius)
            for rays in (left, left + 1)
            for ray, radius in zip(rays, radii, strict=True)
        ]

    def filled(
        self, down: NDArray[np.float64], along: NDArray[np.float64], shape: tuple[int, int]
    ) -> NDArray[np.bool_]:
        """The polygon of points (n,) in units of the axes, as a mask of `shape`."""
        corners = np.column_stack(
            [self.centre[1] + along * self.axes[1], self.centre[0] + down * self.axes[0]]
        )
        canvas = np.zeros(shape, np.uint8)
        cv2.fillPoly(canvas, [np.rint(corners * 16).astype(np.int32)], 1, shift=4)
        return canvas > 0


def edge_cost(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Low where rays (n, m) turn from dark to bright, in standard deviations of such turns."""
    turn = np.gradient(grey, axis=1)
    spread = float(turn.std())
    return np.asarray(-turn / spread if spread > 1e-6 else np.zeros_like(turn), np.float32)


def area_cost(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Low where what lies within along a ray (n, m) is dark and what lies without is bright.

    The middle of the grey levels of the innermost and the outermost third parts the two; each
    sample costs by how far it lies on the wrong side, and counts by the area that it stands for.
    """
    third = max(1, grey.shape[1] // 3)
    dark, bright = float(np.median(grey[:, :third])), float(np.median(grey[:, -third:]))
    half = max((bright - dark) / 2, 1e-3)
    wrong = np.clip((grey - (dark + bright) / 2) / half, -1, 1)
    weighted = wrong * (np.arange(grey.shape[1]) / grey.shape[1])
    return np.asarray(np.cumsum(weighted, axis=1) / (grey.shape[1] / 8), np.float32)


def cheapest_closed_path(cost: NDArray[np.float32], bend: float) -> NDArray[np.intp]:
    """One column a row of a cost matrix, so that costs and bends add up to the least.

    A step of d columns between neighbouring rows costs bend * d^2, up to 3 columns; the last row is
    a neighbour of the first. All columns are tried as the start side by side, so that the path
    closes and none is cheaper.

    Args:
        cost: (n, m) float32, finite.
        bend: 0 or more.

    Returns:
        (n,) columns.
    """
    rays, steps = cost.shape
    wide = np.full((steps, steps + 2 * _REACH), np.inf, np.float32)
    total = wide[:, _REACH:-_REACH]  # the cheapest way from a start (rows) to a column
    np.fill_diagonal(total, cost[0])
    came = np.zeros((rays, steps, steps), np.int8)
    for ray in range(1, rays + 1):
        best = np.full((steps, steps), np.inf, np.float32)
        for change in range(-_REACH, _REACH + 1):
            first = _REACH + change
            option = wide[:, first : first + steps] + np.float32(bend * change**2)
            came[ray - 1][option < best] = change
            np.minimum(best, option, out=best)
        total[:] = best + cost[ray] if ray < rays else best
    start = column = int(np.argmin(np.diagonal(total)))
    path = np.empty(rays, np.intp)
    for ray in reversed(range(rays)):
        column += int(came[ray, start, column])
        path[ray] = column
    return path


def stretched(offsets: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Stretch a contour to either side of its centre where it reaches less far than `least`.

    Args:
        offsets: (n,) of its corners from the centre along one axis; the box's sides are at -1, 1.
        least: 0 or more.

    Returns:
        (n,) offsets.
    """
    low, high = -float(offsets.min()), float(offsets.max())
    below = least / low if 0 < low < least else 1.0
    above = least / high if 0 < high < least else 1.0
    return np.where(offsets < 0, offsets * below, offsets * above)
