"""The files of a service: a folder of files that are named by their content."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from breastseg.io.private import private_folder

_CHUNK = 2**20


class Files:
    """Uploaded files, drawn masks and computed maps.

    Args:
        root: holds them; made where it is missing, for nobody else to read.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.blobs, self.results, self.projects, self.temporary):
            private_folder(folder)

    @property
    def blobs(self) -> Path:
        """Folder of uploaded files and drawn masks."""
        return self.root / "blobs"

    @property
    def results(self) -> Path:
        """Folder of the maps of segmentations."""
        return self.root / "results"

    @property
    def projects(self) -> Path:
        """Folder of the labelling projects, which the room of annotation keeps."""
        return self.root / "projects"

    @property
    def trained(self) -> Path:
        """Folder of the bundles that were trained here, each in a folder of its training's name."""
        return self.root / "trained"

    @property
    def training(self) -> Path:
        """Folder of the trainings that are under way, which hold copies of images."""
        return self.root / "training"

    @property
    def temporary(self) -> Path:
        """Folder of what is being received or unpacked."""
        return self.root / "temporary"

    def forget_interrupted(self) -> None:
        """Remove what a service that was killed was receiving; it must not run any more."""
        for left in self.temporary.iterdir():
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that goes at the end."""
        with tempfile.TemporaryDirectory(dir=self.temporary) as folder:
            yield Path(folder)

    def blob(self, digest: str) -> Path:
        """Where a file of this SHA-256 lies."""
        return self.blobs / digest[:2] / digest

    def keep(self, source: Path) -> str:
        """Move a file in; returns its SHA-256."""
        with source.open("rb") as stream:
            digest = sha256_of(stream)
        target = self.blob(digest)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        source.replace(target)
        return digest

    def keep_stream(self, stream: IO[bytes]) -> str:
        """Keep what a stream holds; returns its SHA-256."""
        with self.scratch() as folder:
            incoming = folder / "incoming"
            with incoming.open("wb") as target:
                shutil.copyfileobj(stream, target)
            return self.keep(incoming)

    def keep_bytes(self, data: bytes) -> str:
        """Keep bytes; returns their SHA-256."""
        return self.keep_stream(io.BytesIO(data))

    @contextmanager
    def folder_of(self, digests: tuple[str, ...]) -> Iterator[Path]:
        """The files of these digests beside each other in a folder that goes at the end."""
        with self.scratch() as folder:
            for number, digest in enumerate(digests):
                os.link(self.blob(digest), folder / f"{number:06d}")
            yield folder


def sha256_of(stream: IO[bytes]) -> str:
    """The hex digest of all that a stream holds."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
