"""``tune``: what it prints, writes and refuses, and that it goes on where it was stopped."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from breastseg.classical.preset import classical_method
from breastseg.cli.main import main
from breastseg.core.parameters import values_of
from breastseg.io.write import write_png

from ..scans import scan

pytest.importorskip("optuna")

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Three images with a dark disc and one without, in the layout of a plain folder."""
    folder = tmp_path / "mine"
    lines = ["file,label"]
    for number, radius in enumerate((8, 10, 12, 0)):
        picture = scan((60, 70), radius)
        truth = picture < 60
        truth[0, 0] = False
        write_png(folder / "images" / f"s{number}.png", picture)
        write_png(folder / "masks" / f"s{number}.png", truth)
        lines.append(f"s{number}.png,{'benign' if radius else 'normal'}")
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")
    return folder


def tune(scans: Path, out: Path, *words: str) -> int:
    given = ["tune", "otsu", "--data", f"folder={scans}", "--out", str(out), "--workers", "1"]
    return main([*given, *words])


def trials(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "otsu.trials.csv").read_text().splitlines()))


def test_tune_writes_a_preset_that_can_be_used(
    scans: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "tuned"
    assert tune(scans, out, "--trials", "4") == 0
    text = capsys.readouterr().out
    assert text.startswith("trial 0: 0.")
    assert "after 4 trials" in text
    assert str(out / "otsu.json") in text
    content = json.loads((out / "otsu.json").read_text())
    assert content["method"] == "otsu"
    record = content["record"]
    assert record["data"] == "mine 4 (1 normal)"
    assert record["prompting"] == "automatic and box"
    assert record["dice_best"] >= record["dice_start"]
    assert len(trials(out)) == record["trials"] == 4
    values = values_of(classical_method("otsu", str(out / "otsu.json")))
    assert {name: values[name] for name in content["parameters"]} == content["parameters"]


def test_the_same_command_goes_on_where_it_was_stopped(
    scans: Path, tmp_path: Path, capsys: Capture
) -> None:
    for count in ("2", "5", "5"):
        assert tune(scans, tmp_path / "parts", "--trials", count, "--quiet") == 0
    assert tune(scans, tmp_path / "whole", "--trials", "5", "--quiet") == 0
    assert trials(tmp_path / "parts") == trials(tmp_path / "whole")
    assert "trial 0" not in capsys.readouterr().out
    assert tune(scans, tmp_path / "parts", "--trials", "5", "--seed", "1") == 2
    assert "another search" in capsys.readouterr().err


def test_prompt_limit_and_only_narrow_the_search(scans: Path, tmp_path: Path) -> None:
    words = ["--trials", "3", "--prompt", "box", "--limit", "2", "--only", "shift", "filters."]
    assert tune(scans, tmp_path / "tuned", *words) == 0
    record = json.loads((tmp_path / "tuned" / "otsu.json").read_text())["record"]
    assert (record["images"], record["normals"], record["prompting"]) == (2, 0, "box")
    searched = record["searched"].split(", ")
    assert searched[0] == "shift"
    assert all(name.startswith("filters.") for name in searched[1:])
    assert "dice_best_box" in record
    assert "dice_best_automatic" not in record


def test_a_search_starts_from_a_preset(scans: Path, tmp_path: Path) -> None:
    start = tmp_path / "start.json"
    content = {"method": "otsu", "parameters": {"shift": 0.05, "context": 0.5}, "record": {}}
    start.write_text(json.dumps(content))
    words = ["--trials", "1", "--preset", str(start), "--only", "shift"]
    assert tune(scans, tmp_path / "tuned", *words) == 0
    written = json.loads((tmp_path / "tuned" / "otsu.json").read_text())
    assert written["parameters"] == content["parameters"]
    assert [row["shift"] for row in trials(tmp_path / "tuned")] == ["0.05"]


def test_the_record_names_no_folder_of_this_machine(scans: Path, tmp_path: Path) -> None:
    chosen = tmp_path / "chosen.txt"
    chosen.write_text("s0\ns1\n")
    start = tmp_path / "start.json"
    start.write_text('{"method": "otsu", "parameters": {}, "record": {}}')
    words = ["--split", f"list:{chosen} & lesions", "--preset", str(start), "--trials", "1"]
    assert tune(scans, tmp_path / "tuned", *words) == 0
    text = (tmp_path / "tuned" / "otsu.json").read_text()
    assert str(tmp_path) not in text
    record = json.loads(text)["record"]
    assert record["split"] == "list:chosen.txt & lesions"
    assert record["command"] == (
        "breastseg tune otsu --data folder=FOLDER --split 'list:chosen.txt & lesions' --trials 1 "
        "--prompt both --preset start.json --seed 0 --out FOLDER"
    )


def test_an_image_that_cannot_be_read_is_counted(
    scans: Path, tmp_path: Path, capsys: Capture
) -> None:
    (scans / "images" / "s1.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    assert tune(scans, tmp_path / "tuned", "--trials", "1") == 0
    assert "1 of 4 images failed" in capsys.readouterr().err
    assert trials(tmp_path / "tuned")[0]["failed"] == "1"


@pytest.mark.parametrize(
    ("words", "needle"),
    [
        (["--trials", "0"], "0 trials"),
        (["--limit", "0"], "limit 0"),
        (["--seed", "-1"], "seed -1"),
        (["--workers", "-1"], "-1 workers"),
        (["--only", "shifd"], "no parameter 'shifd'"),
        (["--preset", "nosuch"], "no preset 'nosuch'"),
        (["--preset", "nosuch.json"], "no preset"),
        (["--split", "normals", "--prompt", "box"], "no case with a lesion"),
        (["--split", "nosuch"], "lesions"),
    ],
)
def test_what_cannot_be_used_is_explained_in_one_line(
    scans: Path, tmp_path: Path, capsys: Capture, words: list[str], needle: str
) -> None:
    assert tune(scans, tmp_path / "tuned", *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert needle in line
    assert not (tmp_path / "tuned").exists()


def test_only_classical_methods_can_be_tuned(scans: Path, tmp_path: Path, capsys: Capture) -> None:
    words = ["tune", "ultrasound", "--data", f"folder={scans}", "--out", str(tmp_path / "tuned")]
    assert main(words) == 2
    assert "no classical method 'ultrasound'" in capsys.readouterr().err
