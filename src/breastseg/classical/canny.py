"""Canny's edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.edge_linking import EdgeMethod
from breastseg.classical.gradient import magnitude
from breastseg.core.parameters import Within

_STRONGEST = 8000  # OpenCV squares 16 bit integers
_LARGEST = 32767


def canny(vectors: NDArray[np.float32], low: float, high: float) -> NDArray[np.bool_]:
    """Pixels where the gradient is largest along its direction, traced from strong to weak ones.

    Args:
        vectors: (2, h, w) float32, the gradient down and along.
        low: weaker edges are dropped.
        high: stronger ones are kept, and with them what is connected to them and above `low`.

    Returns:
        (h, w) bool, edges one pixel wide; none where the gradient is zero.
    """
    largest = float(magnitude(vectors).max())
    if largest == 0:
        return np.zeros(vectors.shape[1:], bool)
    scale = _STRONGEST / largest
    down, along = np.rint(vectors * np.float32(scale)).astype(np.int16)
    edges = cv2.Canny(
        np.ascontiguousarray(along),
        np.ascontiguousarray(down),
        min(low * scale, _LARGEST),
        min(high * scale, _LARGEST),
        L2gradient=True,
    )
    return np.asarray(edges > 0)


@dataclass(frozen=True)
class Canny(EdgeMethod):
    """Thin edges by two thresholds, linked at their ends, closed and filled.

    Attributes:
        high: fraction of the view's pixels that are no edge by themselves; above, fewer edges.
        low: fraction of them that do not continue an edge either; above `high` it counts as `high`.
    """

    name: ClassVar[str] = "canny"
    summary: ClassVar[str] = "canny's edges, linked, closed and filled"
    source: ClassVar[str] = (
        "Canny J. A computational approach to edge detection. IEEE Trans Pattern Anal Mach Intell "
        "8(6), 679-698 (1986), doi:10.1109/TPAMI.1986.4767851"
    )
    weakness: ClassVar[str] = "borders that fade over a long way, and strong edges near the lesion"

    high: Annotated[float, Within(0.5, 0.99)] = 0.85
    low: Annotated[float, Within(0.3, 0.99)] = 0.6

    def edges(self, vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Canny's, by quantiles of the strength over the whole view."""
        low, high = np.quantile(magnitude(vectors), [min(self.low, self.high), self.high])
        return canny(vectors, float(low), float(high))
