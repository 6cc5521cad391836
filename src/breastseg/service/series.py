"""Which files of an upload are the slices of one volume."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from breastseg.core.errors import BreastsegError
from breastseg.io.dicom_remarks import TOMOSYNTHESIS
from breastseg.io.dicom_slice import DicomSlice, read_slices
from breastseg.io.open import is_dicom
from breastseg.io.volume_header import HEAD_BYTES
from breastseg.io.volume_series import series_phases


def volumes_among(paths: Sequence[Path]) -> tuple[tuple[Path, ...], ...]:
    """The groups of files that make a volume each, its phases together where they fit.

    Args:
        paths: files of any kind.

    Returns:
        Each file at most once; what is no slice of a regular stack is left out.
    """
    groups: dict[tuple[object, ...], list[DicomSlice]] = defaultdict(list)
    for path in paths:
        for one in _slices(path):
            groups[_grid_of(one)].append(one)
    found: list[tuple[Path, ...]] = []
    for group in groups.values():
        if _is_stack(group):
            found.append(_files(group))
            continue
        found += [_files(series) for series in _by_series(group) if _is_stack(series)]
    return tuple(found)


def _files(group: Iterable[DicomSlice]) -> tuple[Path, ...]:
    """Each once, however many slices it holds."""
    return tuple(dict.fromkeys(one.path for one in group))


def _slices(path: Path) -> tuple[DicomSlice, ...]:
    """The slices of a file; none of tomosynthesis, which is seen frame by frame."""
    with path.open("rb") as stream:
        if not is_dicom(stream.read(HEAD_BYTES)):
            return ()
    try:
        found = read_slices(path)
    except BreastsegError:
        return ()  # reading it as an image says what is wrong
    return tuple(one for one in found if one.reference.frames[0].class_uid != TOMOSYNTHESIS)


def _grid_of(one: DicomSlice) -> tuple[object, ...]:
    """What slices of one volume and its phases have in common."""
    turned = tuple(round(cosine, 3) for cosine in one.orientation)
    study = one.reference.study_uid
    return (study, one.frame_of_reference, turned, one.shape, one.spacing_mm, one.derived)


def _by_series(group: Iterable[DicomSlice]) -> list[list[DicomSlice]]:
    found: dict[str, list[DicomSlice]] = defaultdict(list)
    for one in group:
        found[one.series].append(one)
    return list(found.values())


def _is_stack(group: Sequence[DicomSlice]) -> bool:
    """Whether it is several slices, and every phase has as many."""
    try:
        phases = series_phases(group, "series")
    except BreastsegError:
        return False
    counts = {len(phase) for phase in phases}
    return len(counts) == 1 and min(counts) > 1
