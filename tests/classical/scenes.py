"""Dark lesions of known outline in a noisy view, for the tests of this room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import measure

from breastseg.classical.view import View
from breastseg.core.box import Box

from .views import view

SHAPE = (140, 150)
"""Of a view: the lesions in it are about 80 pixels long."""
_CENTRE = (68.0, 74.0)


def _star(height: float, width: float, *lobes: tuple[int, float]) -> NDArray[np.bool_]:
    """An ellipse of half axes in pixels, whose radius swings by a fraction, n times around."""
    rows, columns = np.indices(SHAPE)
    down, along = (rows - _CENTRE[0]) / height, (columns - _CENTRE[1]) / width
    angle = np.arctan2(down, along)
    radius = 1 + sum(fraction * np.cos(n * angle + n) for n, fraction in lobes)
    return np.asarray(np.hypot(down, along) <= radius)


LESIONS = {
    "disc": _star(40, 40),
    "ellipse": _star(26, 44),
    "lobed": _star(36, 40, (3, 0.12), (5, 0.08)),
}


def noisy(lesion: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The lesion dark on brighter ground, in noise as a median filter leaves it; 0 to 1."""
    noise = ndimage.median_filter(np.random.default_rng(3).normal(0, 0.5, lesion.shape), 5)
    return np.clip(np.where(lesion, 0.35, 0.65) + noise, 0, 1).astype(np.float32)


def box_around(lesion: NDArray[np.bool_], wider: float = 1.0) -> Box:
    """The smallest box around a lesion with its sides made longer by a factor."""
    box = Box.around(lesion)
    assert box is not None
    down, along = ((wider - 1) / 2 * side for side in box.shape)
    row0, column0, row1, column1 = box
    return Box.of(
        round(row0 - down), round(column0 - along), round(row1 + down), round(column1 + along)
    )


def drawn(
    lesion: NDArray[np.bool_],
    *,
    wider: float = 1.1,
    grey: NDArray[np.float32] | None = None,
    inside: tuple[tuple[int, int], ...] = (),
    outside: tuple[tuple[int, int], ...] = (),
) -> View:
    """What a method sees of a lesion around which a user has drawn a box that is too large."""
    box = box_around(lesion, wider)
    allowed = np.zeros(lesion.shape, bool)
    inner = box.within(lesion.shape)
    assert inner is not None
    allowed[inner.slices] = True
    for point in outside:
        allowed[point] = False
    grey = noisy(lesion) if grey is None else grey
    return view(lesion.shape, box, grey=grey, allowed=allowed, inside=inside, outside=outside)


def roughness(mask: NDArray[np.bool_]) -> float:
    """The border's length squared over the area; about 4 pi for a disc, larger for any other."""
    return float(measure.perimeter_crofton(mask) ** 2 / mask.sum())
