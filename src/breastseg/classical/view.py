"""The surroundings of one suspected lesion, brought to a common size and polarity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.preprocess.geometry import resize

SIDE_PX = 96
"""What the longer side of the lesion's box is scaled to."""
_BESIDE_PX = 12.0  # from a region that was found, background is at least that far
_AROUND_POINT_PX = 5.0  # of a point, all is taken for lesion
_LARGEST_SCALE = 4.0  # more would blow up single pixels


@dataclass(frozen=True, eq=False)
class View:
    """A window around one lesion, which is darker than its surroundings whatever the modality.

    The window is scaled so that the longer side of the lesion's box is `SIDE_PX`: radii, numbers of
    iterations and weights then mean the same for a lesion of 5 mm and one of 50 mm.

    Attributes:
        grey: (h, w) float32, 0 to 1, speckle reduced.
        plain: (h, w) float32, 0 to 1, the same as it came.
        box: where the lesion is expected, in pixels of the view; it may reach the edge of the view.
        allowed: (h, w) bool, where a mask may lie: within a box that a user has drawn, within
            reach of a candidate that was found, never on a point that the user called background.
        inside: (h, w) bool, pixels that the user called lesion; often none.
        outside: (h, w) bool, pixels that the user called background; often none.
        given: the box is the user's: the lesion touches its four sides, more or less.
        found: (h, w) bool, the region that the finder took for the lesion; None where the user
            pointed at it.
    """

    grey: NDArray[np.float32]
    plain: NDArray[np.float32]
    box: Box
    allowed: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    given: bool
    found: NDArray[np.bool_] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the window."""
        rows, columns = self.grey.shape
        return rows, columns

    @cached_property
    def radius(self) -> NDArray[np.float32]:
        """(h, w) float32: elliptic distance from the box's centre; 1 on the inscribed ellipse."""
        row0, column0, row1, column1 = self.box
        rows, columns = np.ogrid[: self.shape[0], : self.shape[1]]
        down = (rows + 0.5 - (row0 + row1) / 2) / ((row1 - row0) / 2)
        along = (columns + 0.5 - (column0 + column1) / 2) / ((column1 - column0) / 2)
        return np.sqrt(down**2 + along**2).astype(np.float32)

    @cached_property
    def core(self) -> NDArray[np.bool_]:
        """(h, w) bool: what is lesion in all likelihood: the middle of the box, the user's points.

        Where the finder has found a region, its innermost part; where there are points and no box,
        what lies close to them. It has at least one pixel where any pixel is allowed.
        """
        if self.found is not None:
            core = _innermost(self.found)
        elif self.given or not self.inside.any():
            core = self.radius <= 0.4
        else:
            core = ~_far_from(self.inside, _AROUND_POINT_PX)
        core &= self.allowed
        core = (core | self.inside) & ~self.outside
        if not core.any() and self.allowed.any():
            core[
                np.unravel_index(np.argmin(np.where(self.allowed, self.radius, np.inf)), self.shape)
            ] = True
        return core

    @cached_property
    def ground(self) -> NDArray[np.bool_]:
        """(h, w) bool: what is background in all likelihood: outside of the box, the user's points.

        In a window without any such pixel, its rim. It shares no pixel with the core.
        """
        ground = np.ones(self.shape, bool)
        ground[self.box.slices] = False
        ground |= (self.radius > 1.25) | self.outside
        if self.found is not None:
            ground |= _far_from(self.found, _BESIDE_PX)
        ground &= ~(self.inside | self.core)
        if not ground.any():
            ground[0], ground[-1], ground[:, 0], ground[:, -1] = True, True, True, True
            ground &= ~(self.inside | self.core)
        return ground


def _innermost(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels that are at least half as deep in a region as its deepest."""
    depth = cv2.distanceTransform(
        np.pad(region, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )[1:-1, 1:-1]
    return np.asarray(region & (depth >= depth.max() / 2))


def _far_from(region: NDArray[np.bool_], distance_px: float) -> NDArray[np.bool_]:
    """The pixels that lie further than a distance from a region."""
    if not region.any():
        return np.ones(region.shape, bool)
    away = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away > distance_px)


@dataclass(frozen=True)
class Window:
    """Where a view lies in its image.

    Attributes:
        image: (rows, columns) of the image.
        part: the part of the image that the view shows.
        size: (rows, columns) of the view.
    """

    image: tuple[int, int]
    part: Box
    size: tuple[int, int]

    @classmethod
    def around(cls, box: Box, image: tuple[int, int], margin: float) -> Window:
        """Plan a window around a box.

        Args:
            box: within the image.
            image: (rows, columns).
            margin: of context on each side, as a fraction of the box's longer side.
        """
        longer = max(box.shape)
        part = box.padded(max(2, round(margin * longer))).within(image) or box
        scale = min(SIDE_PX / longer, _LARGEST_SCALE)
        rows, columns = (max(1, round(side * scale)) for side in part.shape)
        return cls(image, part, (rows, columns))

    def cut(self, array: NDArray[np.generic]) -> NDArray[np.float32]:
        """The part of an array of the image's shape that the view shows, at its size; float32."""
        return resize(array[self.part.slices], self.size)

    def cut_marks(self, marks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The same for marked pixels, none of which is lost by shrinking."""
        rows, columns = np.nonzero(marks[self.part.slices])
        out = np.zeros(self.size, bool)
        down, along = self._scale
        out[((rows + 0.5) * down).astype(int), ((columns + 0.5) * along).astype(int)] = True
        return out

    def box_in_view(self, box: Box) -> Box:
        """A box of the image in pixels of the view, at least one pixel a side."""
        row0, column0, row1, column1 = box.shifted(*(-start for start in self.part.start))
        down, along = self._scale
        # A box along the window's edge, far thinner than long, must not be rounded out of it.
        top = min(round(row0 * down), self.size[0] - 1)
        left = min(round(column0 * along), self.size[1] - 1)
        bottom, right = round(row1 * down), round(column1 * along)
        return Box.of(top, left, max(bottom, top + 1), max(right, left + 1))

    def paste(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """A map of the view on the image's grid, zero elsewhere; float32."""
        rows, columns = self.part.shape
        out = np.zeros(self.image, np.float32)
        out[self.part.slices] = resize(values, (rows, columns))
        return out

    @property
    def _scale(self) -> tuple[float, float]:
        """Pixels of the view for each of the image, down and along."""
        rows, columns = self.part.shape
        return self.size[0] / rows, self.size[1] / columns
