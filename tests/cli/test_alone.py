"""One command at a time in an output folder."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from breastseg.cli.main import main
from breastseg.io.write import write_png

from ..scans import scan

HOLDER = """
import fcntl, os, sys
handle = os.open(sys.argv[1], os.O_RDONLY)
fcntl.flock(handle, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="locks of folders")
def test_a_second_command_is_refused_while_the_first_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_png(tmp_path / "scan.png", scan())
    out = tmp_path / "results"
    out.mkdir()
    segment = ["segment", str(tmp_path / "scan.png"), "--method", "otsu", "--out", str(out)]
    compare = ["compare", "otsu", "watershed", "--data", f"folder={tmp_path}", "--out", str(out)]
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        for words in (segment, compare):
            assert main(words) == 2
            assert "another command works in it" in capsys.readouterr().err
        assert not list(out.iterdir())
        holder.kill()
    assert main(segment) == 0


def test_a_command_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    words = ["segment", str(tmp_path / "scan.png"), "--method", "otsu", "--box", "5", "5", "1", "1"]
    assert main([*words, "--out", str(tmp_path / "new")]) == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="locks of folders")
def test_the_next_command_clears_what_a_killed_one_has_left(tmp_path: Path) -> None:
    write_png(tmp_path / "study/images/a.png", scan())
    write_png(tmp_path / "study/masks/a.png", scan() > 128)
    words = ["evaluate", "otsu", "--data", f"folder={tmp_path / 'study'}", "--save-masks"]
    out = tmp_path / "scores"
    left = [out / ".summary.0123456789ab.md", out / "masks/folder/.a.0123456789ab.png"]
    for path in left:
        write_png(path, scan())
    assert main([*words, "--out", str(out)]) == 0
    assert (out / "gallery.html").exists()
    assert not [path for path in left if path.exists()]
    assert main([*words[:-1], "--out", str(out)]) == 0  # its summary, and no page of another run
    assert not (out / "gallery.html").exists()


def test_an_evaluation_is_said_where_it_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_png(tmp_path / "study/images/a.png", scan())
    write_png(tmp_path / "study/masks/a.png", scan() > 128)
    words = ["evaluate", "otsu", "--data", f"folder={tmp_path / 'study'}", "--save-masks"]

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert main([*words, "--out", str(tmp_path / "scores")]) == 1
    said = capsys.readouterr()
    assert "Images with a lesion" in said.out
    assert len(said.err.splitlines()) == 1
    assert "No space left" in said.err
