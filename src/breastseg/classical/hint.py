"""A user's prompt, brought to the image's grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.classical.finder import Finder
from breastseg.core.box import Box
from breastseg.core.errors import InputError
from breastseg.core.prompt import Prompt
from breastseg.core.regions import connected_regions

_AROUND_POINT = 0.15
"""Half the side of the box around a point at which nothing was found, as a fraction of the
image."""


@dataclass(frozen=True, eq=False)
class Hint:
    """What the user has pointed at.

    Attributes:
        box: within the image; None where none was drawn.
        inside: (rows, columns) bool, called lesion.
        outside: (rows, columns) bool, called background.
    """

    box: Box | None
    inside: NDArray[np.bool_]
    outside: NDArray[np.bool_]

    @classmethod
    def of(cls, prompt: Prompt, shape: tuple[int, ...]) -> Hint:
        """Bring a prompt to an image of `shape`; a box that reaches beyond it is cut.

        Raises:
            InputError: a point or the whole box outside of the image, a scribble of another size,
                one pixel called both, or nothing that says where the lesion is.
        """
        box, marks = prompt.marks(shape)
        if box is None and not marks[0].any():
            raise InputError(
                "a prompt that says only where the lesion is not",
                "a box, a point or a stroke in the lesion",
            )
        return cls(box, marks[0], marks[1])

    @property
    def described(self) -> str:
        """What was given, in words."""
        parts = [] if self.box is None else [f"box {self.box}"]
        for marks, where in ((self.inside, "lesion"), (self.outside, "background")):
            if marks.any():
                parts.append(f"{int(marks.sum())} pixels called {where}")
        return "prompt: " + ", ".join(parts)

    def applied(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask that respects what the user has said of single pixels and of the box."""
        if self.box is not None:
            within = np.zeros_like(mask)
            within[self.box.slices] = True
            mask = mask & within
        return (mask | self.inside) & ~self.outside


def boxes_of(hint: Hint, finder: Finder, dark: NDArray[np.float32]) -> Sequence[Box]:
    """The box that was drawn; else one around each candidate or point that was pointed at."""
    if hint.box is not None:
        return (hint.box,)
    marks = connected_regions(hint.inside)
    boxes = []
    for number, part in enumerate(marks.boxes, start=1):
        candidate = finder.at(dark, marks.labels == number)
        boxes.append(_beside(part, dark.shape) if candidate is None else candidate.box)
    return boxes


def _beside(part: Box, shape: tuple[int, ...]) -> Box:
    """A box of a usual lesion's size around marks at which nothing stands out."""
    return part.padded(round(_AROUND_POINT * min(shape))) & Box.whole(shape) or part
