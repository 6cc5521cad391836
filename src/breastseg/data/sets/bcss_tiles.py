"""BCSS in tiles of one size, as a network sees a slide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import DataSetError, UnreadableError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.data.dataset import CaseRef, DataSetInfo
from breastseg.data.sets.bcss import Bcss

TILE_UM = 128.0
"""Along each side: 512 pixels of the copy that the authors share."""


@dataclass(frozen=True)
class TileRef(CaseRef):
    """A square of a larger image.

    Attributes:
        whole: the case that it is cut from.
        corner: its first row and column there.
        side: rows and columns.
    """

    masks_are_images: ClassVar[bool] = False

    whole: CaseRef | None = None
    corner: tuple[int, int] = (0, 0)
    side: int = 0

    def read_image(self) -> Image:
        """The square alone, as `whole` reads it.

        Raises:
            UnreadableError: a file is missing or damaged.
            DataSetError: the image has another size than it had when the tiles were listed.
        """
        image, _ = self._read()
        array = image.array[:, *self._window]
        if array.shape[1:] != (self.side, self.side):
            raise DataSetError(
                f"{self.key}: the image has {image.grid.shape} pixels",
                "the size that it had when its tiles were listed",
            )
        grid = Grid((self.side, self.side), image.grid.spacing_mm)
        return replace(image, array=np.array(array), grid=grid)

    def read_mask_array(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """The part of the mask in the square.

        Raises:
            UnreadableError: a file is missing or damaged.
            DataSetError: the mask does not fit the image.
        """
        mask = self._read()[1][self._window]
        if mask.shape != shape:
            raise DataSetError(f"{self.key}: a mask of {mask.shape} pixels", f"{shape}")
        return np.array(mask)

    @property
    def _window(self) -> tuple[slice, slice]:
        row, column = self.corner
        return slice(row, row + self.side), slice(column, column + self.side)

    def _read(self) -> tuple[Image, NDArray[np.bool_]]:
        if self.whole is None:
            raise DataSetError(f"{self.key}: a tile of nothing", "a case to cut it from")
        return _decoded(self.whole)


@dataclass(frozen=True)
class BcssTiles:
    """The regions of BCSS cut into squares of 128 micrometres; what remains at the border is left.

    A network for slides sees such squares: brought to 256 pixels, one pixel is half a micrometre.
    Tiles without tumour have an empty mask. Regions without a mask are left out.

    Attributes:
        root: as for `Bcss`.
    """

    root: Path
    name: ClassVar[str] = "BCSS-tiles"
    info: ClassVar[DataSetInfo] = replace(
        Bcss.info, title="BCSS cut into squares of 128 micrometres, to train networks for slides"
    )

    def cases(self) -> tuple[CaseRef, ...]:
        """One case a tile, by region, then row, then column: ``"TCGA-..._r0512_c1024"``.

        Raises:
            DataSetError: as `Bcss.cases`, or no region has a mask and the size of a tile.
        """
        regions = (region for region in Bcss(self.root).cases() if region.mask_paths)
        tiles = tuple(tile for region in regions for tile in self._tiles(region))
        if not tiles:
            raise DataSetError(
                f"no region with a mask in {self.root} has {TILE_UM:g} x {TILE_UM:g} micrometres",
                self.info.tree,
            )
        return tiles

    def remarks(self) -> tuple[str, ...]:
        """As `Bcss.remarks`."""
        return Bcss(self.root).remarks()

    def _tiles(self, region: CaseRef) -> Iterator[TileRef]:
        assert region.spacing_mm is not None
        side = round(TILE_UM / (1000 * region.spacing_mm[0]))
        height, width = _size(region)
        for row in range(0, height - side + 1, side):
            for column in range(0, width - side + 1, side):
                yield TileRef(
                    case_id=f"{region.case_id}_r{row:05d}_c{column:05d}",
                    patient_id=region.patient_id,
                    label=region.label,
                    source=self.name,
                    image_path=region.image_path,
                    mask_paths=region.mask_paths,
                    spacing_mm=region.spacing_mm,
                    modality=region.modality,
                    whole=region,
                    corner=(row, column),
                    side=side,
                )


@lru_cache(maxsize=2)
def _decoded(region: CaseRef) -> tuple[Image, NDArray[np.bool_]]:
    """The last regions read: their tiles are asked for one after the other."""
    image = region.read_image()
    mask = region.read_mask_array(image.grid.shape)
    mask.flags.writeable = False
    return image, mask


def _size(region: CaseRef) -> tuple[int, int]:
    """(rows, columns) by the file's header alone."""
    from PIL import Image as Pillow

    try:
        with Pillow.open(region.image_path) as picture:
            width, height = picture.size
    except (OSError, ValueError, SyntaxError) as error:
        raise UnreadableError(
            f"{region.image_path}: is damaged ({error})", "an image", "copy it again"
        ) from error
    return height, width
