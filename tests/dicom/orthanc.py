"""A real Orthanc on the loopback, with DICOMweb, for as long as a test module runs."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_START_S = 60


@dataclass(frozen=True)
class Orthanc:
    """Where it listens."""

    dicom_port: int
    http_port: int

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/dicom-web"

    def get(self, path: str) -> Any:  # noqa: ANN401 -- JSON
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=30) as got:
            return json.load(got)

    def file(self, instance: str) -> bytes:
        url = f"http://127.0.0.1:{self.http_port}/instances/{instance}/file"
        with urllib.request.urlopen(url, timeout=30) as got:
            content: bytes = got.read()
            return content

    def uids(self) -> dict[str, str]:
        """Orthanc's identifiers by SOP Instance UID."""
        rows = self.get("/instances?expand")
        return {row["MainDicomTags"]["SOPInstanceUID"]: row["ID"] for row in rows}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def orthanc_in(folder: Path) -> Iterator[Orthanc]:
    """Start one; skips the test where it is not installed."""
    program = shutil.which("Orthanc")
    if program is None or not _PLUGIN.exists():
        pytest.skip("Orthanc or its DICOMweb plugin is not installed")
    one = Orthanc(free_port(), free_port())
    configuration = {
        "Name": "test",
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "Plugins": [str(_PLUGIN)],
        "HttpPort": one.http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAet": "ORTHANC",
        "DicomPort": one.dicom_port,
        "DicomAlwaysAllowStore": True,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        _await(one, process, folder)
        yield one
    finally:
        process.terminate()
        process.wait(30)


def _await(one: Orthanc, process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            one.get("/system")
            return
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)  # there is nothing to wait on: it says nowhere that it has started
    pytest.fail((folder / "orthanc.log").read_text(errors="replace")[-2000:])
