"""Views made by hand for the tests of this room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.classical.view import View
from breastseg.core import Box


def view(
    shape: tuple[int, int],
    box: Box | tuple[int, int, int, int],
    *,
    grey: NDArray[np.float32] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    inside: tuple[tuple[int, int], ...] = (),
    outside: tuple[tuple[int, int], ...] = (),
    found: NDArray[np.bool_] | None = None,
    given: bool = True,
) -> View:
    """A view of `shape`, blank and with everything allowed unless told otherwise."""
    pixels = np.zeros(shape, np.float32) if grey is None else grey
    marks = np.zeros((2, *shape), bool)
    for which, points in enumerate((inside, outside)):
        for point in points:
            marks[which][point] = True
    everywhere = np.ones(shape, bool) if allowed is None else allowed
    return View(pixels, pixels, Box.of(*box), everywhere, marks[0], marks[1], given, found)


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> NDArray[np.bool_]:
    """Pixels within a radius of a point, bool."""
    rows, columns = np.indices(shape)
    return np.asarray((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2)
