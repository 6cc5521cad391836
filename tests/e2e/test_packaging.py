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


@pytest.mark.parametrize("name", ["install.sh", "wheels.sh", "try.sh"])
def test_the_scripts_parse_and_say_how_they_are_used(name: str) -> None:
    script = str(PACKAGING / name)
    subprocess.run(["sh", "-n", script], check=True)
    done = subprocess.run(["sh", script], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"usage: {name}" in done.stderr


_STUBS = {
    # knows venv only once apt-get has brought it
    "python3": """echo "python3 $*" >> calls
case $1 in
    -c) test -e venv.here ;;
    -m) mkdir -p "$3/bin"; cp stubs/any "$3/bin/python"; cp stubs/any "$3/bin/breastseg" ;;
esac""",
    "apt-get": 'echo "apt-get $*" >> calls; test "$1" != install || touch venv.here',
    "any": 'echo "$(basename "$0") $*" >> calls',
    **dict.fromkeys(("id", "useradd", "install", "ln"), 'echo "$(basename "$0") $*" >> calls'),
}


def test_the_system_brings_python_where_it_is_missing(tmp_path: Path) -> None:
    (tmp_path / "stubs").mkdir()
    for name, words in _STUBS.items():
        stub = tmp_path / "stubs" / name
        stub.write_text(f"#!/bin/sh\n{words}\n")
        stub.chmod(0o755)
    script = (PACKAGING / "install.sh").read_text()
    for folder in ("/opt/breastseg", "/var/lib/apt/lists", "/usr/local/bin"):
        script = script.replace(folder, f"{tmp_path}{folder}")
    (tmp_path / "install.sh").write_text(script)
    variables = {**os.environ, "PATH": f"{tmp_path / 'stubs'}:{os.environ['PATH']}"}
    calls = tmp_path / "calls"

    def installed() -> list[str]:
        calls.unlink(missing_ok=True)
        command = ["sh", "install.sh", "wheels"]
        subprocess.run(command, check=True, cwd=tmp_path, env=variables, capture_output=True)
        return calls.read_text().splitlines()

    first = installed()
    assert [line for line in first if line.startswith("apt-get")] == [
        "apt-get update -qq",
        "apt-get install -qq -y --no-install-recommends python3 python3-venv",
    ]
    (pip,) = [line for line in first if "-m pip" in line]
    assert "--no-index" in pip
    assert "--find-links wheels --force-reinstall breastseg[dicom]" in pip  # or an old one stays
    assert not [line for line in installed() if line.startswith("apt-get")]  # it is there now


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
def test_the_steps_work_in_an_empty_root_without_a_network(tmp_path: Path) -> None:
    root, wheels = os.environ["BREASTSEG_EMPTY_ROOT"], str(tmp_path / "wheels")
    subprocess.run(["sh", str(PACKAGING / "wheels.sh"), wheels], check=True, cwd=ROOT)
    done = subprocess.run(
        ["sh", str(PACKAGING / "try.sh"), root, wheels], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "segmented as breastseg, from a file and by the node" in done.stdout
