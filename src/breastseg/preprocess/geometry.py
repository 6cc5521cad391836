"""Resizing to a network's size and back, without a shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from breastseg.core.bundle import Fit
from breastseg.core.errors import GeometryError


def resize(array: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.float32]:
    """Resample a 2-D array with a triangle filter on half-pixel centres.

    When shrinking, the filter widens with the step, so fine speckle is averaged and not
    aliased. It is what ``torch.nn.functional.interpolate(mode="bilinear", antialias=True,
    align_corners=False)`` computes; values never leave the input's range.

    Args:
        array: (rows, columns), real.
        size: (rows, columns) of the result.

    Returns:
        `size`, float32.
    """
    rows, columns = size
    if array.ndim != 2 or min(array.shape) < 1 or rows < 1 or columns < 1:
        raise GeometryError(f"resizing shape {array.shape} to {size}", "two axes of at least 1")
    values = np.ascontiguousarray(array, dtype=np.float32)
    if array.shape == size:
        return values.copy()
    picture = PilImage.fromarray(values)
    return np.array(picture.resize((columns, rows), PilImage.Resampling.BILINEAR), np.float32)


@dataclass(frozen=True)
class Placement:
    """Where a source image lies in a network's input.

    Attributes:
        source: (rows, columns) of the image.
        size: (rows, columns) of the network's input.
        inner: (row0, column0, rows, columns) of the image within the input.
    """

    source: tuple[int, int]
    size: tuple[int, int]
    inner: tuple[int, int, int, int]

    @classmethod
    def of(cls, source: tuple[int, int], size: tuple[int, int], fit: Fit) -> Placement:
        """Plan the placement of an image of shape `source` in an input of shape `size`."""
        if fit is Fit.STRETCH:
            return cls(source, size, (0, 0, *size))
        scale = min(size[0] / source[0], size[1] / source[1])
        rows = min(size[0], max(1, round(source[0] * scale)))
        columns = min(size[1], max(1, round(source[1] * scale)))
        return cls(source, size, ((size[0] - rows) // 2, (size[1] - columns) // 2, rows, columns))

    def forward(self, image: NDArray[np.generic], fill: float = 0.0) -> NDArray[np.float32]:
        """Bring an array of shape `source` to `size`, with `fill` around it; float32."""
        if image.shape != self.source:
            raise GeometryError(f"an array of {image.shape}", f"shape {self.source}")
        row, column, rows, columns = self.inner
        out = np.full(self.size, fill, np.float32)
        out[row : row + rows, column : column + columns] = resize(image, (rows, columns))
        return out

    def backward(self, values: NDArray[np.generic]) -> NDArray[np.float32]:
        """Bring an array of shape `size` back to `source`: padding cut off, then resampled."""
        if values.shape != self.size:
            raise GeometryError(f"an array of {values.shape}", f"shape {self.size}")
        row, column, rows, columns = self.inner
        return resize(values[row : row + rows, column : column + columns], self.source)
