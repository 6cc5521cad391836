"""Two methods on the same held-out cases."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from breastseg.data.dataset import CaseRef
from breastseg.evaluation.run import Evaluation, evaluate
from breastseg.evaluation.statistics import mean_interval
from breastseg.evaluation.summary import Figure as Found
from breastseg.evaluation.summary import Summary, summarise
from breastseg.inference.open import open_segmenter
from breastseg.inference.options import MethodOptions
from breastseg.retraining.task import Figure, ImageScore, Scores


@dataclass(frozen=True)
class Judged:
    """A method with what it did.

    Attributes:
        scores: for people.
        evaluation: a row a case.
        summary: all figures.
    """

    scores: Scores
    evaluation: Evaluation
    summary: Summary


def judge(
    method: str, cases: Sequence[CaseRef], threads: int, advance: Callable[[int, int], None]
) -> Judged:
    """Score a method at its own operating point, told nothing of where lesions are.

    Args:
        method: as `open_segmenter` takes it.
        cases: with ground truth.
        threads: CPU cores; 0 for all.
        advance: called with the number done and the number in all.
    """
    segmenter = open_segmenter(method, MethodOptions(force=True), threads=threads)
    evaluation = evaluate(segmenter, cases, progress=advance)
    summary = summarise(evaluation)
    lesions = summary.groups.get("lesion images")
    normals = summary.groups.get("normal images")
    found = None if lesions is None else _figure(lesions.figures.get("lesions_found"))
    scores = Scores(
        segmenter.name,
        None if lesions is None else _figure(lesions.figures.get("dice")),
        None if found is None else _less_than_all(found),
        None if normals is None else _figure(normals.figures.get("fraction_outlined")),
        len(evaluation.failures),
    )
    return Judged(scores, evaluation, summary)


def dice_gained(before: Evaluation, after: Evaluation) -> Figure | None:
    """The mean difference of Dice over the images with a lesion, with its interval."""
    old = {row.key: row for row in before.rows}
    pairs = [(row, old[row.key]) for row in after.rows if row.has_lesion and row.key in old]
    if not pairs:
        return None
    gained = [new.score.dice - was.score.dice for new, was in pairs]
    patients = [row.patient for row, _ in pairs]
    interval = mean_interval(gained, patients, np.random.default_rng(0))
    return Figure(_rounded(interval.value), _known(interval.low), _known(interval.high))


def image_scores(
    cases: Sequence[CaseRef], before: Evaluation, after: Evaluation
) -> tuple[ImageScore, ...]:
    """The Dice of each case by both."""
    old, new = (
        {row.key: _rounded(row.score.dice) for row in one.rows if row.has_lesion}
        for one in (before, after)
    )
    return tuple(ImageScore(case.case_id, old.get(case.key), new.get(case.key)) for case in cases)


def _figure(found: Found | None) -> Figure | None:
    if found is None:
        return None
    return Figure(_rounded(found.value), _known(found.low), _known(found.high))


def _less_than_all(found: Figure) -> Figure:
    low, high = (None if end is None else _rounded(1 - end) for end in (found.high, found.low))
    return Figure(_rounded(1 - found.value), low, high)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else _rounded(value)


def _rounded(value: float) -> float:
    return round(value, 4)
