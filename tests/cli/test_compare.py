"""``compare``: what it prints, writes and returns, and that it goes on where it was."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from breastseg.cli.main import main
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


def compare(*words: object) -> int:
    return main(["compare", *(str(word) for word in words), "--workers", "1"])


def test_two_methods_are_compared_and_the_report_is_written(
    bundle: Path, data_set: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "comparison"
    assert compare("otsu", bundle, "--data", f"folder={data_set}", "--out", out) == 0
    text = capsys.readouterr().out
    # The network is the baseline where none is named.
    assert "dark (baseline)" in text
    assert "Normals outlined" in text
    assert str(out / "report.html") in text
    names = {path.name for path in out.iterdir()}
    assert {"report.html", "report.md", "comparison.csv", "comparison.json", "figures"} <= names
    content = json.loads((out / "comparison.json").read_text())
    assert content["protocol"]["baseline"] == "dark"
    assert content["methods"]["dark"]["groups"]["lesion images"]["figures"]["dice"]["value"] > 0.9
    assert content["command"] == (
        "breastseg compare otsu dark --data folder=FOLDER --prompt none --baseline dark "
        "--preset ultrasound --out FOLDER"
    )
    assert "data:image/png" in (out / "report.html").read_text()
    for name in ("report.html", "report.md", "comparison.csv", "comparison.json"):
        assert str(tmp_path) not in (out / name).read_text()


def test_one_patient_gives_no_interval_in_numbers(
    data_set: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "one").write_text("s0\n")
    out = tmp_path / "comparison"
    words = ["--data", f"folder={data_set}", "--split", f"list:{tmp_path / 'one'}", "--out", out]
    assert compare("otsu", "watershed", *words) == 0
    told = capsys.readouterr().out + (out / "report.md").read_text()
    assert "of one patient, so without an interval" in told
    assert not re.search(r"\bnan\b", told + (out / "report.html").read_text())


def test_options_reach_the_comparison(data_set: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    given = ["otsu", "wide=otsu:shift=0.5", "--data", f"folder={data_set}", "--split", "lesions"]
    given += ["--prompt", "box", "--size", "64", "--baseline", "wide", "--preset", "none"]
    given += ["--threshold", "0.4"]
    assert compare(*given, "--no-images", "--json", "--out", out) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((out / "comparison.json").read_text())
    assert printed["protocol"]["prompting"] == "box"
    assert printed["protocol"]["size"] == [64, 64]
    assert printed["protocol"]["baseline"] == "wide"
    parameters = printed["methods"]["wide"]["parameters"]
    assert (parameters["shift"], parameters["threshold"]) == (0.5, 0.4)
    assert printed["methods"]["otsu"]["groups"]["all images"]["images"] == 3
    assert "data:image/png" not in (out / "report.html").read_text()
    for words in (
        "wide=otsu:shift=0.5",
        "--split lesions",
        "--size 64",
        "--prompt box",
        "--threshold 0.4",
    ):
        assert words in printed["command"]


def test_a_broken_case_is_a_miss_and_all_broken_is_nothing_done(
    data_set: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = ["otsu", "--data", f"folder={data_set}"]
    (data_set / "images" / "s0.png").write_bytes(b"broken")
    assert compare(*given, "--out", tmp_path / "some") == 1
    captured = capsys.readouterr()
    assert "otsu on mine/s0" in captured.err
    assert captured.err.count("\n") == 1
    assert "Failures" in (tmp_path / "some" / "report.html").read_text()
    for path in (data_set / "images").iterdir():
        path.write_bytes(b"broken")
    assert compare(*given, "--out", tmp_path / "none") == 2
    assert (tmp_path / "none" / "report.html").is_file()


def test_many_failures_are_not_all_printed(data_set: Path, tmp_path: Path, capsys: Capture) -> None:
    for path in (data_set / "images").iterdir():
        path.write_bytes(b"broken")
    methods = ["otsu", "b=otsu", "c=otsu", "d=otsu"]
    assert compare(*methods, "--data", f"folder={data_set}", "--out", tmp_path / "out") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[-1] == "breastseg: 6 more failed; the report lists them"


def test_an_interrupted_run_says_how_to_go_on(
    data_set: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("breastseg.evaluation.comparison.run.compare", interrupted)
    assert compare("otsu", "--data", f"folder={data_set}", "--out", tmp_path / "out") == 130
    assert "the same command continues" in capsys.readouterr().err


def test_the_same_command_again_gives_the_same_report_from_what_is_kept(
    data_set: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    given = ["otsu", "--data", f"folder={data_set}", "--out", out]
    assert compare(*given) == 0
    before = (out / "report.html").read_bytes()
    assert compare(*given) == 0
    assert (out / "report.html").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "no method"),
        (["nosuch"], "no method 'nosuch'"),
        (["otsu", "otsu"], "one label"),
        (["otsu", "--baseline", "other"], "baseline 'other'"),
        (["otsu:nosuch=1"], "nosuch"),
        (["otsu", "--prompt", "box"], "no lesion to draw a box around"),
        (["otsu", "--size", "0"], "size"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(
    words: list[str], says: str, data_set: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out"
    assert compare(*words, "--data", f"folder={data_set}", "--out", out) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not (out / "report.html").exists()


def test_a_network_takes_no_box(
    bundle: Path, data_set: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = [bundle, "--data", f"folder={data_set}", "--split", "lesions", "--prompt", "box"]
    assert compare(*given, "--out", tmp_path / "out") == 2
    assert "boxes for dark" in capsys.readouterr().err
