"""NIfTI, NRRD and MetaImage volumes.

A volume's array runs (slices, rows, columns). SimpleITK, and the patient's coordinate system of
DICOM that it uses (LPS: x to the left, y to the back, z to the head, in millimetres), count the
other way round: (x, y, z). `breastseg.core.grid.Grid` says that all its tuples are in array order,
and so they are: spacing, origin and direction are SimpleITK's with each order reversed. Hence

    position = origin_mm + direction @ (index * spacing_mm)

with index in array order, and a position whose components are (z, y, x) in LPS. A grid without
direction is an axial volume whose slices rise to the head. Nothing is computed in the reversal, so
that a grid read and written is the same grid, to the precision that the file's format has.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError, UnreadableError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.reference import join_references
from breastseg.io.memory import check_memory
from breastseg.io.source import name_of, opened
from breastseg.io.volume_data import check_voxels, encoded, memory_of, read_voxels
from breastseg.io.volume_header import (
    HEAD_BYTES,
    HEADER_LIMIT,
    NIFTI_BYTES,
    Encoding,
    VolumeHeader,
    VolumeKind,
    damaged,
    volume_kind,
)
from breastseg.io.volume_meta import SIZE_DIGITS, meta_header, write_meta_header
from breastseg.io.volume_nifti import nifti_header, write_nifti_header
from breastseg.io.volume_nrrd import nrrd_header, write_nrrd_header
from breastseg.io.write import replacing

VOLUME_SUFFIXES = tuple(kind.value for kind in VolumeKind)
"""What the files that `write_volume` writes are called."""

SAME = 0.1
"""Of a voxel's side: two grids that lie no further apart are one, written with other digits."""


def read_volume(path: Path | BinaryIO, source: str = "") -> Image:
    """Read one volume.

    Args:
        path: a NIfTI (plain or gzip), NRRD or MetaImage file with its data inside, or a seekable
            binary stream of one. The content decides on the format, not the name.
        source: what messages and the image call it; the path by default.

    Returns:
        (channels, slices, rows, columns) in the file's own dtype, rescaled where the file says so.
        The components of a voxel, or the volumes along a fourth axis, become channels. The
        spacing is unknown where the file does not state it; the modality is unknown.

    Raises:
        UnreadableError: missing, empty, truncated, damaged, or none of these formats.
        UnsupportedError: data in another file, another number of axes, complex numbers, axes that
            are not perpendicular, or more memory than the limit (`breastseg.io.memory`).
    """
    name = name_of(path, source)
    with opened(path, source) as stream:
        header = _header(stream, name)
        array = read_voxels(stream, header, name)
    return Image(
        array, header.grid, source=name, remarks=header.remarks, phases=_phases(header, name)
    )


def read_volume_grid(path: Path) -> tuple[Grid, int]:
    """Where the voxels of a volume file lie, and its number of channels, without reading them.

    Raises:
        UnreadableError: as for `read_volume`.
        UnsupportedError: as for `read_volume`.
    """
    header = _header_of(path)
    return header.grid, header.channels


def read_volumes(paths: Sequence[Path]) -> Image:
    """Read several volumes of one grid, as the phases of a study, into one image.

    All headers are looked at before any voxel is read.

    Args:
        paths: at least one file; their order is that of the channels.

    Returns:
        As for `read_volume`, with the channels of all files one after the other; the dtype holds
        the values of all.

    Raises:
        InputError: no path, or as for `read_volume`.
        GeometryError: two files differ in shape, or in position by more than `SAME`.
    """
    if not paths:
        raise InputError("no volumes", "at least one file")
    if len(paths) == 1:
        return read_volume(paths[0])
    headers = [_header_of(path) for path in paths]
    first = headers[0]
    for path, header in zip(paths, headers, strict=True):
        _check_grid(first.grid, header.grid, str(paths[0]), str(path))
    dtype = np.result_type(*(header.result for header in headers))
    shape = (sum(header.channels for header in headers), *first.grid.shape)
    needed = math.prod(shape) * dtype.itemsize + max(map(memory_of, headers))
    check_memory(needed, f"{paths[0]} and {len(paths) - 1} more", first.in_words)
    array = np.empty(shape, dtype)
    phases: tuple[str, ...] = ()
    remarks: dict[str, None] = {}
    for path in paths:
        image = read_volume(path)
        array[len(phases) : len(phases) + len(image.array)] = image.array
        phases += image.phases
        remarks |= dict.fromkeys(image.remarks)
    return Image(array, first.grid, source=str(paths[0]), remarks=tuple(remarks), phases=phases)


def stack_phases(images: Sequence[Image]) -> Image:
    """Join volumes of one grid, as the phases of a study, to one image.

    Args:
        images: at least one; their order is that of the channels.

    Returns:
        The channels of all, one after the other, on the grid of the first; the dtype holds the
        values of all.

    Raises:
        InputError: no image.
        GeometryError: two differ in shape, or in position by more than `SAME`.
        UnsupportedError: together they take more memory than the limit.
    """
    if not images:
        raise InputError("no volumes", "at least one file")
    first = images[0]
    if len(images) == 1:
        return first
    for image in images[1:]:
        _check_grid(first.grid, image.grid, first.source, image.source)
    needed = 2 * sum(image.array.nbytes for image in images)
    check_memory(needed, first.source, f"{len(images)} phases together")
    references = [image.reference for image in images if image.reference is not None]
    return replace(
        first,
        array=np.concatenate([image.array for image in images]),
        remarks=tuple(dict.fromkeys(said for image in images for said in image.remarks)),
        phases=tuple(phase for image in images for phase in image.phases),
        reference=join_references(references) if len(references) == len(images) else None,
    )


def write_volume(values: NDArray[np.generic], grid: Grid, path: Path) -> None:
    """Write a mask, a probability or an image, whole or not at all.

    What was written is read again before it takes its name.

    Args:
        values: ``grid.shape`` or (channels, *grid.shape); bool is written as 0 and 1 in uint8.
        grid: 3-D, with a spacing; see this module's docstring on its orientation. Where it was read
            from a NIfTI file, a NIfTI file states its place in the same words, sform and qform.
        path: ``.nii``, ``.nii.gz``, ``.nrrd`` or ``.mha``. NIfTI keeps spacing and origin in
            float32, the others in full.

    Raises:
        InputError: another suffix or dtype, or the file cannot be written.
        GeometryError: another shape, a grid without spacing, or axes that are not perpendicular.
    """
    kind = _kind_to_write(path)
    whole = values.shape == grid.shape
    if grid.ndim != 3 or not (whole or values.shape[1:] == grid.shape):
        raise GeometryError(
            f"{path}: values of shape {values.shape} on a grid of {grid.shape}",
            "a 3-D grid, and values of its shape or (channels, *shape)",
        )
    if grid.spacing_mm is None:
        raise GeometryError(
            f"{path}: the distance of the voxels is not known",
            "a grid with spacing_mm: a volume file cannot leave it out",
            "state the spacing, or write the slices as images",
        )
    square = _direction(grid)
    if not np.allclose(square @ square.T, np.eye(3), atol=1e-4):
        raise GeometryError(
            f"{path}: a grid with the direction {grid.direction}",
            "perpendicular axes of unit length",
            "resample to such a grid",
        )
    array = _to_write(values[None] if whole else values, path)
    with replacing(path) as temporary:
        with temporary.open("wb") as file:
            _write(file, kind, array, grid)
        with temporary.open("rb") as file:
            check_voxels(file, _header(file, str(path)), str(path))


def _write(file: BinaryIO, kind: VolumeKind, array: NDArray[np.generic], grid: Grid) -> None:
    """Header and voxels; of MetaImage the header has the length of what follows it."""
    head, place = b"", 0
    channels, dtype = len(array), array.dtype
    if kind is VolumeKind.META:
        encoding = Encoding.ZLIB
        head, place = write_meta_header(grid, channels, dtype)
    elif kind is VolumeKind.NRRD:
        encoding = Encoding.GZIP
        head = write_nrrd_header(grid, channels, dtype)
    else:
        encoding = Encoding.RAW if kind is VolumeKind.NIFTI else Encoding.GZIP_FILE
        head = write_nifti_header(grid, channels, dtype)
    written = sum(
        file.write(part) for part in encoded(array.reshape(-1, *grid.shape[1:]), encoding, head)
    )
    if place:
        file.seek(place)
        file.write(str(written - len(head)).zfill(SIZE_DIGITS).encode())


def _header_of(path: Path) -> VolumeHeader:
    with opened(path) as stream:
        return _header(stream, str(path))


def _header(stream: BinaryIO, name: str) -> VolumeHeader:
    """Read the header of a file of any of the formats."""
    with np.errstate(all="ignore"):  # of numbers that overflow, those that matter are refused
        return _header_of_kind(stream, volume_kind(stream.read(HEAD_BYTES)), name)


def _header_of_kind(stream: BinaryIO, kind: VolumeKind | None, name: str) -> VolumeHeader:
    stream.seek(0)
    if kind is VolumeKind.NRRD:
        return nrrd_header(stream.read(HEADER_LIMIT), name)
    if kind is VolumeKind.META:
        return meta_header(stream.read(HEADER_LIMIT), name)
    if kind is VolumeKind.NIFTI:
        return nifti_header(stream.read(NIFTI_BYTES), False, name)
    if kind is VolumeKind.NIFTI_GZIP:
        try:
            head = gzip.GzipFile(fileobj=stream).read(NIFTI_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise damaged(name, error) from error
        return nifti_header(head, True, name)
    raise UnreadableError(
        f"{name}: is not a volume that can be read",
        "NIfTI, NRRD or MetaImage, in one file",
        "export it in one of these formats",
    )


def _phases(header: VolumeHeader, name: str) -> tuple[str, ...]:
    count = header.channels
    if count == 1:
        return (name,)
    return tuple(f"{name}, volume {index} of {count}" for index in range(1, count + 1))


def _to_write(values: NDArray[np.generic], path: Path) -> NDArray[np.generic]:
    """Of a dtype that all formats have, little endian."""
    if values.dtype.kind not in "buif" or values.dtype.itemsize > 8 or values.size == 0:
        raise InputError(
            f"{path}: an array of shape {values.shape}, dtype {values.dtype} is no volume",
            "at least one voxel of bool, integers or floating point",
        )
    if values.dtype in (np.bool_, np.float16):
        values = values.astype(np.uint8 if values.dtype == np.bool_ else np.float32)
    return values.astype(values.dtype.newbyteorder("<"), copy=False)


def _kind_to_write(path: Path) -> VolumeKind:
    for kind in VolumeKind:
        if path.name.lower().endswith(kind.value) and path.name.lower() != kind.value:
            return kind
    raise InputError(f"{path}: is no name for a volume", f"one of {', '.join(VOLUME_SUFFIXES)}")


def _check_grid(one: Grid, other: Grid, name: str, other_name: str) -> None:
    difference = grid_difference(one, other)
    if difference:
        raise GeometryError(
            f"{other_name}: {difference} than {name}",
            "volumes of one grid",
            "resample one to the other",
        )


def grid_difference(one: Grid, other: Grid) -> str:
    """In which respect two 3-D grids differ, in words; empty where they are the same.

    Positions may differ by `SAME`, as they do where two programs wrote one grid with other digits.
    """
    if one.shape != other.shape:
        return f"has another shape {other.shape}"
    if (one.spacing_mm is None) != (other.spacing_mm is None):
        return f"has another spacing {other.spacing_mm} mm"
    # The first voxel and the last one along each axis: where these agree, all do.
    corners = np.vstack([np.zeros(3), np.diag(np.array(one.shape) - 1)])
    away = positions_mm(one, corners) - positions_mm(other, corners)
    sides = (away[:, ::-1] @ _direction(one)) / np.array(one.steps)
    same = float(np.abs(sides).max()) <= SAME
    return "" if same else f"lies up to {np.abs(away).max():.3g} mm elsewhere"


def positions_mm(grid: Grid, indices: NDArray[np.generic]) -> NDArray[np.float64]:
    """Where voxels lie in the patient's coordinate system.

    Args:
        grid: 3-D; an unknown spacing counts as 1 mm, an unknown origin as 0.
        indices: (n, 3) in array order; fractions lie between voxel centres.

    Returns:
        (n, 3) float64, (x, y, z) in millimetres of DICOM's patient coordinate system (LPS).
    """
    steps = np.asarray(indices, np.float64) * np.asarray(grid.steps)
    placed = steps @ _direction(grid).T + np.asarray(grid.origin_mm or (0.0,) * 3)
    return np.asarray(placed[:, ::-1])


def _direction(grid: Grid) -> NDArray[np.float64]:
    """(3, 3), in array order."""
    return np.eye(3) if grid.direction is None else np.reshape(grid.direction, (3, 3))
