"""Superpixels, merged into a lesion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.classical.likelihood import grey_odds
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within


@dataclass(frozen=True)
class Slic(ClassicalMethod):
    """Small even patches, each taken whole where its grey level and place speak for lesion.

    The patches follow the borders in the image, so that the outline does too, and speckle within a
    patch averages out before anything is decided.

    Attributes:
        segments: about how many patches the view is divided into; more follow finer borders.
        compactness: how much a patch prefers to be round over being even; as a share of the grey
            scale.
        position: how much the place counts beside the grey level: patches near the box's centre
            are taken more readily, those beyond the ellipse less; 0 goes by grey level alone.
        odds: how much more likely lesion than background a patch must be, as a logarithm; below 0
            outlines grow.
    """

    name: ClassVar[str] = "slic"
    summary: ClassVar[str] = "superpixels, merged where grey level and place speak for lesion"
    source: ClassVar[str] = (
        "Achanta R et al. SLIC superpixels compared to state-of-the-art superpixel methods. IEEE "
        "Trans Pattern Anal Mach Intell 34(11), 2274-2282 (2012), doi:10.1109/TPAMI.2012.120"
    )
    weakness: ClassVar[str] = "lesions whose grey level is that of the tissue beside them"

    segments: Annotated[int, Within(20, 600)] = 200
    compactness: Annotated[float, Within(0.001, 1, log=True)] = 0.05
    position: Annotated[float, Within(0, 40)] = 12.0
    odds: Annotated[float, Within(-3, 3)] = -0.5

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Divide the view, weigh each patch, and join those that are lesion."""
        patches = superpixels(view.grey, self.segments, self.compactness)
        score = grey_odds(view.grey, view.core, view.ground) + self.position * (1 - view.radius)
        return np.asarray((mean_within(score, patches) > self.odds) | view.core)


def superpixels(grey: NDArray[np.float32], segments: int, compactness: float) -> NDArray[np.intp]:
    """Divide an image into patches of even grey level.

    Args:
        grey: (h, w) float32, 0 to 1.
        segments: about how many.
        compactness: weight of the distance beside that of the grey level.

    Returns:
        (h, w) numbers from 0.
    """
    from skimage.segmentation import slic

    if min(grey.shape) < 3:  # too thin to be divided
        return np.arange(grey.size).reshape(grey.shape)
    return np.asarray(slic(grey, segments, compactness, channel_axis=None, start_label=0), np.intp)


def mean_within(values: NDArray[np.float32], patches: NDArray[np.intp]) -> NDArray[np.float64]:
    """Replace each pixel's value by the mean of its patch; (h, w) float64."""
    sums = np.bincount(patches.ravel(), values.ravel().astype(np.float64))
    sizes = np.bincount(patches.ravel())
    return np.asarray((sums / np.maximum(sizes, 1))[patches])
