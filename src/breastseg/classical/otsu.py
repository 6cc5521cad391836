"""Otsu's threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within


def otsu(grey: NDArray[np.float32], shift: float = 0.0) -> NDArray[np.bool_]:
    """Pixels darker than the threshold that splits the histogram into its two tightest halves.

    Args:
        grey: (h, w) float32, 0 to 1.
        shift: added to the threshold; above 0 takes more pixels.

    Returns:
        (h, w) bool; nothing where all pixels are equal.
    """
    from skimage.filters import threshold_otsu

    if grey.min() == grey.max():
        return np.zeros(grey.shape, bool)
    return np.asarray(grey <= threshold_otsu(grey) + shift)


@dataclass(frozen=True)
class Otsu(ClassicalMethod):
    """One threshold for the whole view, where the variance between the two halves is largest.

    Attributes:
        shift: added to the threshold, in shares of the grey scale; above 0 outlines grow.
    """

    name: ClassVar[str] = "otsu"
    summary: ClassVar[str] = "one threshold between the two halves of the histogram"
    source: ClassVar[str] = (
        "Otsu N. A threshold selection method from gray-level histograms. IEEE Trans Syst Man "
        "Cybern 9(1), 62-66 (1979), doi:10.1109/TSMC.1979.4310076"
    )
    weakness: ClassVar[str] = "shadows and a lesion whose grey levels overlap with its surroundings"

    shift: Annotated[float, Within(-0.3, 0.3)] = 0.0

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Cut the view at Otsu's threshold of its own histogram."""
        return otsu(view.grey, self.shift)
