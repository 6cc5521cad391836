"""Connected regions of a mask: the only place that labels them.

Everywhere a lesion is one connected region of a mask. Pixels or voxels that touch by a side or a
corner belong to one region (8 neighbours in 2-D, 26 in 3-D).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.errors import InputError


@dataclass(frozen=True, eq=False)
class Regions:
    """The connected regions of a mask, numbered from 1 by their first pixel in row-major order.

    `connected_regions` makes them.

    Attributes:
        labels: int32 of the mask's shape; 0 outside, k in region k.
        spans: (count, 2, axes) int; of each region the first index on each axis, and one past the
            last.
    """

    labels: NDArray[np.int32]
    spans: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many regions there are."""
        return len(self.spans)

    def __len__(self) -> int:
        """How many regions there are."""
        return self.count

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """The tightest box around each region; region k has ``boxes[k - 1]``."""
        return tuple(Box(tuple(start), tuple(stop)) for start, stop in self.spans.tolist())

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """(count,) pixels of each region; region k has ``sizes[k - 1]``."""
        return np.bincount(self.labels.ravel(), minlength=self.count + 1)[1:]

    def crop(self, number: int) -> NDArray[np.bool_]:
        """Region `number`, from 1, on its own box: bool of ``boxes[number - 1].shape``."""
        return np.asarray(self.labels[self.boxes[number - 1].slices] == number)

    def crops(self) -> Iterator[tuple[Box, NDArray[np.bool_]]]:
        """Each region's box, and the region on it as bool of the box's shape."""
        for number, box in enumerate(self.boxes, start=1):
            yield box, self.crop(number)

    def chosen(self, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The mask of some of the regions.

        Args:
            kept: (count,) bool; ``kept[k - 1]`` tells of region k.

        Returns:
            bool of the mask's shape.

        Raises:
            InputError: not one bool a region.
        """
        if kept.shape != (self.count,) or kept.dtype != np.bool_:
            raise InputError(
                f"a choice of shape {kept.shape} and dtype {kept.dtype}", f"({self.count},) bool"
            )
        return np.asarray(np.concatenate([[False], kept])[self.labels])

    def holding(self, seeds: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The mask of the regions that hold at least one seed.

        Args:
            seeds: bool of the mask's shape; those outside of all regions say nothing.
        """
        held = np.zeros(self.count + 1, bool)
        held[self.labels[seeds]] = True
        return self.chosen(held[1:])

    def largest(self) -> NDArray[np.bool_]:
        """The mask of the largest region, the first of equals; empty where there is none."""
        if not self.count:
            return np.zeros(self.labels.shape, bool)
        return np.asarray(self.labels == 1 + int(np.argmax(self.sizes)))


def connected_regions(mask: NDArray[np.bool_], corners: bool = True) -> Regions:
    """Find the connected regions of a mask.

    Args:
        mask: bool, 2-D or 3-D.
        corners: pixels that touch by a corner (or, in 3-D, an edge) alone belong to one region too;
            False asks for a common side.

    Raises:
        InputError: the mask is not bool: a probability must be cut at a threshold first.
    """
    if mask.dtype != np.bool_:
        raise InputError(f"a mask of dtype {mask.dtype}", "bool", "cut it at a threshold first")
    if not mask.any():
        return Regions(np.zeros(mask.shape, np.int32), np.zeros((0, 2, mask.ndim), np.int64))
    return _in_a_plane(mask, corners) if mask.ndim == 2 else _in_a_volume(mask, corners)


def _in_a_plane(mask: NDArray[np.bool_], corners: bool) -> Regions:
    import cv2

    pixels, neighbours = np.ascontiguousarray(mask).view(np.uint8), 8 if corners else 4
    # This algorithm scans pixel by pixel, so it numbers in row-major order; others do not.
    _, labels, found, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        pixels, neighbours, cv2.CV_32S, cv2.CCL_SAUF
    )
    first = found[1:, [cv2.CC_STAT_TOP, cv2.CC_STAT_LEFT]].astype(np.int64)
    past = first + found[1:, [cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH]]
    return Regions(np.asarray(labels, np.int32), np.stack([first, past], axis=1))


def _in_a_volume(mask: NDArray[np.bool_], corners: bool) -> Regions:
    from scipy import ndimage  # a third of a second to import

    labels = np.zeros(mask.shape, np.int32)
    structure = ndimage.generate_binary_structure(mask.ndim, mask.ndim if corners else 1)
    ndimage.label(mask, structure=structure, output=labels)
    spans = [
        [[s.start for s in box], [s.stop for s in box]] for box in ndimage.find_objects(labels)
    ]
    return Regions(labels, np.array(spans, np.int64))
