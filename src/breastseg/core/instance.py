"""One lesion that a method told apart from the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import InputError


@dataclass(frozen=True, eq=False)
class Instance:
    """A lesion with its own outline and score. Unlike outlines of one map, instances may overlap.

    Attributes:
        region: grid.shape bool, True on this lesion. A read-only copy is kept.
        box: lower then upper edge along each axis, in pixels and fractions of them: (row0,
            column0, row1, column1) in 2-D; 0 is the outer edge of the first pixel. It is the
            method's own and need not touch the region.
        score: how certain it is that there is a lesion, 0 to 1.
        label: class of the lesion, 1 where there is one class.

    Raises:
        InputError: a region that is not bool, a box that does not fit it or ends before it
            begins, a score outside 0 to 1, a label below 1.
    """

    region: NDArray[np.bool_]
    box: tuple[float, ...]
    score: float
    label: int = 1

    def __post_init__(self) -> None:
        if self.region.dtype != np.bool_:
            raise InputError(f"a region of dtype {self.region.dtype}", "bool")
        axes = self.region.ndim
        edges = np.asarray(self.box, np.float64)
        ordered = edges.shape == (2 * axes,) and bool(np.isfinite(edges).all())
        if not ordered or bool((edges[:axes] > edges[axes:]).any()):
            raise InputError(f"a box {self.box}", f"{axes} lower edges, then {axes} upper ones")
        if not 0 <= self.score <= 1 or self.label < 1:
            raise InputError(
                f"an instance of score {self.score} and label {self.label}",
                "a score from 0 to 1, a label of at least 1",
            )
        region = self.region.copy()
        region.flags.writeable = False
        object.__setattr__(self, "region", region)
        object.__setattr__(self, "box", tuple(float(edge) for edge in edges))
