"""A watched folder: its DICOM files are taken as if they had been sent."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from breastseg.dicom.node.intake import Intake, Status
from breastseg.io.find import search_folder
from breastseg.io.open import is_dicom_file

_log = logging.getLogger(__name__)


class Watching:
    """Looks for files that are new or changed, and takes those that have come to rest.

    A file is at rest when its size and time have not changed for a while. The files themselves
    are left as they are.

    Args:
        folder: the one that is watched, with the folders below it.
        rest_s: seconds without a change.
        intake: takes the files.
        incoming: folder for their copies.
        clock: seconds since any moment.
    """

    def __init__(
        self,
        folder: Path,
        rest_s: float,
        intake: Intake,
        incoming: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._rest_s = rest_s
        self._intake = intake
        self._incoming = incoming
        self._clock = clock
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        self._taken: dict[Path, tuple[int, int]] = {}

    def one(self) -> bool:
        """Take the files that are at rest now; False, since there is time until the next look."""
        for path, state in self._at_rest():
            if not is_dicom_file(path):
                _log.warning("watched folder: a file that is no DICOM is passed over")
                self._taken[path] = state
                continue
            copy = self._incoming / "watched"
            shutil.copyfile(path, copy)
            try:
                status = self._intake.take(copy, "watched folder")
            finally:
                copy.unlink(missing_ok=True)
            if status != Status.NO_ROOM:  # else it is tried again
                self._taken[path] = state
        return False

    def _at_rest(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        now = self._clock()
        there: dict[Path, tuple[tuple[int, int], float]] = {}
        for path in search_folder(self._folder, self._incoming.parent).images:
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            state = (found.st_size, found.st_mtime_ns)
            if self._taken.get(path) == state:
                continue
            before, since = self._seen.get(path, (state, now))
            there[path] = (state, since if before == state else now)
        self._seen = there
        return iter([(p, s) for p, (s, since) in there.items() if now - since >= self._rest_s])
