"""Studies of several phases, as a network that takes so many of them is given them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import DataSetError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.mask import Mask
from breastseg.data.dataset import CaseRef
from breastseg.data.volume_ref import VolumeRef


@dataclass(frozen=True, kw_only=True)
class FirstPhases(CaseRef):
    """A study of which only the first phases are looked at.

    Attributes:
        whole: the study.
        count: how many phases, the one before contrast first; at least 1.
    """

    whole: CaseRef
    count: int

    masks_are_images: ClassVar[bool] = False
    is_volume: ClassVar[bool] = True

    @property
    def image_paths(self) -> tuple[Path, ...]:
        """Those of the whole study, of which the first are looked at."""
        return self.whole.image_paths

    def read_image(self) -> Image:
        """The first phases.

        Returns:
            (count, slices, rows, columns) in the files' dtype.

        Raises:
            UnreadableError: a file is missing or damaged.
            DataSetError: there are fewer phases, or they lie on different grids.
        """
        whole = self.whole
        # files are in the order of their time and hold one phase at least; what comes after is
        # not worth reading. Where a kind of its own sorts its series, all are needed for that.
        if type(whole) is VolumeRef:
            whole = replace(whole, later_paths=whole.later_paths[: self.count - 1])
        image = whole.read_image()
        there = image.array.shape[0]
        if there < self.count:
            raise DataSetError(
                f"{self.key}: {there} phase{'s' if there > 1 else ''}",
                f"at least {self.count}, as many as the network takes",
                "leave the study out with a list",
            )
        return replace(image, array=image.array[: self.count])

    def read_mask(self, grid: Grid) -> Mask:
        """The ground truth; as `VolumeRef.read_mask`."""
        return self.whole.read_mask(grid)

    def read_mask_array(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """All masks together; as `VolumeRef.read_mask_array`."""
        return self.whole.read_mask_array(shape)


def first_phases(ref: CaseRef, count: int) -> FirstPhases:
    """The same study with its first `count` phases alone; nothing is read yet."""
    known = {field.name: getattr(ref, field.name) for field in fields(CaseRef)}
    return FirstPhases(**known, whole=ref, count=count)


def require_volumes(cases: Iterable[CaseRef]) -> None:
    """Check that every case is a volume, for what looks at volumes only.

    Raises:
        DataSetError: one is an image.
    """
    pictures = sorted({case.source for case in cases if not case.is_volume})
    if pictures:
        raise DataSetError(
            f"{', '.join(pictures)}: holds images",
            "data sets of volumes, such as MAMA-MIA, or nnunet and manifest with volumes",
        )
