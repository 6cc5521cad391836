"""Digests of a case's files, and of a run: the same data at another place has the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef

_BLOCK = 1 << 20
_DEFINING = ("recipe.toml", "network.json", "input.json", "volume.json", "modality.json")
"""The files of a run folder that say what its network is and what it is fed."""


@dataclass(frozen=True)
class Fingerprint:
    """The SHA-256 of what a case is read from, hex.

    Attributes:
        image: of the image's files, in order.
        mask: of the files that hold its ground truth; of nothing for a normal case.
    """

    image: str
    mask: str


def fingerprint_of(case: CaseRef) -> Fingerprint:
    """Digest the files of a case; of a folder of slices all files, by name.

    Raises:
        DataSetError: a file cannot be read.
    """
    return Fingerprint(_digest(case.image_paths), _digest(case.mask_paths or ()))


def run_signature(run: Path) -> str:
    """The digest of what a run folder says of its network, its input and its cases.

    The states and weights of the run bear it, so that those of another run are told from them. It
    does not change with the place of the data.

    Raises:
        DataSetError: a file cannot be read.
    """
    found = hashlib.sha256()
    try:
        for name in _DEFINING:
            content = (run / name).read_bytes() if (run / name).is_file() else b""
            found.update(hashlib.sha256(content).digest())
        if (run / "data.json").is_file():
            cases = json.loads((run / "data.json").read_bytes())["sha256"]
            found.update(json.dumps(cases, sort_keys=True).encode())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataSetError(
            f"{run}: no record of a run ({error})", "the files that training wrote"
        ) from error
    return found.hexdigest()


def _digest(paths: Sequence[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        try:
            files = sorted(one for one in path.rglob("*") if one.is_file())
            for file in files if path.is_dir() else [path]:
                with file.open("rb") as stream:
                    while block := stream.read(_BLOCK):
                        found.update(block)
        except OSError as error:
            raise DataSetError(f"{path}: {error.strerror or error}", "a readable file") from error
    return found.hexdigest()
