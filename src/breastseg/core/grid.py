"""Where the pixels of an array lie in space."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from breastseg.core.box import Box
from breastseg.core.errors import GeometryError

STATED_MM = (2e-5, 10.0)
"""From pixel to pixel of a 2-D image that a person states: of a slide to that of a coarse scan."""


def check_stated_spacing(spacing_mm: tuple[float, float]) -> None:
    """Refuse a spacing that is in another unit, or a slip.

    Raises:
        GeometryError: one that is not within `STATED_MM`.
    """
    if not all(STATED_MM[0] <= step <= STATED_MM[1] for step in spacing_mm):
        raise GeometryError(
            f"a spacing of {spacing_mm[0]:g} and {spacing_mm[1]:g} mm",
            f"{STATED_MM[0]:.5f} to {STATED_MM[1]:g} mm",
            "give millimetres a pixel",
        )


@dataclass(frozen=True)
class NiftiPlace:
    """How a NIfTI file states where its voxels lie.

    It has two statements, sform and qform, which need not agree, and programs choose differently
    among them. A mask lies on its scan in every program if it repeats both as they are.

    Attributes:
        fields: names and values of the header's fields (nifti1.h), as they stand in the file.
    """

    fields: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True)
class Region:
    """A part of a 2-D grid with a scale of its own, as an ultrasound screen has them.

    Attributes:
        box: where it lies.
        spacing_mm: (row, column) distance of sample centres in it; None where it is not known.

    Raises:
        GeometryError: a box or spacing of other than two axes.
    """

    box: Box
    spacing_mm: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        Grid(self.box.shape, self.spacing_mm)
        if self.box.ndim != 2:
            raise GeometryError(f"a region in the box {self.box}", "a box of 2 axes")


@dataclass(frozen=True)
class Grid:
    """A regular 2-D or 3-D sampling grid. All tuples are in array order: (row, column) in 2-D.

    In 3-D the components of origin and direction are (z, y, x) of DICOM's patient system, whose x
    points to the left, y to the back and z to the head.

    Attributes:
        shape: number of samples along each axis, each at least 1.
        spacing_mm: distance between sample centres along each axis in millimetres;
            None where it is unknown, and then measurements are in pixels.
        origin_mm: position of the first sample's centre in millimetres.
        direction: row-major cosines, ``len(shape) ** 2`` values; the identity by default.
        nifti: how the NIfTI file that the grid was read from states it, for the files that are
            written on this grid; without meaning for anything else, and grids that differ in it
            alone are equal.
        regions: of a 2-D grid whose parts have scales of their own; what lies in none of them has
            an unknown one. Without any, `spacing_mm` holds for all of it.

    Raises:
        GeometryError: a length, sign or value that makes no grid.
    """

    shape: tuple[int, ...]
    spacing_mm: tuple[float, ...] | None = None
    origin_mm: tuple[float, ...] | None = None
    direction: tuple[float, ...] | None = None
    nifti: NiftiPlace | None = field(default=None, compare=False, repr=False)
    regions: tuple[Region, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.shape)
        if n not in (2, 3) or any(s < 1 for s in self.shape):
            raise GeometryError(f"grid of shape {self.shape}", "2 or 3 axes of at least 1 sample")
        if self.spacing_mm is not None and (
            len(self.spacing_mm) != n
            or not all(math.isfinite(s) and s > 0 for s in self.spacing_mm)
        ):
            raise GeometryError(
                f"spacing {self.spacing_mm} mm for shape {self.shape}",
                f"{n} finite values above 0, or none",
            )
        if self.origin_mm is not None and len(self.origin_mm) != n:
            raise GeometryError(f"origin {self.origin_mm} for shape {self.shape}", f"{n} values")
        if self.direction is not None and len(self.direction) != n * n:
            raise GeometryError(f"direction of {len(self.direction)} values", f"{n * n} values")
        if not all(region.box.fits(self.shape) for region in self.regions):
            raise GeometryError(
                f"regions {[str(region.box) for region in self.regions]} on a grid of {self.shape}",
                "boxes within it",
            )

    @property
    def ndim(self) -> int:
        """Number of axes, 2 or 3."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of samples."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        """The shape and the spacing in words: ``"500x600 px of 0.1x0.1 mm"``."""
        size = "x".join(map(str, self.shape))
        if self.spacing_mm is None:
            return f"{size} px"
        return f"{size} px of {'x'.join(f'{step:.3g}' for step in self.spacing_mm)} mm"

    @property
    def unit(self) -> str:
        """Unit of lengths measured on this grid: ``"mm"``, or ``"px"`` where spacing is unknown."""
        return "px" if self.spacing_mm is None else "mm"

    @property
    def steps(self) -> tuple[float, ...]:
        """Length of one step along each axis in `unit`: the spacing, or ones."""
        return self.spacing_mm if self.spacing_mm is not None else (1.0,) * self.ndim
