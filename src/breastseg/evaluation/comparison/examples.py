"""The same cases as each method outlined them, side by side.

A scan is stored once and each method's lines lie over it as an image of their own that is clear
elsewhere, so that a page with many methods stays small. Of a volume the slice with the most lesion
is shown, after contrast where there are phases, and right way up.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import BreastsegError
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.comparison.results import Results, ScoredMethod
from breastseg.evaluation.comparison.section import Section, section_of
from breastseg.evaluation.comparison.store import mask_path, read_mask_array
from breastseg.evaluation.run import Row
from breastseg.evaluation.score import nearest
from breastseg.io.overlay import PREDICTION_RGB, TRUTH_RGB

SIDE = 320
"""The longer side of an image, in pixels, at most."""
EACH = 2
"""How many cases of a kind are shown."""

_LINE = 2  # width of a contour in pixels of the page's image
_TINT = 150  # opacity of an error map, of 255


@dataclass(frozen=True)
class Panel:
    """What lies over a scan.

    Attributes:
        title: whose outline it is.
        caption: how good it is.
        layer: data address of an image that is clear but for its lines; empty where there is
            nothing to draw.
        alt: the same in words.
    """

    title: str
    caption: str
    layer: str = field(repr=False)
    alt: str


@dataclass(frozen=True)
class Scene:
    """One case.

    Attributes:
        key: the case.
        why: it was chosen.
        size: (width, height) of its image.
        scan: data address of its image.
        plain: the scan with the ground truth.
        panels: what the methods outlined, the best mean Dice first.
        errors: maps of what is outlined wrongly.
    """

    key: str
    why: str
    size: tuple[int, int]
    scan: str = field(repr=False)
    plain: Panel
    panels: tuple[Panel, ...]
    errors: tuple[Panel, ...]

    @property
    def all_panels(self) -> tuple[Panel, ...]:
        """In the order in which they are looked at."""
        return (self.plain, *self.panels, *self.errors)


def scenes(results: Results, cases: Sequence[CaseRef], each: int = EACH) -> tuple[Scene, ...]:
    """The best, middle and worst cases of the baseline, and those that the methods differ on.

    Args:
        results: of the comparison.
        cases: to read the images of; one that cannot be read is passed over.
        each: how many of each kind.
    """
    refs = {ref.key: ref for ref in cases}
    found = []
    for key, why in chosen(results, each).items():
        scene = _scene(results, refs[key], why) if key in refs else None
        if scene is not None:
            found.append(scene)
    return tuple(found)


def chosen(results: Results, each: int = EACH) -> Mapping[str, str]:
    """Keys of cases with a lesion and why they are shown; no case twice."""
    baseline = results.comparison.baseline
    rows = [row for row in results.scored(baseline).lesion_rows if row.error is None]
    ranked = [row.key for row in sorted(rows, key=lambda row: (-row.score.dice, row.key))]
    middle = sorted(ranked, key=lambda key: abs(ranked.index(key) - (len(ranked) - 1) / 2))
    several = len(results.scored_methods) > 1
    kinds = {
        f"among the best of {baseline}": ranked,
        f"in the middle of {baseline}": middle,
        f"among the worst of {baseline}": ranked[::-1],
        "the methods differ most": _disputed(results, ranked) if several else (),
    }
    found: dict[str, str] = {}
    for why, keys in kinds.items():
        fresh = [key for key in keys if key not in found]
        found |= dict.fromkeys(fresh[:each], why)
    return found


def _disputed(results: Results, keys: Sequence[str]) -> list[str]:
    """Keys by falling standard deviation of Dice over the methods."""
    dice: dict[str, list[float]] = {key: [] for key in keys}
    for scored in results.scored_methods:
        for row in scored.lesion_rows:
            if row.key in dice:
                dice[row.key].append(row.score.dice)
    return sorted(dice, key=lambda key: (-float(np.std(dice[key])), key))


def _scene(results: Results, ref: CaseRef, why: str) -> Scene | None:
    try:
        case = ref.load()
    except (BreastsegError, OSError):
        return None
    if case.mask is None:
        return None
    section = section_of(case)
    picture, known = section.picture(case.images[0]), section.of(case.mask.foreground)
    size = _shown_size(picture.shape[0] * section.tallness, picture.shape[1])
    small = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8)
    truth = nearest(known, size)
    panels, errors = [], []
    marked = with_error_maps(results)
    for scored in results.scored_methods:
        row = next(row for row in scored.lesion_rows if row.key == ref.key)
        mask = _mask(results, scored, row, section, size)
        said = "failed" if mask is None else f"Dice {row.score.dice:.3f}"
        alt = f"{ref.key} as {scored.label} outlined it: {said}"
        panels.append(Panel(scored.label, said, _lines(truth, mask), alt))
        if scored.label in marked and mask is not None:
            wrong, left = int((mask & ~truth).sum()), int((truth & ~mask).sum())
            fraction = [f"{100 * n / max(1, truth.sum()):.0f} %" for n in (wrong, left)]
            caption = f"{fraction[0]} too much, {fraction[1]} left out"
            caption += " in this slice" if section.name else ""
            alt = f"what {scored.label} got wrong on {ref.key}, of the lesion's area: {caption}"
            errors.append(Panel(f"Errors of {scored.label}", caption, _errors(truth, mask), alt))
    kind = "; ".join(filter(None, [ref.label or "diagnosis not stated", section.name]))
    plain = Panel("Ground truth", kind, _lines(truth, None), f"{ref.key} with its ground truth")
    return Scene(ref.key, why, size[::-1], _png(small), plain, tuple(panels), tuple(errors))


def with_error_maps(results: Results) -> tuple[str, ...]:
    """The methods whose errors are mapped: the baseline, and the best other."""
    baseline = results.comparison.baseline
    others = [scored.label for scored in results.scored_methods if scored.label != baseline]
    return (baseline, *others[:1])


def _mask(
    results: Results, scored: ScoredMethod, row: Row, section: Section, size: tuple[int, int]
) -> NDArray[np.bool_] | None:
    """What a method outlined, at the size of the image; None where it failed."""
    comparison = results.comparison
    path = mask_path(comparison.masks, scored.label, row.key, comparison.of_volumes)
    if row.error is not None or not path.is_file():
        return None
    return nearest(section.of(read_mask_array(path)), size)


def _shown_size(rows: float, columns: float) -> tuple[int, int]:
    fraction = min(1.0, SIDE / max(rows, columns))
    return max(1, round(rows * fraction)), max(1, round(columns * fraction))


def _lines(truth: NDArray[np.bool_], mask: NDArray[np.bool_] | None) -> str:
    """The borders of both, the method's above the ground truth's."""
    layer = np.zeros((*truth.shape, 4), np.uint8)
    for region, colour in ((truth, TRUTH_RGB), (mask, PREDICTION_RGB)):
        if region is not None:
            layer[_rim(region)] = (*colour, 255)
    return _png(layer)


def _errors(truth: NDArray[np.bool_], mask: NDArray[np.bool_]) -> str:
    """Tints: what was outlined and is no lesion, and lesion that was left out."""
    layer = np.zeros((*truth.shape, 4), np.uint8)
    layer[mask & ~truth] = (*PREDICTION_RGB, _TINT)
    layer[truth & ~mask] = (*TRUTH_RGB, _TINT)
    return _png(layer)


def _rim(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The outermost pixels of a region; the image's edge counts as outside."""
    core = cv2.erode(
        region.astype(np.uint8),
        cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)),
        iterations=_LINE,
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return np.asarray(region & (core == 0))


def _png(array: NDArray[np.uint8]) -> str:
    """An image as the address of itself."""
    from PIL import Image as Pillow

    stream = io.BytesIO()
    Pillow.fromarray(array).save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
