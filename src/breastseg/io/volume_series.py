"""DICOM slices as a volume, its phases as channels.

A slice is an object of its own, or a frame of an enhanced MR or a tomosynthesis object.

Phases. A series is a phase, unless slices of it lie in one place: then the phases in it are told
apart by the first of Temporal Position Identifier, Acquisition Number, Acquisition Time, Trigger
Time and Content Time that gives as many groups as slices lie in one place, and no group two of
them; where no such group is found, by the order of one of these times at each place, as in
dynamic series whose slices each have a time of their own. Series come in the order of their first
Acquisition Time, or of the Series Time or Series Number where that tells no difference; the phases
in a series in the order of what told them apart.

Space. Slices are sorted along the normal of their plane, which with the directions of row and
column makes a right-handed system, as SimpleITK's series reader has it. Positions are the header's
own (Image Position and Image Orientation, DICOM PS3.3 C.7.6.2), Slice Location and the names of
the files count for nothing. See `breastseg.io.volume` on the grid.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, UnreadableError, UnsupportedError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.reference import join_references
from breastseg.io.dicom_image import decoding, read_header
from breastseg.io.dicom_pixels import decode_frames
from breastseg.io.dicom_slice import MOMENTS, STARTS, DicomSlice, clock, read_slices
from breastseg.io.find import find_images
from breastseg.io.memory import check_memory
from breastseg.io.open import DICOM_SUFFIXES, is_dicom_file
from breastseg.io.source import check_size, opened
from breastseg.io.volume import grid_difference, read_volume, read_volumes, stack_phases

_SAME = 0.01
"""Slices nearer than this fraction of a pixel's side lie in one place."""

_SAME_COSINE = 1e-3
_SPACED = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MAX_OFFSET = 0.1  # of a voxel's side, by which a slice may lie off its place


def read_phases(paths: Sequence[Path]) -> Image:
    """Read the phases of one study, from volume files, DICOM folders or both.

    Args:
        paths: NIfTI, NRRD or MetaImage files, enhanced MR objects, and folders of DICOM slices,
            each with one phase or with several; in the order of their time.

    Returns:
        (phases, slices, rows, columns), as `read_volume` and `read_series` give them.

    Raises:
        InputError: no path, or as for `read_volume` and `read_series`.
        GeometryError: as for `read_series`, or two phases lie on different grids.
    """
    dicom = [path.is_dir() or is_dicom_file(path) for path in paths]
    if not any(dicom):
        return read_volumes(paths)
    return stack_phases(
        [
            read_series(path) if slices else read_volume(path)
            for path, slices in zip(paths, dicom, strict=True)
        ]
    )


def read_series(*folders: Path) -> Image:
    """Read all DICOM slices in folders and in those below them as one study.

    Objects that are no single slice in space, such as reports and segmentations, are passed over.

    Args:
        folders: with one series, or several on one grid, whichever comes first, or files; see this
            module's docstring on what is a phase.

    Returns:
        (phases, slices, rows, columns), rescaled: in the stored dtype where the header asks for
        no change of values, else float32. The slices rise along the normal of their plane.

    Raises:
        UnreadableError: no slice in the folders, or a damaged one.
        UnsupportedError: a compression that is not read, or more memory than the limit.
        GeometryError: a slice is missing, slices do not lie in a regular stack, or the phases
            lie on different grids or cannot be told apart.
    """
    name = _name(folders)
    phases = find_phases(*folders)
    grid = _common_grid(phases, name)
    every = [one for phase in phases for one in phase]
    shape = (len(phases), *grid.shape)
    plain = all((one.slope, one.intercept) == (1, 0) for one in every)
    dtype = np.result_type(*{one.dtype for one in every}) if plain else np.dtype(np.float32)
    said = f"{len(phases)} phases of {' x '.join(map(str, grid.shape))} voxels"
    check_memory(math.prod(shape) * dtype.itemsize, name, said)
    array = np.empty((len(every), *grid.shape[1:]), dtype)
    lost: dict[str, None] = {}
    for index, values, remarks in _pixels(every):
        array[index] = values
        lost |= dict.fromkeys(remarks)
    return Image(
        array.reshape(shape),
        grid,
        every[0].modality,
        name,
        remarks=tuple(lost),
        reference=join_references([one.reference for one in every]),
        phases=tuple(_in_words(phase) for phase in phases),
    )


def find_phases(*folders: Path) -> tuple[tuple[DicomSlice, ...], ...]:
    """The slices that `read_series` reads, without their pixels.

    Returns:
        The phases in the order of their time, each sorted along the slices' normal.

    Raises:
        UnreadableError: as for `read_series`.
        GeometryError: as for `series_phases`.
    """
    slices = [one for folder in folders for one in _slices(folder)]
    return series_phases(slices, _name(folders))


def series_phases(slices: Sequence[DicomSlice], name: str) -> tuple[tuple[DicomSlice, ...], ...]:
    """Divide slices into phases; see this module's docstring on the rule.

    Args:
        slices: of one study, at least one.
        name: what messages call them.

    Returns:
        The phases in the order of their time, each sorted along the slices' normal.

    Raises:
        GeometryError: slices in one place that nothing tells apart, series that nothing puts in
            order, or derived images among original ones.
    """
    by_series: dict[str, list[DicomSlice]] = defaultdict(list)
    for one in slices:
        by_series[one.series].append(one)
    titles = _titles(slices)
    if len({one.derived for one in slices}) > 1:
        raise GeometryError(
            f"{name}: holds original and derived series, such as subtractions: {titles}",
            "one kind",
            "name the folder of each phase, before contrast first",
        )
    ordered = _in_order(list(by_series.values()), f"{name}: series {titles}")
    return tuple(phase for series in ordered for phase in _divided(series, name))


def _name(folders: Sequence[Path]) -> str:
    return f"{folders[0]} and {len(folders) - 1} more" if len(folders) > 1 else str(folders[0])


def _slices(folder: Path) -> list[DicomSlice]:
    found: list[DicomSlice] = []
    for path in find_images([folder]):
        if path.is_dir():
            break
        wanted = is_dicom_file(path) or path.suffix.lower() in DICOM_SUFFIXES
        inside = read_slices(path) if wanted else ()
        if inside:
            check_size(*inside[0].shape, str(path))
            found += inside
    if not found:
        raise UnreadableError(
            f"{folder}: holds no DICOM slice with a position in space",
            "slices of one series, or of the series of all phases",
            "name the folder of the slices, or their enhanced MR object",
        )
    return found


def _in_order(series: list[list[DicomSlice]], name: str) -> list[list[DicomSlice]]:
    """The series by the first of `STARTS` that all have and no two share."""
    if len(series) == 1:
        return series
    for keyword in STARTS:
        starts = [
            min((one.times[keyword] for one in some if keyword in one.times), default=math.nan)
            for some in series
        ]
        if len(set(starts)) == len(series) and all(map(math.isfinite, starts)):
            return [series[index] for index in np.argsort(starts)]
    raise GeometryError(
        f"{name}: neither their times nor their numbers put them in order",
        "series with different times",
        "name the folder of each phase, before contrast first",
    )


def _divided(series: Sequence[DicomSlice], name: str) -> list[tuple[DicomSlice, ...]]:
    """The phases of one series."""
    places = _places(series, name)
    most = max(len(place) for place in places)
    if most == 1:
        return [tuple(place[0] for place in places)]
    for keyword in MOMENTS:
        if all(keyword in one.times for one in series):
            moments = sorted({one.times[keyword] for one in series})
            kept = _unlike(places, keyword)
            if len(moments) == most and kept:
                return [_of(places, keyword, moment) for moment in moments]
    full = all(len(place) == most for place in places)
    for keyword in MOMENTS if full else ():
        if all(keyword in one.times for one in series) and _unlike(places, keyword):
            ranked = [sorted(place, key=lambda one: one.times[keyword]) for place in places]
            return [tuple(phase) for phase in zip(*ranked, strict=True)]
    raise GeometryError(
        f"{name}: up to {most} slices of series {series[0].title} lie in one place, and nothing "
        "tells their phases apart",
        "a different temporal position, acquisition number or time for each phase",
        "sort the phases into folders, or remove files that are there twice",
    )


def _unlike(places: Sequence[Sequence[DicomSlice]], keyword: str) -> bool:
    return all(len({one.times[keyword] for one in place}) == len(place) for place in places)


def _of(
    places: Sequence[Sequence[DicomSlice]], keyword: str, moment: float
) -> tuple[DicomSlice, ...]:
    return tuple(one for place in places for one in place if one.times[keyword] == moment)


def _places(series: Sequence[DicomSlice], name: str) -> list[list[DicomSlice]]:
    """The slices by their place along the normal, which rises."""
    frame = _frame(series[0], name)
    for one in series:
        turned = np.abs(np.subtract(one.orientation, series[0].orientation)).max()
        if turned > _SAME_COSINE or one.frame_of_reference != series[0].frame_of_reference:
            raise GeometryError(
                f"{name}: the slices of series {one.title} lie in different planes",
                "parallel slices of one frame of reference",
                "name the folder of one series; a localiser is none",
            )
    heights = np.array([one.position_mm for one in series]) @ frame[:, 2]
    order = np.argsort(heights, kind="stable")
    places = [[series[order[0]]]]
    same = _SAME * min(series[0].spacing_mm)
    for lower, upper in pairwise(order):
        if heights[upper] - heights[lower] > same:
            places.append([])
        places[-1].append(series[upper])
    return places


def _frame(one: DicomSlice, name: str) -> NDArray[np.float64]:
    """(3, 3); its columns are the directions of column, row and slice index, (x, y, z) in LPS."""
    across, down = np.reshape(one.orientation, (2, 3))
    lengths = float(np.linalg.norm(across)), float(np.linalg.norm(down))
    if not np.allclose(lengths, 1, atol=_SAME_COSINE) or abs(across @ down) > _SAME_COSINE:
        raise GeometryError(
            f"{name}: orientation {one.orientation} of series {one.title}",
            "two perpendicular directions of length 1",
            "export the series again",
        )
    across = across / lengths[0]
    down = down - (down @ across) * across  # what rounding in the header left over
    down /= np.linalg.norm(down)
    return np.column_stack([across, down, np.cross(across, down)])


def _common_grid(phases: Sequence[Sequence[DicomSlice]], name: str) -> Grid:
    """The one grid of all phases."""
    grids = [_grid(phase, name) for phase in phases]
    for number, grid in enumerate(grids[1:], 2):
        difference = grid_difference(grids[0], grid)
        if difference or phases[number - 1][0].frame_of_reference != (
            phases[0][0].frame_of_reference
        ):
            counts = ", ".join(
                f"{len(phase)} slices of {phase[0].shape[0]} x {phase[0].shape[1]} in series "
                f"{phase[0].title}"
                for phase in (phases[0], phases[number - 1])
            )
            raise GeometryError(
                f"{name}: phase {number} {difference or 'has another frame of reference'} "
                f"than the first ({counts})",
                "phases of one grid",
                "name the folders of the dynamic series alone, or copy what is missing",
            )
    return grids[0]


def _grid(phase: Sequence[DicomSlice], name: str) -> Grid:
    """The grid of a sorted phase."""
    first, title = phase[0], f"{name}: series {phase[0].title}"
    if len(phase) < 2:
        raise GeometryError(
            f"{title} has one slice", "at least 2", "open it as an image, or copy the whole series"
        )
    for one in phase:
        if one.shape != first.shape or not np.allclose(one.spacing_mm, first.spacing_mm, 1e-3):
            raise GeometryError(
                f"{title} has slices of {first.shape} and {one.shape} pixels, "
                f"{first.spacing_mm} and {one.spacing_mm} mm apart",
                "one size",
                "name the folder of one series",
            )
    frame = _frame(first, name)
    places = (np.array([one.position_mm for one in phase]) - first.position_mm) @ frame
    gaps = np.diff(places[:, 2])
    least = float(gaps.min())
    if gaps.max() > 1.5 * least:
        _refuse_gaps(phase, places[:, 2] + np.dot(first.position_mm, frame[:, 2]), least, title)
    step = float(places[-1, 2]) / (len(phase) - 1)
    off = np.abs(places - np.outer(np.arange(len(phase)), (0.0, 0.0, step)))
    allowed = _MAX_OFFSET * np.array([first.spacing_mm[1], first.spacing_mm[0], step])
    if (off > allowed).any():
        raise GeometryError(
            f"{title}: slices lie up to {off.max():.3g} mm off a regular stack",
            "slices at one distance, straight above each other",
            "resample the series to a regular grid",
        )
    return Grid(
        (len(phase), *first.shape),
        (step, *first.spacing_mm),
        first.position_mm[::-1],
        tuple(frame[::-1, ::-1].ravel().tolist()),
    )


def _refuse_gaps(
    phase: Sequence[DicomSlice], heights: NDArray[np.float64], step: float, title: str
) -> None:
    gaps = [(low, high) for low, high in pairwise(heights.tolist()) if high - low > 1.5 * step]
    where = ", ".join(f"{low:.1f} and {high:.1f}" for low, high in gaps[:3])
    more = f" and in {len(gaps) - 3} more places" if len(gaps) > 3 else ""
    missing = sum(round((high - low) / step) - 1 for low, high in gaps)
    raise GeometryError(
        f"{title}: {missing} slices missing between {where} mm{more}, where {len(phase)} are there",
        f"slices every {step:.3g} mm",
        "copy the whole series again",
    )


_Slice = tuple[int, NDArray[np.generic], tuple[str, ...]]


def _pixels(every: Sequence[DicomSlice]) -> Iterator[_Slice]:
    """The index of each slice, its values, rescaled, and remarks; each file is opened once."""
    by_file: dict[Path, list[int]] = defaultdict(list)
    for index, one in enumerate(every):
        by_file[one.path].append(index)
    for path, indices in by_file.items():
        name = str(path)
        indices.sort(key=lambda index: every[index].frame or 0)
        with opened(path) as stream, decoding(name):
            pixels = read_header(stream, name)
            if pixels.header.PhotometricInterpretation != "MONOCHROME2":
                raise UnsupportedError(
                    f"{name}: has {pixels.header.PhotometricInterpretation} pixels",
                    "grey ones, bright is large",
                    "name the folder of a series of slices",
                )
            frames = decode_frames(pixels, [every[index].frame or 0 for index in indices])
            for index, (stored, _, lost) in zip(indices, frames, strict=True):
                yield index, _rescaled(stored, every[index]), lost


def _rescaled(stored: NDArray[np.generic], one: DicomSlice) -> NDArray[np.generic]:
    if (one.slope, one.intercept) == (1, 0):
        return stored
    return np.asarray(stored.astype(np.float32) * one.slope + one.intercept)


def _in_words(phase: Sequence[DicomSlice]) -> str:
    """A phase by its series and the first of its times."""
    told = [f"series {phase[0].title}"]
    for keyword in ("TemporalPositionIdentifier", "AcquisitionNumber"):
        if (at := phase[0].times.get(keyword)) is not None:
            told.append(f"{_SPACED.sub(' ', keyword).lower()} {at:g}")
    for keyword in ("AcquisitionTime", "TriggerTime", "ContentTime", "SeriesTime"):
        moments = [one.times[keyword] for one in phase if keyword in one.times]
        if moments:
            at = min(moments)
            shown = f"{at:g} ms" if keyword == "TriggerTime" else clock(at)
            told.append(f"{_SPACED.sub(' ', keyword).lower()} {shown}")
            break
    return ", ".join(told)


def _titles(slices: Sequence[DicomSlice]) -> str:
    return ", ".join(sorted({one.title for one in slices}))
