"""A box of pixels or voxels, half-open: the only meaning of "box" in the project."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import EllipsisType

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError


@dataclass(frozen=True, order=True)
class Box:
    """The samples from `start` up to but not including `stop`, along each axis of an array.

    In 2-D it is written as the four numbers (row0, column0, row1, column1): the first two are its
    first row and column, the last two are one past its last. The same four numbers mean the same
    box in Python, on the command line and in results. Unpacking a box gives them::

        row0, column0, row1, column1 = box

    A box holds at least one sample. It may reach beyond an array, as one drawn by hand does:
    `within` cuts it.

    Attributes:
        start: the first index along each axis.
        stop: one past the last index along each axis.

    Raises:
        GeometryError: no axis, ends of different length, an index that is not a whole number, or a
            box that ends where it begins or before.
    """

    start: tuple[int, ...]
    stop: tuple[int, ...]

    def __post_init__(self) -> None:
        try:
            start, stop = (tuple(map(operator.index, end)) for end in (self.start, self.stop))
        except TypeError:
            raise _refused(self.start, self.stop) from None
        if not start or len(start) != len(stop) or any(map(operator.ge, start, stop)):
            raise _refused(start, stop)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "stop", stop)

    @classmethod
    def of(cls, *numbers: int) -> Box:
        """From the flat form: ``Box.of(row0, column0, row1, column1)`` in 2-D.

        Raises:
            GeometryError: an odd count of numbers, or as the constructor.
        """
        half, odd = divmod(len(numbers), 2)
        if odd:
            raise GeometryError(
                f"a box of {len(numbers)} numbers {numbers}",
                "the first index along each axis, then one past the last along each",
            )
        return cls(numbers[:half], numbers[half:])

    @classmethod
    def whole(cls, shape: Iterable[int]) -> Box:
        """The box of a whole array.

        Raises:
            GeometryError: an axis without samples.
        """
        stop = tuple(shape)
        return cls((0,) * len(stop), stop)

    @classmethod
    def from_slices(cls, slices: Iterable[slice]) -> Box:
        """From slices with both ends and no step, as `scipy.ndimage.find_objects` gives them.

        Raises:
            GeometryError: as the constructor.
        """
        parts = tuple(slices)
        return cls(tuple(part.start for part in parts), tuple(part.stop for part in parts))

    @classmethod
    def around(cls, mask: NDArray[np.bool_]) -> Box | None:
        """The tightest box around what is True in a mask; None where nothing is.

        Args:
            mask: bool, any shape of at least one axis.
        """
        part, start, stop = mask, [], []
        for axis in range(mask.ndim):
            others = tuple(other for other in range(mask.ndim) if other != axis)
            filled = np.flatnonzero(part.any(axis=others))
            if not filled.size:
                return None
            start.append(int(filled[0]))
            stop.append(int(filled[-1]) + 1)
            # what has been cut off is empty and need not be looked at again
            part = part[(slice(None),) * axis + (slice(start[-1], stop[-1]),)]
        return cls(tuple(start), tuple(stop))

    def __iter__(self) -> Iterator[int]:
        """The flat form, number by number."""
        return iter(self.numbers)

    def __str__(self) -> str:
        """The flat form in brackets, e.g. ``(2, 3, 10, 12)``."""
        return str(self.numbers)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The flat form: (row0, column0, row1, column1) in 2-D."""
        return self.start + self.stop

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.start)

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples along each axis, each at least 1."""
        return tuple(map(operator.sub, self.stop, self.start))

    @property
    def size(self) -> int:
        """Samples in it."""
        return math.prod(self.shape)

    @property
    def slices(self) -> tuple[slice, ...]:
        """What cuts it out of an array: ``array[box.slices]``.

        Raises:
            GeometryError: it begins before the array does; numpy would count from the other end.
        """
        if min(self.start) < 0:
            raise GeometryError(
                f"a box {self} that begins before the array", "0 or more", "cut it with `within`"
            )
        return tuple(map(slice, self.start, self.stop))

    @property
    def trailing(self) -> tuple[slice | EllipsisType, ...]:
        """The same on the last axes of an array with more of them: ``array[box.trailing]``."""
        return ..., *self.slices

    def __and__(self, other: Box) -> Box | None:
        """What both hold; None where they share no sample.

        Raises:
            GeometryError: they have different numbers of axes.
        """
        self._check_axes(other.ndim)
        start = tuple(map(max, self.start, other.start))
        stop = tuple(map(min, self.stop, other.stop))
        return None if any(map(operator.ge, start, stop)) else Box(start, stop)

    def __or__(self, other: Box) -> Box:
        """The smallest box that holds both.

        Raises:
            GeometryError: they have different numbers of axes.
        """
        self._check_axes(other.ndim)
        return Box(tuple(map(min, self.start, other.start)), tuple(map(max, self.stop, other.stop)))

    def within(self, shape: tuple[int, ...]) -> Box | None:
        """The part of it that lies in an array of that shape; None where none does.

        Raises:
            GeometryError: the array has another number of axes.
        """
        return self & Box.whole(shape)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether it lies wholly in an array of that shape."""
        return self.ndim == len(shape) and self.within(shape) == self

    def shifted(self, *by: int) -> Box:
        """Moved by so many samples along each axis.

        Raises:
            GeometryError: not one number an axis.
        """
        self._check_axes(len(by))
        return Box(
            tuple(map(operator.add, self.start, by)), tuple(map(operator.add, self.stop, by))
        )

    def padded(self, *by: int) -> Box:
        """Wider on every side by so many samples, one number for all axes or one an axis.

        It becomes narrower where they are negative.

        Raises:
            GeometryError: nothing of it is left, or there are more or fewer numbers.
        """
        wider = by * self.ndim if len(by) == 1 else by
        self._check_axes(len(wider))
        return Box(
            tuple(map(operator.sub, self.start, wider)), tuple(map(operator.add, self.stop, wider))
        )

    def _check_axes(self, axes: int) -> None:
        if axes != self.ndim:
            raise GeometryError(f"a box of {self.ndim} axes {self} with {axes} axes", "as many")


def _refused(start: object, stop: object) -> GeometryError:
    return GeometryError(
        f"a box from {start} to {stop}",
        "whole numbers along each axis, the end after the start",
    )
