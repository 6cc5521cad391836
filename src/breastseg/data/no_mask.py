"""What in a file of ground truth looks like something else than a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

RIM = 0.125
"""Of the value of lesion: compression stays that close to it and to 0."""

_BORDER = 8  # pixels across a softened border, and the side of a block of JPEG
_EVEN = 1 / 128  # of the value of lesion: compression changes less inside a lesion
_THICKEST = 4  # pixels across a line
_INSIDE = 2.0  # of the area of a line: what it encloses at least


def is_image(plane: NDArray[Any], full: float, lesion: NDArray[np.bool_]) -> bool:
    """Whether grey levels differ more than softened borders explain.

    Of 60 images of the public sets all have more than 8 pixels apart from dark and bright for one
    of the border, or more than a quarter in all; masks that were resampled and compressed have less
    of both. A block of JPEG or more inside a lesion, and two blocks outside, a mask has one value.

    Args:
        plane: of any shape, not negative.
        full: the value of lesion.
        lesion: what lies above half of it.
    """
    apart = (plane > RIM * full) & (abs(plane.astype(np.float64) - full) > RIM * full)
    border = int((lesion & ~ndimage.binary_erosion(lesion)).sum())
    count = int(apart.sum())
    if count > 0.01 * plane.size and (count > _BORDER * border or count > 0.25 * plane.size):
        return True
    if not ((plane > 0) & (plane < (1 - RIM) * full)).any():
        return True  # many bright values, and not one of them by a border
    inside = plane[ndimage.minimum_filter(lesion, 2 * _BORDER + 1, mode="nearest")]
    outside = plane[~ndimage.maximum_filter(lesion, 4 * _BORDER + 1, mode="nearest")]
    return _evenness(inside, full) < 0.9 or _evenness(outside, full) < 0.95


def _evenness(values: NDArray[Any], full: float) -> float:
    """Which fraction of these values is one value; 1 for none."""
    if not values.size:
        return 1.0
    return float((abs(values.astype(np.float64) - float(np.median(values))) <= _EVEN * full).mean())


def is_contour(lesion: NDArray[np.bool_]) -> bool:
    """Whether a mask of an image holds thin lines alone that enclose much more than they cover."""
    if lesion.ndim != 2 or not lesion.any():
        return False
    box = tuple(slice(at.min(), at.max() + 1) for at in np.nonzero(lesion))
    part = lesion[box]
    if ndimage.minimum_filter(part, _THICKEST + 1, mode="constant").any():
        return False
    return bool(ndimage.binary_fill_holes(part).sum() > (1 + _INSIDE) * part.sum())


def may_be_inverted(lesion: NDArray[np.bool_]) -> bool:
    """Whether what is called lesion is most of an image, with all of its edge, but not all."""
    if lesion.ndim != 2 or lesion.size < 9 or lesion.mean() <= 0.5:
        return False
    edge = np.concatenate([lesion[0], lesion[-1], lesion[1:-1, 0], lesion[1:-1, -1]])
    return bool(edge.mean() >= 0.95 and not lesion.all())
