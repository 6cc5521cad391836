"""How far a lesion lies from the skin, in the plane of the image.

It is the shortest distance between the lesion and the skin line, between centres of pixels: of a
compressed breast the one on the film, not the one in the breast. Where the skin nearest to the
lesion lies beyond the image, it is an upper bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.core.prediction import Lesion
from breastseg.measure.diameters import Point
from breastseg.measure.lesion import spacing_at
from breastseg.preprocess.intensity import to_unit


class Skin(Protocol):
    """Where the skin lies in an image."""

    def distance(self, lesion: Lesion, grid: Grid) -> float:
        """The shortest one to a lesion, 0 where it reaches the skin.

        Args:
            lesion: a 2-D one.
            grid: of the image.

        Returns:
            Millimetres, or pixels where the spacing at the lesion is not known.

        Raises:
            GeometryError: skin or lesion do not lie on this grid.
        """
        ...


@dataclass(frozen=True, eq=False)
class SeenSkin:
    """The edge of the breast.

    Attributes:
        line: (rows, columns) bool, at least one pixel; see `skin_line`.
    """

    line: NDArray[np.bool_]

    def distance(self, lesion: Lesion, grid: Grid) -> float:
        """As `Skin` says."""
        if self.line.shape != grid.shape:
            raise GeometryError(f"a skin line on {self.line.shape}", f"one on {grid.shape}")
        from scipy.spatial import KDTree

        steps = np.array(spacing_at(lesion, grid) or (1.0, 1.0))
        edge = _edge(lesion, grid)
        if self.line[lesion.box.slices][lesion.crop].any():
            return 0.0
        # The pixel of a lesion that is nearest to a point outside of it lies on its edge; a large
        # finding of a mammogram has half a million pixels and some thousands on its edge.
        away, _ = KDTree(np.argwhere(self.line) * steps).query(edge * steps)
        return float(away.min())


@dataclass(frozen=True)
class LaidSkin:
    """A straight line that a person has laid; it goes on beyond its ends.

    Attributes:
        ends: two points (row, column), whole numbers at centres of pixels.
    """

    ends: tuple[Point, Point]

    def __post_init__(self) -> None:
        if not np.isfinite(self.ends).all() or self.ends[0] == self.ends[1]:
            raise GeometryError(f"a skin line through {self.ends}", "two points apart")

    def distance(self, lesion: Lesion, grid: Grid) -> float:
        """As `Skin` says."""
        return self.shortest(lesion, grid)[0]

    def shortest(self, lesion: Lesion, grid: Grid) -> tuple[float, tuple[Point, Point]]:
        """The distance with its two ends: a pixel of the lesion, and the nearest point of the line.

        Both ends are one point where the lesion reaches the line. Arguments and errors as
        `distance`.
        """
        steps = np.array(spacing_at(lesion, grid) or (1.0, 1.0))
        first, last = np.array(self.ends) * steps
        down, right = (last - first) / np.hypot(*(last - first))
        edge = _edge(lesion, grid)
        to = edge * steps - first
        aside = down * to[:, 1] - right * to[:, 0]
        nearest = int(np.abs(aside).argmin())
        row, column = edge[nearest].tolist()
        if aside.min() <= 0 <= aside.max():
            return 0.0, ((row, column), (row, column))
        along = to[nearest] @ (down, right)
        foot = ((first + along * np.array((down, right))) / steps).tolist()
        return float(abs(aside[nearest])), ((row, column), (foot[0], foot[1]))


def skin_of(image: Image) -> Skin | None:
    """The skin as it is seen in a mammogram.

    Args:
        image: any; its modality decides.

    Returns:
        None where the image is no mammogram, or where the breast fills it.
    """
    grey = image.modality is Modality.MAMMOGRAPHY and image.grid.ndim == 2 and len(image.array) == 1
    if not grey:
        return None
    from breastseg.preprocess.breast_region import breast_region

    line = skin_line(breast_region(to_unit(image.array[0])))
    return SeenSkin(line) if line.any() else None


def skin_line(breast: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The outermost pixels of the breast: those with a side towards what is not breast.

    The image's border is no skin: there the breast goes on.

    Args:
        breast: (rows, columns) bool, such as `breastseg.preprocess.breast_region` gives.

    Returns:
        (rows, columns) bool; empty where the breast fills the image.
    """
    return _with_a_side_free(breast, beyond=True)


def _with_a_side_free(region: NDArray[np.bool_], beyond: bool) -> NDArray[np.bool_]:
    """Pixels with a side towards what is not the region; `beyond` the grid it goes on, or ends."""
    around = np.pad(region, 1, constant_values=beyond)
    surrounded = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    return np.asarray(region & ~surrounded, bool)


def _edge(lesion: Lesion, grid: Grid) -> NDArray[np.float64]:
    """(n, 2) centres of the pixels on a lesion's edge."""
    if not lesion.box.fits(grid.shape):
        raise GeometryError(f"a lesion in {lesion.box}", f"one on {grid.shape}")
    edge = np.argwhere(_with_a_side_free(lesion.crop, beyond=False))
    return np.asarray(edge + np.array(lesion.box.start), np.float64)
