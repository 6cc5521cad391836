"""Dark regions of an image, with what tells a lesion from a shadow, fat or a gap between layers.

The image is compared with its own surroundings at two scales (a difference of Gaussians), so that a
lesion in a shadowed or poorly amplified part stands out as one in a bright part does. It is cut at
several levels, bridges to neighbours are opened, and every connected region is a candidate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.tidy import disc
from breastseg.core.box import Box
from breastseg.core.regions import Regions, connected_regions

FEATURES = (
    "contrast",  # grey beside it, left and right, less the grey inside
    "log_area",  # logarithm of its fraction of the image
    "row",  # squared distance of its centre from the upper third's middle, in image heights
    "column",  # squared distance of its centre from the middle column, in image widths
    "solidity",  # its area over that of its convex hull
    "aspect",  # logarithm of width over height, in pixels
    "sides",  # 0, 1 or 2 sides of the image that it touches
    "edge",  # mean radial gradient along its border, dark inside to bright outside
    "weakest_edge",  # the lower fifth of that gradient
    "rank",  # mean fraction of the image's pixels that are darker than its own
)
"""The names of `Region.features`, in order."""

_SCALES = (5, 10)  # the surroundings' extent, as parts of the image's longer side
_OPENINGS_PX = (2, 4)
_DARKEST, _LIGHTEST = 0.04, 0.5  # fractions of the pixels that the levels cut off
_SMALLEST, _LARGEST = 0.004, 0.45  # fractions of the image
_SMOOTHING_PX = 1.2
_RING_PX = 4
_FIRST_ROW = 0.4  # lesions lie a little above the middle of an image


@dataclass(frozen=True, eq=False)
class Region:
    """A connected dark region.

    Attributes:
        row: of the first row of `filled` in the image.
        column: of its first column.
        filled: (h, w) uint8, 1 on the region with its holes, 0 elsewhere.
        box: around it in the image.
        features: as `FEATURES`; (10,) float64.
    """

    row: int
    column: int
    filled: NDArray[np.uint8]
    box: Box
    features: NDArray[np.float64]

    @property
    def area(self) -> int:
        """Pixels, holes included."""
        return int(np.count_nonzero(self.filled))

    def on(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The region as a mask of the image; `shape` bool."""
        mask = np.zeros(shape, bool)
        rows, columns = self.filled.shape
        mask[self.row : self.row + rows, self.column : self.column + columns] = self.filled > 0
        return mask


@dataclass(frozen=True, eq=False)
class _Maps:
    """What the features are read from; all of the image's shape, float32."""

    smooth: NDArray[np.float32]
    down: NDArray[np.float32]
    along: NDArray[np.float32]
    rank: NDArray[np.float32]


def dark_regions(grey: NDArray[np.float32], levels: int) -> list[Region]:
    """All regions that are darker than their surroundings, of every level, in a fixed order.

    Args:
        grey: (rows, columns) float32, 0 to 1, at least 8 pixels a side, about 128 on the longer.
        levels: how many grey levels it is cut at, at each scale.

    Returns:
        Regions of .4 % to 45 % of the image; many overlap.
    """
    smooth = cv2.GaussianBlur(grey, (0, 0), _SMOOTHING_PX)
    order = np.empty(grey.size, np.float32)
    order[np.argsort(smooth, axis=None, kind="stable")] = np.arange(grey.size) / grey.size
    maps = _Maps(
        np.asarray(smooth, np.float32),
        np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8), np.float32),
        np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), np.float32),
        order.reshape(grey.shape),
    )
    seen: set[tuple[Box, int]] = set()
    found = []
    for cut in _cuts(grey, maps.smooth, levels):
        regions = connected_regions(cut)
        for number, (box, area) in enumerate(
            zip(regions.boxes, regions.sizes.tolist(), strict=True), start=1
        ):
            # neighbouring levels often cut out the same region
            if not _SMALLEST < area / grey.size < _LARGEST or (box, area) in seen:
                continue
            seen.add((box, area))
            found.append(_region(regions, number, maps))
    return found


def _cuts(
    grey: NDArray[np.float32], smooth: NDArray[np.float32], levels: int
) -> Iterator[NDArray[np.bool_]]:
    """The image cut at each scale and level, opened."""
    for scale in _SCALES:
        local = smooth - cv2.GaussianBlur(grey, (0, 0), max(grey.shape) / scale)
        for level in np.quantile(local, np.linspace(_DARKEST, _LIGHTEST, levels)):
            dark = (local <= level).astype(np.uint8)
            for radius in _OPENINGS_PX:
                yield np.asarray(cv2.morphologyEx(dark, cv2.MORPH_OPEN, disc(radius)) > 0)


def _region(regions: Regions, number: int, maps: _Maps) -> Region:
    """Cut one region out and describe it."""
    box = regions.boxes[number - 1]
    rows, columns = maps.smooth.shape
    around = box.padded(_RING_PX).within((rows, columns)) or box
    row0, column0, row1, _ = around
    part = around.slices
    own = (regions.labels[part] == number).astype(np.uint8)
    down, along = np.nonzero(own)
    centre = (row0 + float(down.mean()), column0 + float(along.mean()))
    contours, _ = cv2.findContours(own, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=len)
    filled = np.zeros_like(own)
    cv2.drawContours(filled, [contour], -1, 1, -1)
    within = filled > 0
    area = int(np.count_nonzero(filled))
    smooth = maps.smooth[part]
    # Beside the lesion alone: above lies skin or fat, below its shadow or enhancement.
    height, width = box.shape
    beside = (cv2.dilate(filled, disc(_RING_PX)) > 0) & ~within
    beside[np.abs(np.arange(row0, row1) - centre[0]) >= 0.4 * height] = False
    mean = float(smooth[within].mean())
    edge = _radial_gradient(np.asarray(contour, np.int32)[:, 0, :] + (column0, row0), centre, maps)
    hull = cv2.convexHull(contour)
    features = (
        float(smooth[beside].mean()) - mean if beside.any() else 0.0,
        np.log(area / maps.smooth.size),
        ((centre[0] + 0.5) / rows - _FIRST_ROW) ** 2,
        ((centre[1] + 0.5) / columns - 0.5) ** 2,
        area / (cv2.contourArea(hull) + len(hull) / 2 + 1),
        np.log(width / height),
        float(box.start[1] <= 1) + float(box.stop[1] >= columns - 1),
        float(edge.mean()),
        float(np.partition(edge, len(edge) // 5)[len(edge) // 5]),
        float(maps.rank[part][within].mean()),
    )
    return Region(row0, column0, filled, box, np.array(features, np.float64))


def _radial_gradient(
    points: NDArray[np.int32], centre: tuple[float, float], maps: _Maps
) -> NDArray[np.float64]:
    """The gradient away from the centre at (column, row) points; 0 on the image's rim."""
    rows, columns = maps.smooth.shape
    along, down = points[:, 0], points[:, 1]
    to_row, to_column = down - centre[0], along - centre[1]
    far = np.hypot(to_row, to_column) + 1e-6
    gradient = (maps.down[down, along] * to_row + maps.along[down, along] * to_column) / far
    inner = (down > 1) & (down < rows - 2) & (along > 1) & (along < columns - 2)
    return np.asarray(np.where(inner, gradient, 0.0), np.float64)
