"""Cases whose colour counts: images of stained tissue, in which the dyes tell the cells apart."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from breastseg.core.image import Image
from breastseg.data.dataset import CaseRef


@dataclass(frozen=True)
class ColourRef(CaseRef):
    """A case of a data set of colour images."""

    def read_image(self) -> Image:
        """The image with its colours.

        Returns:
            (3, rows, columns) uint8, red, green and blue; what the file holds in grey has three
            equal channels.

        Raises:
            UnreadableError: the file is missing or damaged.
        """
        from breastseg.io.raster import read_raster

        image = read_raster(self.image_path, self.key)
        shape = (3, *image.grid.shape)
        grid = image.grid
        if self.spacing_mm is not None:
            grid = replace(grid, spacing_mm=self.spacing_mm)
        array = np.broadcast_to(image.array, shape)
        return replace(image, array=array, grid=grid, modality=self.modality)
