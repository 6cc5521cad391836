"""The part of a case that a page can show: an image as it is, or one slice of a volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.case import Case
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.io.overlay import to_rgb

_WINDOW = (1.0, 99.5)
"""Percentiles of a slice's grey levels that are shown black and white."""


@dataclass(frozen=True)
class Section:
    """Which slice of a volume, and which way up; for an image, all of it.

    Attributes:
        slice_index: of the volume; None for an image.
        turned: the slice's rows and columns are shown in reverse order, each.
        tallness: height of a pixel over its width.
        name: in words; empty for an image.
    """

    slice_index: int | None = None
    turned: tuple[bool, bool] = (False, False)
    tallness: float = 1.0
    name: str = ""

    def of(self, values: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The section of a mask, (rows, columns)."""
        if self.slice_index is None:
            return values
        rows, columns = (-1 if turned else 1 for turned in self.turned)
        return values[self.slice_index, ::rows, ::columns]

    def picture(self, image: Image) -> NDArray[np.uint8]:
        """The section of an image as a viewer would show it, of phases the second.

        Returns:
            (rows, columns) uint8, or (rows, columns, 3) of an image in colour.
        """
        if self.slice_index is None:
            return to_rgb(image)[..., 0 if image.array.shape[0] == 1 else slice(None)]
        rows, columns = (-1 if turned else 1 for turned in self.turned)
        phase = min(1, image.array.shape[0] - 1)
        grey = image.array[phase, self.slice_index, ::rows, ::columns].astype(np.float32)
        grey = np.nan_to_num(grey, nan=0, posinf=0, neginf=0)  # holes, as the networks take them
        low, high = np.percentile(grey, _WINDOW)
        unit = np.clip((grey - low) / max(high - low, 1e-6), 0, 1)
        return np.asarray(np.round(255 * unit), np.uint8)


def section_of(case: Case) -> Section:
    """What is shown of a case: of a volume, the slice with the most lesion, its middle if none.

    Slices across the body are shown as radiologists read them, the front above and the patient's
    right at the left.
    """
    grid = case.images[0].grid
    if grid.ndim == 2:
        return Section()
    areas = np.zeros(grid.shape[0]) if case.mask is None else case.mask.foreground.sum((1, 2))
    index = int(areas.argmax()) if areas.any() else grid.shape[0] // 2
    return Section(
        slice_index=index,
        turned=(_backwards(grid, 1), _backwards(grid, 2)),
        tallness=grid.steps[1] / grid.steps[2],
        name=f"slice {index + 1} of {grid.shape[0]}",
    )


def _backwards(grid: Grid, axis: int) -> bool:
    """An axis that runs from back to front, from left to right or from feet to head."""
    if grid.direction is None:
        return False
    along = np.reshape(grid.direction, (3, 3))[:, axis]  # components (z, y, x)
    strongest = int(np.abs(along).argmax())
    upright = strongest == 0  # the patient's z grows towards the head, an image's rows downwards
    return bool((along[strongest] > 0) if upright else (along[strongest] < 0))
