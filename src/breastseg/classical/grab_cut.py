"""GrabCut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.gradient import smoothed
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within

_SEED = 0
_PARAMETERS = 65  # of a mixture of five Gaussians in three channels
_FARTHEST = 2.0  # elliptic distance beyond which a pixel is as far as any
_TEXTURE_PX = 3.0  # standard deviation of the neighbourhood that a texture is taken from
_TEXTURE_GAIN = 2.0  # a standard deviation is at most half the range of the grey levels


def grab_cut(
    channels: NDArray[np.float32],
    core: NDArray[np.bool_],
    ground: NDArray[np.bool_],
    likely: NDArray[np.bool_],
    iterations: int,
) -> NDArray[np.bool_]:
    """Learn the colours of lesion and background and cut between them, in turns.

    Each side's colours are a mixture of five Gaussians; the cut runs along edges. OpenCV draws the
    mixtures' first centres from a generator that belongs to the calling thread, which is seeded
    here: the same input gives the same mask in every thread.

    Args:
        channels: (h, w, 3) float32, 0 to 1; taken to 8 bits.
        core: (h, w) bool, certainly lesion.
        ground: (h, w) bool, certainly background where it is not core.
        likely: (h, w) bool, lesion at first guess.
        iterations: how often mixtures and cut are renewed.

    Returns:
        (h, w) bool; the first guess where it has lesion only or background only, since there is
        then nothing to learn from.
    """
    marks = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[ground] = cv2.GC_BGD
    marks[core] = cv2.GC_FGD
    lesion = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if lesion.all() or not lesion.any():
        return lesion
    colours = np.round(np.clip(channels, 0, 1) * 255).astype(np.uint8)
    models = np.zeros((2, 1, _PARAMETERS))
    cv2.setRNGSeed(_SEED)
    whole = (0, 0, marks.shape[1], marks.shape[0])  # not looked at where there is a mask
    cv2.grabCut(colours, marks, whole, models[0], models[1], iterations, cv2.GC_INIT_WITH_MASK)
    return np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD))


@dataclass(frozen=True)
class GrabCut(ClassicalMethod):
    """Mixtures of Gaussians of lesion and background, and the cheapest cut between them, in turns.

    The three channels are the grey level, its smoothed surroundings and the local texture. The
    distance from the middle is added to the first two: a mixture does not care how its channels
    are scaled, but it cannot tell a dark pixel near the middle from a bright one far from it.

    Attributes:
        position: grey levels, as a fraction of the range, by which a pixel on the ellipse that
            fills the box counts as brighter than in its middle; above 0 masks become more like
            the ellipse, at 0 only grey levels and texture count.
        blur_px: standard deviation of the second channel's smoothing in pixels.
        likely: size of the ellipse that is lesion at first guess, as a fraction of the one that
            fills the box.
        iterations: how often mixtures and cut are renewed.
    """

    name: ClassVar[str] = "grab-cut"
    summary: ClassVar[str] = "graph cut between two learnt mixtures of grey level and texture"
    source: ClassVar[str] = (
        "Rother C, Kolmogorov V, Blake A. GrabCut: interactive foreground extraction using "
        "iterated graph cuts. ACM Trans Graph 23(3), 309-314 (2004), doi:10.1145/1015706.1015720"
    )
    weakness: ClassVar[str] = "lesions as grey as their surroundings: it may cut around the seeds"

    position: Annotated[float, Within(0, 2)] = 0.8
    blur_px: Annotated[float, Within(0.5, 10)] = 3.0
    likely: Annotated[float, Within(0.5, 1.2)] = 1.0
    iterations: Annotated[int, Within(1, 10)] = 3

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Let the box's ellipse be the first guess, its middle and its surroundings the limits."""
        far = self.position * np.minimum(view.radius, _FARTHEST)
        near = (view.grey, smoothed(view.grey, self.blur_px))
        brightest = 1 + self.position * _FARTHEST
        channels = [
            *((grey + far) / brightest for grey in near),
            _TEXTURE_GAIN * _texture(view.plain),
        ]
        return grab_cut(
            np.stack(channels, axis=-1).astype(np.float64),
            view.core,
            view.ground,
            view.radius <= self.likely,
            self.iterations,
        )


def _texture(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Standard deviation of the grey levels around each pixel."""
    mean = smoothed(grey, _TEXTURE_PX)
    variance = smoothed(grey**2, _TEXTURE_PX) - mean**2
    return np.asarray(np.sqrt(np.maximum(variance, 0)), np.float32)
