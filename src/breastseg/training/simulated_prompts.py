"""Frames, boxes and clicks as a reader would choose them, drawn from the ground truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.core.regions import connected_regions
from breastseg.preprocess.prompt_maps import prompt_maps

Frame = tuple[float, float, float, float]
"""(row0, column0, row1, column1) as fractions of the image; it may reach beyond it."""

_LOOSE = 0.25
"""How far an edge of a box lies off, at most, as a fraction of the box's side."""


@dataclass
class SimulatedPrompt:
    """What the reader shows; places in pixels of the frame, whose first has its centre at 0.5."""

    box: tuple[float, float, float, float] | None = None
    inside: list[tuple[float, float]] = field(default_factory=list)
    outside: list[tuple[float, float]] = field(default_factory=list)

    def maps(self, size: tuple[int, int]) -> NDArray[np.float32]:
        """(3, rows, columns), see `prompt_maps`."""
        return prompt_maps(size, self.box, self.inside, self.outside)


def choose_lesion(lesions: NDArray[np.bool_], generator: np.random.Generator) -> NDArray[np.bool_]:
    """One connected lesion of a mask, each as likely as another; the mask itself if empty."""
    regions = connected_regions(lesions)
    if not regions:
        return lesions
    return np.asarray(regions.labels == generator.integers(1, len(regions) + 1))


def frame_around(
    lesion: NDArray[np.bool_], generator: np.random.Generator, margin: tuple[float, float]
) -> Frame:
    """A frame around a lesion, up to a quarter of its side off centre.

    Args:
        lesion: (rows, columns) bool, not empty.
        generator: the source of randomness.
        margin: the frame's side as a multiple of the lesion's, lowest and highest, drawn
            logarithmically for both axes together and a little for each.
    """
    rows, columns = lesion.shape
    there, across = np.flatnonzero(lesion.any(axis=1)), np.flatnonzero(lesion.any(axis=0))
    height, width = (there[-1] + 1 - there[0]) / rows, (across[-1] + 1 - across[0]) / columns
    factor = float(np.exp(generator.uniform(*np.log(margin))))
    tall = factor * generator.uniform(0.85, 1.15) * max(height, width / 2)
    broad = factor * generator.uniform(0.85, 1.15) * max(width, height / 2)
    middle_row = (there[-1] + 1 + there[0]) / 2 / rows + generator.uniform(-0.2, 0.2) * height
    middle_column = (across[-1] + 1 + across[0]) / 2 / columns + generator.uniform(
        -0.2, 0.2
    ) * width
    top, bottom = max(0.0, middle_row - tall / 2), min(1.0, middle_row + tall / 2)
    left, right = max(0.0, middle_column - broad / 2), min(1.0, middle_column + broad / 2)
    return (top, left, bottom, right)


def simulate(
    lesion: NDArray[np.bool_],
    truth: NDArray[np.float32],
    generator: np.random.Generator,
    box_fraction: float,
    tight_fraction: float,
) -> SimulatedPrompt:
    """A box, or clicks in a lesion and sometimes beside it.

    Args:
        lesion: (rows, columns) bool, the lesion that is meant, not empty.
        truth: (rows, columns), above 0 in all lesions, below 0 where nothing is known.
        generator: the source of randomness.
        box_fraction: chance of a box, 0 to 1.
        tight_fraction: chance that a box fits, 0 to 1.
    """
    prompt = SimulatedPrompt()
    if generator.random() < box_fraction:
        there, across = np.flatnonzero(lesion.any(axis=1)), np.flatnonzero(lesion.any(axis=0))
        box = np.array([there[0], across[0], there[-1] + 1, across[-1] + 1], np.float64)
        loose = 0.0 if generator.random() < tight_fraction else generator.uniform(0, _LOOSE)
        side = np.array([box[2] - box[0], box[3] - box[1]] * 2)
        moved = box + generator.uniform(-loose, loose, 4) * side
        if moved[2] - moved[0] >= 2 and moved[3] - moved[1] >= 2:
            box = moved
        prompt.box = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
        if generator.random() < 0.85:
            return prompt
    for _ in range(1 if generator.random() < 0.7 else int(generator.integers(2, 4))):
        prompt.inside.append(_point_in(lesion, generator))
    beside = (truth >= 0) & ~lesion
    if generator.random() < 0.25 and beside.any():
        others = (truth > 0) & ~lesion
        prompt.outside.append(_point_beside(lesion, others, beside, generator))
    return prompt


def correct(
    prompt: SimulatedPrompt, lesion: NDArray[np.bool_], predicted: NDArray[np.bool_]
) -> None:
    """Add the click of a reader who sees the mask: in the middle of its largest error."""
    missed, extra = lesion & ~predicted, predicted & ~lesion
    depths = [
        cv2.distanceTransform(np.pad(part, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
        for part in (missed, extra)
    ]
    deepest = int(depths[1].max() > depths[0].max())
    depth = depths[deepest]
    if depth.max() < 2:
        return
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    (prompt.outside if deepest else prompt.inside).append((row + 0.5, column + 0.5))


def _point_in(region: NDArray[np.bool_], generator: np.random.Generator) -> tuple[float, float]:
    rows, columns = np.nonzero(region)
    pick = int(generator.integers(rows.size))
    return (float(rows[pick] + 0.5), float(columns[pick] + 0.5))


def _point_beside(
    lesion: NDArray[np.bool_],
    others: NDArray[np.bool_],
    beside: NDArray[np.bool_],
    generator: np.random.Generator,
) -> tuple[float, float]:
    """A point of another lesion, or one near the border of this one, in what is known beside it."""
    if others.any() and generator.random() < 0.7:
        return _point_in(others, generator)
    reach = 2 * max(2, round(0.15 * np.sqrt(lesion.sum()))) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    rim = (cv2.dilate(lesion.astype(np.uint8), kernel) > 0) & beside
    return _point_in(rim if rim.any() else beside, generator)
