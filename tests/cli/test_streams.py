"""Standard input, output and error that are closed or full."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from breastseg.io.write import write_png

from ..scans import scan

FULL = Path("/dev/full")


def _shell(line: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a command line in which BREASTSEG stands for the program."""
    write_png(folder / "scan.png", scan())
    program = f"{sys.executable} -m breastseg.cli.main"
    return subprocess.run(
        ["sh", "-c", line.replace("BREASTSEG", program)],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=120,
    )


@pytest.mark.skipif(os.name != "posix", reason="a shell that closes descriptors")
@pytest.mark.parametrize(
    ("line", "code", "said", "told"),
    [
        ("BREASTSEG data list >&-", 0, "", ""),
        ("BREASTSEG segment --help >&-", 0, "", ""),
        ("BREASTSEG segment nothing.png --method otsu 2>&- >&- <&-", 2, "", ""),
        ("BREASTSEG segment nothing.png --method otsu --quiet 2>&-", 2, "", ""),
        ("BREASTSEG segment - --method otsu --quiet <&-", 2, "", "standard input: is empty"),
    ],
)
def test_closed_streams_change_no_exit_code(
    line: str, code: int, said: str, told: str, tmp_path: Path
) -> None:
    done = _shell(line, tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stdout.decode() == said
    assert told in done.stderr.decode()
    assert len(done.stderr.splitlines()) == bool(told)


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
def test_a_full_standard_output_costs_no_results(tmp_path: Path) -> None:
    done = _shell("BREASTSEG segment scan.png --method otsu --out results > /dev/full", tmp_path)
    assert done.returncode == 1
    assert "standard output: No space left" in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
    assert json.loads((tmp_path / "results" / "results.json").read_text())["complete"]


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
def test_a_full_standard_error_ends_nothing(tmp_path: Path) -> None:
    line = "BREASTSEG segment nothing.png scan.png --method otsu --out results 2> /dev/full"
    done = _shell(line, tmp_path)
    assert done.returncode == 1
    assert "2 images, 1 failed" in done.stdout.decode()
