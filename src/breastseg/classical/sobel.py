"""Sobel's edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.classical.canny import canny
from breastseg.classical.edge_linking import EdgeMethod
from breastseg.classical.gradient import magnitude
from breastseg.core.parameters import Within


def sobel(vectors: NDArray[np.float32], least: float, thin: bool) -> NDArray[np.bool_]:
    """Pixels whose gradient is stronger than a threshold.

    Args:
        vectors: (2, h, w) float32, the gradient down and along.
        least: the threshold; what equals it is no edge.
        thin: keep only those where it is largest along its direction.

    Returns:
        (h, w) bool.
    """
    return canny(vectors, least, least) if thin else np.asarray(magnitude(vectors) > least)


@dataclass(frozen=True)
class Sobel(EdgeMethod):
    """Where Sobel's gradient is strong, closed and filled.

    Attributes:
        quantile: fraction of the view's pixels that are no edge; above, fewer edges.
        thin: thin the edges to one pixel, which puts the contour on the steepest place; without,
            it runs along their outer side.
    """

    name: ClassVar[str] = "sobel"
    summary: ClassVar[str] = "sobel's gradient above a threshold, linked, closed and filled"
    source: ClassVar[str] = (
        "Sobel I, Feldman G. A 3x3 isotropic gradient operator for image processing. Stanford "
        "Artificial Intelligence Project (1968), as in Duda RO, Hart PE. Pattern classification "
        "and scene analysis. Wiley (1973), 271-272"
    )
    weakness: ClassVar[str] = "speckle and shadows, whose edges are as strong as the lesion's"

    sigma: Annotated[float, Within(0, 6)] = 2.5
    quantile: Annotated[float, Within(0.5, 0.99)] = 0.8
    thin: bool = True

    def edges(self, vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Sobel's, by a quantile of the strength over the whole view."""
        least = float(np.quantile(magnitude(vectors), self.quantile))
        return sobel(vectors, least, self.thin)
