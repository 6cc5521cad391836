"""No command opens a connection, looks up a name or leaves a trace under the home folder.

Python's own sockets are watched in every process by an audit hook, libraries' by strace where it
is installed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import tifffile

from breastseg.cli import main
from breastseg.inference.methods import bundle_folder
from breastseg.offline import SWITCHES

GUARD = Path(__file__).with_name("socket_guard")
COMMANDS = (
    "data phantom study --count 4",
    "data list",
    "data info BUSI",
    "data audit --data folder=study",
    "data split --data folder=study --fractions train=0.5,val=0.5 --out split.json",
    "data convert --data folder=study --to nnunet --out converted",
    "models list",
    "models show ultrasound-fast",
    "segment study/images --method ultrasound-fast --out scans",
    "segment study/images --method otsu --out by-hand",
    "volume before.nii.gz after.nii.gz --out volume --method mri-phantom",
    "evaluate ultrasound-fast --data folder=study --out scores --save-masks",
    "pool scores --out pooled",
    "demo --method ultrasound-fast --count 1 --out demo",
    "measure study/images/phantom-0001.png study/masks/phantom-0001.png --out measured",
    "segment study/images/phantom-0001.png --method otsu --report --out report",
    "slide slide.tif --method histopathology-nuclei --out slide --quiet",
    "compare otsu ultrasound-fast --data folder=study --workers 2 --out comparison",
)
HOSPITAL = (
    "data phantom hospital --dicom",
    "segment hospital/studies/us-still --method ultrasound-fast --out objects "
    "--dicom seg,sr,ps,sc --fhir",
    "deidentify hospital/studies/us-cine --out shared",
)
OPENVINO = (
    "segment study/images/phantom-0001.png --method ultrasound-fast --engine openvino --out ov"
)
QUANTISE = "quantise ultrasound-fast --data folder=study --out smaller"
TUNING = "tune otsu --data folder=study --trials 2 --out tuned"
TRAINING = (
    "train tiny.toml --data folder=study --out run --threads 1",
    "export run --out bundle --modality ultrasound --summary tiny",
    "calibrate point bundle --data folder=study --max-false-positive-normals 1 "
    "--max-false-positives 999 --quiet",
)
CALIBRATION = (
    "calibrate temperature fast --data folder=study --quiet --write",
    "calibrate margins fast --data folder=study --quiet",
    "calibrate confidence fast --data folder=study --quiet",  # needs normal images
    "calibrate malignancy fast --data folder=study --quiet",  # needs a network of two classes
    "calibrate finder ultrasound --data folder=study --quiet",  # needs more patients
)
SERVICE = (
    "service account ann --root service",
    "service backup service.tar --root service",
    "service restore service.tar --root restored",
)
NODE = "node --config node.toml"
WATCH = "watch studies --rest 0 --out sent"
QUEUE = ("node status", "node retry", "node drop 1", "node rescue node --out owed")
WEB = ("dicomweb push", "dicomweb pull")
PROGRAM = "import sys; from breastseg.cli.main import main; [main(w.split()) for w in sys.argv[1:]]"
"""Runs several commands in one process; what they refuse, they refuse with libraries loaded."""
RECIPE = """
name = "tiny"
epochs = 1
batch_size = 2
network = { name = "unet2015", base_width = 4, depth = 2 }
input = { size = [32, 32] }
[[sources]]
name = "study"
train = "all"
"""
_LOOPBACK = ("127.0.0.1", '"::1"', "'localhost'")
_NAMES = ("AF_INET", "AF_INET6", "AF_NETLINK")


@dataclass(frozen=True)
class Watched:
    """What the commands did: lines of the audit hook and of strace, files under the home folder."""

    python: list[str]
    calls: list[str] | None
    left: list[str]


def _tracer(folder: Path) -> list[str]:
    """Strace, where it is installed and may be used."""
    if shutil.which("strace") is None:
        return []
    calls = "trace=connect,sendto,sendmsg,sendmmsg"
    words = ["strace", "-f", "-qq", "--seccomp-bpf", "-A", "-e", calls, "-o", str(folder / "calls")]
    tried = subprocess.run([*words, "true"], check=False, capture_output=True)
    return words if tried.returncode == 0 else []


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Run all commands in one folder, with a home folder that was empty before."""
    folder = tmp_path_factory.mktemp("offline")
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir()
    for phase in ("before", "after"):
        voxels = SimpleITK.GetImageFromArray(
            np.random.default_rng(0).random((24, 64, 64), np.float32)
        )
        SimpleITK.WriteImage(voxels, str(work / f"{phase}.nii.gz"))
    tissue = np.full((300, 300, 3), 245, np.uint8)
    tissue[60:240, 60:240] = (200, 120, 180)
    tifffile.imwrite(
        work / "slide.tif",
        tissue,
        tile=(128, 128),
        photometric="rgb",
        resolution=(20_000, 20_000),
        resolutionunit=3,
    )
    (work / "tiny.toml").write_text(RECIPE)
    commands = [*COMMANDS]
    commands += HOSPITAL * all(find_spec(name) for name in ("highdicom", "fhir"))
    commands += [OPENVINO] * (find_spec("openvino") is not None)
    commands += [QUANTISE] * (find_spec("onnx") is not None)
    commands += [TUNING] * (find_spec("optuna") is not None)
    commands += TRAINING * (find_spec("lightning") is not None)
    unset = {*SWITCHES, "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"}
    variables = {name: value for name, value in os.environ.items() if name not in unset}
    variables |= {"HOME": str(home), "PYTHONPATH": str(GUARD)}
    variables |= {"SOCKET_GUARD_LOG": str(folder / "python"), "MPLCONFIGDIR": str(folder / "mpl")}
    tracer = _tracer(folder)
    for command in commands:
        words = [*tracer, sys.executable, "-m", "breastseg.cli.main", *command.split()]
        ran = subprocess.run(words, check=False, cwd=work, env=variables, capture_output=True)
        assert ran.returncode == 0, f"{command}: {ran.stdout.decode()}{ran.stderr.decode()}"
    shutil.copytree(bundle_folder("ultrasound-fast"), work / "fast")
    rest = [*CALIBRATION, *SERVICE * (find_spec("sqlalchemy") is not None)]
    ran = subprocess.run(
        [*tracer, sys.executable, "-c", PROGRAM, *rest],
        check=True,
        cwd=work,
        env=variables,
        capture_output=True,
        input=b"a long password\n",
    )
    assert b"margin 0.9" in ran.stdout
    log = folder / "python"
    return Watched(
        log.read_text().splitlines() if log.exists() else [],
        (folder / "calls").read_text().splitlines() if tracer else None,
        [str(path.relative_to(home)) for path in sorted(home.rglob("*")) if path.is_file()],
    )


def test_every_command_is_watched() -> None:
    watched = [*COMMANDS, *HOSPITAL, QUANTISE, TUNING, *TRAINING, *CALIBRATION, *SERVICE]
    watched += [NODE, WATCH, *QUEUE, *WEB, "serve"]  # that in tests/service/test_offline.py
    named = {" ".join(words.split()[:n]) for words in watched for n in (1, 2)}
    assert set(main.COMMANDS) <= named


def test_no_connection_and_no_name_looked_up_from_python(watched: Watched) -> None:
    assert watched.python == []


def test_no_library_opens_a_connection(watched: Watched) -> None:
    if watched.calls is None:
        pytest.skip("strace is not installed or may not trace here")
    assert [call for call in watched.calls if any(name in call for name in _NAMES)] == []


def test_nothing_is_left_under_the_home_folder(watched: Watched) -> None:
    assert watched.left == []


def traced(folder: Path, words: str) -> tuple[list[str], dict[str, str]]:
    """A command under the tracer and the guard: its words and its environment."""
    (folder / "home").mkdir(exist_ok=True)
    variables = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    variables |= {"PYTHONPATH": str(GUARD), "HOME": str(folder / "home")}
    variables["SOCKET_GUARD_LOG"] = str(folder / "python")
    return [*_tracer(folder), sys.executable, "-m", "breastseg.cli.main", *words.split()], variables


def seen(folder: Path) -> list[str]:
    """All that the guard and the tracer noted."""
    lines = []
    for name in ("python", "calls"):
        log = folder / name
        lines += log.read_text().splitlines() if log.exists() else []
    return [line for line in lines if line.startswith("socket.") or any(n in line for n in _NAMES)]


@pytest.mark.skipif(find_spec("pynetdicom") is None, reason="needs the dicom extra")
@pytest.mark.parametrize(
    ("words", "until"),
    [
        (NODE, "rule: modality 'US' for ultrasound"),
        (WATCH, "sr.dcm sent to results"),
    ],
)
def test_the_node_opens_no_connection_of_its_own(tmp_path: Path, words: str, until: str) -> None:
    from breastseg.data.phantoms.dicom import write_dicom_phantoms

    write_dicom_phantoms(tmp_path / "phantoms", 3)
    (tmp_path / "phantoms/studies/us-still").rename(tmp_path / "studies")
    (tmp_path / "node.toml").write_text(
        'folder = "node"\n[listen]\npeers = ["ME"]\nport = 0\n[[rules]]\nmodality = "US"\n'
        'method = "ultrasound-fast"\n[[folders]]\nname = "out"\npath = "sent"\n'
    )
    command, variables = traced(tmp_path, words)
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=variables,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if until in line:  # it is at work
                break
        os.killpg(process.pid, signal.SIGTERM)  # the tracer and what it traces
        said += process.stderr.read()
    assert process.returncode in {130, -15, 143}, said
    assert until in said
    assert "results go to" in said
    if words == NODE:
        command = [*command[: command.index("-m")], "-c", PROGRAM, *QUEUE]
        ran = subprocess.run(command, check=True, cwd=tmp_path, env=variables, capture_output=True)
        assert b"node.toml" not in ran.stderr  # it was found
    assert [line for line in seen(tmp_path) if not any(name in line for name in _LOOPBACK)] == []


@pytest.mark.skipif(find_spec("dicomweb_client") is None, reason="needs the dicom extra")
def test_dicomweb_reaches_its_server_and_nothing_else(tmp_path: Path) -> None:
    from pydicom import dcmread

    from breastseg.data.phantoms.dicom import write_dicom_phantoms

    from ..dicom.orthanc import orthanc_in

    (tmp_path / "archive").mkdir()
    write_dicom_phantoms(tmp_path / "phantoms", 3)
    uid = dcmread(next((tmp_path / "phantoms/studies/us-still").iterdir())).StudyInstanceUID
    with orthanc_in(tmp_path / "archive") as orthanc:
        asked = ("phantoms/studies/us-still", f"--study {uid} --out got")
        for words, more in zip(WEB, asked, strict=True):
            command, variables = traced(tmp_path, f"{words} {more} --url {orthanc.web}")
            variables["HTTP_PROXY"] = "http://192.0.2.1:9"  # one that nobody named to breastseg
            ran = subprocess.run(command, check=False, cwd=tmp_path, env=variables)
            assert ran.returncode == 0
            assert [line for line in seen(tmp_path) if f"{orthanc.http_port}" in line]
            others = [line for line in seen(tmp_path) if not any(n in line for n in _LOOPBACK)]
            assert others == []
    assert [*(tmp_path / "home").rglob("*")] == []


@pytest.mark.skipif(find_spec("ray") is None, reason="needs the ray extra")
def test_a_local_cluster_stays_on_the_loopback_and_out_of_the_home_folder(tmp_path: Path) -> None:
    from breastseg.data.phantoms.ultrasound import write_phantoms

    write_phantoms(tmp_path / "study", 2, 0)
    command, variables = traced(
        tmp_path, "segment study/images --method otsu --ray local --threads 2 --out results"
    )
    ran = subprocess.run(
        command, check=False, cwd=tmp_path, env=variables, capture_output=True, text=True
    )
    if "timed out during startup" in ran.stderr:
        pytest.skip("this machine is too busy to start Ray")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = [line for line in seen(tmp_path) if "AF_NETLINK" not in line]
    assert len(lines) > 10  # the parts of the cluster do talk to each other
    assert [line for line in lines if not any(name in line for name in _LOOPBACK)] == []
    assert [*(tmp_path / "home").iterdir()] == []


def test_the_guard_notices(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = (
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))"
    )
    variables = {**os.environ, "PYTHONPATH": str(GUARD), "SOCKET_GUARD_LOG": str(log)}
    subprocess.run([sys.executable, "-c", program], check=True, env=variables)
    assert "127.0.0.1" in log.read_text()
