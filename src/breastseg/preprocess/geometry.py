"""Resizing to a network's size and back, without a shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from breastseg.core.box import Box
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
    """Where a source image, or a box of it, lies in a network's input.

    Attributes:
        source: (rows, columns) of the image.
        size: (rows, columns) of the network's input.
        inner: where in the input it lies.
        box: what of the image the network sees.
        flipped: it sees left and right of the box exchanged.
    """

    source: tuple[int, int]
    size: tuple[int, int]
    inner: Box
    box: Box
    flipped: bool = False

    @classmethod
    def of(
        cls,
        source: tuple[int, int],
        size: tuple[int, int],
        fit: Fit,
        box: Box | None = None,
        flipped: bool = False,
    ) -> Placement:
        """Plan the placement of an image of shape `source`, or a box of it, in a `size`.

        Raises:
            GeometryError: the box does not lie in the image.
        """
        box = box or Box.whole(source)
        if not box.fits(source):
            raise GeometryError(f"a box {box}", f"one within {source[0]}x{source[1]} pixels")
        if fit is Fit.STRETCH:
            return cls(source, size, Box.whole(size), box, flipped)
        height, width = box.shape
        scale = min(size[0] / height, size[1] / width)
        rows = min(size[0], max(1, round(height * scale)))
        columns = min(size[1], max(1, round(width * scale)))
        inner = Box.whole((rows, columns)).shifted((size[0] - rows) // 2, (size[1] - columns) // 2)
        return cls(source, size, inner, box, flipped)

    def forward(self, image: NDArray[np.generic], fill: float = 0.0) -> NDArray[np.float32]:
        """Bring an array of shape `source` to `size`, with `fill` around it; float32."""
        if image.shape != self.source:
            raise GeometryError(f"an array of {image.shape}", f"shape {self.source}")
        seen = image[self.box.slices]
        rows, columns = self.inner.shape
        out = np.full(self.size, fill, np.float32)
        out[self.inner.slices] = resize(seen[:, ::-1] if self.flipped else seen, (rows, columns))
        return out

    def backward(self, values: NDArray[np.generic]) -> NDArray[np.float32]:
        """Bring an array of shape `size` back to `source`.

        Padding is cut off, and the rest is resampled; what lies beyond the box is 0.
        """
        if values.shape != self.size:
            raise GeometryError(f"an array of {values.shape}", f"shape {self.size}")
        rows, columns = self.box.shape
        seen = resize(values[self.inner.slices], (rows, columns))
        seen = seen[:, ::-1] if self.flipped else seen
        if seen.shape == self.source:
            return np.ascontiguousarray(seen)
        out = np.zeros(self.source, np.float32)
        out[self.box.slices] = seen
        return out

    def point_forward(self, row: float, column: float) -> tuple[float, float]:
        """Bring a place in the image to the input, by the convention of `point_back`."""
        (row0, column0), (height, width) = self.box.start, self.box.shape
        (top, left), (rows, columns) = self.inner.start, self.inner.shape
        across = column - column0
        across = width - across if self.flipped else across
        return top + (row - row0) * rows / height, left + across * columns / width

    def point_back(self, row: float, column: float) -> tuple[float, float]:
        """Bring a place in the input back to the image.

        Args:
            row: in pixels of the input, whose first has its centre at 0.5.
            column: the same.

        Returns:
            (row, column) in pixels of the image, by the same convention; beyond the image for
            places in the padding.
        """
        (row0, column0), (height, width) = self.box.start, self.box.shape
        (top, left), (rows, columns) = self.inner.start, self.inner.shape
        across = (column - left) * width / columns
        return (
            row0 + (row - top) * height / rows,
            column0 + (width - across if self.flipped else across),
        )
