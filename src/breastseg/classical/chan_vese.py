"""Active contours without edges, by threshold dynamics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within

_LENGTH_PX = 3.0  # standard deviation of the diffusion that shortens the border
_LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class ChanVese(ClassicalMethod):
    """Two regions of even grey level, with a short border between them.

    Chan and Vese's energy, lowered by threshold dynamics (Esedoglu and Tsai 2006,
    doi:10.1016/j.jcp.2005.05.027): the region is blurred, which shortens its border, pushed by how
    much better each pixel fits the mean within than the mean without, and cut at one half again.
    It starts from the ellipse in the box, or from the region that was found.

    Attributes:
        mu: weight of the border's length; larger gives rounder contours.
        lambda_in: weight of the deviation from the mean within; larger keeps the mask pure.
        lambda_out: weight of the deviation from the mean without; larger lets it grow.
        locality: standard deviation of the window in which the means are taken, as a fraction of
            the box's longer side; 0 takes one mean within and one without. Shadows and enhancement
            need a window.
        prior: weight of the ellipse in the box; 0 goes by grey levels alone.
        iterations: at most; it stops when nothing changes.
    """

    name: ClassVar[str] = "chan-vese"
    summary: ClassVar[str] = "two regions of even grey level with a short border, no edges needed"
    source: ClassVar[str] = (
        "Chan TF, Vese LA. Active contours without edges. IEEE Trans Image Process 10(2), 266-277 "
        "(2001), doi:10.1109/83.902291; local means after Li C et al. Minimization of "
        "region-scalable fitting energy. IEEE Trans Image Process 17(10), 1940-1949 (2008), "
        "doi:10.1109/TIP.2008.2002304"
    )
    weakness: ClassVar[str] = "posterior shadows and dark fat that touch the lesion"

    mu: Annotated[float, Within(0.05, 8, log=True)] = 2.0
    lambda_in: Annotated[float, Within(0.1, 4, log=True)] = 1.0
    lambda_out: Annotated[float, Within(0.1, 4, log=True)] = 1.0
    locality: Annotated[float, Within(0, 1)] = 0.4
    prior: Annotated[float, Within(0, 8)] = 2.0
    iterations: Annotated[int, Within(1, 200)] = 60

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Evolve the region within the view."""
        start = view.radius <= 1 if view.found is None else view.found
        drawn = self.prior * (1 - np.minimum(view.radius, 2))
        region = (start & view.allowed) | view.core
        window_px = self.locality * max(view.box.shape)
        for _ in range(self.iterations):
            force = self.lambda_out * (view.grey - mean_of(view.grey, ~region, window_px)) ** 2
            force -= self.lambda_in * (view.grey - mean_of(view.grey, region, window_px)) ** 2
            spread = max(float(view.grey.var()), _LEAST_VARIANCE)
            blurred = cv2.GaussianBlur(region.astype(np.float32), (0, 0), _LENGTH_PX)
            pushed = blurred - 0.5 + (force / spread + drawn) / (4 * self.mu)
            evolved = ((pushed > 0) & view.allowed) | view.core
            if np.array_equal(evolved, region):
                break
            region = evolved
        return np.asarray(region)


def mean_of(
    grey: NDArray[np.float32], region: NDArray[np.bool_], window_px: float
) -> NDArray[np.float32]:
    """The mean grey level of a region, as seen from each pixel.

    Args:
        grey: (h, w) float32.
        region: (h, w) bool.
        window_px: standard deviation of the square window; 0 for the mean of the whole region.

    Returns:
        (h, w) float32; where the window meets none of the region, the mean of the whole region;
        the mean of the image where the region is empty.
    """
    whole = float(grey[region].mean()) if region.any() else float(grey.mean())
    if window_px < 1:
        return np.full(grey.shape, whole, np.float32)
    weight = region.astype(np.float32)
    side = 2 * round(1.73 * window_px) + 1  # of a square with the same standard deviation
    total = cv2.blur(grey * weight, (side, side), borderType=cv2.BORDER_REPLICATE)
    fraction = cv2.blur(weight, (side, side), borderType=cv2.BORDER_REPLICATE)
    few = np.float32(1e-3)  # of the whole region's mean, where hardly any of it is in the window
    return np.asarray((total + few * np.float32(whole)) / (fraction + few), np.float32)
