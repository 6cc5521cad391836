"""Splits keep together what belongs together, and are alike."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef
from breastseg.data.selection import select
from breastseg.data.split import Split, folds, split, without_empty

THIRDS = {"train": 0.7, "val": 0.1, "test": 0.2}


def case(name: str, label: str = "benign", source: str = "S", patient: str = "") -> CaseRef:
    return CaseRef(name, patient or name, label, source, Path("i.png"), (Path("m.png"),))


@st.composite
def collections(draw: st.DrawFn) -> tuple[list[CaseRef], dict[str, int]]:
    count = draw(st.integers(1, 40))
    cases = [
        case(
            f"c{number}",
            draw(st.sampled_from(["benign", "malignant", "normal"])),
            draw(st.sampled_from("ST")),
            f"p{draw(st.integers(0, 30))}",
        )
        for number in range(count)
    ]
    grouped = draw(st.sets(st.integers(0, count - 1)))
    return cases, {cases[n].key: draw(st.integers(0, 8)) for n in sorted(grouped)}


@settings(max_examples=25, deadline=None, derandomize=True)
@given(collections(), st.integers(0, 1000))
def test_patients_and_groups_never_cross(
    collection: tuple[list[CaseRef], dict[str, int]], seed: int
) -> None:
    cases, groups = collection
    result = split(cases, THIRDS, seed, groups)
    part = {key: name for name, keys in result.parts.items() for key in keys}
    assert sorted(part) == sorted(case.key for case in cases)
    assert sum(len(keys) for keys in result.parts.values()) == len(cases)
    patients: dict[str, set[str]] = {}
    together: dict[int, set[str]] = {}
    for ref in cases:
        patients.setdefault(ref.patient_key, set()).add(part[ref.key])
        if ref.key in groups:
            together.setdefault(groups[ref.key], set()).add(part[ref.key])
    assert all(len(parts) == 1 for parts in (*patients.values(), *together.values()))
    # The order in which the cases come plays no part.
    assert split(cases[::-1], THIRDS, seed, groups) == result


def test_shares_are_met_in_every_stratum() -> None:
    cases = [
        case(f"{label}{n}", label, source, f"{label}{n // size}")
        for source, size in (("S", 1), ("T", 2))
        for label, count in (("benign", 200), ("malignant", 100), ("normal", 20))
        for n in range(count)
    ]
    result = split(cases, THIRDS, 3)
    by_key = {ref.key: ref for ref in cases}
    total = Counter((ref.source, ref.label) for ref in cases)
    for name, keys in result.parts.items():
        held = Counter((by_key[key].source, by_key[key].label) for key in keys)
        for stratum, count in total.items():
            assert abs(held[stratum] - THIRDS[name] * count) <= 2


def test_shares_need_not_sum_to_one() -> None:
    cases = [case(f"c{n}") for n in range(50)]
    assert split(cases, {"a": 3, "b": 2}, 0).parts == split(cases, {"a": 0.6, "b": 0.4}, 0).parts


def test_seeds_differ_and_repeat() -> None:
    cases = [case(f"c{n}") for n in range(50)]
    assert split(cases, THIRDS, 0) == split(cases, THIRDS, 0)
    assert split(cases, THIRDS, 0).parts != split(cases, THIRDS, 1).parts


def test_patients_of_two_sources_are_two_patients() -> None:
    cases = [case("a", source=source, patient="1") for source in "ST"]
    result = split(cases, {"x": 1, "y": 1}, 0)
    assert [len(keys) for keys in result.parts.values()] == [1, 1]


def test_chain_of_patient_and_group_stays_together() -> None:
    # a and b share a patient, b and c a group, c and d a patient.
    cases = [case(n, patient=p) for n, p in (("a", "1"), ("b", "1"), ("c", "2"), ("d", "2"))]
    result = split(cases, {"x": 1, "y": 1}, 0, {"S/b": 0, "S/c": 0})
    assert sorted(len(keys) for keys in result.parts.values()) == [0, 4]


def test_folds_are_equal() -> None:
    result = folds([case(f"c{n}") for n in range(50)], 5, 0)
    assert list(result.parts) == ["1", "2", "3", "4", "5"]
    assert {len(keys) for keys in result.parts.values()} == {10}
    with pytest.raises(DataSetError, match=r"1 folds. Expected: 2 or more"):
        folds([case("a")], 1, 0)


def test_no_fold_is_empty() -> None:
    with pytest.raises(DataSetError, match="3 folds of 2 cases"):
        folds([case("a"), case("b")], 3, 0)
    of_two = [case(n, patient=p) for n, p in (("a", "1"), ("b", "1"), ("c", "2"))]
    with pytest.raises(DataSetError, match="1 would be empty"):
        folds(of_two, 3, 0)
    assert all(folds(of_two, 2, 0).parts.values())


@pytest.mark.parametrize("count", [2, 3, 4, 5, 9])
def test_a_part_of_few_patients_has_one(count: int) -> None:
    cases = [case(f"c{n}") for n in range(count)]
    assert len(split(cases, {"train": 0.8, "val": 0.2}, 1).parts["val"]) == max(1, round(count / 5))
    assert len(split(cases, {"train": 0.999, "test": 0.001}, 0).parts["test"]) == 1
    assert all(split([*cases, case("x")], THIRDS, 0).parts.values())


def test_an_empty_part_takes_the_patient_that_is_missed_least() -> None:
    # Of two benign patients the one with fewer images; the only malignant one stays.
    cases = [case("a", patient="1"), case("b", patient="1"), case("c"), case("d", "malignant")]
    for seed in range(5):
        assert split(cases, {"train": 0.99, "val": 0.01}, seed).parts["val"] == ("S/c",)


def test_parts_beyond_the_patients_are_refused() -> None:
    of_two = [case(n, patient=p) for n, p in (("a", "1"), ("b", "1"), ("c", "2"))]
    with pytest.raises(DataSetError, match="3 parts, of which 1 would be empty: val"):
        without_empty(split(of_two, THIRDS, 0))


def test_written_and_read_again(tmp_path: Path) -> None:
    result = split([case(f"c{n}") for n in range(9)], THIRDS, 7)
    result.write(tmp_path / "s.json")
    assert Split.read(tmp_path / "s.json") == result
    content = json.loads((tmp_path / "s.json").read_text())
    assert content["seed"] == 7
    assert content["fractions"] == THIRDS
    assert list(content["parts"]) == ["train", "val", "test"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "is no split"),
        ('{"train": []}', "is no split"),
        ('{"parts": {"train": "a"}}', "is no split"),
        ('{"parts": {"train": [1]}}', "is no split"),
        ('{"seed": "x", "parts": {}}', "is no split"),
        ('{"parts": {"a": ["S/x"], "b": ["S/x"]}}', "1 cases stand in several parts: S/x"),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(DataSetError, match=message):
        Split.read(tmp_path / "s.json")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"absent\.json cannot be read"):
        Split.read(tmp_path / "absent.json")


@pytest.mark.parametrize("fractions", [{}, {"a": 0.0}, {"a": 1.0, "b": -1.0}, {"a": float("nan")}])
def test_bad_shares(fractions: dict[str, float]) -> None:
    with pytest.raises(DataSetError, match="each fraction above 0"):
        split([case("a")], fractions, 0)


def test_no_cases_and_cases_given_twice() -> None:
    with pytest.raises(DataSetError, match="no cases"):
        split([], THIRDS, 0)
    with pytest.raises(DataSetError, match="1 cases given twice: S/a"):
        split([case("a"), case("a")], THIRDS, 0)


def test_parts_together_and_all_but_one(tmp_path: Path) -> None:
    cases = [case(f"c{n}") for n in range(12)]
    path = tmp_path / "folds.json"
    drawn = folds(cases, 3, 0)
    drawn.write(path)
    rest = [c.key for c in select(cases, f"split:{path}#-1", tmp_path)]
    assert rest == [c.key for c in select(cases, f"split:{path}#2,3", tmp_path)]
    assert sorted((*rest, *drawn.parts["1"])) == sorted(c.key for c in cases)
    with pytest.raises(DataSetError, match=r"no part '4'. Expected: one of 1, 2, 3"):
        select(cases, f"split:{path}#2,4", tmp_path)


def test_a_split_survives_a_renamed_table(tmp_path: Path) -> None:
    cases = [case(f"c{n}") for n in range(10)]
    path = tmp_path / "split.json"
    drawn = split(cases, {"train": 0.8, "val": 0.2}, 1)
    drawn.write(path)
    renamed = [replace(one, source="renamed") for one in cases]
    chosen = {one.case_id for one in select(renamed, f"split:{path}#val", tmp_path)}
    assert chosen == {key.partition("/")[2] for key in drawn.parts["val"]}
    with pytest.raises(DataSetError, match="has no case of renamed"):
        select(renamed[:-1], f"split:{path}#val", tmp_path)


def test_a_split_that_parts_a_patient_is_refused(tmp_path: Path) -> None:
    cases = [case("a"), case("b")]
    path = tmp_path / "split.json"
    Split(0, {}, {"train": (cases[0].key,), "val": (cases[1].key,)}).write(path)
    together = [replace(one, patient_id="P") for one in cases]
    with pytest.raises(DataSetError, match=r"split.json: 1 patients stand in several parts: S/P"):
        select(together, f"split:{path}#train", tmp_path)


def test_json_that_nests_too_deeply(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    with pytest.raises(DataSetError, match=r"deep.json nests too deeply"):
        Split.read(path)
