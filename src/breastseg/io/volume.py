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

import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError, UnreadableError, UnsupportedError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.io.source import brief, name_of, opened, quiet
from breastseg.io.volume_header import (
    HEAD_BYTES,
    VolumeHeader,
    VolumeKind,
    check_header,
    check_whole,
    volume_kind,
)
from breastseg.io.write import replacing

if TYPE_CHECKING:
    import SimpleITK

T = TypeVar("T")

MAX_VOXELS = 2**29
"""The largest volume that is decoded, phases and all: twice the largest breast examination.

A header that declares more is refused before anything is decoded.
"""

VOLUME_SUFFIXES = tuple(kind.value for kind in VolumeKind)
"""What the files that `write_volume` writes are called."""

_READERS = {
    VolumeKind.NIFTI: "NiftiImageIO",
    VolumeKind.NIFTI_GZIP: "NiftiImageIO",
    VolumeKind.NRRD: "NrrdImageIO",
    VolumeKind.META: "MetaImageIO",
}
_SAME_MM = 1e-3


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
        UnsupportedError: data in another file, another number of axes, complex numbers, or more
            than `MAX_VOXELS`.
    """
    with _open_volume(path, source) as (reader, header, name):
        return _image(_run(reader.Execute, name), header, name)


def read_volume_grid(path: Path) -> tuple[Grid, int]:
    """Where the voxels of a volume file lie, and its number of channels, without reading them.

    Raises:
        UnreadableError: as for `read_volume`.
        UnsupportedError: as for `read_volume`.
    """
    with _open_volume(path, "", whole=False) as (reader, header, _):
        size = reader.GetSize()
        channels = size[3] if len(size) == 4 else reader.GetNumberOfComponents()
        place = reader.GetSpacing(), reader.GetOrigin(), reader.GetDirection()
        return _grid(size[2::-1], header, *place), channels


@contextmanager
def _open_volume(
    path: Path | BinaryIO, source: str, whole: bool = True
) -> Iterator[tuple[SimpleITK.ImageFileReader, VolumeHeader, str]]:
    """A reader that has read the header, what else that says, and what messages call the file."""
    name = name_of(path, source)
    with opened(path, source) as stream:
        kind = volume_kind(stream.read(HEAD_BYTES))
        if kind is None:
            raise UnreadableError(
                f"{name}: is not a volume that can be read",
                "NIfTI, NRRD or MetaImage, in one file",
                "export it in one of these formats",
            )
        stream.seek(0)
        header = check_header(stream, kind, name)
        stream.seek(0)
        with _named(stream, path, kind) as place:
            reader = _reader(place, kind, name)
            if whole:
                stream.seek(0)
                check_whole(stream, kind, header, _data_bytes(reader), name)
            yield reader, header, name


def read_volumes(paths: Sequence[Path]) -> Image:
    """Read several volumes of one grid, as the phases of an examination, into one image.

    Args:
        paths: at least one file; their order is that of the channels.

    Returns:
        As for `read_volume`, with the channels of all files one after the other; the dtype holds
        the values of all.

    Raises:
        InputError: no path, or as for `read_volume`.
        GeometryError: two files differ in shape, or in position by more than a micrometre.
    """
    return stack_phases([read_volume(path) for path in paths])


def stack_phases(images: Sequence[Image]) -> Image:
    """Join volumes of one grid, as the phases of an examination, to one image.

    Args:
        images: at least one; their order is that of the channels.

    Returns:
        The channels of all, one after the other, on the grid of the first; the dtype holds the
        values of all.

    Raises:
        InputError: no image.
        GeometryError: two differ in shape, or in position by more than a micrometre.
    """
    if not images:
        raise InputError("no volumes", "at least one file")
    first = images[0]
    for image in images[1:]:
        difference = grid_difference(first.grid, image.grid)
        if difference:
            raise GeometryError(
                f"{image.source}: {difference} than {first.source}",
                "volumes of one grid",
                "resample one to the other",
            )
    array = np.concatenate([image.array for image in images])
    return Image(array, first.grid, first.modality, first.source)


def write_volume(values: NDArray[np.generic], grid: Grid, path: Path) -> None:
    """Write a mask, a probability or an image, whole or not at all.

    Args:
        values: ``grid.shape`` or (channels, *grid.shape); bool is written as 0 and 1 in uint8.
        grid: 3-D, with a spacing; see this module's docstring on its orientation.
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
            "state the spacing, or write the slices as pictures",
        )
    image = _itk_image(values if whole else np.moveaxis(values, 0, -1), not whole, path)
    _set_geometry(image, grid, path)
    itk = _simpleitk()
    with replacing(path) as temporary:
        # SimpleITK and the NIfTI library insist on the whole suffix, and on one alone.
        named = temporary.with_name(f"{temporary.stem}-whole{kind.value}")
        writer = itk.ImageFileWriter()
        writer.SetImageIO(_READERS[kind])
        writer.SetFileName(str(named))
        writer.SetUseCompression(kind is not VolumeKind.NIFTI)
        try:
            writer.Execute(image)
            named.replace(temporary)
        except RuntimeError as error:
            raise InputError(
                f"{path}: cannot be written ({_reason(error)})",
                remedy="choose a folder that exists, has room and may be written to",
            ) from error
        finally:
            named.unlink(missing_ok=True)


@contextmanager
def _named(stream: BinaryIO, path: Path | BinaryIO, kind: VolumeKind) -> Iterator[Path]:
    """The file under a name that its reader accepts: its own, or that of a link or a copy."""
    if isinstance(path, Path) and path.name.lower().endswith(kind.value):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="breastseg-") as folder:
        place = Path(folder) / f"volume{kind.value}"
        try:
            if not isinstance(path, Path):
                raise OSError("a stream has no name to link to")
            place.symlink_to(path.resolve())
        except OSError:
            with place.open("wb") as copy:
                shutil.copyfileobj(stream, copy)
        yield place


def _reader(place: Path, kind: VolumeKind, name: str) -> SimpleITK.ImageFileReader:
    """A reader that has read the header and found nothing against it."""
    itk = _simpleitk()
    reader: SimpleITK.ImageFileReader = itk.ImageFileReader()
    reader.SetImageIO(_READERS[kind])
    reader.SetFileName(os.fspath(place))
    _run(reader.ReadImageInformation, name)
    size, parts = reader.GetSize(), reader.GetNumberOfComponents()
    if len(size) not in (3, 4) or (len(size) == 4 and parts > 1):
        raise UnsupportedError(
            f"{name}: has {len(size)} axes of {size} voxels with {parts} values each",
            "3 axes, or a fourth one for the phases",
            "export each volume as a file",
        )
    voxels = math.prod(size) * parts
    if voxels > MAX_VOXELS:
        raise UnsupportedError(
            f"{name}: declares {' x '.join(map(str, size))} voxels of {parts} values = {voxels}",
            f"at most {MAX_VOXELS}",
            "crop it or export it at a lower resolution",
        )
    if reader.GetPixelID() in (itk.sitkComplexFloat32, itk.sitkComplexFloat64):
        raise UnsupportedError(f"{name}: has complex values", remedy="export the magnitude")
    return reader


def _data_bytes(reader: SimpleITK.ImageFileReader) -> int:
    """How many bytes the voxels take in memory."""
    parts = reader.GetNumberOfComponents()
    kind = _simpleitk().Image([1, 1, 1], reader.GetPixelID(), parts)
    return int(math.prod(reader.GetSize()) * parts * kind.GetSizeOfPixelComponent())


def _image(read: SimpleITK.Image, header: VolumeHeader, name: str) -> Image:
    """Channels first, on a grid in array order."""
    array = _simpleitk().GetArrayFromImage(read)
    if read.GetNumberOfComponentsPerPixel() > 1:
        array = np.ascontiguousarray(np.moveaxis(array, -1, 0))
    elif read.GetDimension() == 3:
        array = array[None]
    place = read.GetSpacing(), read.GetOrigin(), read.GetDirection()
    return Image(array, _grid(array.shape[1:], header, *place), source=name)


def _grid(
    shape: tuple[int, ...],
    header: VolumeHeader,
    spacing: tuple[float, ...],
    origin: tuple[float, ...],
    direction: tuple[float, ...],
) -> Grid:
    """From (x, y, z) and whatever follows them to array order."""
    square = np.reshape(direction, (len(spacing), len(spacing)))[:3, :3]
    return Grid(
        tuple(shape),
        tuple(spacing[2::-1]) if header.has_spacing else None,
        tuple(origin[2::-1]),
        tuple(square[::-1, ::-1].ravel().tolist()),
    )


def _itk_image(values: NDArray[np.generic], channels: bool, path: Path) -> SimpleITK.Image:
    """SimpleITK's own image of (slices, rows, columns) or (slices, rows, columns, channels)."""
    if values.dtype.kind not in "buif" or values.dtype.itemsize > 8 or values.size == 0:
        raise InputError(
            f"{path}: an array of shape {values.shape}, dtype {values.dtype} is no volume",
            "at least one voxel of bool, integers or floating point",
        )
    if values.dtype in (np.bool_, np.float16):
        values = values.astype(np.uint8 if values.dtype == np.bool_ else np.float32)
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    image: SimpleITK.Image = _simpleitk().GetImageFromArray(native, isVector=channels)
    return image


def _set_geometry(image: SimpleITK.Image, grid: Grid, path: Path) -> None:
    square = _direction(grid)[::-1, ::-1]
    if not np.allclose(square @ square.T, np.eye(3), atol=1e-4):
        raise GeometryError(
            f"{path}: a grid with the direction {grid.direction}",
            "perpendicular axes of unit length",
            "resample to such a grid",
        )
    image.SetSpacing([float(step) for step in (grid.spacing_mm or (1.0,) * 3)[::-1]])
    image.SetOrigin([float(at) for at in (grid.origin_mm or (0.0,) * 3)[::-1]])
    image.SetDirection(square.ravel().tolist())


def _kind_to_write(path: Path) -> VolumeKind:
    for kind in VolumeKind:
        if path.name.lower().endswith(kind.value) and path.name.lower() != kind.value:
            return kind
    raise InputError(f"{path}: is no name for a volume", f"one of {', '.join(VOLUME_SUFFIXES)}")


def grid_difference(one: Grid, other: Grid) -> str:
    """In which respect two 3-D grids differ, in words; empty where they are the same.

    Positions may differ by a micrometre, as they do where two programs wrote one grid.
    """
    if one.shape != other.shape:
        return f"has another shape {other.shape}"
    if (one.spacing_mm is None) != (other.spacing_mm is None):
        return f"has another spacing {other.spacing_mm} mm"
    # The first voxel and the last one along each axis: where these agree, all do.
    corners = np.vstack([np.zeros(3), np.diag(np.array(one.shape) - 1)])
    away = np.abs(positions_mm(one, corners) - positions_mm(other, corners)).max()
    return f"lies up to {away:.3g} mm elsewhere" if away > _SAME_MM else ""


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


def _simpleitk() -> ModuleType:
    """The library. It takes a second to import, so it waits until it is needed."""
    with quiet():
        import SimpleITK

    # Its warnings go to standard error; what matters of them is checked in volume_header.
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    return SimpleITK


def _run(step: Callable[[], T], name: str) -> T:
    """The one place where SimpleITK's exceptions become ours."""
    try:
        return step()
    except (RuntimeError, MemoryError) as error:
        raise UnreadableError(
            f"{name}: is damaged or incomplete ({_reason(error)})",
            "a whole NIfTI, NRRD or MetaImage file",
            "copy or export the file again",
        ) from error


def _reason(error: Exception) -> str:
    """What SimpleITK says last, without its own file names."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return brief(lines[-1] if lines else type(error).__name__, 200)
