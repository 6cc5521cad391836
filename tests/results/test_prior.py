"""Lesions of two studies: paired by place and size, or as a person says; their growth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from breastseg.core.errors import InputError
from breastseg.results.prior import change_lines, with_prior
from breastseg.results.schema import Entry, LesionRecord


def lesion(number: int, row: int, column: int, side: int) -> LesionRecord:
    """A square lesion whose diameter is its side in half millimetres."""
    box = (row - side // 2, column - side // 2, row + side // 2, column + side // 2)
    return LesionRecord(number, box, side * side, "mm", longest_diameter=side / 2)


def entry(*lesions: LesionRecord, view: str | None = None) -> Entry:
    shape, spacing = (200, 300), (0.5, 0.5)
    return Entry(
        "scan", "image", shape=shape, spacing_mm=spacing, lesions=lesions, label="lesion", view=view
    )


def test_one_lesion_on_each_side_is_the_same_wherever_it_lies() -> None:
    made = with_prior(entry(lesion(1, 30, 40, 24)), entry(lesion(1, 150, 250, 20)))
    assert made.prior is not None
    (pair,) = made.prior.pairs
    assert (pair.number, pair.prior_number) == (1, 1)
    assert (pair.growth_mm, pair.growth_percent) == (2.0, 20.0)
    assert "check them" in made.remarks[-1]
    assert change_lines(made) == ("Lesion 1: +2.0 mm (+20.0 %) against lesion 1 of the prior",)


def test_several_are_paired_by_place_and_the_others_are_new_or_gone() -> None:
    now = entry(lesion(1, 100, 60, 30), lesion(2, 40, 240, 20), lesion(3, 180, 150, 8))
    prior = entry(lesion(1, 45, 235, 16), lesion(2, 105, 66, 14), lesion(3, 20, 20, 10))
    pairs = with_prior(now, prior).prior.pairs  # type: ignore[union-attr]
    assert [(p.number, p.prior_number) for p in pairs] == [(1, 2), (2, 1), (3, None), (None, 3)]
    assert pairs[1].growth_percent == 25.0
    lines = change_lines(with_prior(now, prior))
    assert lines[2] == "Lesion 3: not found in the prior"
    assert lines[3] == "Lesion 3 of the prior: not found any more"


def test_a_person_s_pairs_hold() -> None:
    now, prior = entry(lesion(1, 30, 40, 24)), entry(lesion(1, 150, 250, 20), lesion(2, 30, 40, 8))
    made = with_prior(now, prior, [(1, 1)])
    assert [(p.number, p.prior_number) for p in made.prior.pairs] == [(1, 1), (None, 2)]  # type: ignore[union-attr]
    assert "as a person stated" in made.remarks[-1]


def test_growth_is_not_told_where_a_spacing_is_unknown() -> None:
    unknown = replace(lesion(1, 30, 40, 24), unit="px")
    made = with_prior(entry(unknown), entry(lesion(1, 30, 40, 20)))
    assert made.prior is not None
    assert made.prior.pairs[0].growth_mm is None
    assert "not known in mm" in change_lines(made)[0]


@pytest.mark.parametrize(
    ("now", "prior", "pairs", "said"),
    [
        (entry(view="L MLO"), entry(view="L CC"), None, "a view L MLO beside a prior of L CC"),
        (entry(), replace(entry(), shape=(9, 9, 9)), None, "an image and a volume"),
        (entry(), replace(entry(), status="error", error="x"), None, "nothing was segmented"),
        (entry(lesion(1, 9, 9, 4)), entry(lesion(1, 9, 9, 4)), [(1, 2)], r"each of \[1\]"),
        (entry(lesion(1, 9, 9, 4)), entry(lesion(1, 9, 9, 4)), [(1, 1), (1, 1)], "at most once"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    now: Entry, prior: Entry, pairs: list[tuple[int, int]] | None, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        with_prior(now, prior, pairs)
