"""Choosing cases by one line of text."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef
from breastseg.data.selection import select
from breastseg.data.sets.busi import Busi
from breastseg.data.split import Split
from breastseg.io.write import write_text

Make = Callable[..., CaseRef]


@pytest.fixture
def cases(bare_case: Make) -> list[CaseRef]:
    return [
        bare_case("a", "benign", fold=1),
        bare_case("b", "malignant", fold=2),
        bare_case("c", "normal"),
        bare_case("a", "benign", source="T", fold=3),
    ]


def keys(chosen: tuple[CaseRef, ...]) -> list[str]:
    return [case.key for case in chosen]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("all", ["S/a", "S/b", "S/c", "T/a"]),
        ("none", []),
        ("lesions", ["S/a", "S/b", "T/a"]),
        ("normals", ["S/c"]),
        ("fold:1", ["S/a"]),
        ("fold:1, 3", ["S/a", "T/a"]),
        ("fold:1,2 & lesions", ["S/a", "S/b"]),
        ("patient:b, c", ["S/b", "S/c"]),
        ("normals & lesions", []),
    ],
)
def test_by_what_is_known(
    cases: list[CaseRef], tmp_path: Path, spec: str, expected: list[str]
) -> None:
    assert keys(select(cases, spec, tmp_path)) == expected


def test_list_of_ids_and_keys(cases: list[CaseRef], tmp_path: Path) -> None:
    write_text(tmp_path / "l.txt", "\n c \nT/a\n\n")
    assert keys(select(cases, "list:l.txt", tmp_path)) == ["S/c", "T/a"]
    assert keys(select(cases, "list:l.txt & lesions", tmp_path)) == ["T/a"]


def test_file_is_looked_for_in_three_places(
    cases: list[CaseRef], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, data, here = tmp_path / "base", tmp_path / "data", tmp_path / "here"
    for folder, line in ((base, "b"), (data, "c"), (here, "T/a")):
        write_text(folder / "l.txt", line)
    monkeypatch.setenv("BREASTSEG_DATA", os.fspath(data))
    monkeypatch.chdir(here)
    for folder, expected in ((base, "S/b"), (data, "S/c"), (here, "T/a")):
        assert keys(select(cases, "list:l.txt", base)) == [expected]
        (folder / "l.txt").unlink()
    with pytest.raises(DataSetError, match=r"no file l\.txt.*base.*data.*here"):
        select(cases, "list:l.txt", base)


def test_unknown_ids_are_named(cases: list[CaseRef], tmp_path: Path) -> None:
    write_text(tmp_path / "l.txt", "b\nx\ny\n")
    with pytest.raises(DataSetError, match=r"l\.txt names 2 cases that are not there: x, y"):
        select(cases, "list:l.txt", tmp_path)


def test_id_of_two_sources_is_refused(cases: list[CaseRef], tmp_path: Path) -> None:
    write_text(tmp_path / "l.txt", "a\n")
    with pytest.raises(DataSetError, match="several data sets have a case a"):
        select(cases, "list:l.txt", tmp_path)


def test_list_that_is_no_text(cases: list[CaseRef], tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_bytes(b"\xff\xfe\x81")
    with pytest.raises(DataSetError, match="cannot be read"):
        select(cases, "list:l.txt", tmp_path)


@pytest.mark.parametrize("spec", ["", "some", "fold:", "list:", "split:s.json", "all&none", "all:"])
def test_bad_spec_lists_the_forms(cases: list[CaseRef], tmp_path: Path, spec: str) -> None:
    with pytest.raises(DataSetError, match=r"all, none, lesions.*split:FILE#PART"):
        select(cases, spec, tmp_path)


def test_unknown_patient_is_named(cases: list[CaseRef], tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"no patient x. Expected: patients such as a, b, c"):
        select(cases, "patient:b,x", tmp_path)


def test_unknown_fold_lists_the_folds(cases: list[CaseRef], tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"no fold 5, x. Expected: folds 1, 2, 3"):
        select(cases, "fold:1,5,x", tmp_path)
    with pytest.raises(DataSetError, match="data with folds"):
        select(cases[2:3], "fold:1", tmp_path)


def test_part_of_a_split(cases: list[CaseRef], tmp_path: Path) -> None:
    parts = {"train": ("S/a", "T/a"), "val": ("S/b", "S/c"), "far": ("U/z",), "bare": ()}
    Split(0, {}, parts).write(tmp_path / "s.json")
    assert keys(select(cases, "split:s.json#train", tmp_path)) == ["S/a", "T/a"]
    assert keys(select(cases, "split:s.json#val & normals", tmp_path)) == ["S/c"]
    # A recipe that names its sources one by one sees one of them at a time.
    assert keys(select(cases[:3], "split:s.json#train", tmp_path)) == ["S/a"]
    assert select(cases, "split:s.json#bare", tmp_path) == ()
    with pytest.raises(
        DataSetError, match=r"no part 'test'. Expected: one of train, val, far, bare"
    ):
        select(cases, "split:s.json#test", tmp_path)
    with pytest.raises(DataSetError, match=r"part far of s\.json has no case of S, T"):
        select(cases, "split:s.json#far", tmp_path)
    with pytest.raises(DataSetError, match=r"part val .* 1 cases that are not there: S/c"):
        select(cases[:2], "split:s.json#val", tmp_path)


@pytest.mark.data
def test_published_lists_of_busi(data_root: Path) -> None:
    busi = Busi(data_root).cases()
    lesions = set(keys(select(busi, "lesions", data_root)))
    for number in (1, 2, 3):
        lists = f"list:splits/busi-tang/busi_{{}}{number}.txt"
        train = set(keys(select(busi, lists.format("train"), data_root)))
        val = set(keys(select(busi, lists.format("val"), data_root)))
        assert (len(train), len(val)) == (452, 195)
        assert not train & val
        assert train | val == lesions


def test_shares_are_nested_and_keep_patients_together(bare_case: Make, tmp_path: Path) -> None:
    cases = [bare_case(str(i), "benign") for i in range(400)]
    quarter, half = (set(keys(select(cases, f"fraction:{s}#3", tmp_path))) for s in (0.25, 0.5))
    assert quarter < half
    assert 70 < len(quarter) < 130
    assert set(keys(select(cases, "fraction:0.25#4", tmp_path))) != quarter
    assert len(select(cases, "fraction:1", tmp_path)) == 400
    for bad in ("fraction:0", "fraction:2", "fraction:some"):
        with pytest.raises(DataSetError, match="fraction"):
            select(cases, bad, tmp_path)
