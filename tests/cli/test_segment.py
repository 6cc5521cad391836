"""``breastseg segment``: what is written, what is printed, what it returns."""

from __future__ import annotations

import csv
import io
import json
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import breastseg.results.segment
from breastseg.cli.main import main
from breastseg.core.errors import InputError
from breastseg.inference.bundle_folder import read_bundle, write_bundle_json
from breastseg.io.overlay import PREDICTION_RGB
from breastseg.io.write import write_png

from ..scans import cine, files, scan
from .results import document, entries, pixels

Capture = pytest.CaptureFixture[str]


def test_one_picture_gives_mask_overlay_and_results(
    pictures: Path, bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out"
    words = ["segment", str(pictures / "one.png"), "--method", str(bundle)]
    assert main([*words, "--out", str(out)]) == 0
    assert files(out) == ["one_mask.png", "one_overlay.png", "results.csv", "results.json"]

    mask = pixels(out / "one_mask.png")
    assert mask.shape == (120, 160)
    assert set(np.unique(mask)) == {0, 255}
    truth = scan() < 60
    truth[0, 0] = False
    assert 2 * (truth & (mask > 0)).sum() / (truth.sum() + (mask > 0).sum()) > 0.95

    overlay = pixels(out / "one_overlay.png")
    assert overlay.shape == (120, 160, 3)
    assert (overlay == PREDICTION_RGB).all(axis=2).any()

    (entry,) = entries(out)
    assert entry["input"] == str(pictures / "one.png")
    assert entry["status"] == "ok"
    assert entry["kind"] == "image"
    assert "frame" not in entry
    assert entry["spacing_mm"] == [0.1, 0.1]
    assert entry["files"] == {"mask": "one_mask.png", "overlay": "one_overlay.png"}
    (lesion,) = entry["lesions"]  # type: ignore[misc]
    assert lesion["unit"] == "mm"
    assert lesion["longest_diameter"] == pytest.approx(4.0, abs=0.3)
    assert lesion["perpendicular_diameter"] == pytest.approx(4.0, abs=0.3)
    assert lesion["pixels"] == (mask > 0).sum()
    assert lesion["area"] == pytest.approx((mask > 0).sum() * 0.01, rel=1e-3)
    rows, columns = np.nonzero(mask)
    assert lesion["box"] == [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
    assert 0.8 < lesion["mean_probability"] <= lesion["max_probability"] <= 1
    provenance = document(out)["provenance"]
    assert provenance["segmenter"] == "dark"  # type: ignore[index]
    assert len(provenance["weights_sha256"]) == 64  # type: ignore[index]

    said = capsys.readouterr()
    assert "1 lesion" in said.out
    assert "mm" in said.out
    assert not said.err


def test_unknown_spacing_is_said_and_measured_in_pixels(
    pictures: Path, bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out"
    main(["segment", str(pictures / "two.png"), "--method", str(bundle), "--out", str(out)])
    (entry,) = entries(out)
    assert entry["lesions"][0]["unit"] == "px"  # type: ignore[index]
    assert "spacing_mm" not in entry
    assert entry["lesions"][0]["longest_diameter"] == pytest.approx(24, abs=2)  # type: ignore[index]
    assert "pixel spacing unknown" in capsys.readouterr().out


def test_table_has_a_row_a_lesion_and_one_for_what_has_none(
    pictures: Path, bundle: Path, tmp_path: Path
) -> None:
    (pictures / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    out = tmp_path / "out"
    assert main(["segment", str(pictures), "--method", str(bundle), "--out", str(out)]) == 1
    rows = list(csv.DictReader(io.StringIO((out / "results.csv").read_text())))
    assert [(Path(row["input"]).name, row["status"], row["lesion"]) for row in rows] == [
        ("bad.png", "error", ""),
        ("none.png", "ok", ""),
        ("one.png", "ok", "1"),
        ("two.png", "ok", "1"),
    ]
    assert rows[0]["error"]
    assert rows[1]["lesions"] == "0"
    assert (rows[2]["segmenter"], rows[2]["unit"]) == ("dark", "mm")


def test_one_bad_file_leaves_the_others_done(
    pictures: Path, bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    bad = {
        "empty.png": b"",
        "cut.png": (pictures / "one.png").read_bytes()[:300],
        "text.png": b"this is no image",
    }
    for name, data in bad.items():
        (pictures / name).write_bytes(data)
    out = tmp_path / "out"
    given = [str(pictures), str(pictures / "missing.png"), "--method", str(bundle)]
    assert main(["segment", *given, "--out", str(out)]) == 1
    failed = {Path(str(e["input"])).name for e in entries(out) if e["status"] == "error"}
    assert failed == {*bad, "missing.png"}
    assert {"one_mask.png", "two_mask.png", "none_mask.png"} <= set(files(out))
    assert not [name for name in files(out) if name.startswith((".", "empty", "cut", "text"))]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("breastseg: ") for line in lines)


def test_nothing_done_is_another_code_than_some_failed(
    bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "empty").mkdir()
    given = [str(tmp_path / "no.png"), str(tmp_path / "empty"), "--method", str(bundle)]
    assert main(["segment", *given, "--out", str(tmp_path / "out")]) == 2
    assert [entry["status"] for entry in entries(tmp_path / "out")] == ["error", "error"]
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_frames_and_files_of_one_name_do_not_overwrite_each_other(
    bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "cine.dcm").write_bytes(cine(scan(), scan()))
    write_png(tmp_path / "cine_f0001.png", scan(radius=0))
    out = tmp_path / "out"
    given = [str(tmp_path / "cine.dcm"), str(tmp_path / "cine_f0001.png")]
    assert main(["segment", *given, "--method", str(bundle), "--out", str(out)]) == 0
    masks = [entry["files"]["mask"] for entry in entries(out)]  # type: ignore[index]
    assert masks == ["cine_f0001_2_mask.png", "cine_f0002_mask.png", "cine_f0001_mask.png"]
    assert pixels(out / "cine_f0001_mask.png").sum() == 0


def test_two_inputs_of_one_stem_do_not_overwrite_each_other(bundle: Path, tmp_path: Path) -> None:
    for folder, radius in (("a", 25), ("b", 0)):
        write_png(tmp_path / folder / "scan.png", scan(radius=radius))
    out = tmp_path / "out"
    given = [
        str(tmp_path / "a"),
        str(tmp_path / "b" / "scan.png"),
        str(tmp_path / "a" / "scan.png"),
    ]
    assert main(["segment", *given, "--method", str(bundle), "--out", str(out)]) == 0
    masks = [entry["files"]["mask"] for entry in entries(out)]  # type: ignore[index]
    assert masks == ["a_scan_mask.png", "b_scan_mask.png"]
    assert pixels(out / "a_scan_mask.png").any()
    assert not pixels(out / "b_scan_mask.png").any()


def test_standard_input(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_png(tmp_path / "one.png", scan(), (0.2, 0.2))
    given = io.TextIOWrapper(io.BytesIO((tmp_path / "one.png").read_bytes()))
    monkeypatch.setattr(sys, "stdin", given)
    out = tmp_path / "out"
    assert main(["segment", "-", "--method", str(bundle), "--out", str(out)]) == 0
    (entry,) = entries(out)
    assert entry["input"] == "standard input"
    assert entry["files"]["mask"] == "stdin_mask.png"  # type: ignore[index]
    assert entry["lesions"][0]["unit"] == "mm"  # type: ignore[index]


def test_json_prints_the_document_and_nothing_else(
    pictures: Path, bundle: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (pictures / "bad.png").write_bytes(b"")
    before = set(tmp_path.rglob("*"))
    assert main(["segment", str(pictures), "--method", str(bundle), "--json"]) == 1
    said = capsys.readouterr()
    written = json.loads(said.out)
    assert [entry["status"] for entry in written["entries"]] == ["error", "ok", "ok", "ok"]
    assert all(entry["files"] == {} for entry in written["entries"])
    assert "bad.png" in said.err
    assert set(tmp_path.rglob("*")) == before, "nothing is written without --out"

    given = [str(pictures), "--method", str(bundle), "--json", "--out", "out"]
    main(["segment", *given])
    assert json.loads(capsys.readouterr().out) == json.loads(Path("out/results.json").read_text())


def test_quiet_prints_errors_only(
    pictures: Path, bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    (pictures / "bad.png").write_bytes(b"")
    given = [str(pictures), "--method", str(bundle), "--out", str(tmp_path / "out"), "--quiet"]
    assert main(["segment", *given]) == 1
    said = capsys.readouterr()
    assert not said.out
    assert len(said.err.splitlines()) == 1


def test_same_input_gives_the_same_files(pictures: Path, bundle: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        main(["segment", str(pictures), "--method", str(bundle), "--out", str(tmp_path / name)])
    for name in files(tmp_path / "first"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_threshold_and_flip_average_reach_the_provenance(
    pictures: Path, bundle: Path, capsys: Capture
) -> None:
    given = ["segment", str(pictures / "one.png"), "--method", str(bundle), "--json"]
    areas = []
    for extra in ([], ["--threshold", "0.9", "--flip-average"]):
        assert main([*given, *extra]) == 0
        said = json.loads(capsys.readouterr().out)
        (entry,) = said["entries"]
        parameters = said["provenance"]["parameters"]
        assert said["options"]["flip_average"] is bool(extra)
        assert parameters["threshold"] == (0.9 if extra else 0.5)
        assert parameters["flip_average"] is bool(extra)
        assert parameters["min_area_fraction"] == 0.002
        areas.append(entry["lesions"][0]["pixels"])
    assert areas[1] < areas[0]


@pytest.mark.parametrize(
    ("extra", "word"),
    [
        (["--threshold", "2"], "threshold = 2"),
        (["--threads", "-1"], "threads = -1"),
        (["--method", "nosuch"], "check the spelling"),
        (["--out", "taken"], "taken"),
        (["--out", "taken/below"], "below"),
    ],
)
def test_usage_that_cannot_work_is_one_line(
    pictures: Path,
    bundle: Path,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    extra: list[str],
    word: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("a file")
    given = ["--method", str(bundle), "--out", "out"]
    pairs = {given[i]: given[i + 1] for i in (0, 2)} | {extra[0]: extra[1]}
    words = [word for pair in pairs.items() for word in pair]
    assert main(["segment", str(pictures / "one.png"), *words]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert len(said.err.splitlines()) == 1
    assert word in said.err


def test_unknown_method_lists_the_known_ones(
    pictures: Path, bundle: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("breastseg.inference.catalogue.BUNDLES", bundle.parent)
    assert main(["segment", str(pictures / "one.png"), "--method", "drak", "--json"]) == 2
    assert "dark" in capsys.readouterr().err
    assert main(["segment", str(pictures / "one.png"), "--method", "dark", "--json"]) == 0


def test_no_input_is_wrong_usage(bundle: Path, capsys: Capture) -> None:
    assert main(["segment", "--method", str(bundle)]) == 2
    assert "nothing to segment" in capsys.readouterr().err
    assert main(["segment", "--nonsense"]) == 2


def test_earlier_results_and_inputs_are_not_written_over(
    pictures: Path, bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = ["segment", str(pictures / "one.png"), "--method", str(bundle), "--out"]
    out = tmp_path / "out"
    assert main([*given, str(out)]) == 0
    assert main([*given, str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*given, str(out), "--overwrite"]) == 0

    # one_mask.png beside one.png is the truth of a data set, not an output
    write_png(pictures / "one_mask.png", scan(radius=5) < 60)
    before = (pictures / "one_mask.png").read_bytes()
    assert main([*given, str(pictures)]) == 2
    assert "one_mask.png: is there already" in capsys.readouterr().err
    assert (pictures / "one_mask.png").read_bytes() == before
    both = ["segment", str(pictures / "one.png"), str(pictures / "one_mask.png"), *given[2:]]
    assert main([*both, str(pictures), "--overwrite"]) == 1
    assert (pictures / "one_mask.png").read_bytes() == before


def test_own_outputs_are_not_read_again(pictures: Path, bundle: Path) -> None:
    out = pictures / "out"
    given = ["segment", str(pictures), "--method", str(bundle), "--out", str(out)]
    assert main(given) == 0
    assert main([*given, "--overwrite"]) == 0
    assert len(entries(out)) == 3


def test_other_modalities_need_to_be_forced(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mr.dcm").write_bytes(cine(scan(), modality="MR"))
    given = ["segment", str(tmp_path / "mr.dcm"), "--method", str(bundle), "--json"]
    assert main(given) == 2
    assert "mri" in capsys.readouterr().err
    assert main([*given, "--force"]) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interruption_keeps_what_was_finished(
    pictures: Path,
    bundle: Path,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    # A job in the background inherits that Ctrl-C is ignored, one under nohup that SIGHUP is.
    usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    signal.signal(number, usual)
    finish = breastseg.results.segment._entry
    calls = []

    def stop_after_one(*args: object) -> object:
        if calls:
            signal.raise_signal(number)
        calls.append(1)
        return finish(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(breastseg.results.segment, "_entry", stop_after_one)
    out = tmp_path / "out"
    assert main(["segment", str(pictures), "--method", str(bundle), "--out", str(out)]) == 130
    written = json.loads((out / "results.json").read_text())
    assert written["complete"] is False
    assert [entry["files"]["mask"] for entry in written["entries"]] == ["none_mask.png"]
    left = ["none_mask.png", "none_overlay.png", "results.csv", "results.json"]
    assert files(out) == [*left, "results.partial.jsonl"]
    assert capsys.readouterr().err.splitlines() == ["breastseg: interrupted"]


def test_folder_that_is_lost_on_the_way_is_one_line(
    pictures: Path, bundle: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    finish = breastseg.results.segment._entry

    def lose(*args: object) -> object:
        shutil.rmtree(out, ignore_errors=True)
        out.write_text("a file where the folder was")
        return finish(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(breastseg.results.segment, "_entry", lose)
    assert main(["segment", str(pictures), "--method", str(bundle), "--out", str(out)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_names_that_are_no_text_can_be_written_and_printed(
    bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    folder, out = tmp_path / "scans", str(tmp_path / "out")
    try:
        for odd in ("sc\udcffan \u00e9.png", "sc\udcfean \u00e9.png", "two\nlines.png"):
            write_png(folder / odd, scan())
    except (OSError, InputError):
        pytest.skip("this file system takes only Unicode names")
    assert main(["segment", str(folder), "--method", str(bundle), "--out", out]) == 0
    assert {"scans_scan \u00e9_mask.png", "results.csv"} <= {*files(Path(out))}
    assert len({one["input"] for one in entries(Path(out))}) == 3
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_outlines_are_called_what_the_bundle_calls_them(
    bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "nuclei"
    shutil.copytree(bundle, folder)
    write_bundle_json(folder, replace(read_bundle(folder), labels={1: "nucleus"}))
    two = scan()
    two[:, two.shape[1] // 2 - 4 : two.shape[1] // 2 + 4] = two.max()
    for name, picture, said in (
        ("one.png", scan(), "1 nucleus "),
        ("two.png", two, "2 nuclei, the largest "),
        ("none.png", scan(radius=0), "no nucleus found"),
    ):
        write_png(tmp_path / name, picture)
        out = tmp_path / f"{name}-out"
        words = ["segment", str(tmp_path / name), "--method", str(folder)]
        assert main([*words, "--out", str(out)]) == 0
        assert said in capsys.readouterr().out
        (entry,) = json.loads((out / "results.json").read_text())["entries"]
        assert entry["label"] == "nucleus"
