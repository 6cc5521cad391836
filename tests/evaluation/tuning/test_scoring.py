"""A case counts by its Dice, a failure counts 0, and nothing depends on who computes it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import pytest

from breastseg.classical.finder import Finder
from breastseg.classical.otsu import Otsu
from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.tuning import scoring as scoring_module
from breastseg.evaluation.tuning.scoring import CaseDice, score_case, scorer
from breastseg.metrics import dice

from .made import AUTOMATIC, BOX, REFS


def test_a_case_is_scored_by_the_overlap_of_its_outline(cases: tuple[CaseRef, ...]) -> None:
    with scorer((AUTOMATIC, BOX), 1, False) as score:
        first, *_, normal = score(Otsu(), cases)
    case = cases[0].load()
    assert case.mask is not None
    outline = Otsu().segment(case.images[0]).mask().foreground
    assert first.values[0] == dice(outline, case.mask.foreground)
    assert first.values[1] is not None
    assert first.values[1] > 0.8
    assert normal.values[0] in (0.0, 1.0)
    assert normal.values[1] is None


def test_every_region_gets_its_box(cases: tuple[CaseRef, ...]) -> None:
    (value,) = score_case((BOX,), False, Otsu(), cases[2]).values
    assert value is not None
    assert value > 0.8


def test_a_case_that_fails_counts_nothing(cases: tuple[CaseRef, ...], tmp_path: Path) -> None:
    missing = replace(cases[0], image_path=tmp_path / "none.png")
    assert score_case((AUTOMATIC, BOX), True, Otsu(), missing) == CaseDice((0.0, 0.0), failed=True)
    normal = replace(cases[4], image_path=tmp_path / "none.png")
    assert score_case((AUTOMATIC, BOX), True, Otsu(), normal) == CaseDice((0.0, None), failed=True)


def test_a_remembered_finder_changes_nothing_and_looks_once(
    cases: tuple[CaseRef, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    with scorer((AUTOMATIC,), 1, False) as score:
        plain = [score(Otsu(shift=shift), cases) for shift in (0.0, 0.1)]
    looks = []
    find = Finder.find
    monkeypatch.setattr(Finder, "find", lambda self, dark: looks.append(1) or find(self, dark))
    with scorer((AUTOMATIC,), 1, True) as score:
        assert [score(Otsu(shift=shift), cases) for shift in (0.0, 0.1)] == plain
    assert len(looks) == len(cases)


def test_a_process_that_was_killed_is_no_traceback() -> None:
    class Broken(ProcessPoolExecutor):
        def __init__(self) -> None:
            pass

        def map(self, *_: object, **__: object) -> Iterator[CaseDice]:  # type: ignore[override]
            raise BrokenProcessPool

    with pytest.raises(DataSetError, match="fewer workers"):
        scoring_module._gather(Broken(), lambda _: CaseDice((1.0,)), REFS)
