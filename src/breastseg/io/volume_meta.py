"""The header of MetaImage files (https://itk.org/Wiki/ITK/MetaIO/Documentation)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.core.grid import Grid
from breastseg.io.source import brief
from breastseg.io.volume_header import (
    Encoding,
    VolumeHeader,
    check_axes,
    detached,
    millimetres,
    numbers,
    place_axes,
    text_fields,
    whole_numbers,
)

_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_NAMES = {code: name for name, code in _TYPES.items() if name not in ("MET_LONG", "MET_ULONG")}
_LAST = "ElementDataFile"
_ORIGIN = ("Offset", "Position", "Origin")
_MATRIX = ("TransformMatrix", "Rotation", "Orientation")
_UNIT = 1e-2
_SIDES = str.maketrans("LPS", "RAI")
SIZE_DIGITS = 20
"""How the length of the compressed data is written: known only once they are."""


def meta_header(text: bytes, name: str) -> VolumeHeader:
    """Read the fields up to ``ElementDataFile``, which comes last.

    Args:
        text: the file's start.
        name: what messages call the file.

    Raises:
        UnreadableError: the header is damaged.
        UnsupportedError: the data lie in another file, or are of a kind that is not read.
    """
    lines, offset, ended = [], 0, False
    while not ended and (end := text.find(b"\n", offset)) >= 0:
        lines.append(text[offset:end])
        ended = lines[-1].split(b"=", 1)[0].strip() == _LAST.encode()
        offset = end + 1
    fields = text_fields(lines, b"=")
    where = fields.get(_LAST, "LOCAL")
    if where.lower() != "local":
        raise detached(name, where)
    wanted = ("NDims", "DimSize", "ElementType", _LAST)
    missing = [key for key in wanted if key not in fields]
    if missing or not ended:
        raise UnreadableError(
            f"{name}: has a damaged MetaImage header (no {', no '.join(missing) or 'end'})",
            "a whole .mha file",
        )
    (count,) = whole_numbers(fields["NDims"], name, "NDims", 1)
    sizes = whole_numbers(fields["DimSize"], name, "DimSize", max(count, 1))
    check_axes(sizes, name)
    (parts,) = whole_numbers(fields.get("ElementNumberOfChannels", "1"), name, "the channels", 1)
    if parts < 1 or (parts > 1 and len(sizes) > 3):
        raise UnsupportedError(
            f"{name}: has {len(sizes)} axes with {parts} values a voxel",
            "3 axes, or a fourth one for the phases",
            "export each volume as a file",
        )
    shape = (*sizes[::-1], parts) if parts > 1 else sizes[::-1]
    grid, remarks = _grid(fields, sizes, name)
    encoding, stored = _encoding(fields, name)
    return VolumeHeader(
        shape,
        len(shape) - 1 if parts > 1 else (0 if len(sizes) > 3 else None),
        _dtype(fields, name),
        grid,
        offset,
        encoding,
        stored,
        remarks=remarks,
    )


def write_meta_header(grid: Grid, channels: int, dtype: np.dtype[np.generic]) -> tuple[bytes, int]:
    """The header of a zlib-compressed file on a grid with a spacing.

    Args:
        grid: where the voxels lie.
        channels: the length of a fourth, slowest axis; 1 for none.
        dtype: of the values, little endian.

    Returns:
        The header, and where in it the `SIZE_DIGITS` digits stand that give the length of the
        compressed data.
    """
    square = np.reshape(grid.direction or np.eye(3).ravel(), (3, 3))[::-1, ::-1]
    sizes, steps = [*grid.shape[::-1]], [*grid.steps[::-1]]
    origin = [*(grid.origin_mm or (0.0,) * 3)[::-1]]
    if channels > 1:
        sizes, steps, origin = [*sizes, channels], [*steps, 1.0], [*origin, 0.0]
        wide = np.eye(4)
        wide[:3, :3] = square
        square = wide
    before = (
        f"ObjectType = Image\nNDims = {len(sizes)}\nBinaryData = True\n"
        "BinaryDataByteOrderMSB = False\nCompressedData = True\nCompressedDataSize = "
    )
    after = (
        f"\nTransformMatrix = {_words(square.T.ravel())}\nOffset = {_words(origin)}\n"
        f"CenterOfRotation = {_words([0.0] * len(sizes))}\nElementSpacing = {_words(steps)}\n"
        f"DimSize = {' '.join(map(str, sizes))}\nElementType = {_NAMES[dtype.str[1:]]}\n"
        f"{_LAST} = LOCAL\n"
    )
    return (before + "0" * SIZE_DIGITS + after).encode(), len(before)


def _words(values: object) -> str:
    return " ".join(repr(float(value)) for value in np.asarray(values))


def _encoding(fields: Mapping[str, str], name: str) -> tuple[Encoding, int | None]:
    if whole_numbers(fields.get("HeaderSize", "0"), name, "HeaderSize", 1) != (0,):
        raise UnsupportedError(
            f"{name}: states where its data begin (HeaderSize)", "data right behind the header"
        )
    if fields.get("BinaryData", "True").lower() == "false":
        return Encoding.TEXT, None
    if fields.get("CompressedData", "").lower() != "true":
        return Encoding.RAW, None
    stored = fields.get("CompressedDataSize", "")
    return Encoding.ZLIB, int(stored) if stored.isdecimal() and len(stored) < 40 else -1


def _dtype(fields: Mapping[str, str], name: str) -> np.dtype[np.generic]:
    code = _TYPES.get(fields["ElementType"].upper().removesuffix("_ARRAY"))
    if code is None:
        raise UnsupportedError(
            f"{name}: has values of type {brief(fields['ElementType'])}",
            "whole numbers or floating point",
            "export it as .mha or .nii.gz",
        )
    order = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False"))
    return np.dtype((">" if order.lower() in ("true", "1") else "<") + code)


def _grid(
    fields: Mapping[str, str], sizes: tuple[int, ...], name: str
) -> tuple[Grid, tuple[str, ...]]:
    count, shape = len(sizes), sizes[2::-1]
    stated = fields.get("ElementSpacing") or fields.get("ElementSize")
    if not stated:
        return Grid(shape), ()
    steps = numbers(stated, name, "ElementSpacing", count)[:3]
    scale = millimetres(fields.get("DistanceUnits", ""), steps, name)
    matrix = next((fields[key] for key in _MATRIX if key in fields), None)
    remarks: tuple[str, ...] = ()
    square = np.eye(3)
    if matrix is None:
        remarks = ("the file states no orientation: its slices are taken to rise to the head",)
    else:
        found = numbers(matrix, name, "TransformMatrix", count * count)
        square = np.reshape(found, (count, count))[:3, :3].T
    place = next((fields[key] for key in _ORIGIN if key in fields), "")
    origin = numbers(place, name, "Offset", count)[:3] if place else (0.0,) * 3
    lengths = np.linalg.norm(square, axis=0)
    if matrix is not None and not np.allclose(lengths, 1, atol=_UNIT):
        raise UnreadableError(
            f"{name}: has a TransformMatrix of rows as long as {_words(lengths)}",
            "rows of length 1: distances stand in ElementSpacing",
            "export it again",
        )
    axes = square / lengths * steps * scale  # a distance below 0 counts the other way
    grid, more = place_axes(shape, axes, [at * scale for at in origin], name)
    return grid, (*remarks, *_letters(fields, axes), *more)


def _letters(fields: Mapping[str, str], axes: NDArray[np.float64]) -> tuple[str, ...]:
    """The remark on letters of orientation that say something else than the axes."""
    said = fields.get("AnatomicalOrientation", "").upper()
    if sorted(said.translate(_SIDES)) != ["A", "I", "R"]:
        return ()
    # each letter is where an axis begins
    meant = "".join(
        ("RAI" if axis[at] > 0 else "LPS")[at] for axis in axes.T for at in [abs(axis).argmax()]
    )
    if said == meant:
        return ()
    return (
        f"the file's AnatomicalOrientation {said} is not that of its axes, {meant}: they count",
    )
