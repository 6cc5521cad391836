"""Descriptors of a lesion after BI-RADS that can be computed from its mask and the grey levels.

They say what the mask and the image are like, by the definitions here. They are no reading: a
reader judges the tissue, and a mask that is smooth because its method is smooth has a smooth
margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.measure.echo import ECHO_PATTERN, POSTERIOR, Surroundings, echo_pattern, posterior

Kind = Literal["shape", "orientation", "margin", "echo_pattern", "posterior_features"]

ROUND = 0.85
OVAL = 0.88
CIRCUMSCRIBED = 0.95
_MIN_PIXELS = 50

TITLES: dict[Kind, str] = {
    "shape": "shape",
    "orientation": "orientation",
    "margin": "margin",
    "echo_pattern": "echo pattern",
    "posterior_features": "posterior features",
}
"""How each is called in words."""

DEFINITIONS: dict[Kind, str] = {
    "shape": "overlap (intersection over union) with the ellipse of the same second moments: "
    f"below {OVAL} irregular, else round where the ellipse's short axis is at least {ROUND} of its "
    "long axis, else oval",
    "orientation": "parallel where the mask is at least as wide as it is deep in the image, "
    "else not parallel",
    "margin": f"circumscribed where the mask fills at least {CIRCUMSCRIBED} of its convex hull, "
    "else none is stated",
    "echo_pattern": ECHO_PATTERN,
    "posterior_features": POSTERIOR,
}
"""How each is computed; the limits are the project's own."""


@dataclass(frozen=True)
class Descriptor:
    """One computed descriptor.

    Attributes:
        kind: which; `DEFINITIONS` says how it is computed.
        value: round, oval or irregular; parallel or not parallel; circumscribed; anechoic,
            hypoechoic, isoechoic, hyperechoic or complex; none, enhancement, shadowing or combined.
            None where it was not computed.
        detail: the figures behind it, or why it was not computed; empty where the value says all.
    """

    kind: Kind
    value: str | None
    detail: str = ""


def descriptors(
    crop: NDArray[np.bool_],
    steps: tuple[float, float],
    ultrasound: bool,
    around: Surroundings | str | None = None,
) -> tuple[Descriptor, ...]:
    """The descriptors of a lesion in an image.

    Args:
        crop: (rows, columns), True on the lesion.
        steps: distance of pixel centres along rows and columns, in any one unit.
        ultrasound: whether rows go into the body, so that there is an orientation.
        around: of ultrasound, the grey levels, or why they cannot be compared; None to compare
            none.

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
    if isinstance(around, str):
        found += [Descriptor(kind, None, around) for kind in ("echo_pattern", "posterior_features")]
    elif around is not None:
        found.append(Descriptor("echo_pattern", *echo_pattern(around)))
        found.append(Descriptor("posterior_features", *posterior(around)))
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
    hull = cv2.convexHull(cv2.findNonZero(crop.astype(np.uint8)))
    filled = cv2.fillConvexPoly(np.zeros(crop.shape, np.uint8), hull, 1)
    return np.count_nonzero(crop) / np.count_nonzero(filled)
