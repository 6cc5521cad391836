"""What the header of a volume file says, in whatever format.

Each format has a file that reads its header: `volume_nifti`, `volume_nrrd` and `volume_meta`. All
give a `VolumeHeader`, by which `breastseg.io.volume_data` reads the voxels. Nothing here or there
follows a header to another file, and no library in another language sees the input: what is damaged
ends in an exception, never with the process.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import InputError, UnreadableError, UnsupportedError
from breastseg.core.grid import Grid, NiftiPlace
from breastseg.io.blame import blamed
from breastseg.io.source import brief

HEAD_BYTES = 1024
"""How much of a file's start `volume_kind` needs."""

HEADER_LIMIT = 2**20
"""The longest text header."""

MOST_SKEWED = math.radians(1)
"""Axes that are no further off the right angle are taken for perpendicular."""

NIFTI_BYTES = 540
_ROUNDING = 1e-6  # of cosines that a file keeps in single precision
_TOLD = math.radians(0.01)
_SPATIAL = 3


class VolumeKind(Enum):
    """A format of volume files; the value is the suffix that its files bear."""

    NIFTI = ".nii"
    NIFTI_GZIP = ".nii.gz"
    NRRD = ".nrrd"
    META = ".mha"


class Encoding(Enum):
    """How the voxels are stored."""

    RAW = "raw"
    GZIP = "gzip"
    GZIP_FILE = "gzip, header and all"
    ZLIB = "zlib"
    BZIP2 = "bzip2"
    TEXT = "text"
    HEX = "hex"


@dataclass(frozen=True)
class VolumeHeader:
    """What is needed to read the voxels of a file, and to place them.

    Attributes:
        shape: of the stored array, its slowest axis first: three axes of voxels, and perhaps one of
            channels.
        channel_axis: which of them holds the channels, None where there is one channel.
        dtype: of a stored value, with its byte order.
        grid: of the voxels.
        offset: where the data start, in bytes; of a `GZIP_FILE` after decompression.
        encoding: of the data.
        stored_bytes: the length of compressed data, where it is stated.
        slope: by which a stored value is multiplied.
        intercept: what is then added.
        remarks: what must be known before a result is trusted.
    """

    shape: tuple[int, ...]
    channel_axis: int | None
    dtype: np.dtype[np.generic]
    grid: Grid
    offset: int = 0
    encoding: Encoding = Encoding.RAW
    stored_bytes: int | None = None
    slope: float = 1.0
    intercept: float = 0.0
    remarks: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """How many values a voxel has."""
        return 1 if self.channel_axis is None else self.shape[self.channel_axis]

    @property
    def data_bytes(self) -> int:
        """How many bytes the stored values take."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def rescaled(self) -> bool:
        """Whether stored values are not yet what they mean."""
        return (self.slope, self.intercept) != (1, 0)

    @property
    def result(self) -> np.dtype[np.generic]:
        """Of the values that are read, in the machine's byte order."""
        native = self.dtype.newbyteorder("=")
        return np.result_type(native, np.float32) if self.rescaled else native

    @property
    def in_words(self) -> str:
        """Such as ``"512 x 512 x 60 voxels of int16"``."""
        sides = " x ".join(map(str, self.grid.shape[::-1]))
        several = f" in {self.channels} channels" if self.channels > 1 else ""
        return f"{sides} voxels of {self.dtype.name}{several}"


def volume_kind(head: bytes) -> VolumeKind | None:
    """Tell a volume file by its first `HEAD_BYTES`; None where it is no volume in one file."""
    if head.startswith(b"\x1f\x8b"):
        try:
            inner = zlib.decompressobj(wbits=31).decompress(head, NIFTI_BYTES)
        except zlib.error:
            return None
        return VolumeKind.NIFTI_GZIP if _is_nifti(inner) else None
    if _is_nifti(head):
        return VolumeKind.NIFTI
    if head.startswith(b"NRRD000"):
        return VolumeKind.NRRD
    first = head.split(b"\n", 1)[0].replace(b" ", b"").rstrip(b"\r")
    if first in (b"ObjectType=Image", b"ObjectType=image") or first.startswith(b"NDims="):
        return VolumeKind.META
    return None


def _is_nifti(head: bytes) -> bool:
    return head[344:348] == b"n+1\0" or head[4:8] == b"n+2\0"


def place_axes(
    shape: Sequence[int],
    axes: NDArray[np.float64],
    origin: Sequence[float] | NDArray[np.float64],
    name: str,
    nifti: NiftiPlace | None = None,
) -> tuple[Grid, tuple[str, ...]]:
    """The grid of a file that states how far a voxel is from the next along each axis.

    Args:
        shape: (slices, rows, columns).
        axes: (3, 3) float64; each column is one step along the file's first, second and third axis,
            (x, y, z) in LPS, millimetres.
        origin: (x, y, z) of the first voxel's centre.
        name: what messages call the file.
        nifti: what the grid keeps of its file.

    Returns:
        The grid, its axes made perpendicular (the nearest rotation), and remarks.

    Raises:
        UnreadableError: steps that make no grid.
        UnsupportedError: axes that are further from the right angle than `MOST_SKEWED`.
    """
    lengths = np.linalg.norm(axes, axis=0)
    if not (np.isfinite(axes).all() and np.isfinite(list(origin)).all() and (lengths > 0).all()):
        raise UnreadableError(
            f"{name}: states the steps {axes.T.tolist()} mm from the origin {list(origin)}",
            "finite positions and steps above 0 along each axis",
            "convert it again from the DICOM series",
        )
    square = axes / lengths
    skew = skewness(axes)
    if skew > MOST_SKEWED:
        raise UnsupportedError(
            f"{name}: has axes {math.degrees(skew):.2g} degrees off the right angle",
            f"at most {math.degrees(MOST_SKEWED):g}",
            "resample it to a grid with perpendicular axes",
        )
    remarks: tuple[str, ...] = ()
    if skew > _ROUNDING:
        left, _, right = np.linalg.svd(square)
        square = left @ right
        if skew > _TOLD:
            remarks = (
                f"the axes of the file are {math.degrees(skew):.2g} degrees off the right angle, "
                "and were taken for perpendicular",
            )
    grid = Grid(
        tuple(shape),
        tuple(lengths[::-1].tolist()),
        tuple(float(at) for at in origin)[::-1],
        tuple(square[::-1, ::-1].ravel().tolist()),
        nifti,
    )
    return grid, remarks


def skewness(axes: NDArray[np.float64]) -> float:
    """How far the columns of (3, 3) are off the right angle, in radians; the largest of the three.

    A column without length counts as wholly off.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        square = axes / np.linalg.norm(axes, axis=0)
    cosines = np.abs(square.T @ square - np.eye(_SPATIAL))
    return float(np.arcsin(min(1.0, cosines.max()))) if np.isfinite(cosines).all() else math.pi / 2


_MM = {
    **dict.fromkeys(("mm", "millimeter", "millimetre", "millimeters"), 1.0),
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer"), 1e-3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 10.0),
    **dict.fromkeys(("m", "meter", "metre", "meters"), 1e3),
}
_PLAUSIBLE_MM = (0.01, 100.0)


def millimetres(unit: str, steps: Sequence[float], name: str) -> float:
    """How many millimetres the unit of a file has.

    Args:
        unit: as the file names it; empty for millimetres.
        steps: the distances of voxels in that unit.
        name: what messages call the file.

    Raises:
        UnsupportedError: an unknown unit, or one in which the distances cannot be meant.
    """
    factor = _MM.get(unit.strip().strip('"').lower(), 0.0) if unit else 1.0
    low, high = _PLAUSIBLE_MM
    unlike = [step for step in steps if step and not low <= abs(step) * factor <= high]
    if not factor or any(map(math.isfinite, unlike)):
        raise UnsupportedError(
            f"{name}: states distances of {[float(f'{step:.4g}') for step in steps]} "
            f"{unit or 'mm'!r}",
            f"mm, um, cm or m, and {low:g} to {high:g} mm from voxel to voxel",
            "correct the unit in its header, or convert it again from the DICOM series",
        )
    return factor


def check_axes(sizes: Sequence[int], name: str) -> None:
    """Refuse sizes of axes that make no volume.

    Args:
        sizes: of the axes, the fastest first; an axis of channels beside the three counts too.
        name: what messages call the file.

    Raises:
        UnreadableError: a size below 1.
        UnsupportedError: another number of axes than 3, or 4.
    """
    if any(size < 1 for size in sizes):
        raise UnreadableError(f"{name}: declares {tuple(sizes)} voxels", "at least 1 along an axis")
    if len(sizes) not in (_SPATIAL, _SPATIAL + 1):
        raise UnsupportedError(
            f"{name}: has {len(sizes)} axes of {tuple(sizes)} voxels",
            "3 axes, or a fourth one for the phases",
            "export each volume as a file",
        )


def text_fields(lines: Sequence[bytes], sign: bytes) -> Mapping[str, str]:
    """Keys as they are written, and their values; the first of equal keys counts."""
    found: dict[str, str] = {}
    for line in lines:
        if sign in line and not line.startswith(b"#"):
            key, value = line.split(sign, 1)
            found.setdefault(key.decode("latin-1").strip(), value.decode("latin-1").strip())
    return found


def numbers(text: str, name: str, what: str, count: int | None = None) -> tuple[float, ...]:
    """The numbers in a field.

    Raises:
        UnreadableError: it holds something else, or another count.
    """
    try:
        found = tuple(float(part) for part in text.split())
    except ValueError:
        found = ()
    if not found or (count is not None and len(found) != count):
        raise UnreadableError(
            f"{name}: states {what} as {brief(text)!r}",
            f"{count if count else 'one or more'} numbers",
            "export the file again",
        )
    return found


def whole_numbers(text: str, name: str, what: str, count: int | None = None) -> tuple[int, ...]:
    """The whole numbers in a field; raises as `numbers`."""
    found = numbers(text, name, what, count)
    if not all(math.isfinite(value) and value == int(value) for value in found):
        raise UnreadableError(f"{name}: states {what} as {brief(text)!r}", "whole numbers")
    return tuple(int(value) for value in found)


def detached(name: str, where: str) -> UnsupportedError:
    """The refusal of a header whose data lie elsewhere."""
    return UnsupportedError(
        f"{name}: is a header whose data lie in another file ({brief(where)})",
        "a volume in one file",
        "export it as .nii.gz, .nrrd or .mha",
    )


def damaged(name: str, error: Exception | str) -> InputError:
    """The refusal of a file that contradicts itself or ends too early."""
    damage = UnreadableError(
        f"{name}: is damaged or incomplete ({brief(error, 200) or type(error).__name__})",
        "a whole NIfTI, NRRD or MetaImage file",
        "copy or export the file again",
    )
    return blamed(error, name, damage)
