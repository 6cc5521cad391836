"""How far each pair of readers agrees, over the images that both have outlined."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from breastseg.annotation.project import Project
from breastseg.metrics.overlap import dice

_COLUMNS = ("image", "reader", "decision", "when", "seconds", "edited_px", "area_px")


@dataclass(frozen=True)
class PairAgreement:
    """Two readers.

    Attributes:
        readers: their names, sorted.
        images: how many both gave a mask of.
        dice: mean over these, 0 to 1; two empty masks agree by 1.
        both_see: fraction of these in which both see a lesion, or neither does.
    """

    readers: tuple[str, str]
    images: int
    dice: float
    both_see: float


def agreement(project: Project) -> tuple[PairAgreement, ...]:
    """Each pair of readers with an image in common, sorted.

    Raises:
        UnreadableError: a file of the project is damaged.
    """
    found: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for case in project.cases():
        masks = {r.reader: r.mask for r in project.readings(case.name) if r.mask is not None}
        for one, other in combinations(sorted(masks), 2):
            a, b = masks[one], masks[other]
            found.setdefault((one, other), []).append((dice(a, b), bool(a.any() == b.any())))
    return tuple(
        PairAgreement(
            readers, len(images), fmean(d for d, _ in images), fmean(alike for _, alike in images)
        )
        for readers, images in sorted(found.items())
    )


def readings_csv(project: Project) -> str:
    """A row a reading, each reader's latest of each image: what it took and what came of it."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for case in project.cases():
        for one in project.readings(case.name):
            area = "" if one.mask is None else int(one.mask.sum())
            edited = "" if one.edited_px is None else one.edited_px
            table.writerow(
                (case.name, one.reader, one.decision.value, one.when, one.seconds, edited, area)
            )
    return text.getvalue()
