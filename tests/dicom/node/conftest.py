"""Keys for peers that speak TLS."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Keys:
    """Certificates of one authority, and one of another."""

    folder: Path

    def certificate(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def context(self, name: str = "") -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=self.certificate("authority"))
        if name:
            made.load_cert_chain(self.certificate(name), self.key(name))
        return made


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    made = Keys(tmp_path_factory.mktemp("keys"))
    for name in ("authority", "stranger", "node", "room"):
        command = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
        command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        command += ["-keyout", str(made.key(name)), "-out", str(made.certificate(name))]
        if name in ("node", "room"):
            command += ["-CA", str(made.certificate("authority"))]
            command += ["-CAkey", str(made.key("authority"))]
            command += ["-addext", "subjectAltName=IP:127.0.0.1"]
            command += ["-addext", "basicConstraints=critical,CA:FALSE"]
        subprocess.run(command, check=True, capture_output=True)
    return made
