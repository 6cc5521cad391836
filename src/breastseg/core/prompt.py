"""What a user points at, for methods that take a hint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.errors import InputError


@dataclass(frozen=True, eq=False)
class Prompt:
    """A hint; at least one of its parts is given. Coordinates are (row, column) in pixels.

    Attributes:
        box: around the lesion, in 2-D; it may reach beyond the image.
        inside: points in the lesion.
        outside: points in the background.
        scribble: labels on the image's grid: 1 lesion, 2 background, 0 unmarked.

    Raises:
        InputError: nothing is given, or the box is not 2-D.
    """

    box: Box | None = None
    inside: tuple[tuple[int, int], ...] = ()
    outside: tuple[tuple[int, int], ...] = ()
    scribble: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        if self.box is None and not self.inside and not self.outside and self.scribble is None:
            raise InputError("an empty prompt", "a box, points or a scribble")
        if self.box is not None and self.box.ndim != 2:
            raise InputError(f"a box {self.box} of {self.box.ndim} axes", "rows and columns")
