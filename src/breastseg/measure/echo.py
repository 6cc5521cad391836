"""Echo pattern and posterior features of a lesion on ultrasound, from grey levels.

Displayed grey levels are compressed: a difference of grey is a ratio of echoes. All levels here are
fractions of the full grey range, and tissue is compared with what lies beside the lesion at the
same depth, so that gain and its course with depth cancel.

The comparison of what lies below a lesion with its sides: Joo et al. 2004, Computer-aided diagnosis
of solid breast nodules, https://doi.org/10.1109/TMI.2004.834617. Terms: ACR BI-RADS, ultrasound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.image import Image
from breastseg.core.prediction import Lesion
from breastseg.measure.lesion import spacing_at

DIFFERENCE = 0.06
BELOW = 0.1
ANECHOIC = 0.06
PART = 0.25
_RIM = 0.08  # of the equivalent diameter, that neither side of the contour counts
_BESIDE = 0.6  # of the lesion's width, on each side
_CENTRAL = 0.6  # of the lesion's width, so that shadows of its edges do not count
_MIN_COLUMNS = 3
_MIN_DEPTH = 0.5  # of the lesion's height, below which nothing is said
_MAX_DEPTH = 1.0
_MIN_HELD = 0.5  # of the pixels beside a lesion, that the scan must show

_WHERE = (
    f"levels in fractions of the grey range, compared with the tissue beside the lesion at the "
    f"same depth, {_BESIDE} of its width to each side; a rim of {_RIM} of its diameter left out"
)
ECHO_PATTERN = (
    f"{_WHERE}, where that is above {ANECHOIC}; complex where {PART} to {1 - PART} of the inside "
    f"is locally at most {ANECHOIC}, the rest is more than {DIFFERENCE} above that and the "
    f"posterior features are enhancement or combined; anechoic where the median is at most "
    f"{ANECHOIC}, the tissue beside more than {DIFFERENCE} above it, and there is no shadowing; "
    "else hypoechoic or hyperechoic where the median differs from that beside by more than "
    f"{DIFFERENCE}, else "
    "isoechoic (BI-RADS compares with fat, which is not looked for)"
)
POSTERIOR = (
    f"level below the central {_CENTRAL} of the lesion's width less that beside at the same depth, "
    "the median over a depth of the lesion's height: enhancement above "
    f"{BELOW}, shadowing below -{BELOW}, combined where at least {PART} of the columns are above "
    f"and {PART} below, else none"
)

CUT = "the lesion is cut by the border of the scan"
_NO_SPACING = "the distance of pixels is not known, nor that rows go into the body"
_NO_SIDE = "too little of the scan lies beside the lesion"
_NOT_BELOW = "the scan ends too close below the lesion"
_FLUID_OR_SHADOW = "as dark as fluid or as shadow, and what lies below does not tell which"


@dataclass(frozen=True, eq=False)
class Surroundings:
    """The scan around a lesion.

    Attributes:
        levels: (rows, columns) float32, 0 to 1 of the grey range; the depth grows with the rows.
        lesion: of that shape, True on the lesion.
        others: likewise, True on other lesions.
        steps: distance of pixel centres along rows and columns in millimetres.
    """

    levels: NDArray[np.float32]
    lesion: NDArray[np.bool_]
    others: NDArray[np.bool_]
    steps: tuple[float, float]


def grey_levels(image: Image) -> NDArray[np.float32]:
    """The luminance of an image in fractions of its grey range; float32 of the grid's shape.

    What is no finite number counts as the darkest.
    """
    grey, kind = image.grey(), image.array.dtype
    if kind == np.uint8:
        return np.asarray(grey / 255.0, np.float32)
    values = image.array
    if kind.kind == "f":
        known = np.isfinite(grey)
        grey = np.where(known, grey, grey[known].min() if known.any() else 0)
        values = values[np.isfinite(values)]
    white = max(1.0, float(values.max(initial=0)))
    return np.asarray(grey / white, np.float32)


def surroundings(
    image: Image, lesion: Lesion, levels: NDArray[np.float32], mask: NDArray[np.bool_]
) -> Surroundings | str:
    """What is compared with a lesion, or why nothing can be.

    Args:
        image: 2-D, of ultrasound.
        lesion: a lesion in it.
        levels: of the image, as `grey_levels` gives them.
        mask: of all lesions in it.
    """
    spacing = spacing_at(lesion, image.grid)
    if spacing is None:
        return _NO_SPACING
    shown = _scan(image, lesion)
    (top, left), (bottom, right) = lesion.box.start, lesion.box.stop
    if top <= shown.start[0] or left <= shown.start[1]:
        return CUT
    if bottom >= shown.stop[0] or right >= shown.stop[1]:
        return CUT
    height, width = lesion.box.shape
    near = Box.of(top, left - 2 * width - 2, bottom + 3 * height + 2, right + 2 * width + 2)
    part = near & shown
    assert part is not None  # both hold the lesion
    own = np.zeros(part.shape, bool)
    own[lesion.box.shifted(*(-at for at in part.start)).slices] = lesion.crop
    return Surroundings(
        levels[part.slices], own, mask[part.slices] & ~own, (spacing[0], spacing[1])
    )


def echo_pattern(around: Surroundings) -> tuple[str | None, str]:
    """The echo pattern with its figures, or None with the reason; `ECHO_PATTERN` defines it."""
    from breastseg.core.distance import narrowed

    rim = _rim(around)
    core = narrowed(around.lesion, rim, around.steps)
    inside = around.levels[core if core.any() else around.lesion]
    rows = np.flatnonzero(around.lesion.any(axis=1))
    sides = _sides(around, slice(rows[0], rows[-1] + 1), rim, ANECHOIC)
    if not sides.size:
        return None, _NO_SIDE
    level, beside = float(np.median(inside)), float(np.median(sides))
    detail = f"inside {level:.2f}, beside {beside:.2f} of the grey range"
    below = posterior(around)[0]
    if below in ("enhancement", "combined") and _is_complex(around, core):
        return "complex", detail
    if level <= ANECHOIC and beside - level > DIFFERENCE:
        fluid = below not in (None, "shadowing")
        return ("anechoic", detail) if fluid else (None, _FLUID_OR_SHADOW)
    if abs(level - beside) <= DIFFERENCE:
        return "isoechoic", detail
    return ("hypoechoic" if level < beside else "hyperechoic"), detail


def posterior(around: Surroundings) -> tuple[str | None, str]:
    """The posterior features with their figures, or None with the reason; see `POSTERIOR`."""
    rim = _rim(around)
    columns = np.flatnonzero(around.lesion.any(axis=0))
    rows = np.flatnonzero(around.lesion.any(axis=1))
    width, height = len(columns), rows[-1] + 1 - rows[0]
    trim = round((1 - _CENTRAL) / 2 * width)
    central = columns[trim : width - trim]
    first = int(rows[-1]) + 1 + math.ceil(rim / around.steps[0])
    last = min(len(around.levels), first + math.ceil(_MAX_DEPTH * height))
    if len(central) < _MIN_COLUMNS:
        return None, "the lesion is too narrow"
    differences = []
    for row in range(first, last):
        sides = _sides(around, slice(row, row + 1), rim)
        if sides.size:
            below = around.levels[row, central].copy()
            below[around.others[row, central]] = np.nan
            differences.append(below - float(sides.mean()))
    if len(differences) < _MIN_DEPTH * height:
        return None, _NOT_BELOW if last - first < _MIN_DEPTH * height else _NO_SIDE
    held = np.array(differences)
    if np.isfinite(held).mean() < _MIN_HELD:
        return None, "another lesion lies below"
    seen = np.isfinite(held).any(axis=0)
    difference = float(np.nanmedian(_mean(held[:, seen])))
    by_column = _smooth(np.nanmedian(held[:, seen], axis=0))
    detail = f"{difference:+.2f} of the grey range below it against beside it"
    above, under = ((sign * by_column > BELOW).mean() for sign in (1, -1))
    if min(above, under) >= PART:
        return "combined", detail
    if abs(difference) <= BELOW:
        return "none", detail
    return ("enhancement" if difference > 0 else "shadowing"), detail


def _scan(image: Image, lesion: Lesion) -> Box:
    """The part of the image that shows the scan with the lesion in it."""
    boxes = [region.box for region in image.grid.regions if region.box & lesion.box is not None]
    if boxes:
        return min(boxes, key=lambda box: box.size)
    return image.scan or Box.of(0, 0, *image.grid.shape)


def _rim(around: Surroundings) -> float:
    """In millimetres."""
    area = np.count_nonzero(around.lesion) * math.prod(around.steps)
    return _RIM * 2 * math.sqrt(area / math.pi)


def _sides(
    around: Surroundings, rows: slice, rim: float, floor: float = 0.0
) -> NDArray[np.float32]:
    """The levels beside the lesion's columns; none where too little of the scan is shown there.

    A side whose median is not above the floor is left out: it is no scan, as the corners of a
    sector are, or no tissue that was reached, as where the probe does not touch the skin.
    """
    columns = np.flatnonzero(around.lesion.any(axis=0))
    gap = math.ceil(rim / around.steps[1])
    wide = max(_MIN_COLUMNS, round(_BESIDE * len(columns)))
    first, last = int(columns[0]) - gap, int(columns[-1]) + 1 + gap
    found = []
    for part in (slice(max(0, first - wide), max(0, first)), slice(last, last + wide)):
        levels, others = around.levels[rows, part], around.others[rows, part]
        kept = levels[~others]
        if kept.size >= _MIN_HELD * wide * (rows.stop - rows.start) and np.median(kept) > floor:
            found.append(kept)
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def _is_complex(around: Surroundings, core: NDArray[np.bool_]) -> bool:
    """Whether the inside has anechoic and echoing parts."""
    from scipy.ndimage import gaussian_filter

    if not core.any():
        return False
    blur = [_rim(around) / 2 / step for step in around.steps]
    local = gaussian_filter(around.levels, blur)[core]
    empty = local <= ANECHOIC
    fraction = float(empty.mean())
    if not PART <= fraction <= 1 - PART:
        return False
    return float(np.median(local[~empty])) > ANECHOIC + DIFFERENCE


def _mean(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each row, where it holds anything: a bright line of text or fascia is one of many."""
    return np.asarray(np.nanmean(rows[np.isfinite(rows).any(axis=1)], axis=1))


def _smooth(columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Averaged over an eighth of the columns, since speckle differs from one to the next."""
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(columns, max(1, len(columns) // 8), mode="nearest"))
