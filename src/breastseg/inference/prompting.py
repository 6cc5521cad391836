"""How a network that takes a click or a box is asked, and which region of its answer is meant.

With a box the network looks once, at a frame around it. With clicks alone it looks at the whole
image first, and then at a frame around the region that they hit, where the lesion has more pixels;
what it sees there is averaged with what it saw before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.bundle import InputSpec, PromptSpec
from breastseg.core.errors import InputError
from breastseg.core.prompt import Prompt
from breastseg.core.regions import Regions, connected_regions
from breastseg.preprocess.geometry import Placement
from breastseg.preprocess.intensity import rescale
from breastseg.preprocess.prompt_maps import prompt_maps

Points = tuple[tuple[int, int], ...]

_NEAR = 0.05
"""A click that hits no region means the nearest one within this fraction of the image's side."""
_BLIND = 0.15
"""Half the side of the frame around a click where nothing was found, as a fraction."""
_FILLED = 0.55
"""The fraction of a box that is lesion at least; an ellipse in it fills 0.78."""
_SILENT = 1e-3
"""Below it a network says nothing that scaling would bring out."""
_STROKES = 48
"""Points that a scribble is read as, at most, of either kind."""


@dataclass(frozen=True, eq=False)
class PromptedNetwork:
    """Asks a network about one lesion.

    Attributes:
        network: (1, channels + 3, rows, columns) float32 to (rows, columns) float32, 0 to 1.
        input: the size and the intensity scale that it takes.
        spec: how its frames are chosen.
        threshold: pixels at or above it are lesion.
    """

    network: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    input: InputSpec
    spec: PromptSpec
    threshold: float

    def answer(self, unit: NDArray[np.float32], prompt: Prompt) -> NDArray[np.float32]:
        """The probability of the lesion that is meant.

        Args:
            unit: (rows, columns) float32, the image's luminance, 0 to 1.
            prompt: on the image's grid.

        Returns:
            The same shape, float32, 0 to 1: below the threshold outside the region that is meant.

        Raises:
            InputError: the prompt does not fit the image, or nothing says where the lesion is.
        """
        box, (inside, outside) = prompt.marks(unit.shape)
        prompt = _as_points(prompt)
        if box is None and not prompt.inside:
            raise InputError(
                "a prompt that says only where the lesion is not",
                "a box, a point or a stroke in the lesion",
            )
        found = self._at_box(unit, prompt, box) if box else self._at_points(unit, prompt)
        # what the user has said of a pixel holds
        found[inside] = np.maximum(found[inside], self.threshold)
        found[outside] *= np.float32(0.5 * self.threshold)
        return found

    def _at_box(self, unit: NDArray[np.float32], prompt: Prompt, box: Box) -> NDArray[np.float32]:
        return self._meant(self._look(unit, prompt, self._around(box, unit.shape)), prompt)

    def _at_points(self, unit: NDArray[np.float32], prompt: Prompt) -> NDArray[np.float32]:
        """Look at the whole image first, then closer, and take the mean of what was seen."""
        total = self._look(unit, prompt, Box.whole(unit.shape))
        looks = np.ones_like(total)
        found = self._meant(total, prompt)
        for _ in range(self.spec.looks - 1):
            region = Box.around(found >= self.threshold)
            there = _blind(prompt.inside[0], unit.shape) if region is None else region
            for row, column in prompt.inside:
                there = there | Box.of(row, column, row + 1, column + 1)
            frame = self._around(there, unit.shape)
            total[frame.slices] += self._look(unit, prompt, frame)[frame.slices]
            looks[frame.slices] += 1
            closer = self._meant(total / looks, prompt)
            if bool((closer >= self.threshold).any()):
                found = closer
        return found

    def _around(self, box: Box, shape: tuple[int, ...]) -> Box:
        """The frame: a multiple of the box's sides, and no flatter than one to two."""
        height, width = box.shape
        sides = max(height, width / 2), max(width, height / 2)
        start, stop = [], []
        for axis, side in enumerate(sides):
            middle, half = (box.start[axis] + box.stop[axis]) / 2, self.spec.frame * side / 2
            start.append(int(np.floor(middle - half)))
            stop.append(int(np.ceil(middle + half)))
        return Box(tuple(start), tuple(stop)).within(shape) or Box.whole(shape)

    def _look(self, unit: NDArray[np.float32], prompt: Prompt, frame: Box) -> NDArray[np.float32]:
        """The map of one frame on the image's grid; 0 outside it."""
        rows, columns = unit.shape
        place = Placement.of((rows, columns), self.input.size, self.input.fit, frame)
        scaled = rescale(place.forward(unit), self.input.intensity)
        image = np.repeat(scaled[None], self.input.channels, axis=0)
        maps = self._maps(prompt, place)
        batch = np.concatenate((image, maps))[None].astype(np.float32)
        there = filled(self.network(batch), maps[0] > 0, self.threshold)
        return np.clip(place.backward(there), 0, 1)

    def _maps(self, prompt: Prompt, place: Placement) -> NDArray[np.float32]:
        def points(given: Points) -> list[tuple[float, float]]:
            # a whole number is the centre of a pixel
            return [place.point_forward(row + 0.5, column + 0.5) for row, column in given]

        box = prompt.box
        return prompt_maps(
            self.input.size,
            None
            if box is None
            else (*place.point_forward(*box.start), *place.point_forward(*box.stop)),
            points(prompt.inside),
            points(prompt.outside),
            self.spec.disc,
        )

    def _meant(self, found: NDArray[np.float32], prompt: Prompt) -> NDArray[np.float32]:
        """A copy in which what is not meant is scaled below the threshold."""
        regions = connected_regions(found >= self.threshold)
        if not regions.count:
            return found.copy()
        chosen = regions.chosen(meant(regions, prompt))
        rejected = (regions.labels > 0) & ~chosen
        return np.where(rejected, found * np.float32(0.5 * self.threshold), found)


def filled(
    found: NDArray[np.float32], box: NDArray[np.bool_], threshold: float
) -> NDArray[np.float32]:
    """Believe the reader's box: scale a map up where it says that most of the box is no lesion.

    Args:
        found: (rows, columns) float32, the network's answer, 0 to 1.
        box: the same shape, the pixels of the box; none without one.
        threshold: above 0.

    Returns:
        The map itself, or one scaled up so that `_FILLED` of the box reaches the threshold.
    """
    if not box.any():
        return found
    level = float(np.quantile(found[box], 1 - _FILLED))
    if level >= threshold:
        return found
    factor = np.float32(threshold / max(level, _SILENT))
    return np.asarray(np.clip(found * factor, 0, 1))


def meant(regions: Regions, prompt: Prompt) -> NDArray[np.bool_]:
    """Which regions of a mask a prompt means.

    Those that hold a point inside; else, with a box, the one that has most pixels in it; else the
    one nearest to the first point, if it is near.

    Args:
        regions: at least one, on the image's grid.
        prompt: without a scribble.

    Returns:
        (count,) bool.
    """
    labels, shape = regions.labels, regions.labels.shape
    kept = np.zeros(regions.count + 1, bool)
    for row, column in prompt.inside:
        kept[labels[row, column]] = True
    kept[0] = False
    box = None if prompt.box is None else prompt.box.within(shape)
    if not kept.any() and box is not None:
        counts = np.bincount(labels[box.slices].ravel(), minlength=regions.count + 1)[1:]
        kept[1 + int(counts.argmax())] = bool(counts.max() > 0)
    elif not kept.any() and prompt.inside:
        rows, columns = np.nonzero(labels)
        apart = np.hypot(rows - prompt.inside[0][0], columns - prompt.inside[0][1])
        nearest = int(apart.argmin())
        kept[labels[rows[nearest], columns[nearest]]] = bool(apart[nearest] <= _NEAR * max(shape))
    return kept[1:]


def _as_points(prompt: Prompt) -> Prompt:
    """A scribble as points along it."""
    if prompt.scribble is None:
        return prompt
    inside, outside = (_spread(prompt.scribble == label) for label in (1, 2))
    return replace(
        prompt,
        inside=prompt.inside + inside,
        outside=prompt.outside + outside,
        scribble=None,
    )


def _spread(stroke: NDArray[np.bool_]) -> Points:
    rows, columns = np.nonzero(stroke)
    chosen = np.unique(np.linspace(0, rows.size - 1, min(rows.size, _STROKES)).astype(int))
    return tuple((int(rows[i]), int(columns[i])) for i in chosen)


def _blind(point: tuple[int, int], shape: tuple[int, ...]) -> Box:
    rows, columns = (max(1, round(_BLIND * side)) for side in shape)
    row, column = point
    around = Box.of(row - rows, column - columns, row + rows + 1, column + columns + 1)
    return around.within(shape) or Box.whole(shape)
