"""A threshold that follows the brightness of the surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.histogram import ThresholdMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within


def sauvola(grey: NDArray[np.float32], window: int, k: float) -> NDArray[np.float32]:
    """The mean of a square, lowered by up to a fraction `k` of it where the square is even.

    Mean times 1 + k (deviation / R - 1), as Sauvola and Pietikäinen have it, where R is the largest
    deviation in the image.

    Args:
        grey: (h, w) float32, 0 to 1.
        window: side of the square in pixels; the image is reflected at its edge.
        k: 0 leaves the mean.

    Returns:
        (h, w) float32, the threshold of each pixel.
    """
    mean = _mean(grey, window)
    deviation = np.sqrt(np.maximum(_mean(grey**2, window) - mean**2, 0))
    largest = max(float(deviation.max()), 1e-6)
    return np.asarray(mean * (1 + np.float32(k) * (deviation / np.float32(largest) - 1)))


def gaussian(grey: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """The mean of the surroundings, the nearer ones weighing more.

    Args:
        grey: (h, w) float32, 0 to 1.
        window: six standard deviations of the weights in pixels; the image is reflected at its
            edge.

    Returns:
        (h, w) float32, the threshold of each pixel.
    """
    sigma = window / 6
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma, borderType=cv2.BORDER_REFLECT))


def _mean(values: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    side = (window, window)
    return np.asarray(cv2.blur(values, side, borderType=cv2.BORDER_REFLECT))


@dataclass(frozen=True)
class LocalThreshold(ThresholdMethod):
    """Pixels darker than their own surroundings.

    Attributes:
        way: how the surroundings are summed up: sauvola lowers the mean where they are even,
            gaussian lets near pixels weigh more.
        window: side of the surroundings in pixels of the view; about the lesion's own 96 or more,
            lest its middle be compared with itself.
        k: for sauvola: by which fraction of itself the mean is lowered at most; higher masks
            shrink.
    """

    name: ClassVar[str] = "local-threshold"
    summary: ClassVar[str] = "a threshold that follows the brightness of the surroundings"
    source: ClassVar[str] = (
        "Sauvola J, Pietikäinen M. Adaptive document image binarization. Pattern Recognit 33(2), "
        "225-236 (2000), doi:10.1016/S0031-3203(99)00055-2"
    )
    weakness: ClassVar[str] = "a large lesion whose middle is brighter than its border"

    way: Literal["sauvola", "gaussian"] = "gaussian"
    window: Annotated[int, Within(15, 255)] = 129
    k: Annotated[float, Within(0, 0.8)] = 0.3

    def threshold(self, view: View, leaned: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean of the surroundings, of grey levels that do not lean."""
        if self.way == "gaussian":
            return gaussian(view.grey, self.window)
        return sauvola(view.grey, self.window, self.k)
