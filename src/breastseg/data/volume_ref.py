"""The reference to a case that is a volume, its phases as channels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import DataSetError, GeometryError
from breastseg.core.image import Image, Modality
from breastseg.data.dataset import CaseRef


@dataclass(frozen=True)
class VolumeRef(CaseRef):
    """A case of one or more volume files, or folders of DICOM slices, on one grid.

    Its image is (phases, slices, rows, columns); its outlines are volume files on that grid.

    Attributes:
        later_paths: the phases after `image_path`, in the order of their time.
        lesion_values: what an outline's file holds inside a lesion; anything but 0 where empty.
    """

    modality: Modality = Modality.MRI
    later_paths: tuple[Path, ...] = ()
    lesion_values: tuple[int, ...] = ()

    masks_are_pictures: ClassVar[bool] = False
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

    def read_outline(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """All outlines together.

        Args:
            shape: of the image's grid, (slices, rows, columns).

        Returns:
            Of that shape, True inside any lesion.

        Raises:
            UnreadableError: a file is missing or damaged.
            DataSetError: an outline does not lie on the grid of the first phase.
        """
        from breastseg.io.volume import grid_difference, read_volume, read_volume_grid

        merged = np.zeros(shape, bool)
        for path in self.mask_paths or ():
            part = read_volume(path)
            difference = (
                grid_difference(read_volume_grid(self.image_path)[0], part.grid)
                if self.image_path.is_file()
                else ""
            )
            if part.array.shape != (1, *shape) or difference:
                raise DataSetError(
                    f"{self.key}: {path.name} {difference or f'has {part.array.shape} voxels'} "
                    f"than the image of {shape}",
                    "one volume on the image's grid",
                    "repair or remove the file, or leave the case out",
                )
            values = part.array[0]
            merged |= np.isin(values, self.lesion_values) if self.lesion_values else values != 0
        return merged
