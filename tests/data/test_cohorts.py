"""Patients that several data sets show."""

from __future__ import annotations

from pathlib import Path

import pytest

from breastseg.data.catalogue import DATA_SETS
from breastseg.data.cohorts import _PARTS, patient_key
from breastseg.data.dataset import CaseRef
from breastseg.data.selection import select
from breastseg.data.split import split


def ref(source: str, number: int) -> CaseRef:
    return CaseRef(f"c{number}", f"P_{number}", "benign", source, Path("a.png"), (Path("m.png"),))


def test_a_part_of_a_data_set_has_its_patients() -> None:
    assert patient_key("CBIS-DDSM-calc", "P_1") == patient_key("CBIS-DDSM", "P_1")
    assert ref("CDD-CESM-DM", 1).patient_key == "CDD-CESM/P_1"
    assert patient_key("BCSS-tiles", "TCGA-A1-A0SK") == patient_key("BCSS", "TCGA-A1-A0SK")
    assert patient_key("BUSI", "1") != patient_key("BUS-BRA", "1")
    assert set(_PARTS) | set(_PARTS.values()) <= set(DATA_SETS)


def test_they_stay_on_one_side_and_in_one_share() -> None:
    cases = [ref(source, n) for source in ("CBIS-DDSM", "CBIS-DDSM-calc") for n in range(40)]
    parts = split(cases, {"train": 0.5, "test": 0.5}, seed=1).parts
    sides = {part: {key.partition("/")[2] for key in keys} for part, keys in parts.items()}
    assert not sides["train"] & sides["test"]
    chosen = {case.key.partition("/")[2] for case in select(cases, "fraction:0.5", Path())}
    halves = [
        {case.key.partition("/")[2] for case in select(some, "fraction:0.5", Path())}
        for some in (cases[:40], cases[40:])
    ]
    assert halves[0] == halves[1] == chosen


@pytest.mark.parametrize("name", ["folder", "manifest", "nnunet"])
def test_data_of_ones_own_are_apart(name: str) -> None:
    assert patient_key(name, "1") == f"{name}/1"
