"""Cases whose masks stand in a file of annotations: polygons and run lengths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import DataSetError
from breastseg.data.cells import LABELS
from breastseg.data.dataset import CaseRef, Notice
from breastseg.data.polygon import Polygon, filled

Runs: TypeAlias = tuple[int, ...]
"""Lengths of runs down the columns, of background and lesion in turn, as COCO has them."""

PARTS = {"train": 1, "training": 1, "val": 2, "valid": 2, "validation": 2, "test": 3}
"""The fold of the parts into which such data sets are often divided."""


@dataclass(frozen=True)
class DrawnRef(CaseRef):
    """A case whose mask is drawn from its annotations.

    Attributes:
        polygons: the lesions in pixel-corner coordinates; they may overlap.
        runs: lesions as runs, each over the whole image.
        stated_shape: (rows, columns) that the annotations state; None where they do not.
        relative: the polygons are in fractions of width and height.
    """

    polygons: tuple[Polygon, ...] = ()
    runs: tuple[Runs, ...] = ()
    stated_shape: tuple[int, int] | None = None
    relative: bool = False

    masks_are_images: ClassVar[bool] = False

    def read_mask_array(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """All lesions, drawn.

        Args:
            shape: of the image's grid.

        Returns:
            Of that shape, True inside any of them.

        Raises:
            DataSetError: the annotations are for an image of another size, or one reaches beyond
                the image or holds no pixel, as one in other units does.
        """
        rows, columns = shape
        if self.stated_shape not in (None, (rows, columns)):
            raise DataSetError(
                f"{self.key}: the annotations are for {self.stated_shape} pixels, the image has "
                f"{(rows, columns)}",
                "annotations of the image as it is",
            )
        merged = np.zeros(shape, bool)
        scale = (columns, rows) if self.relative else (1, 1)
        for polygon in self.polygons:
            corners = tuple((x * scale[0], y * scale[1]) for x, y in polygon)
            part = filled(corners, (rows, columns))
            if not part.any() or _reaches_beyond(corners, (rows, columns)):
                where = [round(float(end), 1) for end in _ends(corners)]
                raise DataSetError(
                    f"{self.key}: an annotation from x {where[0]} to {where[1]} and y {where[2]} "
                    f"to {where[3]} holds no pixel of the image of {columns} x {rows}, or reaches "
                    "far beyond it",
                    "annotations in pixels of the image as it is",
                    "remove what was drawn by a slip, or export the annotations again",
                )
            merged |= part
        for runs in self.runs:
            merged |= unrolled(runs, (rows, columns))
        return merged


def _ends(polygon: Polygon) -> tuple[float, float, float, float]:
    """The lowest and highest x, then y."""
    x, y = zip(*polygon, strict=True)
    return min(x), max(x), min(y), max(y)


def _reaches_beyond(polygon: Polygon, shape: tuple[int, int]) -> bool:
    """Whether a polygon leaves the image by more than a tenth of its side, as a slip would not."""
    left, right, top, bottom = _ends(polygon)
    high, wide = 0.1 * shape[0], 0.1 * shape[1]
    return min(left + wide, top + high) < 0 or right > shape[1] + wide or bottom > shape[0] + high


def closed(polygon: Polygon) -> Polygon:
    """The polygon itself.

    Raises:
        ValueError: it has fewer than three corners, and so encloses nothing.
    """
    if len(polygon) < 3:
        raise ValueError(f"a polygon of {len(polygon)} corners")
    return polygon


def unrolled(runs: Sequence[int], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The mask that runs describe.

    Args:
        runs: lengths down the columns, the first of background.
        shape: (rows, columns).

    Raises:
        DataSetError: they do not fill the shape.
    """
    if min(runs, default=0) < 0 or sum(runs) != shape[0] * shape[1]:
        raise DataSetError(f"runs of {sum(runs)} pixels in an image of {shape}", "as many pixels")
    values = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return values.reshape(shape, order="F")


def label_of(names: set[str]) -> str | None:
    """The case's label, where its lesions have one name and that is a label."""
    plain = {name.lower() for name in names}
    return next(iter(plain)) if len(plain) == 1 and plain <= set(LABELS) else None


def boxes_alone(cases: Iterable[DrawnRef]) -> tuple[str, ...]:
    """The remark that all lesions are boxes, upright or turned, as of detection; often none."""
    polygons = [polygon for case in cases for polygon in case.polygons]
    if not polygons or not all(map(_is_box, polygons)):
        return ()
    said = f"all {len(polygons)} polygons are boxes, which are not the outlines of lesions"
    return (Notice(said),)


def _is_box(polygon: Polygon) -> bool:
    """Whether these are four corners whose opposite sides are alike, closed or not."""
    corners = [*dict.fromkeys(polygon)]
    if len(corners) != 4:
        return False
    left, right, top, bottom = _ends(polygon)
    off = (a - b + c - d for a, b, c, d in zip(*corners, strict=True))
    return all(abs(gap) <= 0.01 * max(right - left, bottom - top) for gap in off)


def merged_classes(names: Sequence[str]) -> tuple[str, ...]:
    """The remark that several classes count as one lesion; none for one class."""
    several = len(names) > 1
    return (Notice(f"the classes {', '.join(names)} count as one lesion"),) if several else ()
