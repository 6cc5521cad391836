"""The gradient of a view, weighed by what is known of a lesion's border."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SOBEL_GAIN = np.float32(1 / 8)  # a ramp of 1 a pixel then has a gradient of 1
_WIDTH = 0.15  # of the assumed edge, as a standard deviation in radii
_LEAST = np.float32(1e-6)  # grey levels a pixel; what is below is rounding
_TINY = np.float32(1e-12)


def smoothed(grey: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """An image (h, w) float32 smoothed by a Gaussian; beyond the edge, the edge's pixels repeat.

    Args:
        grey: (h, w) float32.
        sigma: standard deviation in pixels, 0 for none.
    """
    plain = np.ascontiguousarray(grey, np.float32)
    if not sigma:
        return plain
    soft = cv2.GaussianBlur(plain, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(soft, np.float32)


def gradient(grey: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Sobel's gradient of the smoothed grey levels; beyond the edge, the edge's pixels repeat.

    Args:
        grey: (h, w) float32.
        sigma: standard deviation of the smoothing in pixels, 0 for none.

    Returns:
        (2, h, w) float32: change a pixel down the rows and along the columns.
    """
    smooth = smoothed(grey, sigma)
    down, along = (
        cv2.Sobel(smooth, cv2.CV_32F, *order, borderType=cv2.BORDER_REPLICATE)
        for order in ((0, 1), (1, 0))
    )
    return np.asarray(np.stack([down, along]) * _SOBEL_GAIN, np.float32)


def magnitude(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The length of vectors (2, h, w); (h, w) float32."""
    return np.asarray(np.hypot(vectors[0], vectors[1]), np.float32)


def border_gradient(
    grey: NDArray[np.float32],
    radius: NDArray[np.float32],
    *,
    sigma: float,
    outward: float,
    focus: float,
    box_trust: float,
) -> NDArray[np.float32]:
    """The gradient as evidence of the border of a dark lesion that fills an ellipse.

    The border of a dark lesion brightens outwards and lies near the ellipse. Edges that do not are
    weakened, and along the ellipse a weak edge is assumed, which closes the gaps in the others.

    Args:
        grey: (h, w) float32, 0 to 1.
        radius: (h, w) float32, elliptic distance from the lesion's centre, 1 on the ellipse.
        sigma: standard deviation of the smoothing in pixels.
        outward: 0 counts the whole gradient, 1 only what brightens away from the centre.
        focus: how far from the ellipse edges still count: a standard deviation in radii.
        box_trust: the strength of the assumed edge as a fraction of the strongest in the view.

    Returns:
        (2, h, w) float32, scaled so that the strongest edge of the view has 1; zero where the view
        is constant and no edge is assumed.
    """
    vectors = gradient(grey, sigma)
    normal = gradient(radius, 0)
    normal /= np.maximum(magnitude(normal), _TINY)
    strength = magnitude(vectors)
    vectors[:, strength < _LEAST] = 0
    away = np.maximum((vectors * normal).sum(axis=0), 0) / np.maximum(strength, _TINY)
    weight = (1 - outward) + outward * away
    weight *= np.exp(-((radius - 1) ** 2) / (2 * focus**2))
    vectors *= weight
    vectors /= max(float(magnitude(vectors).max()), float(_TINY))
    assumed = box_trust * np.exp(-((radius - 1) ** 2) / (2 * _WIDTH**2))
    return np.asarray(vectors + assumed * normal, np.float32)
