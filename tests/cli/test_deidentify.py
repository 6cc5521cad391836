"""``breastseg deidentify``: what it says of the key, and of work that there was not."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from pydicom import dcmread

from breastseg.cli.main import main
from breastseg.data.phantoms.dicom import write_dicom_phantoms


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("phantoms")
    write_dicom_phantoms(folder, 3)
    return str(folder / "studies" / "us-still")


def test_a_key_that_is_named_and_absent_is_no_new_key_unless_asked_for(
    scan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, key = str(tmp_path / "out"), str(tmp_path / "key.json")
    assert main(["deidentify", scan, "--out", out, "--key", key]) == 2
    assert "key.json: is not there" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main(["deidentify", scan, "--out", out, "--key", key, "--new-key"]) == 0
    assert f"A new key is {key}" in capsys.readouterr().out
    assert main(["deidentify", scan, "--out", f"{out}2", "--key", key]) == 0
    assert f"The key is {key}" in capsys.readouterr().out
    assert main(["deidentify", scan, "--out", f"{out}3"]) == 0
    assert f"A new key is {out}3.key.json" in capsys.readouterr().out


def test_nothing_to_do_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    for inputs in ([], [str(tmp_path / "in")]):
        out = tmp_path / f"out{len(inputs)}"
        assert main(["deidentify", *inputs, "--out", str(out)]) == 2
        assert "no DICOM image" in capsys.readouterr().err
    (tmp_path / "in" / "note.txt").write_text("hello")
    assert main(["deidentify", str(tmp_path / "in"), "--out", str(tmp_path / "last")]) == 2


def test_a_run_that_is_killed_goes_on_as_if_it_had_not_been(
    scan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is killed again and again, before each of the first names that it gives and lines."""
    inputs = [scan, str(Path(scan).parent / "us-colour"), str(tmp_path / "written-on.dcm")]
    _write_on(next(Path(scan).iterdir()), Path(inputs[-1]))
    out, whole = tmp_path / "out", tmp_path / "whole"
    key = tmp_path / "out.key.json"
    words = ["deidentify", *inputs, "--out", str(out)]
    assert _killed(words, 3).returncode == -signal.SIGKILL  # the key is there, no image
    shutil.copy(key, tmp_path / "key.json")
    for step in (4, 5, 4, 5):
        assert _killed([*words, "--resume"], step).returncode == -signal.SIGKILL
    assert main(words) == 2
    assert "continue a run with --resume" in capsys.readouterr().err
    code = main([*words, "--resume"])
    told = capsys.readouterr().out
    assert main([*words[:-1], str(whole), "--key", str(tmp_path / "key.json")]) == code
    first, *others = told.splitlines()
    assert first == capsys.readouterr().out.splitlines()[0].replace(str(whole), str(out))
    for folder in ("", ".held-back"):
        done = _files(tmp_path / f"out{folder}")
        assert done
        assert done == _files(tmp_path / f"whole{folder}")
    assert key.read_bytes() == (tmp_path / "key.json").read_bytes()
    assert others[-1].startswith("The key is")
    assert main([*words, "--resume"]) == code
    assert _files(out) == _files(whole)


def test_results_within_the_input_are_no_input(scan: str, tmp_path: Path) -> None:
    shutil.copytree(scan, tmp_path / "in")
    words = ["deidentify", str(tmp_path / "in"), "--out", str(tmp_path / "in" / "out")]
    assert main(words) == 0
    before = _files(tmp_path / "in")
    assert main([*words, "--resume"]) == 0
    assert _files(tmp_path / "in") == before


def test_a_run_is_not_continued_with_another_key(
    scan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["deidentify", scan, "--out", str(tmp_path / "out")]
    assert main(words) == 0
    before = _files(tmp_path / "out")
    (tmp_path / "out.key.json").unlink()
    assert main([*words, "--resume"]) == 2
    assert "was written with another key" in capsys.readouterr().err
    assert _files(tmp_path / "out") == before
    assert not (tmp_path / "out.key.json").exists()
    (tmp_path / "out" / "report.jsonl").write_text("{}\n")
    assert main([*words, "--resume"]) == 2
    assert "holds a line that no de-identification wrote" in capsys.readouterr().err


def _write_on(source: Path, path: Path) -> None:
    """A mammogram of the same size with a word in it, which is held back."""
    one = dcmread(source)
    picture = Pillow.fromarray(one.pixel_array)
    ImageDraw.Draw(picture).text((60, 100), "RENATE 1962", 255, ImageFont.load_default(24))
    one.PixelData, one.Modality = picture.tobytes(), "MG"
    one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.2"
    one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    one.save_as(path)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _killed(words: list[str], step: int) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a process that ends before it renames or appends so many times."""
    code = f"""
        import os, signal, sys
        left = [{step}]
        def heed(event, arguments):
            if event == "os.rename" or (event == "open" and arguments[1] == "a"):
                left[0] -= 1
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
        from breastseg.cli.main import main
        sys.addaudithook(heed)
        sys.exit(main({words!r}))
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, check=False
    )
