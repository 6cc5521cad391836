"""What is written onto an overlay: diameters, numbers of lesions, a skin line and a scale bar.

Pink dashes between open diamonds are no scanner's: machines draw dots or lines in white, yellow or
green between plus signs and crosses. So nobody takes a line of this program for a measurement that
was made at the machine, or the other way round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont
from PIL.ImageDraw import ImageDraw

from breastseg.core.box import Box
from breastseg.core.grid import Grid

RULER_RGB = (255, 100, 200)
"""Pink: diameters and the scale bar. It differs from orange and blue in lightness as well."""
CASING_RGB = (0, 0, 0)

SMALLEST_PX = 100
"""An image whose longer side has fewer pixels has no room for letters."""

_BAR_FRACTION = 0.2
"""The scale bar is at most so long, as a fraction of the image's width."""

Point = tuple[float, float]
"""(row, column) in pixels; whole numbers are the pixels' centres."""
Line = tuple[Point, Point]


@dataclass(frozen=True)
class LesionMarks:
    """What is drawn for one lesion beside its contour.

    Attributes:
        number: as in the results.
        box: where it lies.
        lines: the two ends of each diameter.
    """

    number: int
    box: Box
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class SkinMarks:
    """What is drawn of a skin line that a person has laid.

    Attributes:
        line: its two points; it goes on beyond them.
        ways: from each lesion to it.
    """

    line: Line
    ways: tuple[Line, ...] = ()


def draw_line(draw: ImageDraw, line: Line, width: int) -> None:
    """A dashed line with an open diamond at both ends."""
    start, end = line
    length = math.dist(start, end)
    arm = min(3.0 * width + 2, max(2.0 * width, length / 6))
    count = max(1, round(max(length - 2 * arm, 0) / (5 * width)))
    pieces = 2 * count + 1  # dash and gap in turn, a dash at both ends
    along = arm / length if length else 0.5
    for index in range(0, pieces, 2):
        ends = (along + (1 - 2 * along) * (index + part) / pieces for part in (0, 1))
        draw.line([_xy(_between(start, end, at)) for at in ends], RULER_RGB, width)
    for row, column in line:
        corners = (
            (column, row - arm),
            (column + arm, row),
            (column, row + arm),
            (column - arm, row),
        )
        path = [*corners, corners[0], corners[1]]
        draw.line(path, RULER_RGB, width)


def draw_skin(draw: ImageDraw, skin: SkinMarks, shape: tuple[int, ...], width: int) -> None:
    """The skin line with its name, dots where it goes on, and the way from each lesion to it."""
    start, end = skin.line
    dot, gap = 2 * width / math.dist(start, end), 8 * width / math.dist(start, end)
    for number in range(1, round(math.hypot(*shape) / (8 * width)) + 1):
        for at in (1 + number * gap, -number * gap):
            dots = (_between(start, end, at), _between(start, end, at + dot))
            draw.line([_xy(one) for one in dots], RULER_RGB, width)
    for line in (skin.line, *(one for one in skin.ways if one[0] != one[1])):
        draw_line(draw, line, width)
    if max(shape) >= SMALLEST_PX:
        row, column = max(skin.line, key=lambda point: point[1])
        _letters(draw, "skin", (row + 0.2 * letter_px(shape), column), shape, RULER_RGB)


def draw_number(
    draw: ImageDraw, marks: LesionMarks, shape: tuple[int, ...], colour: tuple[int, int, int]
) -> None:
    """The number of a lesion, above the upper left corner of its box where there is room."""
    row, column = marks.box.start
    size = letter_px(shape)
    _letters(draw, str(marks.number), (row - 1.3 * size, column - 0.7 * size), shape, colour)


def draw_scale_bar(draw: ImageDraw, grid: Grid, mask: NDArray[np.bool_], width: int) -> None:
    """A bar of a round number of millimetres along a row, in the corner with the least lesion.

    Nothing is drawn where the spacing is not known, or differs between the regions of a screen.
    """
    step = column_step_mm(grid)
    rows, columns = grid.shape
    length_mm = None if step is None else bar_length_mm(columns * step)
    if step is None or length_mm is None:
        return
    length, size = length_mm / step, letter_px(grid.shape)
    margin = 0.7 * size
    tall, wide = round(2 * margin + 1.6 * size), round(2 * margin + length)
    corners = [(rows - tall, columns - wide), (rows - tall, 0), (0, columns - wide), (0, 0)]
    covered = [mask[max(0, r) : r + tall, max(0, c) : c + wide].sum() for r, c in corners]
    row, column = corners[int(np.argmin(covered))]
    bottom, left = row + tall - margin, column + margin
    tick = 0.3 * size
    path = [(left, bottom - tick), (left, bottom), (left + length, bottom)]
    path.append((left + length, bottom - tick))
    draw.line(path, CASING_RGB, 3 * width + 2, joint="curve")
    draw.line(path, RULER_RGB, width + 1, joint="curve")
    _letters(draw, f"{length_mm:g} mm", (bottom - 1.7 * size, left), grid.shape, RULER_RGB)


def column_step_mm(grid: Grid) -> float | None:
    """Millimetres from column to column, where one scale holds for the whole image."""
    if grid.regions:
        steps = {None if one.spacing_mm is None else one.spacing_mm[1] for one in grid.regions}
        return steps.pop() if len(steps) == 1 else None
    return None if grid.spacing_mm is None else grid.spacing_mm[-1]


def bar_length_mm(width_mm: float) -> float | None:
    """The longest of 1, 2 and 5 times a power of ten that fits; None where none is sensible."""
    lengths: Sequence[float] = [
        factor * 10.0**power for power in range(-3, 4) for factor in (1, 2, 5)
    ]
    return max((one for one in lengths if one <= _BAR_FRACTION * width_mm), default=None)


def letter_px(shape: tuple[int, ...]) -> int:
    """Height of letters in pixels, so that they look alike on small and on large images."""
    return max(14, round(max(shape) / 36))


def _letters(
    draw: ImageDraw,
    text: str,
    place: Point,
    shape: tuple[int, ...],
    colour: tuple[int, int, int],
) -> None:
    """Write at a place (row, column), moved into the image where it would not fit."""
    size = letter_px(shape)
    font = ImageFont.load_default(size)
    edge = max(1, size // 9)
    _, _, right, bottom = draw.textbbox((0, 0), text, font=font, stroke_width=edge)
    row = min(max(place[0], edge), shape[0] - bottom - edge)
    column = min(max(place[1], edge), shape[1] - right - edge)
    draw.text((column, row), text, colour, font=font, stroke_width=edge, stroke_fill=CASING_RGB)


def _between(start: Point, end: Point, at: float) -> Point:
    return start[0] + at * (end[0] - start[0]), start[1] + at * (end[1] - start[1])


def _xy(point: Point) -> Point:
    return point[1], point[0]
