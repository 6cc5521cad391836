"""Digests of a case's files: the same data at another place has the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef

_BLOCK = 1 << 20


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
