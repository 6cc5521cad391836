"""Cases and searches made up for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from breastseg.classical.method import ClassicalMethod
from breastseg.classical.otsu import Otsu
from breastseg.core.parameters import parameters_of
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.protocol import Prompting
from breastseg.evaluation.tuning.search import Search, Trial, searched_names

AUTOMATIC, BOX = Prompting.NONE, Prompting.BOX
Score = Callable[[ClassicalMethod, CaseRef], float]
ScoredBy = Callable[[Score], list[int]]


def ref(case_id: str, label: str = "benign", truth: bool = True) -> CaseRef:
    masks = () if label == "normal" else (Path("mask.png"),)
    return CaseRef(case_id, case_id, label, "made", Path("x.png"), masks if truth else None)


REFS = tuple(ref(f"c{number:03}") for number in range(100))


def otsu_search(cases: tuple[CaseRef, ...] = REFS, seed: int = 0) -> Search:
    method = Otsu()
    return Search(method, searched_names(method), cases, (AUTOMATIC, BOX), seed)


def near_the_middle(method: ClassicalMethod, _: CaseRef) -> float:
    """Best where every number is in the middle of its bounds."""
    off = 0.0
    for one in parameters_of(method):
        if one.within is not None and "finder." not in one.name:
            span = one.within.high - one.within.low
            off += abs(float(one.default or 0) - one.within.low - span / 2) / span
    return 1 - off / 20


def trial(*stages: float, finished: bool = True) -> Trial:
    return Trial({}, stages, (stages[-1],), 100, 0, finished)
