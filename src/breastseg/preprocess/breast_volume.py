"""Where in an MRI the body is, and where in it the breasts are.

Simple and made to err on the side of too much: for looking at, for leaving out the heart, and for
measuring within, not for volumetry.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

from breastseg.core.errors import GeometryError
from breastseg.core.image import Image
from breastseg.core.regions import connected_regions
from breastseg.preprocess.volume import resample, steps_in

WORKING_MM = 3.0
"""Everything is computed on voxels of this size."""
WALL_MM = 15.0
"""The chest wall's front is taken to lie so far behind the skin over the breastbone."""
CHEST_RADIUS_MM = 140.0
"""To the sides it falls back like a circle of this radius."""
DEEPEST_MM = 90.0
"""Though not farther than this."""
BILATERAL_MM = 250.0
"""A narrower field of view holds one breast, in which the breastbone cannot be found."""

_MIDDLE = 0.2  # fraction of the body's width in which the breastbone lies
_SMOOTH_MM = 30.0


def body_region(image: Image) -> NDArray[np.bool_]:
    """The body without the air around it: what is brighter than air and hangs together.

    Holes in a slice are filled; the lungs stay out where the field of view cuts through them.

    Args:
        image: (phases, slices, rows, columns) with a known spacing, any real dtype; the first
            phase is looked at.

    Returns:
        (slices, rows, columns) bool; False everywhere in an image without contrast.

    Raises:
        GeometryError: no volume, or one of unknown spacing.
    """
    small = _small_shape(image)
    return resample(_body(resample(image.array[0], small)), image.grid.shape) > 0.5


def breast_region_of_volume(image: Image) -> NDArray[np.bool_]:
    """The body in front of the chest wall.

    The wall is placed in each slice, by where the skin lies between the breasts and by constants
    (`WALL_MM`, `CHEST_RADIUS_MM`, `DEEPEST_MM`): the pectoral muscle remains in part, heart and
    liver do not. With one breast in the field of view the whole body is returned.

    Args:
        image: as for `body_region`; its rows or columns run roughly from the front to the back of
            the patient, whichever way.

    Returns:
        (slices, rows, columns) bool.

    Raises:
        GeometryError: as for `body_region`.
    """
    small = _small_shape(image)
    body = _body(resample(image.array[0], small))
    across, back, up = _axes(image)
    steps = [n * s / m for n, s, m in zip(image.grid.shape, image.grid.steps, small, strict=True)]
    # the patient's axes: (upwards, to the back, to the left)
    order = (abs(up) - 1, abs(back) - 1, abs(across) - 1)
    turned = np.transpose(body, order)
    view: NDArray[np.bool_] = turned[:, ::-1] if back < 0 else turned
    sides = [steps[axis] for axis in order]
    if view.shape[2] * sides[2] >= BILATERAL_MM and view.any():
        view = np.logical_and(view, _before_wall(view, sides))
    turned = view[:, ::-1] if back < 0 else view
    return resample(np.transpose(turned, np.argsort(order)), image.grid.shape) > 0.5


def _small_shape(image: Image) -> tuple[int, ...]:
    grid = image.grid
    if grid.ndim != 3 or grid.spacing_mm is None:
        raise GeometryError(
            f"{image.source or 'image'}: an image of {grid.shape} with spacing {grid.spacing_mm}",
            "a volume whose spacing is known",
            "convert it again from the DICOM series, which states it",
        )
    return tuple(
        min(n, steps_in(n * step / WORKING_MM))
        for n, step in zip(grid.shape, grid.spacing_mm, strict=True)
    )


def _body(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    # The root brings fat suppressed and not, near the coil and far from it, closer together.
    root = np.sqrt(np.maximum(values, 0))
    top = float(np.percentile(root, 99))
    if not root.any() or float(np.ptp(root)) <= 1e-6 * top:
        return np.zeros(values.shape, bool)
    root = ndimage.gaussian_filter(np.minimum(root, top), 1)
    bright = root > 0.7 * threshold_otsu(root)
    # beyond the field of view the body goes on
    bright = ndimage.binary_opening(np.pad(bright, 1, mode="edge"))[1:-1, 1:-1, 1:-1]
    largest = connected_regions(bright, corners=False).largest()
    if not largest.any():
        return largest
    closed = ndimage.binary_closing(np.pad(largest, 2), iterations=2)[2:-2, 2:-2, 2:-2]
    # In a slice the lungs are holes, though they may be open to the volume's upper face.
    return np.stack([ndimage.binary_fill_holes(part) for part in closed | largest])


def _axes(image: Image) -> tuple[int, int, int]:
    """The array axes, from 1, that run to the left, the back and the head; below 0 if against."""
    direction = image.grid.direction
    square = np.eye(3) if direction is None else np.reshape(direction, (3, 3))
    # a row of the matrix a component of (z, y, x) in LPS, a column an array axis
    found: list[int] = []
    for component in (1, 2, 0):  # back first: it matters most
        free = [axis for axis in range(3) if axis + 1 not in map(abs, found)]
        axis = max(free, key=lambda at: abs(square[component, at]))
        found.append((axis + 1) if square[component, axis] >= 0 else -(axis + 1))
    back, across, up = found
    return across, back, up


def _before_wall(body: NDArray[np.bool_], sides: list[float]) -> NDArray[np.bool_]:
    """True in front of the chest wall; slices first, then from front to back, then across."""
    slices, depth, width = body.shape
    covered = np.asarray(body.any(axis=1))
    columns = np.flatnonzero(covered.any(axis=0))
    middle = (columns[0] + columns[-1]) / 2
    reach = max(1.0, _MIDDLE / 2 * (columns[-1] - columns[0] + 1))
    near = slice(max(0, round(middle - reach)), round(middle + reach) + 1)
    front = np.where(covered, body.argmax(axis=1), depth).astype(np.float64)
    found = covered[:, near].any(axis=1)
    # the valley between the breasts: the deepest skin about the middle
    valley = np.where(covered, front, -1)[:, near]
    deepest = valley.max(axis=1)
    if not found.all():  # slices that show nothing there take the nearest one's
        at = np.arange(slices)
        deepest = np.interp(at, at[found], deepest[found]) if found.any() else deepest
    window = max(1, round(_SMOOTH_MM / sides[0]))
    deepest = ndimage.median_filter(deepest, window, mode="nearest")
    away = (np.arange(width) - middle) * sides[2]
    round_off = CHEST_RADIUS_MM - np.sqrt(np.maximum(CHEST_RADIUS_MM**2 - away**2, 0))
    wall = deepest[:, None] * sides[1] + WALL_MM + np.minimum(round_off, DEEPEST_MM)[None, :]
    behind = (np.arange(depth) * sides[1])[None, :, None] > wall[:, None, :]
    return np.asarray(~behind)
