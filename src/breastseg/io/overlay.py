"""The contour of a mask drawn on its image, for people to look at.

The image itself stays as it is: nothing is tinted, so the tissue under and beside the contour
can still be read. The colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/),
which readers with any common form of colour blindness can tell apart, on grey as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.image import Image
from breastseg.io.ruler import (
    SMALLEST_PX,
    LesionMarks,
    SkinMarks,
    draw_line,
    draw_number,
    draw_scale_bar,
    draw_skin,
)

PREDICTION_RGB = (240, 170, 0)
"""Orange: the mask of the method."""
TRUTH_RGB = (60, 190, 255)
"""Sky blue: the ground truth."""
MARGIN_RGB = (0, 190, 140)
"""Bluish green: the contours that the lesion lies between."""


def overlay(
    image: Image,
    mask: NDArray[np.bool_],
    truth: NDArray[np.bool_] | None = None,
    marks: Sequence[LesionMarks] = (),
    margins: Sequence[NDArray[np.bool_]] = (),
    skin: SkinMarks | None = None,
) -> NDArray[np.uint8]:
    """Draw contours, and for each lesion its number and diameters, on an image.

    The contour lies on the outermost pixels of the region, so that it never hides what is outside,
    and is one pixel wide for images of up to 500 pixels, wider in proportion above. With the
    spacing known, a scale bar stands in a corner. Letters are left out of images of less than
    100 pixels.

    Args:
        image: a 2-D image of 1 or 3 channels.
        mask: (rows, columns), True on what the method segmented.
        truth: (rows, columns), the ground truth, where there is one.
        marks: what is drawn for each lesion.
        margins: (rows, columns) each, the masks whose thin contours the lesion lies between.
        skin: the skin line that was laid, where there is one.

    Returns:
        (rows, columns, 3) RGB, the size of the image.

    Raises:
        GeometryError: a mask has another shape than the image.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    picture = to_rgb(image)
    width = line_width(image.grid.shape)
    drawn = [*((one, MARGIN_RGB, 1) for one in margins), (mask, PREDICTION_RGB, width)]
    if truth is not None:
        drawn.insert(-1, (truth, TRUTH_RGB, width))
    for region, colour, thick in drawn:
        if region.shape != image.grid.shape:
            raise GeometryError(f"mask of {region.shape}, image of {image.grid.shape}")
        picture[_rim(region, thick)] = colour
    canvas = Pillow.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    for one in marks:
        for line in one.lines:
            draw_line(draw, line, width)
    if skin is not None:
        draw_skin(draw, skin, image.grid.shape, width)
    if max(image.grid.shape) >= SMALLEST_PX:
        for one in marks:
            draw_number(draw, one, image.grid.shape, PREDICTION_RGB)
        draw_scale_bar(draw, image.grid, mask, width)
    return np.array(canvas)


def to_rgb(image: Image) -> NDArray[np.uint8]:
    """The image as a viewer would show it.

    8-bit images are kept as they are; deeper ones are scaled from their smallest to their
    largest value.

    Args:
        image: a 2-D image of any number of channels; three are taken as RGB, else the first.

    Returns:
        (rows, columns, 3) uint8, a fresh array.
    """
    array = image.array if image.array.shape[0] == 3 else image.array[:1]
    if array.dtype != np.uint8:
        values = array.astype(np.float64)
        finite = np.isfinite(values)
        low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 0.0)
        values = np.clip(np.where(finite, values, low), low, high) - low
        array = np.round(values * (255 / (high - low) if high > low else 0)).astype(np.uint8)
    shown = np.broadcast_to(np.moveaxis(array, 0, 2), (*image.grid.shape, 3))
    return np.array(shown, np.uint8)


def line_width(shape: tuple[int, ...]) -> int:
    """Width of a line in pixels, so that it looks alike on small and on large images."""
    return max(1, round(max(shape) / 500))


def _rim(region: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """The outermost `width` pixels of a region; the image's edge counts as outside."""
    core = np.pad(region, 1)
    for _ in range(width):
        inner = core.copy()
        inner[1:-1, 1:-1] &= core[:-2, 1:-1] & core[2:, 1:-1] & core[1:-1, :-2] & core[1:-1, 2:]
        core = inner
    return np.asarray(region & ~core[1:-1, 1:-1])
