"""What installs breastseg on a server: the unit, the scripts, the container's steps."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = (PACKAGING / "breastseg-node.service").read_text()
    command = re.search(r"^ExecStart=(\S+) (.*)$", unit, re.MULTILINE)
    assert command is not None
    assert command[1] == "/opt/breastseg/bin/breastseg"  # where install.sh puts it
    path = tmp_path / "breastseg-node.service"
    path.write_text(unit.replace(command[1], sys.executable).replace("User=breastseg", "User=root"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "breastseg-node" in line]
    assert not said
    assert done.returncode == 0, done.stderr


def test_the_example_configuration_is_read(tmp_path: Path) -> None:
    from breastseg.dicom.node.config import read_config

    config = read_config(PACKAGING / "node.toml")
    assert config.folder.is_relative_to("/var/lib/breastseg")
    assert config.listen is not None


@pytest.mark.parametrize("name", ["install.sh", "wheels.sh"])
def test_the_scripts_parse_and_say_how_they_are_used(name: str) -> None:
    script = str(PACKAGING / name)
    subprocess.run(["sh", "-n", script], check=True)
    done = subprocess.run(["sh", script], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"usage: {name}" in done.stderr


def test_the_container_does_what_the_script_does() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    runs = [line for line in lines if line.startswith("RUN ")]
    assert runs == ["RUN sh /tmp/install.sh /tmp/wheels && rm -rf /tmp/install.sh /tmp/wheels"]
    user = lines.index("USER breastseg")
    assert all(lines.index(run) < user for run in runs)
    assert any(line.startswith("HEALTHCHECK ") for line in lines)
    assert "useradd --system" in (PACKAGING / "install.sh").read_text()


@pytest.mark.skipif(
    os.environ.get("BREASTSEG_EMPTY_ROOT") is None,
    reason="takes minutes: BREASTSEG_EMPTY_ROOT=FOLDER names an empty Debian root",
)
def test_the_steps_work_in_an_empty_root_without_a_network() -> None:
    root = os.environ["BREASTSEG_EMPTY_ROOT"]
    done = subprocess.run(
        ["sh", str(PACKAGING / "try.sh"), root], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "segmented as breastseg, without a network" in done.stdout
