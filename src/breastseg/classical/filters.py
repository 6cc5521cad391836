"""What is done to the grey levels before a classical method looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from breastseg.core.parameters import Within, check_parameters
from breastseg.preprocess.contrast import clahe
from breastseg.preprocess.speckle import median, srad


@dataclass(frozen=True)
class Filters:
    """Speckle reduction and contrast equalisation, in this order; 0 turns each off.

    Attributes:
        median_px: radius of a median filter in pixels.
        srad_iterations: steps of speckle reducing anisotropic diffusion.
        clahe_clip: clip limit of the adaptive histogram equalisation, in multiples of the mean bin.
    """

    median_px: Annotated[int, Within(0, 7)] = 2
    srad_iterations: Annotated[int, Within(0, 60)] = 0
    clahe_clip: Annotated[float, Within(0, 8)] = 0.0

    def __post_init__(self) -> None:
        check_parameters(self)

    def __call__(self, unit: NDArray[np.float32]) -> NDArray[np.float32]:
        """Filter an image (rows, columns), float32, 0 to 1; the same shape and range."""
        if self.median_px:
            unit = median(unit, self.median_px)
        if self.srad_iterations:
            unit = srad(unit, self.srad_iterations)
        if self.clahe_clip:
            unit = clahe(unit, self.clahe_clip)
        return unit
