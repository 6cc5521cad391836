"""The maps of segmentations on disk, within a limit."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.io.write import replacing, written


class Results:
    """Keeps the maps of each result in a file of its own; the oldest go first.

    What has gone can be computed again: a result depends on nothing but its request.

    Args:
        folder: holds the files.
        most: bytes that they may take.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._most = most

    def path(self, name: str) -> Path:
        """Of the file of a result."""
        return self._folder / f"{name}.npz"

    def write(self, name: str, probability: NDArray[np.float32], mask: NDArray[np.uint8]) -> None:
        """Keep the maps of a result, whole or not at all."""
        with replacing(self.path(name)) as temporary, temporary.open("wb") as stream:
            np.savez(stream, probability=probability, mask=mask)
        self._prune()

    def read(self, name: str, which: str) -> NDArray[np.generic] | None:
        """The ``"probability"`` or ``"mask"`` of a result; None where it has gone."""
        try:
            with np.load(self.path(name)) as maps:
                return np.asarray(maps[which])
        except FileNotFoundError:
            return None

    def _prune(self) -> None:
        found = []
        for path in written(self._folder, "*.npz"):
            with suppress(FileNotFoundError):  # another thread or the worker has pruned it
                found.append((path.stat(), path))
        size = sum(stat.st_size for stat, _ in found)
        for stat, path in sorted(found, key=lambda one: one[0].st_mtime_ns)[:-1]:
            if size <= self._most:
                return
            path.unlink(missing_ok=True)
            size -= stat.st_size
