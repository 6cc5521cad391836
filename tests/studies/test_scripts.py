"""The shell scripts that measure the bundles and make the comparison give commands that parse."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from breastseg.cli.main import _parse

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = """#!/bin/sh
printf '%s\\n' "$@" "" >> commands
while test $# -gt 1; do
    test "$1" = --out && mkdir -p "$2" && : > "$2/report.html"
    shift
done
"""


@pytest.mark.parametrize(
    ("script", "reports", "commands"),
    [("studies/measure_bundles.sh", 0, 16), ("docs/comparison/make.sh", 6, 7)],
)
def test_every_command_of_a_script_parses(
    tmp_path: Path, script: str, reports: int, commands: int
) -> None:
    stand_in = tmp_path / "bin" / "breastseg"
    stand_in.parent.mkdir()
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    published = tmp_path / "docs" / "comparison"
    published.mkdir(parents=True)
    path = f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [ROOT / script, tmp_path / "data", tmp_path / "out"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        check=True,
    )
    given = (tmp_path / "commands").read_text().strip().split("\n\n")
    for text in given:
        name, *words = text.split("\n")
        if name == "data":
            name = f"{name} {words.pop(0)}"
        _parse(name, words)
    assert len(given) == commands
    assert len(list(published.iterdir())) == reports
