"""What is shown of one image: as it was looked at, and with what was found drawn on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.io.overlay import overlay, to_rgb
from breastseg.io.ruler import LesionMarks, SkinMarks
from breastseg.measure.finding import Finding
from breastseg.measure.skin import LaidSkin


def shown(image: Image, prediction: Prediction) -> NDArray[np.uint8]:
    """The image as it was looked at; (rows, columns) uint8, or with 3 channels where it has colour.

    It is black where it was not looked at: on a screenshot, that is where names stand.

    Args:
        image: as it was read.
        prediction: what was found in it.
    """
    rgb = to_rgb(_seen(image, prediction))
    return rgb if image.array.shape[0] == 3 else rgb[..., 0]


def drawn(
    image: Image,
    prediction: Prediction,
    found: Sequence[Finding],
    truth: NDArray[np.bool_] | None = None,
    skin: LaidSkin | None = None,
) -> NDArray[np.uint8]:
    """The same with all that was found drawn on it; (rows, columns, 3) uint8.

    Args:
        image: as it was read.
        prediction: what was found in it.
        found: its lesions, in the order of their numbers.
        truth: (rows, columns), the ground truth, where there is one.
        skin: the skin line as a person has laid it, where there is one.
    """
    seen = replace(_seen(image, prediction), grid=prediction.grid)
    shape = prediction.grid.shape
    margins = [part for one in found if one.margin for part in one.margin.masks(shape)]
    laid = None if skin is None else skin_marks(skin, found, prediction.grid)
    return overlay(seen, prediction.mask().foreground, truth, lesion_marks(found), margins, laid)


def lesion_marks(found: Iterable[Finding]) -> Sequence[LesionMarks]:
    """What is drawn for each lesion of an image, numbered from 1."""
    marks = []
    for number, one in enumerate(found, start=1):
        measured = one.measured
        lines = () if measured is None else (measured.longest_ends, measured.perpendicular_ends)
        marks.append(LesionMarks(number, one.lesion.box, lines))
    return marks


def skin_marks(skin: LaidSkin, found: Iterable[Finding], grid: Grid) -> SkinMarks:
    """What is drawn of a skin line, with the way from each lesion to it."""
    return SkinMarks(skin.ends, tuple(skin.shortest(one.lesion, grid)[1] for one in found))


def _seen(image: Image, prediction: Prediction) -> Image:
    if prediction.seen is None:
        return image
    part = prediction.seen.trailing
    # 8-bit levels are shown as they are, others from the smallest on
    black = 0 if image.array.dtype == np.uint8 else image.array.min()
    array = np.full_like(image.array, black)
    array[part] = image.array[part]
    return replace(image, array=array)
