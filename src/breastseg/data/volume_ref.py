"""The reference to a case that is a volume, its phases as channels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import DataSetError, GeometryError
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.core.mask import Mask
from breastseg.data.dataset import CaseRef
from breastseg.data.lesion_pixels import labelled


@dataclass(frozen=True)
class VolumeRef(CaseRef):
    """A case of one or more volume files, or folders of DICOM slices, on one grid.

    Its image is (phases, slices, rows, columns); its masks are volume files on that grid.

    Attributes:
        later_paths: the phases after `image_path`, in the order of their time.
        lesion_values: what a mask's file holds inside a lesion; where empty, it is told by
            `breastseg.data.lesion_pixels`.
        ignore_value: what it holds where nothing is known; None where there is no such value.
    """

    modality: Modality = Modality.MRI
    later_paths: tuple[Path, ...] = ()
    lesion_values: tuple[int, ...] = ()
    ignore_value: int | None = None

    masks_are_images: ClassVar[bool] = False
    is_volume: ClassVar[bool] = True

    @property
    def image_paths(self) -> tuple[Path, ...]:
        """All phases, the one before contrast first."""
        return (self.image_path, *self.later_paths)

    def read_image(self) -> Image:
        """All phases.

        Returns:
            (phases, slices, rows, columns) in the files' dtype.

        Raises:
            UnreadableError: a file is missing or damaged.
            DataSetError: the phases lie on different grids.
        """
        from breastseg.io.volume_series import read_phases

        try:
            image = read_phases(self.image_paths)
        except GeometryError as error:
            raise DataSetError(error.given, error.allowed, error.remedy) from error
        return replace(image, modality=self.modality, source=self.key)

    def read_mask(self, grid: Grid) -> Mask:
        """The ground truth on the image's grid; what is raised as for `read_mask_array`."""
        return labelled(self._label_files(grid), self, grid)

    def read_mask_array(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """All masks together.

        Args:
            shape: of the image's grid, (slices, rows, columns).

        Returns:
            Of that shape, True inside any lesion.

        Raises:
            UnreadableError: a file is missing or damaged.
            DataSetError: a mask does not lie on the grid of the first phase, has a label that
                is not declared, or what in it is lesion cannot be told.
        """
        return self.read_mask(Grid(shape)).foreground

    def _label_files(self, grid: Grid) -> Iterator[tuple[NDArray[np.generic], str]]:
        from breastseg.io.volume import grid_difference, read_volume, read_volume_grid

        for path in self.mask_paths or ():
            part = read_volume(path)
            # of a folder of slices the grid is known that was read with the image
            in_file = self.image_path.is_file()
            image = read_volume_grid(self.image_path)[0] if in_file else grid
            known = in_file or grid.spacing_mm is not None
            difference = grid_difference(image, part.grid) if known else ""
            if part.array.shape != (1, *grid.shape) or difference:
                raise DataSetError(
                    f"{self.key}: {path.name} {difference or f'has {part.array.shape} voxels'} "
                    f"than the image of {grid.shape}",
                    "one volume on the image's grid",
                    "repair or remove the file, or leave the case out",
                )
            yield part.array, f"{self.key}: {path.name}"
