"""What methods that tell a lesion by its grey level share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.classical.method import ClassicalMethod
from breastseg.classical.tidy import closed
from breastseg.classical.view import View
from breastseg.core.parameters import Within

_FARTHEST = 2.0  # beyond this radius all pixels are equally far from the lesion
_EVEN = 2**0.5  # as many pixels within the ellipse inscribed in the box as around it
_TEXTURE_PX = 9  # a few grains of speckle
_MARK_PX = 5.0  # how far the user's word about one pixel carries, as a standard deviation


def place(view: View) -> NDArray[np.float32]:
    """How far from the lesion's expected place each pixel lies.

    The square of the elliptic distance makes a bias by place that of a Gaussian around the centre.

    Returns:
        (h, w) float32: -1 at the box's centre and around points that the user called lesion, 0 on
        the ellipse inscribed in the box, 3 far away and around points called background.
    """
    far = np.minimum(view.radius, np.float32(_FARTHEST)) ** 2 - 1
    for marks, meant in ((view.inside, -1.0), (view.outside, _FARTHEST**2 - 1)):
        if marks.any():
            distance = ndimage.distance_transform_edt(~marks)
            far = far + np.exp(-0.5 * (distance / _MARK_PX) ** 2) * (meant - far)
    return np.asarray(far, np.float32)


def neighbourhood(view: View, around: float = _EVEN) -> NDArray[np.bool_]:
    """The pixels within a radius of `around`, (h, w) bool; the whole view where there are none."""
    near = view.radius <= around
    return near if near.any() else np.ones(view.shape, bool)


def spread(view: View) -> float:
    """The standard deviation of the grey levels around the lesion; 0 only where all are equal."""
    near = view.grey[neighbourhood(view)].astype(np.float64)
    return float(near.std()) if near.min() < near.max() else 0.0


def filled(dark: NDArray[np.bool_], view: View, closing: int) -> NDArray[np.bool_]:
    """Close the gaps in what was chosen, apart from what lies where no mask may be."""
    return closed(dark & view.allowed, closing) if closing else dark


def histogram(
    values: NDArray[np.float32], bins: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The histogram of values between their minimum and maximum.

    Args:
        values: float32 of any shape, finite, at least one.
        bins: how many, of equal width.

    Returns:
        (bins,) int64, how many values lie in each; (bins,) float32, the largest value that lies in
        it or below.
    """
    # float64, since bins narrower than the steps of float32 are refused
    counts, _ = np.histogram(values.astype(np.float64), bins)
    return counts, np.sort(values, axis=None)[np.cumsum(counts) - 1]


@dataclass(frozen=True)
class ThresholdMethod(ClassicalMethod):
    """What is darker than a threshold is lesion. A subclass says where the threshold lies.

    Attributes:
        lean: how much the place counts beside the grey level: pixels near the box's centre are
            taken up to this many standard deviations more readily, those far away less; 0 goes by
            grey level alone.
        shift: added to the threshold, in standard deviations of the grey levels; above 0 masks
            grow.
        closing: notches and gaps narrower than twice this are filled, in pixels of the view; 0 for
            none.
    """

    lean: Annotated[float, Within(0, 4)] = 2.0
    shift: Annotated[float, Within(-1, 1)] = 0.0
    closing: Annotated[int, Within(0, 16)] = 0

    @abstractmethod
    def threshold(
        self, view: View, leaned: NDArray[np.float32]
    ) -> NDArray[np.float32] | np.float32:
        """Place the threshold.

        Args:
            view: its grey levels are not all equal.
            leaned: (h, w) float32, its grey levels, darker where the lesion is expected.

        Returns:
            The largest of the leaned grey levels that is lesion: one for all pixels, or (h, w).
        """

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Take what is darker than the threshold; nothing where all pixels are equal."""
        unit = spread(view)
        if unit == 0:
            return np.zeros(view.shape, bool)
        leaned = view.grey + np.float32(self.lean * unit) * place(view)
        cut = self.threshold(view, leaned) + np.float32(self.shift * unit)
        return filled(leaned <= cut, view, self.closing)


@dataclass(frozen=True)
class HistogramMethod(ThresholdMethod):
    """One threshold for the whole view. A subclass says where it lies in the histogram.

    Attributes:
        around: the histogram is that of the pixels within this multiple of the ellipse inscribed in
            the box; at 1.4 lesion and surroundings weigh the same, above it the surroundings more.
    """

    around: Annotated[float, Within(1, 3)] = 1.4

    @abstractmethod
    def cut(self, near: NDArray[np.float32], within: NDArray[np.bool_]) -> np.float32:
        """Place the threshold.

        Args:
            near: (n,) float32, the values around the lesion.
            within: (n,) bool, which of them lie in the ellipse inscribed in the box.

        Returns:
            The largest value that is lesion.
        """

    def threshold(self, view: View, leaned: NDArray[np.float32]) -> np.float32:
        """That of the histogram around the lesion."""
        near = neighbourhood(view, self.around)
        return self.cut(leaned[near], view.radius[near] <= 1)


def features(view: View, position: float, texture: float) -> NDArray[np.float32]:
    """What tells the pixels of a view apart, for methods that cluster them.

    Args:
        view: its grey levels are not all equal.
        position: weight of the place.
        texture: weight of the local standard deviation of the unfiltered grey levels.

    Returns:
        (h, w, d) float32: the grey level in standard deviations, and what has a weight above 0.
    """
    parts = [view.grey / np.float32(spread(view))]
    if position:
        parts.append(np.float32(position) * place(view))
    if texture:
        rough = roughness(view.plain)
        parts.append(np.float32(texture / max(float(rough.std()), 1e-6)) * rough)
    return np.stack(parts, axis=-1)


def roughness(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """The standard deviation of the square around each pixel; of the shape of `grey`, float32."""
    side = (_TEXTURE_PX, _TEXTURE_PX)
    mean = cv2.blur(grey, side, borderType=cv2.BORDER_REFLECT)
    square = cv2.blur(grey**2, side, borderType=cv2.BORDER_REFLECT)
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0)))


def of_lesion(belonging: NDArray[np.float32], view: View) -> NDArray[np.bool_]:
    """Which clusters lie for the most part within the ellipse inscribed in the box.

    Args:
        belonging: (h, w, k) float32, how much of each pixel belongs to each cluster.
        view: the view.

    Returns:
        (k,) bool.
    """
    near, within = neighbourhood(view), view.radius <= 1
    return np.asarray(belonging[near & within].sum(axis=0) > belonging[near & ~within].sum(axis=0))
