"""Prepared studies on disk, so that a data set need not fit in memory."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import VolumeSpec
from breastseg.core.errors import BreastsegError, DataSetError, InputError
from breastseg.data.dataset import CaseRef
from breastseg.data.volume_studies import first_phases
from breastseg.io.write import appearing
from breastseg.training.volume.sampler import Points, PreparedVolume, prepare_case

LOG = logging.getLogger(__name__)
TOLD_EVERY = 50
"""Preparing takes seconds a study: after so many of them it says how far it is."""


@dataclass(frozen=True, eq=False)
class JoinedPieces:
    """`PreparedVolume.lesions` in two arrays, of which only what is asked for is read.

    Attributes:
        points: of all pieces, one piece after the other, (n, 3).
        ends: one past the last point of each piece, (pieces,).
    """

    points: Points
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: int) -> Points:
        """The voxels of one piece, counted from 0."""
        end = self.ends[index]
        return self.points[self.ends[index - 1] if index else 0 : end]


@dataclass(frozen=True)
class StoredVolume:
    """A prepared study on disk.

    Attributes:
        key: of the case, ``"source/case_id"``.
        folder: that holds its arrays as ``.npy``.
    """

    key: str
    folder: Path

    def opened(self) -> PreparedVolume:
        """The study, its arrays mapped: what is not looked at is not read.

        It is opened anew each time, as every mapped array holds a file open, and a data set has
        more of them than a process may.
        """
        return PreparedVolume(
            self.key,
            self._array("channels"),
            self._array("lesion"),
            JoinedPieces(self._array("lesions"), self._array("lesions_ends")),
            JoinedPieces(self._array("bright"), self._array("bright_ends")),
            self._array("truth"),
        )

    def write(self, volume: PreparedVolume) -> None:
        """Put a study on disk; its folder appears complete or not at all.

        Raises:
            InputError: it cannot be written.
        """
        arrays: dict[str, NDArray[Any]] = {
            "channels": volume.channels,
            "lesion": volume.lesion,
            "truth": volume.truth,
        }
        for name, pieces in (("lesions", volume.lesions), ("bright", volume.bright)):
            each = [pieces[index] for index in range(len(pieces))]
            arrays[name] = np.concatenate([np.empty((0, 3), np.int32), *each])
            arrays[f"{name}_ends"] = np.cumsum([len(piece) for piece in each], dtype=np.int64)
        try:
            with appearing(self.folder) as folder:
                for name, values in arrays.items():
                    np.save(folder / f"{name}.npy", values, allow_pickle=False)
        except OSError as error:
            if self.folder.is_dir():  # another process was first
                return
            raise InputError(
                f"{self.folder}: cannot be written ({error.strerror or error})",
                remedy="make room, and give the same command again: what is there is used",
            ) from error

    def _array(self, name: str) -> NDArray[Any]:
        mapped: NDArray[Any] = np.load(self.folder / f"{name}.npy", mmap_mode="r")
        return mapped.view(np.ndarray)  # of whose slices none is a map of its own


def store_cases(
    cases: Sequence[CaseRef], spec: VolumeSpec, folder: Path
) -> tuple[StoredVolume, ...]:
    """Prepare studies one after the other; those that are there already are taken as they are.

    Args:
        cases: with ground truth.
        spec: what the network wants; each has a folder of its own.
        folder: that holds them all.

    Raises:
        DataSetError: studies that cannot be used; all are named.
        InputError: the folder cannot be written.
    """
    place = folder / hashlib.sha256(json.dumps(asdict(spec)).encode()).hexdigest()[:12]
    stored = [StoredVolume(case.key, place / quote(case.key, safe="")) for case in cases]
    waiting = [pair for pair in zip(cases, stored, strict=True) if not pair[1].folder.is_dir()]
    problems = []
    for done, (case, one) in enumerate(waiting):
        if done % TOLD_EVERY == 0:
            LOG.info(f"preparing studies: {len(cases) - len(waiting) + done} of {len(cases)}")
        try:
            volume = prepare_case(first_phases(case, spec.channels).load(), spec)
        except BreastsegError as error:
            says = str(error)
            problems.append(says if case.key in says else f"{case.key}: {says}")
            continue
        one.write(volume)
    if problems:
        shown = " | ".join(problems[:5]) + (" | ..." if len(problems) > 5 else "")
        raise DataSetError(
            f"{len(problems)} of {len(cases)} studies cannot be used: {shown}",
            f"readable ones of known spacing with {spec.channels} phases or more",
            "repair them, or leave them out with a list",
        )
    return tuple(stored)
