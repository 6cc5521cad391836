"""Where an image holds what looks like burned-in text.

A letter is a small connected region of nearly one level, with a sharp edge, brighter or darker than
what is around it; text is several of them in a row of one height. Speckle has regions as small, but
their edges are as wide as they are, and their heights, levels and baselines do not agree.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.regions import Regions, connected_regions

Levels = NDArray[np.uint8]

_STROKE_PX = 9
"""The widest stroke that is told from its surroundings, of an image in its own size."""


_CONTRASTS = (45, 75, 110, 160)
"""Of a letter with its surroundings, in levels of 255: one of them tells letters from speckle."""

_TWICE = 1.45
"""How much steeper an edge of letters was before its image was doubled, measured."""

_SMALL = 2_000_000
"""Pixels of an image whose letters may be small; those of a larger one are seen in its own size."""


@dataclass(frozen=True)
class TextLook:
    """How hard is looked.

    Attributes:
        min_letters: in a row.
        min_clarity: of a row: the mean slope of its strokes less the spread of their levels, both
            over their contrast. Text of 9 to 26 pixels has 0.11 to 0.35; speckle seldom has 0.15.
        min_sharpness: of a letter: its mean slope over its contrast.
        max_step: between the levels of neighbouring letters.
        min_height_px: of a letter.
        max_height_px: of a letter.
    """

    min_letters: float = 3
    min_clarity: float = 0.13
    min_sharpness: float = 0.2
    max_step: float = 25
    min_height_px: int = 6
    max_height_px: int = 80


@dataclass(frozen=True)
class _Letter:
    corners: Sequence[int]
    level: float

    @property
    def height(self) -> int:
        return self.corners[2] - self.corners[0]

    @property
    def count(self) -> float:
        """How many letters it may be: those of a bold word touch each other."""
        return max(1.0, (self.corners[3] - self.corners[1]) / (0.8 * self.height))


def text_boxes(levels: Levels, look: TextLook) -> list[Box]:
    """The rows of letters in an image, in its own size and, for small letters, in twice that.

    Args:
        levels: (rows, columns) uint8.
        look: how hard is looked.

    Returns:
        A box around each row; they may touch and overlap.
    """
    boxes = _Strokes(levels, 1).rows(look)
    if levels.size <= _SMALL:
        twice = cv2.resize(levels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        for top, left, bottom, right in _Strokes(np.asarray(twice, np.uint8), _TWICE).rows(look):
            boxes.append(Box.of(top // 2, left // 2, (bottom + 1) // 2, (right + 1) // 2))
    return list(dict.fromkeys(boxes))


class _Strokes:
    """An image's levels, and how steep they are, in units of an image of its own size."""

    def __init__(self, levels: Levels, steeper: float) -> None:
        self.levels = levels.astype(np.float32)
        self.slope = steeper * np.hypot(
            *(cv2.Sobel(self.levels, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (0, 1))
        )
        kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * _STROKE_PX + 1, 2 * _STROKE_PX + 1))
        self.rises = tuple(
            np.asarray(cv2.morphologyEx(levels, operation, kernel), np.uint8)
            for operation in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)
        )

    def rows(self, look: TextLook) -> list[Box]:
        found = []
        for rise in self.rises:
            for contrast in _CONTRASTS:
                boxes = _rows(self._letters(rise, contrast, look), look)
                found += [
                    box for box in boxes if self._clarity(rise, contrast, box) >= look.min_clarity
                ]
        return found

    def _clarity(self, rise: Levels, contrast: int, box: Box) -> float:
        part = box.slices
        lit = rise[part] >= contrast
        slope, levels = self.slope[part][lit].mean(), self.levels[part][lit]
        return float((slope - levels.std()) / rise[part][lit].mean())

    def _letters(self, rise: Levels, contrast: int, look: TextLook) -> list[_Letter]:
        """The regions with a letter's size and edge."""
        every = connected_regions(rise >= contrast)
        contrasts, slopes = self._means(every, rise), self._means(every, self.slope)
        kept = (every.sizes >= look.min_height_px) & (slopes >= look.min_sharpness * contrasts)
        regions = connected_regions(every.chosen(kept))
        levels = self._means(regions, self.levels)
        letters = []
        for box, size, level in zip(regions.boxes, regions.sizes, levels, strict=True):
            height, width = box.shape
            tall = look.min_height_px <= height <= look.max_height_px
            if tall and width <= 12 * height and size >= 0.12 * box.size:
                letters.append(_Letter(box.numbers, float(level)))
        return letters

    @staticmethod
    def _means(regions: Regions, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """The mean of values over each region."""
        sums = np.bincount(regions.labels.ravel(), values.ravel(), len(regions) + 1)
        return np.asarray(sums[1:] / regions.sizes)


def _rows(letters: Sequence[_Letter], look: TextLook) -> list[Box]:
    """Letters of one height and level side by side."""
    open_rows: list[list[_Letter]] = []
    for letter in sorted(letters, key=lambda one: one.corners[1]):
        row = next((row for row in open_rows if _follows(row[-1], letter, look)), None)
        if row is None:
            open_rows.append([letter])
        else:
            row.append(letter)
    return [
        reduce(operator.or_, (Box.of(*one.corners) for one in row))
        for row in open_rows
        if sum(one.count for one in row) >= look.min_letters and len(row) > 1
    ]


def _follows(before: _Letter, letter: _Letter, look: TextLook) -> bool:
    tall = max(before.height, letter.height)
    top, _, bottom, right = before.corners
    return (
        min(before.height, letter.height) >= 0.6 * tall
        and -0.3 * tall <= letter.corners[1] - right <= 1.2 * tall
        and min(abs(letter.corners[2] - bottom), abs(letter.corners[0] - top)) <= 0.2 * tall
        and abs(letter.level - before.level) <= look.max_step
    )
