"""Descriptors of a lesion after BI-RADS that can be computed from its mask.

They say what the mask is like, by the definitions here. They are no reading: a reader judges the
tissue, and a mask that is smooth because its method is smooth has a smooth margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["shape", "orientation", "margin"]

ROUND = 0.85
OVAL = 0.88
CIRCUMSCRIBED = 0.95
_MIN_PIXELS = 50

DEFINITIONS: dict[Kind, str] = {
    "shape": "overlap (intersection over union) with the ellipse of the same second moments: "
    f"below {OVAL} irregular, else round where the ellipse's short axis is at least {ROUND} of its "
    "long axis, else oval",
    "orientation": "parallel where the mask is at least as wide as it is deep in the image, "
    "else not parallel",
    "margin": f"circumscribed where the mask fills at least {CIRCUMSCRIBED} of its convex hull, "
    "else none is stated",
}
"""How each is computed; the limits are the project's own."""


@dataclass(frozen=True)
class Descriptor:
    """One computed descriptor.

    Attributes:
        kind: shape, orientation or margin; `DEFINITIONS` says how it is computed.
        value: round, oval or irregular; parallel or not parallel; circumscribed.
    """

    kind: Kind
    value: str


def descriptors(
    crop: NDArray[np.bool_], steps: tuple[float, float], ultrasound: bool
) -> tuple[Descriptor, ...]:
    """The descriptors of a lesion in an image.

    Args:
        crop: (rows, columns), True on the lesion.
        steps: distance of pixel centres along rows and columns, in any one unit.
        ultrasound: whether rows go into the body, so that there is an orientation.

    Returns:
        None of them for a mask of fewer than 50 pixels, which has no shape to speak of.
    """
    if np.count_nonzero(crop) < _MIN_PIXELS:
        return ()
    found = [Descriptor("shape", _shape(crop, steps))]
    if ultrasound:
        deep, wide = (
            steps[axis] * int(np.ptp(np.flatnonzero(crop.any(axis=1 - axis))) + 1)
            for axis in (0, 1)
        )
        found.append(Descriptor("orientation", "parallel" if wide >= deep else "not parallel"))
    if _solidity(crop) >= CIRCUMSCRIBED:
        found.append(Descriptor("margin", "circumscribed"))
    return tuple(found)


def _shape(crop: NDArray[np.bool_], steps: tuple[float, float]) -> str:
    places = np.argwhere(crop) * np.array(steps)
    centre, spread = places.mean(axis=0), np.cov(places.T)
    inverse = np.linalg.pinv(spread)
    # of an ellipse with these moments a point inside has a distance of at most 2 deviations
    margin = 2 + math.ceil(0.2 * max(crop.shape))
    grid = np.indices(np.array(crop.shape) + 2 * margin).reshape(2, -1).T - margin
    away = grid * np.array(steps) - centre
    inside = np.einsum("ni,ij,nj->n", away, inverse, away) <= 4
    ellipse = inside.reshape(np.array(crop.shape) + 2 * margin)
    mask = np.pad(crop, margin)
    overlap = np.count_nonzero(ellipse & mask) / np.count_nonzero(ellipse | mask)
    short, long = np.sqrt(np.maximum(np.linalg.eigvalsh(spread), 0))
    if overlap < OVAL:
        return "irregular"
    return "round" if short >= ROUND * long else "oval"


def _solidity(crop: NDArray[np.bool_]) -> float:
    from skimage.morphology import convex_hull_image

    return np.count_nonzero(crop) / np.count_nonzero(convex_hull_image(crop))
