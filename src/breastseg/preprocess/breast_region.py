"""Where in a mammogram the breast is, and where in it the pectoral muscle."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.regions import connected_regions
from breastseg.preprocess.geometry import resize

SIDE_PX = 256
"""The longer side of the copy that everything is computed on; lengths below are in its pixels."""
_BRIDGE_PX = 5  # labels and the film's edge hang on the breast by less than twice this
_FLATNESS = 0.25  # a background varies by less than this fraction of its distance to the tissue
_BLANK = 1e-3  # an image that varies by less shows nothing
_RISE = 0.35  # the skin is where this fraction of that distance is climbed

_ANGLES = (8.0, 50.0)  # between the muscle's edge and the chest wall, in degrees
_SKIN_PX = 5  # the fall of brightness this close to the skin is not the muscle's edge
_SAMPLES = 40  # along a line
_WITHIN = 0.95  # fraction of a line that must lie in the breast
_STEP, _LARGEST_STEP = 0.3, 3.0  # across the edge, in multiples of the breast's median gradient
_CLEAR = 0.7  # fraction of the muscle's edge where it is at least `_STEP` darker outside
_MAX_FRACTION = 0.5  # of the breast that can be muscle


def breast_region(unit: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The breast, without background, labels and the film's edge.

    The background is the darkest of the image's four sides. What rises clearly above it and hangs
    together is the breast; from the chest wall to the skin it has no gaps, however dark the fat.

    Args:
        unit: (rows, columns) float32, 0 to 1, with a dark background; the chest wall is left or
            right.

    Returns:
        (rows, columns) bool; everything where there is no even, dark background to tell the breast
        from, as in a part cut out of a mammogram.
    """
    return _resized(_breast(_copy(unit)), unit.shape)


def pectoral_muscle(unit: NDArray[np.float32], breast: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pectoral muscle of an oblique (MLO) view: a bright triangle in the upper chest corner.

    Its edge is taken for the straight line across that corner with the strongest fall of
    brightness, of all lines at a plausible angle whose whole length is in the breast. It counts as
    muscle only if most of the line shows such a fall and the triangle is not too large.

    Source: the straight line after Karssemeijer N. Automated classification of parenchymal patterns
    in mammograms. Phys Med Biol 43(2), 365-378 (1998), doi:10.1088/0031-9155/43/2/011. Its
    Hough transform of the gradient is here a sum of the gradient along each line, which is limited
    at single pixels so that no bright vessel decides.

    Args:
        unit: (rows, columns) float32, 0 to 1, head up, with a dark background.
        breast: (rows, columns) bool, from `breast_region`.

    Returns:
        (rows, columns) bool, part of `breast`; empty where no muscle is seen, as in craniocaudal
        (CC) views.

    Raises:
        GeometryError: image and breast have different shapes.
    """
    if unit.shape != breast.shape:
        raise GeometryError(f"a breast of {breast.shape}", f"the image's shape {unit.shape}")
    nothing = np.zeros(breast.shape, bool)
    grey = _copy(unit)
    region = _resized(breast, grey.shape)
    wall = _Wall.of(region)
    if wall is None:
        return nothing
    if wall.on_right:
        grey, region = grey[:, ::-1], region[:, ::-1]
    top = int(np.flatnonzero(region.any(axis=1))[0])
    corner = np.s_[top:, wall.distance_px :]
    muscle = np.zeros_like(region)
    muscle[corner] = _corner_triangle(grey[corner], region[corner])
    return _resized(muscle[:, ::-1] if wall.on_right else muscle, unit.shape) & breast


def tissue_region(unit: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The breast without the pectoral muscle: where a lesion may be.

    Args:
        unit: (rows, columns) float32, 0 to 1, head up, with a dark background.

    Returns:
        (rows, columns) bool.
    """
    breast = breast_region(unit)
    return breast & ~pectoral_muscle(unit, breast)


def _copy(unit: NDArray[np.float32]) -> NDArray[np.float32]:
    scale = SIDE_PX / max(unit.shape)
    return resize(
        unit, (max(1, round(unit.shape[0] * scale)), max(1, round(unit.shape[1] * scale)))
    )


def _disc(radius: int) -> NDArray[np.uint8]:
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(shape, np.uint8)


def _resized(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """By nearest neighbour."""
    pixels = mask.astype(np.uint8)
    return np.asarray(
        cv2.resize(pixels, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST_EXACT) > 0
    )


def _breast(grey: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The breast on the copy."""
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    everything = np.ones(grey.shape, bool)
    root = np.sqrt(grey)  # spreads the dark levels, where the skin fades into the background
    if root.max() - root.min() < _BLANK:
        return everything
    bright = root > threshold_otsu(root)
    # Between the two classes' means, for where no level occurs Otsu's threshold may lie anywhere.
    middle = float(root[bright].mean() + root[~bright].mean()) / 2
    level, spread = _background(root)
    if spread > _FLATNESS * (middle - level):
        return everything
    bright = root > level + _RISE * (middle - level)
    disc = _disc(_BRIDGE_PX)
    # Beyond the image counts as dark: the film's edge is a thin line there.
    parts = cv2.morphologyEx(
        bright.astype(np.uint8), cv2.MORPH_OPEN, disc, borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    largest = connected_regions(parts > 0).largest()
    if not largest.any():
        return everything
    whole = (cv2.dilate(largest.astype(np.uint8), disc) > 0) & bright
    return _reaching_wall(np.asarray(ndimage.binary_fill_holes(whole), bool))


def _background(root: NDArray[np.float32]) -> tuple[float, float]:
    """The median and the spread between the quartiles of the side that is darkest."""
    high, wide = (max(1, round(0.04 * length)) for length in root.shape)
    sides = (root[:high], root[-high:], root[:, :wide], root[:, -wide:])
    quartiles = [np.quantile(side, (0.5, 0.75, 0.25)).tolist() for side in sides]
    median, upper, lower = min(quartiles)
    return median, upper - lower


@dataclass(frozen=True)
class _Wall:
    """The chest wall: the straight side of the breast.

    Attributes:
        on_right: on the right of the image, else on its left.
        distance_px: from that side of the image.
    """

    on_right: bool
    distance_px: int

    @classmethod
    def of(cls, breast: NDArray[np.bool_]) -> _Wall | None:
        """The wall; None where neither side is much straighter than the other."""
        rows = breast[breast.any(axis=1)]
        if not rows.size:
            return None
        # Per row, how far the breast is from the image's left and right side.
        gaps = (rows.argmax(axis=1), rows[:, ::-1].argmax(axis=1))
        near = [np.quantile(gap, (0.05, 0.25, 0.75)) for gap in gaps]
        left, right = (float(upper - lower) for _, lower, upper in near)
        if 2 * min(left, right) >= max(left, right):
            return None
        on_right = right < left
        return cls(on_right, int(near[on_right][0]))


def _reaching_wall(breast: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Filled from the chest wall to the outermost pixel of each row."""
    wall = _Wall.of(breast)
    if wall is None:
        return breast
    seen = breast[:, ::-1] if wall.on_right else breast
    filled = np.logical_or.accumulate(seen[:, ::-1], axis=1)[:, ::-1]
    filled[:, : wall.distance_px] = seen[:, : wall.distance_px]
    return filled[:, ::-1] if wall.on_right else filled


def _corner_triangle(grey: NDArray[np.float32], breast: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The muscle where the chest wall is the first column and the breast's top the first row."""
    nothing = np.zeros(breast.shape, bool)
    lines = _Lines.across(breast)
    falls = lines.falls(*_gradient(grey, breast))
    if not falls.size:
        return nothing
    steady = np.minimum(falls, _LARGEST_STEP).mean(axis=1)
    best = int(np.argmax(steady * np.sqrt(lines.lengths)))  # of two as steady, the longer
    if (falls[best] >= _STEP).mean() < _CLEAR:
        return nothing
    rows, columns = np.ogrid[: breast.shape[0], : breast.shape[1]]
    triangle = (columns / lines.along[best] + rows / lines.down[best] < 1) & breast
    return triangle if triangle.sum() <= _MAX_FRACTION * breast.sum() else nothing


def _gradient(
    grey: NDArray[np.float32], breast: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The fall of brightness along columns and rows, in multiples of the median; 0 at the skin."""
    smooth = cv2.GaussianBlur(
        np.ascontiguousarray(grey), (0, 0), 2.0, borderType=cv2.BORDER_REPLICATE
    )
    right, down = (
        -cv2.Sobel(smooth, cv2.CV_32F, *axis, ksize=3, borderType=cv2.BORDER_REPLICATE)
        for axis in ((1, 0), (0, 1))
    )
    # Beyond chest wall and top edge the breast goes on, as erosion has it: only skin is worn off.
    inner = cv2.erode(np.ascontiguousarray(breast, np.uint8), _disc(_SKIN_PX)) > 0
    steepness = np.hypot(right, down)[inner]
    unit = float(np.median(steepness)) if steepness.size else 0.0
    if unit <= 0:
        return np.zeros_like(smooth), np.zeros_like(smooth)
    return np.where(inner, right / unit, 0), np.where(inner, down / unit, 0)


@dataclass(frozen=True, eq=False)
class _Lines:
    """Lines from the first row to the first column.

    Attributes:
        along: (n,) where they cut the first row, in pixels from the corner.
        down: (n,) where they cut the first column.
        columns: (n, samples) of pixels on them.
        rows: the same.
    """

    along: NDArray[np.float64]
    down: NDArray[np.float64]
    columns: NDArray[np.intp]
    rows: NDArray[np.intp]

    @classmethod
    def across(cls, breast: NDArray[np.bool_]) -> _Lines:
        """All at a plausible angle that lie in the breast, some 3 pixels apart."""
        height, width = breast.shape
        grid = np.meshgrid(np.arange(10.0, width, 3), np.arange(20.0, height, 4))
        along, down = (axis.ravel() for axis in grid)
        angles = np.degrees(np.arctan2(along, down))
        plausible = (angles >= _ANGLES[0]) & (angles <= _ANGLES[1])
        along, down = along[plausible], down[plausible]
        # The very ends are at the image's edge, where a gradient says little.
        places = np.linspace(0.04, 0.96, _SAMPLES)
        columns = (along[:, None] * places).astype(np.intp)
        rows = (down[:, None] * (1 - places)).astype(np.intp)
        within = breast[rows, columns].mean(axis=1) >= _WITHIN
        return cls(along[within], down[within], columns[within], rows[within])

    @property
    def lengths(self) -> NDArray[np.float64]:
        """(n,) in pixels."""
        return np.hypot(self.along, self.down)

    def falls(self, right: NDArray[np.float32], down: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, samples): the fall of brightness across the line, away from the corner.

        Args:
            right: (rows, columns), the fall along the rows.
            down: (rows, columns), the fall along the columns.
        """
        place = self.rows, self.columns
        across = right[place] * self.down[:, None] + down[place] * self.along[:, None]
        return np.asarray(across / self.lengths[:, None], np.float64)
