"""Windows of an image that is held in memory, such as a part of a slide saved as PNG or JPEG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import UnsupportedError
from breastseg.io.raster import read_raster

IMAGE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"BM")
"""How PNG, JPEG and BMP files begin."""


class FlatImage:
    """A PNG, JPEG or BMP file in the manner of a slide with one level.

    Args:
        path: the file, of at most `breastseg.io.source.MAX_PIXELS`.

    Raises:
        UnreadableError: missing, empty, truncated or damaged.
        UnsupportedError: larger, or of more than 8 bits.
    """

    def __init__(self, path: Path) -> None:
        image = read_raster(path)
        if image.array.dtype != np.uint8:
            raise UnsupportedError(
                f"{path}: has pixels of {image.array.dtype}", "8-bit grey or RGB", "convert it"
            )
        rows, columns = image.grid.shape
        self._pixels = np.broadcast_to(np.moveaxis(image.array, 0, 2), (rows, columns, 3))
        self._spacing_mm = image.grid.spacing_mm

    @property
    def levels(self) -> tuple[tuple[int, int], ...]:
        """(rows, columns), once."""
        rows, columns, _ = self._pixels.shape
        return ((rows, columns),)

    @property
    def spacing_um(self) -> tuple[float, float] | None:
        """(row, column) step in micrometres; known only of files that breastseg wrote."""
        if self._spacing_mm is None:
            return None
        return 1000 * self._spacing_mm[0], 1000 * self._spacing_mm[1]

    def window(
        self, level: int, row: int, column: int, rows: int, columns: int
    ) -> NDArray[np.uint8]:
        """A part of the image, (rows, columns, 3) uint8; `level` is 0."""
        return np.asarray(self._pixels[row : row + rows, column : column + columns], np.uint8)

    def close(self) -> None:
        """Let the pixels go."""
        self._pixels = self._pixels[:0]
