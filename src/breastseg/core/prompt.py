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
        box: around the lesion, in 2-D; what reaches beyond the image is cut off, see `cut_remark`.
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

    @property
    def described(self) -> str:
        """What it holds, in words."""
        parts = [] if self.box is None else [f"box {self.box}"]
        parts += [f"{len(self.inside)} points inside"] * bool(self.inside)
        parts += [f"{len(self.outside)} points outside"] * bool(self.outside)
        parts += ["a scribble"] * (self.scribble is not None)
        return "prompt: " + ", ".join(parts)

    def cut_remark(self, shape: tuple[int, ...]) -> str | None:
        """What a person must know of a box that reaches beyond the image; None where none does.

        Args:
            shape: (rows, columns) of the image.
        """
        cut = None if self.box is None else self.box.within(shape)
        if cut is None or cut == self.box:
            return None
        return f"the box {self.box} reaches beyond the image and was cut to {cut}"

    def marks(self, shape: tuple[int, ...]) -> tuple[Box | None, NDArray[np.bool_]]:
        """The prompt on the grid of an image.

        Args:
            shape: (rows, columns) of the image.

        Returns:
            The box, cut to the image; and (2, rows, columns) bool of what is called lesion and what
            is called background.

        Raises:
            InputError: a point or the whole box outside of the image, a scribble of another size,
                or one pixel called both.
        """
        rows, columns = shape
        allowed = f"within an image of {rows} rows and {columns} columns"
        box = None if self.box is None else self.box.within(shape)
        if self.box is not None and box is None:
            raise InputError(f"box {self.box}", allowed)
        marks = np.zeros((2, rows, columns), bool)
        for which, points in enumerate((self.inside, self.outside)):
            for row, column in points:
                if not (0 <= row < rows and 0 <= column < columns):
                    raise InputError(f"point ({row}, {column})", allowed)
                marks[which, row, column] = True
        if self.scribble is not None:
            if self.scribble.shape != tuple(shape):
                raise InputError(f"scribble of shape {self.scribble.shape}", f"{tuple(shape)}")
            marks[0] |= self.scribble == 1
            marks[1] |= self.scribble == 2
        if (marks[0] & marks[1]).any():
            raise InputError("a pixel called lesion and background", "one of them")
        return box, marks
