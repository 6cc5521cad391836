"""Evaluations read back are those that were written, and pooled they are one over all cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from breastseg.cli.main import main
from breastseg.core.errors import DataSetError
from breastseg.evaluation import evaluate, summarise, write_report
from breastseg.evaluation.pool import pool, read_evaluation

from .fakes import EVERYTHING, block, drawn

CASES = [
    drawn("a", block(4, 4)),
    drawn("b", block(0, 0), "normal"),
    drawn("c", block(9, 3), "malignant", spacing_mm=(0.5, 0.5)),
    drawn("d", None),
]


def test_folds_pooled_are_one_evaluation_of_all_cases(tmp_path: Path) -> None:
    whole = evaluate(EVERYTHING, CASES)
    for name, part in (("one", CASES[:2]), ("two", CASES[2:])):
        write_report(evaluate(EVERYTHING, part), tmp_path / name)
    out = tmp_path / "pooled"
    assert main(["pool", str(tmp_path / "one"), str(tmp_path / "two"), "--out", str(out)]) == 0
    found = summarise(read_evaluation(out)).groups["all images"]
    wanted = summarise(whole).groups["all images"]
    assert (found.images, found.failures) == (wanted.images, wanted.failures)
    for name in set(wanted.figures) - {"milliseconds"}:
        assert found.figures[name].value == pytest.approx(wanted.figures[name].value, rel=1e-4)
        low = wanted.figures[name].low
        assert found.figures[name].low == pytest.approx(low, rel=1e-4, nan_ok=True)


def test_what_was_not_scored_stays_told_of_folds_that_are_pooled(tmp_path: Path) -> None:
    bare = replace(drawn("e", block(4, 4)), mask_paths=None)
    parts = {"one": [*CASES[:2], bare], "two": CASES[2:]}
    for name, part in parts.items():
        told = replace(evaluate(EVERYTHING, part), warnings=("it was trained on 1 of the cases",))
        write_report(told, tmp_path / name)
    pooled = pool([read_evaluation(tmp_path / name) for name in parts])
    assert pooled.unscored == {bare.key: "no ground truth"}
    assert pooled.warnings == ("it was trained on 1 of the cases",)


def test_one_patient_has_no_interval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_report(evaluate(EVERYTHING, CASES[:1]), tmp_path / "one")
    assert main(["pool", str(tmp_path / "one"), "--out", str(tmp_path / "pooled")]) == 0
    assert "nan" not in capsys.readouterr().out


def test_files_of_two_evaluations_are_none(tmp_path: Path) -> None:
    for name, part in (("a", CASES[:2]), ("b", CASES[2:])):
        write_report(evaluate(EVERYTHING, part), tmp_path / name)
    (tmp_path / "a" / "per_image.csv").replace(tmp_path / "b" / "per_image.csv")
    with pytest.raises(DataSetError, match="of different evaluations"):
        read_evaluation(tmp_path / "b")


def test_a_case_in_two_evaluations_is_refused(tmp_path: Path) -> None:
    one = evaluate(EVERYTHING, CASES[:2])
    with pytest.raises(DataSetError, match="2 cases in several evaluations"):
        pool([one, one])
    with pytest.raises(DataSetError, match="no evaluation"):
        pool([])
    with pytest.raises(DataSetError, match="no evaluation"):
        read_evaluation(tmp_path)
