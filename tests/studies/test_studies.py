"""Every study and benchmark is imported and runs on generated scans, as small as it can be.

What trains is not trained here: its commands are held against the command line, and its tables are
made of the files that such runs leave.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import runpy
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("monai")

from breastseg.annotation.project import ProjectCase
from breastseg.cli.main import _parse
from breastseg.data.phantoms.ultrasound import write_phantoms
from breastseg.training.recipe_file import read_recipe

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore"),  # of the libraries that are measured
]
ROOT = Path(__file__).resolve().parents[2]
COMMAND = re.compile(r"`python (?:studies|benchmarks)/(\w+)\.py ([^`\[]*)`")
STUDIES = sorted(p.stem for p in (ROOT / "studies").glob("[!_]*.py"))
BENCHMARKS = sorted(p.stem for p in (ROOT / "benchmarks").glob("[!_]*.py"))

Study = Callable[[str, str], str]


def stated() -> list[tuple[str, str]]:
    """The commands of the pages that need nothing filled in."""
    pages = [
        (ROOT / folder / "README.md").read_text("utf-8") for folder in ("studies", "benchmarks")
    ]
    given = [
        (name, " ".join(words.split())) for page in pages for name, words in COMMAND.findall(page)
    ]
    return [(name, words) for name, words in given if "..." not in words]


def trainings() -> list[tuple[str, str]]:
    """The recipes that the pages' commands change, and the changes."""
    pages = [
        (ROOT / folder / "README.md").read_text("utf-8") for folder in ("studies", "benchmarks")
    ]
    text = " ".join(" ".join(pages).split())
    found = re.findall(r"`breastseg train (recipes/\S+) ([^`]*--set [^`]*)`", text)
    return [(recipe, words.split("--set ")[1].split(" --")[0]) for recipe, words in found]


class ParsedError(Exception):
    """The words were taken; nothing was run."""


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Study]:
    """Runs a study or benchmark with some words and gives what it printed."""

    def run(name: str, words: str) -> str:
        folder = "studies" if name in STUDIES else "benchmarks"
        monkeypatch.syspath_prepend(str(ROOT / folder))
        monkeypatch.setattr(sys, "argv", [name, *words.split()])
        capsys.readouterr()
        runpy.run_path(str(ROOT / folder / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    yield run
    for name in (*STUDIES, *BENCHMARKS, "_study"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    write_phantoms(folder, 4, 3)
    return folder


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The studies' helper, whose commands are checked and not run."""
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    helper = importlib.import_module("_study")
    yield helper
    sys.modules.pop("_study", None)


@pytest.fixture
def commands(shared: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    given: list[list[str]] = []

    def check(*words: object) -> None:
        name, *rest = map(str, words)
        _parse(name, rest)
        given.append([name, *rest])

    monkeypatch.setattr(shared, "breastseg", check)
    return given


@pytest.mark.parametrize("name", [*STUDIES, *BENCHMARKS])
def test_each_says_how_it_is_run(name: str, study: Study) -> None:
    with pytest.raises(SystemExit) as ended:
        study(name, "--help")
    assert ended.value.code == 0
    folder = "studies" if name in STUDIES else "benchmarks"
    text = (ROOT / folder / f"{name}.py").read_text(encoding="utf-8")
    assert f"python {folder}/{name}.py" in text


@pytest.mark.parametrize(
    ("name", "words", "head"),
    [
        ("free_response", "ultrasound-fast --data folder={scans}", "| false"),
        ("screen", "--data folder={scans} --method ultrasound-fast", "| image"),
        (
            "annotation_effort",
            "--data folder={scans} --split lesions --method ultrasound-fast",
            "| polar-path, a click |",
        ),
        ("second_look", "--data folder={scans} --method ultrasound-fast", "| images"),
        ("uncertainty", "--data folder={scans} --bundle ultrasound-fast", "| views"),
        ("mri_phantom", "mri-phantom --seeds 78 --count 1 --shape 20 80 80", "phantoms of seed 78"),
        ("volume_phantoms", "mri-phantom --count 1 --shape 20 80 80", "| case"),
        ("classical", "--repeats 1 --only otsu --large 256 256", "| method"),
        ("inference", "--images 4 --without-torch --cold-starts 0", "4 PNG images"),
        ("metrics", "--turns 1", "pair"),
        ("networks", "fast-unet --seconds 0 --without-onnx", "One image of 256x256"),
        ("lesions", "--repeats 1", "| map"),
        ("slide", "--side 600", '{"side": 600'),
        ("mammogram", "--shape 512 416 --runs 1 --threads 1", "| "),
        ("volume_memory", "--bundle mri-phantom --shape 12 64 64 --threads 1", "| voxels"),
        ("real_time", "--seconds 0.1", "| bundle"),
    ],
)
def test_it_runs_on_generated_scans(
    name: str, words: str, head: str, study: Study, scans: Path
) -> None:
    assert head in study(name, words.format(scans=scans))


def test_a_command_is_not_charged_for_the_memory_of_the_process_that_measures_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    held = b"x" * 300_000_000
    cost = runpy.run_path(str(ROOT / "benchmarks" / "_process.py"))["cost_of"](["true"])
    assert 0 < cost.peak_mb < len(held) / 2e6


def test_the_commands_of_what_trains_are_ones_that_the_program_takes(
    commands: list[list[str]], study: Study, scans: Path, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    study("families", f"train --data {scans} --out {out} --only gan")
    study("leave_one_out", f"train R.toml --data folder={scans} --out {out} --modality ultrasound")
    assert [words[0] for words in commands[:3]] == ["train", "export", "evaluate"]
    assert len(commands) == 3 + 3 * 4
    assert not list(out.glob("*.claim"))


def test_a_run_that_was_stopped_is_continued_and_one_that_is_done_left(
    shared: ModuleType, commands: list[list[str]], tmp_path: Path
) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    shared.train(Path("R.toml"), ["BUSI=data"], tmp_path, [])
    assert commands.pop()[:3] == ["train", "--resume", str(tmp_path)]
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "last.safetensors").touch()
    shared.train(Path("R.toml"), ["BUSI=data"], tmp_path, [])
    assert not commands


def test_a_folder_that_is_claimed_is_left_to_the_other_process(
    shared: ModuleType, tmp_path: Path
) -> None:
    with shared.claimed(tmp_path / "one") as first, shared.claimed(tmp_path / "one") as second:
        assert (first, second) == (True, False)
    assert not list(tmp_path.iterdir())


def test_the_table_of_families_is_made_of_what_the_runs_left(study: Study, tmp_path: Path) -> None:
    for label, dice in (("encoder-unet", 0.7), ("gan", 0.8)):
        for suffix in ("", "-seed2"):
            scores = tmp_path / f"{label}{suffix}" / "scores"
            scores.mkdir(parents=True)
            figures = {k: {"value": dice} for k in ("dice", "iou", "hd95_px")}
            content = {"groups": {"lesion images": {"figures": figures}}}
            (scores / "summary.json").write_text(json.dumps(content))
            lines = [f"case{n},{dice + 0.01 * n * len(suffix)}" for n in range(4)]
            (scores / "per_image.csv").write_text("\n".join(["key,dice", *lines]))
            (scores.parent / "metrics.csv").write_text("epoch,seconds\n1,60\n2,60\n")
    words = f"--data x --out {tmp_path} --only gan --seeds 1 2"
    assert "| gan | 0.800 | 0.800 / 0.800 | 0.800 | 0.8 | 2.0 |" in study(
        "families", f"table {words}"
    )
    assert "+0.100 +- 0.000" in study("families", f"paired {words}")


@pytest.fixture(scope="module")
def two_scanners(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two sources of other patients each, as words of ``--data``."""
    folder = tmp_path_factory.mktemp("scanners")
    write_phantoms(folder / "one", 15, 3)  # a margin of 80 % needs 11 patients with a lesion
    write_phantoms(folder / "two", 5, 4)
    return f"--data one=folder:{folder}/one two=folder:{folder}/two"


def test_an_unseen_scanner_is_scored_at_the_point_of_the_others(
    study: Study, two_scanners: str, tmp_path: Path
) -> None:
    bundle = ROOT / "src/breastseg/bundles/ultrasound-fast"
    words = f"{two_scanners} --out {tmp_path} --model one={bundle} two={bundle} --choose one=all"
    words += " two=all --max-normals 1"
    said = study("unseen_scanner", words)
    assert said.count("| two | one | all |") == 1
    held = json.loads((tmp_path / "results.json").read_text())
    assert [one["tested on"] for one in held] == ["one", "two"]
    assert 0 <= held[0]["groups"]["all"]["Dice"]["value"] <= 1
    changed = (tmp_path / "one" / "test.npz").stat().st_mtime_ns
    assert study("unseen_scanner", words) == said
    assert (tmp_path / "one" / "test.npz").stat().st_mtime_ns == changed


def test_coverage_is_stated_by_source(study: Study, two_scanners: str, tmp_path: Path) -> None:
    words = f"{two_scanners} --out {tmp_path} --bundle ultrasound-fast --calibrate one=all"
    words += " --test two=all"
    said = study("coverage", words)
    assert "| 80% | by probability | two |" in said
    assert "| confidence | two | 80% |" in said
    assert "| source | lesion images | normals | patients | AUC | calibration error |" in said
    assert study("coverage", words) == said


def test_prompts_are_scored_and_kept(study: Study, scans: Path, tmp_path: Path) -> None:
    words = f"--methods ellipse --data folder={scans} --split lesions --out {tmp_path}"
    said = study("prompts", words)
    heads, _, row = (line.split(" | ") for line in said.splitlines())
    figures = {name: float(cell.split()[0]) for name, cell in zip(heads[3:], row[3:], strict=True)}
    assert figures["box"] > figures["box 10%"] > figures["box 20%"] > 0.4
    assert 0 <= figures["click"] < figures["box"]
    kept = (tmp_path / "ellipse.json").stat().st_mtime_ns
    assert study("prompts", words) == said
    assert (tmp_path / "ellipse.json").stat().st_mtime_ns >= kept


def test_a_reader_clicks_the_middle_of_the_largest_error(study: Study) -> None:
    sys.path.insert(0, str(ROOT / "studies"))
    try:
        from prompts import deepest_error
    finally:
        sys.path.pop(0)
    lesion, found = np.zeros((2, 40, 40), bool)
    lesion[10:21, 10:21] = True
    assert deepest_error(lesion, found) == (True, (15, 15))
    found[10:21, 10:39] = True
    inside, (row, column) = deepest_error(lesion, found)
    assert not inside
    assert row == 15
    assert 25 <= column <= 34


def test_weights_precision(study: Study, scans: Path, tmp_path: Path) -> None:
    words = f"ultrasound-fast --data folder={scans} --precision float16 --keep {tmp_path}"
    words += " --engine auto"
    said = study("weights_precision", words)
    assert "| ultrasound-fast | 0.73 |" in said
    assert "| ultrasound-fast-float16 | 0.97 |" in said
    assert "| ultrasound-fast, auto | 0.73 |" in said
    assert (tmp_path / "ultrasound-fast-float16" / "bundle.json").is_file()


def test_the_clicks_of_a_simulated_reader_are_those_of_a_square(
    shared: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = importlib.import_module("annotation_effort")
    monkeypatch.delitem(sys.modules, "annotation_effort")
    truth = np.zeros((60, 60), bool)
    truth[10:40, 10:40] = True
    whole = study.drawn(np.zeros_like(truth), truth, 2.0)
    assert whole == study.Cost(4 + 1 + 1, 900, 1.0, anew=True)

    def clicks_of(start: NDArray[np.bool_]) -> tuple[int, int]:
        cost = study.corrected(start, truth, 2.0)
        return cost.clicks, cost.edited_px

    assert clicks_of(truth) == (1, 0)
    assert clicks_of(np.zeros_like(truth)) == (6, 900)
    cut, holed, false, wide = (truth.copy() for _ in range(4))
    cut[:, 30:] = False
    assert clicks_of(cut) == (1 + 4, 300)  # two ends and two corners
    holed[20:25, 20:28] = False
    assert clicks_of(holed) == (1 + 1, 40)
    false[50:55, 50:55] = True
    assert clicks_of(false) == (1 + 1, 25)
    wide[9:41, 9:41] = True
    assert clicks_of(wide) == (1, 0)  # within the tolerance


def test_the_first_images_are_those_of_all_choices_and_the_next_ones_are_chosen(
    shared: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = importlib.import_module("label_next")
    monkeypatch.delitem(sys.modules, "label_next")
    places = ((0.0,), (1.0,), (1.1,), (9.0,))
    cases = [
        ProjectCase(f"{n}", "p", (8, 8), None, unsure, place)
        for n, (unsure, place) in enumerate(zip((5.0, 4.0, 3.9, 1.0), places, strict=True))
    ]
    assert study.chosen_next("unsure", cases, [0], 2) == [1, 2]
    assert study.chosen_next("spread", cases, [0], 2) == [3, 2]
    assert study.chosen_next("queue", cases, [0], 2) == [3, 2]


def test_the_table_of_what_to_label_next_holds_the_choices_against_random(
    study: Study, tmp_path: Path
) -> None:
    for seed in (1, 2):
        for cell, value in (("first-20", 0.5), ("queue-40", 0.7), ("random-40", 0.6)):
            rows = [{"patient": f"p{n // 2}", "dice": value + 0.01 * seed} for n in range(6)]
            path = tmp_path / f"{cell}-{seed}" / "scores.json"
            path.parent.mkdir()
            path.write_text(json.dumps(rows))
    said = study("label_next", f"table --out {tmp_path} --seeds 1 2 --sizes 20 40")
    assert "| 40 | 0.715 (0.710 / 0.720; missed 0.000) | 0.615" in said
    assert "| 40 | queue | +0.100 | [+0.100, +0.100] | [+0.100, +0.100] | +0.100 +- 0.000 |" in said


@pytest.mark.parametrize(("name", "words"), stated())
def test_a_command_of_the_pages_parses(
    name: str, words: str, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = argparse.ArgumentParser.parse_args

    def parse_alone(self: argparse.ArgumentParser) -> None:
        parse(self, shlex.split(words))
        raise ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_alone)
    with pytest.raises(ParsedError):
        study(name, "")


@pytest.mark.parametrize(("recipe", "words"), trainings())
def test_changes_that_the_pages_name_fit_the_recipe(recipe: str, words: str) -> None:
    read_recipe(ROOT / recipe, dict(word.split("=", 1) for word in words.split()))


def test_the_pages_name_changes() -> None:
    assert trainings()
