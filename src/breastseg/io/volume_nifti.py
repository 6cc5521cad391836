"""The header of NIfTI-1 and NIfTI-2 files (https://nifti.nimh.nih.gov), by nibabel.

A file states where its voxels lie twice, in its sform and its qform, each with a code that says
whether it is meant. Here the sform counts where it is meant and its axes are perpendicular, then
the qform, then the order of the axes alone; where the two disagree a remark says so. Whatever is
chosen, what is written on the grid repeats both statements as they were.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import BreastsegError, UnreadableError, UnsupportedError
from breastseg.core.grid import Grid, NiftiPlace
from breastseg.io.volume_header import (
    MOST_SKEWED,
    Encoding,
    VolumeHeader,
    check_axes,
    damaged,
    millimetres,
    place_axes,
    skewness,
)

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

_LPS = np.diag([-1.0, -1.0, 1.0])  # NIfTI's axes run to the right, the front and the head
_UNITS = {0: "", 1: "m", 2: "mm", 3: "um"}
_SPACE = 7  # the bits of xyzt_units that mean space
_PLACE = (
    *("qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d"),
    *("qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z", "pixdim", "xyzt_units"),
)
_ROUNDED = 0.01  # of steps, which some programs write with few digits
_AGREE = 0.1  # of a voxel's side
_SHORT = 2**15 - 1  # the longest axis of NIfTI-1


def nifti_header(head: bytes, compressed: bool, name: str) -> VolumeHeader:
    """Read the header.

    Args:
        head: the first `breastseg.io.volume_header.NIFTI_BYTES`, decompressed.
        compressed: the file is gzip.
        name: what messages call the file.

    Raises:
        UnreadableError: it is damaged.
        UnsupportedError: another number of axes, values that are no real numbers, or axes that are
            not perpendicular.
    """
    header = _parsed(head, name)
    sizes, dtype, parts = _array(header, name)
    grid, remarks = _grid(header, sizes[2::-1], name)
    slope, intercept = (float(header[field]) for field in ("scl_slope", "scl_inter"))
    if not (math.isfinite(slope) and math.isfinite(intercept) and slope):
        slope, intercept = 1.0, 0.0  # which is how the format says that there is none
    least = header.sizeof_hdr + 4
    offset = float(header["vox_offset"]) or least  # some programs leave it at 0, and mean this
    if not least <= offset < 2**31:
        raise damaged(name, f"data from byte {offset:g}")
    shape = (*sizes[::-1], parts) if parts > 1 else sizes[::-1]
    several = parts > 1 or len(sizes) > 3
    return VolumeHeader(
        shape,
        (len(shape) - 1 if parts > 1 else 0) if several else None,
        dtype,
        grid,
        int(offset),
        Encoding.GZIP_FILE if compressed else Encoding.RAW,
        None,
        slope,
        intercept,
        remarks,
    )


def write_nifti_header(grid: Grid, channels: int, dtype: np.dtype[np.generic]) -> bytes:
    """What comes before the voxels of a file on a grid.

    Args:
        grid: with a spacing. Where it was read from a NIfTI file, sform, qform, their codes and the
            unit are repeated; else both say the same.
        channels: the length of a fourth axis; 1 for none.
        dtype: of the values, little endian.
    """
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    sizes = (*grid.shape[::-1], channels) if channels > 1 else grid.shape[::-1]
    kind = Nifti1Header if max(sizes) <= _SHORT else Nifti2Header
    header: Nifti1Header = kind(endianness="<")  # type: ignore[no-untyped-call]
    header.set_data_dtype(dtype)
    header.set_data_shape(sizes)
    header["magic"] = b"n+1\0" if kind is Nifti1Header else b"n+2\0\r\n\032\n"
    header["vox_offset"] = header.sizeof_hdr + 4
    if not _repeated(header, grid):
        affine = np.eye(4)
        square = np.reshape(grid.direction or np.eye(3).ravel(), (3, 3))
        affine[:3, :3] = _LPS @ (square * np.array(grid.steps))[::-1, ::-1]
        affine[:3, 3] = _LPS @ (grid.origin_mm or (0.0,) * 3)[::-1]
        header.set_sform(affine, "scanner")
        header.set_qform(affine, "scanner")
        header.set_xyzt_units("mm")
    out = io.BytesIO()
    header.write_to(out)
    return out.getvalue()  # with the four bytes that say that nothing follows the header


def _repeated(header: Nifti1Header, grid: Grid) -> bool:
    """Put what the grid's own file states into a header, if that still is where the grid lies."""
    if grid.nifti is None:
        return False
    plain = header.copy()
    try:
        with np.errstate(all="ignore"):
            for field, values in grid.nifti.fields:
                plain[field] = values if len(values) > 1 else values[0]
            plain["pixdim"][4:] = 1
            stated, _ = _grid(plain, grid.shape, "")
    except (BreastsegError, OverflowError):  # NIfTI-2 has wider numbers
        return False
    pairs = zip(
        (stated.steps, stated.origin_mm or (0.0,) * 3, stated.direction or ()),
        (grid.steps, grid.origin_mm or (0.0,) * 3, grid.direction or ()),
        strict=True,
    )
    if not all(np.allclose(one, other, rtol=1e-5, atol=1e-4) for one, other in pairs):
        return False
    for field in _PLACE:
        header[field] = plain[field]
    return True


def _parsed(head: bytes, name: str) -> Nifti1Header:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    kind = Nifti2Header if head[4:8] == b"n+2\0" else Nifti1Header
    size = kind.sizeof_hdr
    order = next((o for o in "<>" if head[:4] == np.array(size, f"{o}i4").tobytes()), None)
    if order is None or len(head) < size:
        raise UnreadableError(f"{name}: has a damaged NIfTI header", "a whole NIfTI file")
    header: Nifti1Header = kind(head[:size], order, check=False)  # type: ignore[no-untyped-call]
    return header


def _array(header: Nifti1Header, name: str) -> tuple[tuple[int, ...], np.dtype[np.generic], int]:
    """Sizes of the axes, the fastest first; the dtype of a value; how many a voxel has."""
    count = int(header["dim"][0])
    if not 1 <= count <= 7:
        raise damaged(name, f"it declares {count} axes")
    sizes = [int(size) for size in header["dim"][1 : count + 1]]
    # an axis of one sample says nothing, where there are more than three
    sizes = sizes[:3] + [size for size in sizes[3:] if size != 1]
    check_axes(sizes, name)
    try:
        dtype = header.get_data_dtype()
    except (KeyError, ValueError) as error:
        raise damaged(name, f"values of type {int(header['datatype'])}") from error
    parts = 1
    if dtype.fields:  # red, green and blue
        parts, dtype = len(dtype.fields), np.dtype(np.uint8)
    if dtype.kind not in "uif" or dtype.itemsize > 8 or (parts > 1 and len(sizes) > 3):
        raise UnsupportedError(
            f"{name}: has {'complex' if dtype.kind == 'c' else dtype.name} values",
            "whole numbers or floating point of at most 64 bits",
            "export the magnitude",
        )
    if int(header["bitpix"]) != 8 * dtype.itemsize * parts:
        raise damaged(name, f"{dtype.name} values of {int(header['bitpix'])} bits")
    return tuple(sizes), dtype, parts


def _grid(header: Nifti1Header, shape: tuple[int, ...], name: str) -> tuple[Grid, tuple[str, ...]]:
    """Where the voxels lie, and what must be said of it."""
    place = NiftiPlace(
        tuple(
            (field, tuple(float(value) for value in np.atleast_1d(header[field])))
            for field in _PLACE
        )
    )
    # a step of 0 says nothing; nibabel takes it for 1
    steps = [float(step) for step in header["pixdim"][1:4]]
    stated = all(math.isfinite(step) and step != 0 for step in steps)
    sform, qform = _sform(header), _qform(header) if stated else None
    chosen, remarks = _choice(sform, qform, shape)
    if chosen is qform and qform is not None and min(steps) < 0:
        remarks += (
            "the file states a step below 0, which programs read differently: its sign "
            "is not counted here; compare the place of the mask with your viewer",
        )
    if chosen is None:
        if not stated:
            return Grid(shape, nifti=place), ()
        chosen = np.diag([-1.0, 1.0, 1.0, 1.0]) @ np.diag([*np.abs(steps), 1.0])
        chosen[:3, 3] = -chosen[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
        remarks = ("the file states no orientation: its columns are taken to run to the left",)
    axes = chosen[:3, :3]
    lengths = np.linalg.norm(axes, axis=0)
    if stated and qform is None and not np.allclose(lengths, np.abs(steps), rtol=_ROUNDED):
        remarks += (
            f"the sform of the file states steps of {_sizes(lengths)} and its pixdim of "
            f"{_sizes(np.abs(steps))}: the sform counts, and some viewers take the other",
        )
    unit = _UNITS.get(int(header["xyzt_units"]) & _SPACE, "")
    factor = millimetres(unit, lengths.tolist(), name)
    grid, more = place_axes(shape, _LPS @ axes * factor, _LPS @ chosen[:3, 3] * factor, name, place)
    return grid, (*remarks, *more)


def _sizes(steps: NDArray[np.floating]) -> str:
    return " x ".join(f"{step:.4g}" for step in steps)


def _sform(header: Nifti1Header) -> NDArray[np.float64] | None:
    """(4, 4), where it is meant and makes sense."""
    affine = np.eye(4)
    affine[:3] = [header[f"srow_{axis}"] for axis in "xyz"]
    usable = bool(np.isfinite(affine).all()) and abs(np.linalg.det(affine[:3, :3])) > 0
    return affine if int(header["sform_code"]) > 0 and usable else None


def _qform(header: Nifti1Header) -> NDArray[np.float64] | None:
    from nibabel.spatialimages import HeaderDataError

    if int(header["qform_code"]) <= 0:
        return None
    whole = header.copy()
    whole["pixdim"][1:4] = np.abs(header["pixdim"][1:4])
    if header["pixdim"][0] != -1:  # the standard takes a 0 there for a 1
        whole["pixdim"][0] = 1
    try:
        affine = np.asarray(whole.get_qform(), np.float64)
    except (HeaderDataError, ValueError, ArithmeticError):  # a quaternion longer than 1
        return None
    return affine if np.isfinite(affine).all() else None


def _choice(
    sform: NDArray[np.float64] | None, qform: NDArray[np.float64] | None, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64] | None, tuple[str, ...]]:
    """Which of the two counts, and what must be said of it."""
    if sform is None or qform is None:
        return (qform if sform is None else sform), ()
    if skewness(sform[:3, :3]) > MOST_SKEWED:
        return qform, ("the sform of the file has skewed axes: its qform counts",)
    corners = np.array([[0, 0, 0, 1], *(np.append(row, 1) for row in np.diag(shape[::-1]))])
    apart = np.abs((corners @ (sform - qform).T)[:, :3]).max()
    if apart <= _AGREE * np.linalg.norm(sform[:3, :3], axis=0).min():
        return sform, ()
    return sform, (
        f"sform and qform of the file differ by up to {apart:.3g} of its unit of length: "
        "the sform counts here, and what is written repeats both",
    )
