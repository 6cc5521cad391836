"""The cheapest closed path around the lesion's centre, by dynamic programming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within

_RAYS = 96
_STEPS = 64
_NEAREST, _FARTHEST = 0.25, 1.75  # radii looked at, in units of the ellipse in the box
_FORBIDDEN = 1e6
_TOUCHED = 0.2  # share of a marked pixel in a sample


@dataclass(frozen=True)
class PolarPath(ClassicalMethod):
    """A star-shaped outline: one radius a ray, chosen together so that the path is cheapest.

    The view is resampled on rays from the centre of the ellipse in the box. Crossing a ray is cheap
    where the image turns from dark to bright, where what lies within looks like the lesion's core
    and what lies without like its surroundings, and near the ellipse; neighbouring rays must agree.

    Attributes:
        sigma: standard deviation of the smoothing before the gradient is taken, in pixels of the
            view; larger ignores speckle and loses fine lobes.
        edge: weight of the turn from dark to bright.
        area: weight of the grey levels within and without.
        prior: weight of the deviation from the ellipse; larger keeps closer to it.
        bend: weight of the difference between neighbouring rays; larger gives rounder outlines.
        target: the radius that the prior draws to, in units of the ellipse.
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
    prior: Annotated[float, Within(0, 32)] = 10.0
    bend: Annotated[float, Within(0.01, 4, log=True)] = 0.1
    target: Annotated[float, Within(0.7, 1.2)] = 1.0

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Resample, price, find the path, and fill it."""
        rays = Rays.of(view)
        grey = rays.sample(np.asarray(cv2.GaussianBlur(view.grey, (0, 0), self.sigma), np.float32))
        cost = self.edge * edge_cost(grey) + self.area * area_cost(grey)
        cost += self.prior * (rays.radii - self.target) ** 2
        marked = rays.sample(view.inside.astype(np.float32)) > _TOUCHED
        cost[np.maximum.accumulate(marked[:, ::-1], axis=1)[:, ::-1]] = _FORBIDDEN  # stay beyond
        barred = rays.sample(view.outside.astype(np.float32)) > _TOUCHED
        cost[np.maximum.accumulate(barred, axis=1)] = _FORBIDDEN  # stay within
        path = cheapest_closed_path(cost.astype(np.float64), self.bend)
        return rays.filled(rays.radii[path], view.shape)


@dataclass(frozen=True, eq=False)
class Rays:
    """Rays from the centre of an ellipse, at equal steps of its angle.

    Attributes:
        centre: (row, column) in pixels, in which whole numbers are the pixels' centres.
        axes: half the ellipse's height and width in pixels.
        angles: (n,) in radians.
        radii: (m,) in units of the ellipse.
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

    def at(self, radii: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Rows and columns, float32, of points at radii of shape (n,) or (n, m), one row a ray."""
        angles = self.angles.reshape(-1, *[1] * (radii.ndim - 1))
        rows = self.centre[0] + radii * self.axes[0] * np.sin(angles)
        columns = self.centre[1] + radii * self.axes[1] * np.cos(angles)
        return rows.astype(np.float32), columns.astype(np.float32)

    def sample(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """The image on the rays, (n, m) float32; beyond its edge, the edge's values."""
        rows, columns = self.at(np.broadcast_to(self.radii, (len(self.angles), len(self.radii))))
        return np.asarray(
            cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
            np.float32,
        )

    def filled(self, radii: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The polygon with one corner a ray, as a mask of `shape`."""
        rows, columns = self.at(radii)
        sixteenths = np.rint(np.column_stack([columns, rows]) * 16).astype(np.int32)
        canvas = np.zeros(shape, np.uint8)
        cv2.fillPoly(canvas, [sixteenths], 1, shift=4)
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


def cheapest_closed_path(cost: NDArray[np.float64], bend: float) -> NDArray[np.intp]:
    """One column a row of a cost matrix, so that costs and bends add up to the least.

    A step of d columns between neighbouring rows costs bend * d^2, up to 3 columns; the last row is
    a neighbour of the first. The path is traced twice around and cut where it has closed.

    Args:
        cost: (n, m) float64, finite.
        bend: 0 or more.

    Returns:
        (n,) columns.
    """
    rays, steps = cost.shape
    reach = np.arange(-3, 4)
    penalty = bend * reach[:, None] ** 2
    total = cost[0].copy()
    came: list[NDArray[np.intp]] = []
    for turn in range(1, 2 * rays):
        wide = np.pad(total, 3, constant_values=np.inf)
        options = np.stack([wide[3 + d : 3 + d + steps] for d in reach]) + penalty
        best = np.argmin(options, axis=0)
        came.append(np.arange(steps) + reach[best])
        total = options[best, np.arange(steps)] + cost[turn % rays]
    column = int(np.argmin(total))
    path = [column]
    for back in reversed(came):
        column = int(back[column])
        path.append(column)
    twice = np.array(path[::-1])
    middle = rays // 2  # half a turn away from either loose end
    return np.roll(twice[middle : middle + rays], middle)
