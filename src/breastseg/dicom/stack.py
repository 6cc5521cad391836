"""How the frames of one file lie above each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from breastseg.core.grid import Grid
from breastseg.core.reference import Place

_SAME = 0.01  # of a pixel's side; frames nearer than that lie in one place
_SAME_COSINE = 1e-3

Level = tuple[int, int]
"""Number of a stack of parallel frames, and of a frame's place in it, both from 0."""


def levels(count: int, places: Sequence[Place]) -> list[Level]:
    """Where each frame lies in its stack: by position, whatever the order of the file.

    Args:
        count: of the frames.
        places: of all of them, or none: the frames of a loop follow each other.

    Returns:
        One a frame. Frames in one place, as the phases of a dynamic series are, have the same.
    """
    if not places:
        return [(0, index) for index in range(count)]
    stacks: list[list[int]] = []
    for index, place in enumerate(places):
        for stack in stacks:
            turned = np.subtract(places[stack[0]].orientation, place.orientation)
            if np.abs(turned).max() <= _SAME_COSINE:
                stack.append(index)
                break
        else:
            stacks.append([index])
    found = [(0, 0)] * count
    for number, stack in enumerate(stacks):
        level, last = -1, -np.inf
        for index in sorted(stack, key=lambda index: places[index].height_mm):
            height = places[index].height_mm
            if height - last > _SAME * min(places[index].spacing_mm):
                level, last = level + 1, height
            found[index] = (number, level)
    return found


def in_space(count: int, places: Sequence[Place]) -> list[int]:
    """The number of each frame, from 1, where they are counted stack by stack by position."""
    order = np.lexsort((np.arange(count), *np.transpose(levels(count, places))[::-1]))
    numbers = np.empty(count, int)
    numbers[order] = np.arange(1, count + 1)
    return [int(number) for number in numbers]


def places_of(grid: Grid) -> tuple[Place, ...]:
    """The slices of a volume."""
    from breastseg.io.volume import positions_mm

    axes = np.eye(3) if grid.direction is None else np.reshape(grid.direction, (3, 3))
    orientation = tuple(float(cosine) for cosine in (*axes[::-1, 2], *axes[::-1, 1]))
    at = np.zeros((grid.shape[0], 3), int)
    at[:, 0] = np.arange(grid.shape[0])
    step, row, column = grid.steps
    return tuple(
        Place((x, y, z), orientation, (row, column), step)
        for x, y, z in positions_mm(grid, at).tolist()
    )
