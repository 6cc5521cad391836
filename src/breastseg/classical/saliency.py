"""The dark region that was found, as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.classical.method import ClassicalMethod
from breastseg.classical.tidy import opened
from breastseg.classical.view import View
from breastseg.core.parameters import Within
from breastseg.core.regions import connected_regions


@dataclass(frozen=True)
class Saliency(ClassicalMethod):
    """Where no one points, the finder's candidate itself; in a box, the dark region that fits it.

    In a box the view is cut at many grey levels, and of all connected regions the one is taken that
    agrees best with the ellipse in the box.

    Attributes:
        cuts: how many grey levels the view is cut at.
    """

    name: ClassVar[str] = "saliency"
    summary: ClassVar[str] = "the dark region that stands out most from its surroundings, as found"
    source: ClassVar[str] = (
        "candidates as connected regions of a difference of Gaussians over many levels, after "
        "Matas J et al. Robust wide-baseline stereo from maximally stable extremal regions. Image "
        "Vis Comput 22(10), 761-767 (2004), doi:10.1016/j.imavis.2004.02.006"
    )
    weakness: ClassVar[str] = "bright and isoechoic lesions, and dark fat lobules beside a lesion"

    cuts: Annotated[int, Within(4, 64)] = 24

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """The candidate's region, or the connected dark region that fits the box best."""
        if view.found is not None:
            return view.found
        ellipse = view.radius <= 1
        best, agreement = np.zeros(view.shape, bool), 0.0
        for level in np.quantile(view.grey, np.linspace(0.05, 0.95, self.cuts)):
            dark = opened((view.grey <= level) & view.allowed, max(1, self.opening))
            regions = connected_regions(dark)
            shared = np.bincount(regions.labels[ellipse], minlength=len(regions) + 1)[1:]
            dice = 2 * shared / (regions.sizes + np.count_nonzero(ellipse))
            if dice.max(initial=0) > agreement:
                agreement = float(dice.max())
                best = np.asarray(regions.labels == 1 + int(np.argmax(dice)))
        return best
