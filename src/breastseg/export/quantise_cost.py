"""What a change of a network's numbers costs: both score the same cases, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from breastseg.core.case import Case
from breastseg.core.errors import DataSetError
from breastseg.core.segmenter import Segmenter
from breastseg.metrics import dice

Figures = dict[str, float | str]


@dataclass(frozen=True)
class Pair:
    """One case as two segmenters outline it; "agreement" is between the two.

    Attributes:
        lesion: the ground truth holds a lesion.
        dice: of the first and of the second with the ground truth.
        outlined: whether the first and the second outline anything.
        agreement: Dice between the two masks.
        difference: mean absolute difference of their probabilities over the image.
    """

    lesion: bool
    dice: tuple[float, float]
    outlined: tuple[bool, bool]
    agreement: float
    difference: float


def compare(before: Segmenter, after: Segmenter, case: Case) -> Pair:
    """Segment the first image of a case with both.

    Raises:
        DataSetError: the case has no ground truth.
    """
    if case.mask is None:
        raise DataSetError(f"case {case.case_id} without ground truth", "cases with ground truth")
    truth, known = case.mask.foreground, ~case.mask.ignored
    one, two = before.segment(case.images[0]), after.segment(case.images[0])
    first, second = (found.mask().foreground & known for found in (one, two))
    return Pair(
        lesion=bool(truth.any()),
        dice=(dice(first, truth), dice(second, truth)),
        outlined=(bool(first.any()), bool(second.any())),
        agreement=dice(first, second),
        difference=float(np.abs(one.probability - two.probability).mean(dtype=np.float64)),
    )


def measured_cost(before: Segmenter, after: Segmenter, cases: Iterable[Case]) -> Figures:
    """The figures of both, in the form that a bundle carries.

    Args:
        before: the float network.
        after: the quantised one.
        cases: with a ground truth; gone through once.

    Returns:
        For ``float`` and ``int8``: images, Dice and fraction outlined of images with a lesion and
        of normal ones, where there are such; the mean Dice between the two masks, and the mean
        absolute difference of a probability.

    Raises:
        DataSetError: no case, or one without ground truth.
    """
    pairs = [compare(before, after, case) for case in cases]
    if not pairs:
        raise DataSetError("no case to check the quantised network on", "at least one")
    figures: Figures = {}
    for number, word in enumerate(("float", "int8")):
        for kind, lesion in (("lesion", True), ("normal", False)):
            chosen = [pair for pair in pairs if pair.lesion is lesion]
            if not chosen:
                continue
            group = f"{word}, {kind} images"
            figures[f"{group}/images"] = len(chosen)
            if lesion:
                figures[f"{group}/dice"] = _mean(pair.dice[number] for pair in chosen)
            figures[f"{group}/fraction_outlined"] = _mean(pair.outlined[number] for pair in chosen)
    figures["Dice between the two masks"] = _mean(pair.agreement for pair in pairs)
    figures["mean absolute difference of a probability"] = _mean(pair.difference for pair in pairs)
    return figures


def _mean(values: Iterable[float]) -> float:
    return round(float(np.mean(list(values))), 6)
