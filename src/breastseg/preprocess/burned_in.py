"""Graphics burned into an ultrasound image: callipers, dotted lines, letters, coloured marks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.image import Image
from breastseg.core.regions import connected_regions
from breastseg.preprocess.intensity import colour_to_unit, to_unit

_STROKE = 0.008  # half of the widest stroke, as a fraction of the image's longer side
_WHITE, _STEP = 0.8, 0.5  # a stroke is nearly white, and brighter than both its sides by this
_FLANK = 0.25  # what hangs on a stroke and is brighter than its surroundings by this is its edge
_MOST = 0.03  # of an image; where more looks like strokes, it is coarse speckle
_COLOURED = 0.15  # of full light between a pixel's strongest and weakest colour


def burned_in(image: Image) -> NDArray[np.bool_]:
    """Find strokes that no echo draws: thin, nearly white and with sharp edges, or coloured.

    Bright fascia that is as thin and sharp as a line is taken for one. Where speckle is as sharp as
    letters, no grey stroke is told from it and only coloured ones are found. Where half of an
    image or more is coloured (a Doppler map, a tinted copy), colour counts as light alone.

    Args:
        image: a grey or RGB image, (1 or 3, rows, columns).

    Returns:
        (rows, columns) bool.

    Raises:
        GeometryError: no image.
    """
    if image.grid.ndim != 2:
        raise GeometryError(f"an image of shape {image.grid.shape}", "an image of two axes")
    unit = to_unit(image.grey())
    radius = max(2, round(_STROKE * max(unit.shape)))
    side = 2 * radius + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    rise = unit - cv2.morphologyEx(unit, cv2.MORPH_OPEN, kernel)
    found = _hanging_together((rise > _STEP) & (unit > _WHITE), rise > _FLANK)
    if found.mean() > _MOST:
        found[:] = False
    if image.array.shape[0] == 3:
        colours = colour_to_unit(image.array)
        coloured = colours.max(axis=0) - colours.min(axis=0) > _COLOURED
        if coloured.mean() < 0.5:
            found |= coloured
    return found


def without_marks(unit: NDArray[np.float32], marks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Fill marks from what is around them.

    Source: Telea A. An image inpainting technique based on the fast marching method. J Graphics
    Tools 9(1), 23-34 (2004), doi:10.1080/10867651.2004.10487596, as OpenCV has it: in 256 levels.

    Args:
        unit: (rows, columns) float32, 0 to 1.
        marks: (rows, columns) bool.

    Returns:
        (rows, columns) float32, 0 to 1; every pixel beside the marks is untouched.

    Raises:
        GeometryError: the shapes differ.
    """
    if unit.shape != marks.shape:
        raise GeometryError(f"marks of {marks.shape}", f"the image's shape {unit.shape}")
    if not marks.any() or marks.all():
        return unit.copy()
    # a pixel more: the edge of a stroke is half stroke
    wide = cv2.dilate(marks.astype(np.uint8), np.ones((3, 3), np.uint8))
    levels = np.rint(unit * 255).astype(np.uint8)
    filled = cv2.inpaint(levels, wide, 3, cv2.INPAINT_TELEA)
    return np.where(wide > 0, filled.astype(np.float32) / 255, unit)


def _hanging_together(seeds: NDArray[np.bool_], region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The parts of a region that hold a seed."""
    return connected_regions(region).holding(seeds)
