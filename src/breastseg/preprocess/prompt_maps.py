"""A prompt as images, which is how a network sees it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CHANNELS = 3
"""The box, the points inside, the points outside."""
DISC = 0.02
"""Radius of a point's disc as a fraction of the frame's side, unless a bundle says otherwise."""


def prompt_maps(
    size: tuple[int, int],
    box: Sequence[float] | None = None,
    inside: Sequence[Sequence[float]] = (),
    outside: Sequence[Sequence[float]] = (),
    disc: float = DISC,
) -> NDArray[np.float32]:
    """Draw a prompt: a filled box, and a disc at every point.

    Places are (row, column) in pixels of the frame, whose first pixel has its centre at 0.5. A
    pixel belongs to the box or to a disc where its centre does.

    Args:
        size: (rows, columns) of the frame.
        box: (row0, column0, row1, column1).
        inside: points in the lesion.
        outside: points in the background.
        disc: radius of a point's disc as a fraction of the frame's side.

    Returns:
        (3, rows, columns) float32, 0 or 1: box, inside, outside; all 0 without a prompt.
    """
    maps = np.zeros((CHANNELS, *size), np.float32)
    row = np.arange(size[0])[:, None] + 0.5
    column = np.arange(size[1])[None] + 0.5
    if box is not None:
        maps[0] = (row >= box[0]) & (row < box[2]) & (column >= box[1]) & (column < box[3])
    # an ellipse where the frame is not square: the same fraction of either side
    for channel, points in ((1, inside), (2, outside)):
        for point in points:
            apart = ((row - point[0]) / size[0]) ** 2 + ((column - point[1]) / size[1]) ** 2
            maps[channel][apart <= disc**2] = 1
    return maps
