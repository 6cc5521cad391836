"""A draw in which every scanner, and images with and without lesions, count alike."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from breastseg.data.balanced import balanced_draw
from breastseg.data.dataset import CaseRef


def refs(source: str, scanner: str | None, count: int, normal: bool = False) -> list[CaseRef]:
    masks = () if normal else (Path("m.png"),)
    word = f"{scanner}-{'normal' if normal else 'lesion'}"
    names = [f"{word}-{number}" for number in range(count)]
    return [CaseRef(n, n, None, source, Path("i.png"), masks, scanner) for n in names]


CASES = [
    *refs("A", "one", 100),
    *refs("A", "two", 3),
    *refs("B", None, 50),
    *refs("B", None, 50, normal=True),
]


def test_every_group_gives_as_many_as_it_has() -> None:
    drawn = balanced_draw(CASES, 30, seed=0)
    counts = Counter((case.source, case.scanner, case.is_normal) for case in drawn)
    small = counts.pop(("A", "two", False))
    assert small == 3
    assert sorted(counts.values()) == [9, 9, 9]
    places = [CASES.index(case) for case in drawn]
    assert places == sorted(places)


def test_the_seed_decides_and_there_may_be_too_few() -> None:
    assert balanced_draw(CASES, 20, seed=1) == balanced_draw(CASES, 20, seed=1)
    assert balanced_draw(CASES, 20, seed=1) != balanced_draw(CASES, 20, seed=2)
    assert balanced_draw(CASES, 1000, seed=1) == tuple(CASES)
    assert balanced_draw([], 5, seed=0) == ()
