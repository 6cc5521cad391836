"""``evaluate``, ``models`` and ``data``: what they print, write and return."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from breastseg.cli.data import parse_fractions
from breastseg.cli.main import main
from breastseg.core.errors import DataSetError
from breastseg.io.write import write_png

from ..scans import scan

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    """Four cases of four patients, one of them normal, in the layout of a plain folder."""
    folder = tmp_path / "mine"
    lines = ["file,patient_id,label,spacing_mm"]
    for number, (radius, label) in enumerate(
        [(20, "benign"), (26, "malignant"), (0, "normal"), (14, "benign")]
    ):
        name = f"s{number}.png"
        picture = scan(radius=radius)
        truth = picture < 60
        truth[0, 0] = False
        write_png(folder / "images" / name, picture)
        write_png(folder / "masks" / name, truth)
        lines.append(f"{name},p{number},{label},0.1")
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_evaluate_prints_the_figures_and_writes_the_reports(
    bundle: Path, data_set: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "scores"
    given = ["evaluate", str(bundle), "--data", f"folder={data_set}", "--out", str(out)]
    assert main(given) == 0
    text = capsys.readouterr().out
    assert "Images with a lesion" in text
    assert "Normal images" in text
    assert "HD95 mm" in text
    summary = json.loads((out / "summary.json").read_text())
    assert summary["groups"]["lesion images"]["images"] == 3
    assert summary["groups"]["lesion images"]["figures"]["dice"]["value"] > 0.95
    assert (out / "summary.md").is_file()
    assert (out / "per_image.csv").is_file()

    assert main([*given, "--split", "lesions", "--size", "64", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["size"] == [64, 64]
    assert "normal images" not in printed["groups"]


def test_evaluate_keeps_its_figures_in_the_bundle(
    bundle: Path, data_set: Path, tmp_path: Path
) -> None:
    own, out = tmp_path / "own", tmp_path / "scores"
    shutil.copytree(bundle, own)
    given = ["evaluate", str(own), "--data", f"folder={data_set}", "--out", str(out), "--quiet"]
    assert main([*given, "--write", "mine, all"]) == 0
    kept = json.loads((own / "measured.json").read_text())["results"]["mine, all"]
    groups = json.loads((out / "summary.json").read_text())["groups"]
    scored = groups["lesion images"]["figures"]["dice"]["value"]
    assert kept["lesion images/dice"] == pytest.approx(scored, abs=1e-6)
    assert "mine, all" in (own / "MODEL_CARD.md").read_text()


def test_evaluate_takes_several_data_sets_with_a_selection_each(
    bundle: Path, data_set: Path, tmp_path: Path, capsys: Capture
) -> None:
    other = data_set.rename(tmp_path / "other")
    copy = tmp_path / "copy"
    (copy / "images").mkdir(parents=True)
    (copy / "masks").mkdir()
    for part in ("images", "masks"):
        (copy / part / "x.png").write_bytes((other / part / "s0.png").read_bytes())
    forms = [
        ["--data", f"folder={other}", f"folder={copy}", "--split", "all", "other=normals"],
        ["--data", f"folder={other}", "--data", f"folder={copy}", "--split", "OTHER=normals"],
    ]
    for form in forms:
        assert main(["evaluate", str(bundle), "--out", str(tmp_path / "o"), "--json", *form]) == 0
        groups = json.loads(capsys.readouterr().out)["groups"]
        assert (groups["all images"]["images"], groups["normal images"]["images"]) == (2, 1)


def test_evaluate_counts_a_broken_case_and_says_so(
    bundle: Path, data_set: Path, tmp_path: Path, capsys: Capture
) -> None:
    (data_set / "images" / "s1.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    given = ["evaluate", str(bundle), "--data", f"folder={data_set}"]
    assert main([*given, "--out", str(tmp_path / "scores"), "--quiet"]) == 1
    assert "mine/s1" in capsys.readouterr().err


def test_names_that_are_no_text_are_scored_and_split(
    bundle: Path, data_set: Path, tmp_path: Path
) -> None:
    (data_set / "cases.csv").unlink()
    try:
        for folder in ("images", "masks"):
            (data_set / folder / "s1.png").rename(f"{data_set}/{folder}/s\udcff.png")
    except OSError:
        pytest.skip("this file system takes only Unicode names")
    data = ["--data", f"folder={data_set}"]
    scored = ["evaluate", str(bundle), *data, "--out", str(tmp_path / "scores"), "--save-masks"]
    assert main([*scored, "--quiet"]) == 0
    assert "\\udcff" in (tmp_path / "scores/per_image.csv").read_text(encoding="utf-8")
    assert (
        main(["data", "split", *data, "--out", str(tmp_path / "split.json"), "--folds", "2"]) == 0
    )


@pytest.mark.parametrize(
    ("words", "needle"),
    [
        ([], "no data set"),
        (["--data", "BUSI"], "NAME=FOLDER"),
        (["--data", "nosuch=here"], "BUSI"),
        (["--data", "folder={data}", "--split", "nosuch"], "lesions"),
        (["--data", "folder={data}", "--min-iou", "0"], "above 0 to 1"),
        (["--data", "folder={data}", "--split", "none"], "no case is left"),
        (["--data", "folder={data}", "--split", "BUSI=all"], "one of mine"),
        (["--data", "folder={data}", "--split", "all", "lesions"], "selections"),
        (["--data", "folder={data}", "folder={data}"], "each name once"),
        (["--data", "folder={data}", "--size", "0"], "size"),
        (["--data", "folder={data}", "--write", "x", "--threshold", "0.4"], "a bundle as it is"),
    ],
)
def test_evaluate_explains_what_it_cannot_use(
    bundle: Path, data_set: Path, tmp_path: Path, capsys: Capture, words: list[str], needle: str
) -> None:
    filled = [word.format(data=data_set) for word in words]
    assert main(["evaluate", str(bundle), "--out", str(tmp_path / "o"), *filled]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert needle in lines[0]
    assert not (tmp_path / "o").exists()


def test_models(bundle: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breastseg.inference.catalogue.BUNDLES", bundle.parent)
    assert main(["models", "list"]) == 0
    line = capsys.readouterr().out
    assert all(word in line for word in ("dark", "ultrasound", "MB", "outlines what is dark"))
    assert main(["models", "show", "dark"]) == 0
    assert "Outlines what is dark." in capsys.readouterr().out
    assert main(["models", "show", str(bundle), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bundle"]["name"] == "dark"
    assert main(["models", "show", "bright"]) == 2
    assert "dark" in capsys.readouterr().err


def test_models_without_any(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("breastseg.inference.catalogue.BUNDLES", tmp_path)
    assert main(["models", "list"]) == 0
    assert "No network is installed" in capsys.readouterr().out


def test_data_list_and_info(data_set: Path, capsys: Capture) -> None:
    assert main(["data", "list"]) == 0
    assert {"BUSI", "BUS-BRA", "folder"} <= set(capsys.readouterr().out.split())
    assert main(["data", "info", "busi"]) == 0
    assert "10.1016/j.dib.2019.104863" in capsys.readouterr().out
    assert main(["data", "info", f"folder={data_set}"]) == 0
    assert (
        "4 cases of 4 patients (2 mine benign, 1 mine malignant, 1 mine normal)"
        in capsys.readouterr().out
    )
    assert main(["data", "info", "nosuch"]) == 2
    (data_set / "masks" / "stray.png").write_bytes((data_set / "masks" / "s0.png").read_bytes())
    assert main(["data", "info", f"clinic=folder:{data_set}"]) == 1
    assert "1 masks without an image: stray" in capsys.readouterr().out


def test_data_split_in_folds(data_set: Path, tmp_path: Path, capsys: Capture) -> None:
    given = ["data", "split", "--data", f"clinic=folder:{data_set}", "--folds", "2"]
    assert main([*given, "--out", str(tmp_path / "folds.json")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said[:2]] == ["1", "2"]
    assert all(re.search(r"cases? of \d patients? \(", line) for line in said[:2])
    parts = json.loads((tmp_path / "folds.json").read_text())["parts"]
    assert sorted(key for keys in parts.values() for key in keys)[0] == "clinic/s0"
    assert main([*given, "--fractions", "a=1", "--out", str(tmp_path / "x.json")]) == 2


def test_data_audit(data_set: Path, tmp_path: Path, capsys: Capture) -> None:
    (data_set / "images" / "copy.png").write_bytes((data_set / "images" / "s0.png").read_bytes())
    given = ["data", "audit", "--data", f"folder={data_set}"]
    assert main(given) == 1  # the copy has no mask
    said = capsys.readouterr()
    assert "mine: 1 images without a mask: copy" in said.err
    assert "mine/copy = mine/s0" in said.out
    assert "5 cases of 5 patients" in said.out
    assert main([*given, "--json", "--out", str(tmp_path / "audit.json")]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["counts"]["exact_pairs"] == 1
    assert json.loads((tmp_path / "audit.json").read_text()) == printed


def test_data_split_is_what_select_reads(
    bundle: Path, data_set: Path, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "split.json"
    data = ["--data", f"folder={data_set}"]
    given = ["data", "split", *data, "--fractions", "a=.5,b=.5", "--seed", "3", "--out", str(file)]
    assert main(given) == 0
    parts = json.loads(file.read_text())["parts"]
    assert sorted(parts["a"] + parts["b"]) == [f"mine/s{number}" for number in range(4)]
    assert f"a: {len(parts['a'])} case" in capsys.readouterr().out
    part = ["--split", f"split:{file}#a", "--out", str(tmp_path / "o"), "--json"]
    assert main(["evaluate", str(bundle), *data, *part]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["groups"]["all images"]["images"] == len(parts["a"])


def test_fractions() -> None:
    assert parse_fractions("train=.8, val=0.2") == {"train": 0.8, "val": 0.2}


@pytest.mark.parametrize("text", ["", "train", "train=x", "a=.5,a=.5", "a=0,b=1", "=1", "a=nan"])
def test_fractions_of_another_form(text: str) -> None:
    with pytest.raises(DataSetError, match=r"train=0\.8"):
        parse_fractions(text)
