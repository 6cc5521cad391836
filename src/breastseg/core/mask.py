"""Labels on a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError
from breastseg.core.grid import Grid

LESION = "lesion"
"""What a mask is, unless a method says otherwise."""

IGNORE = "ignore"
"""The name of pixels of which nothing is known, as nnU-Net has it: no lesion, and not scored."""


@dataclass(frozen=True, eq=False)
class Mask:
    """One label a pixel.

    Attributes:
        labels: grid.shape, bool or integer; 0 is background. Kept as a read-only uint8 array.
        grid: where the pixels lie.
        names: what each label above 0 means.

    Raises:
        GeometryError: the shapes differ.
        InputError: the labels are not whole numbers from 0 to 255.
    """

    labels: NDArray[np.generic]
    grid: Grid
    names: Mapping[int, str] = field(default_factory=lambda: {1: LESION})

    def __post_init__(self) -> None:
        if self.labels.shape != self.grid.shape:
            raise GeometryError(f"mask of shape {self.labels.shape} on a grid of {self.grid.shape}")
        if self.labels.dtype.kind not in "bui":
            raise InputError(
                f"mask of dtype {self.labels.dtype}", "bool or integer labels 0 to 255"
            )
        if self.labels.size and (int(self.labels.min()) < 0 or int(self.labels.max()) > 255):
            raise InputError("mask with labels outside 0 to 255", "labels 0 to 255")
        labels = self.labels.astype(np.uint8)
        labels.flags.writeable = False
        object.__setattr__(self, "labels", labels)

    @property
    def foreground(self) -> NDArray[np.bool_]:
        """True where any label lies but that of what is to be ignored; grid.shape."""
        return np.asarray((self.labels != 0) & ~self.ignored)

    @property
    def ignored(self) -> NDArray[np.bool_]:
        """True where nothing is known; grid.shape."""
        values = [value for value, name in self.names.items() if name == IGNORE]
        return np.isin(self.labels, values)

    @property
    def is_empty(self) -> bool:
        """True where nothing is outlined."""
        return not bool(self.foreground.any())
