"""The header of NRRD files (https://teem.sourceforge.net/nrrd/format.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.core.grid import Grid
from breastseg.io.source import brief
from breastseg.io.volume_header import (
    Encoding,
    VolumeHeader,
    check_axes,
    damaged,
    detached,
    millimetres,
    numbers,
    place_axes,
    text_fields,
    whole_numbers,
)

_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16"), "i2"),
    "int16_t": "i2",
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long"), "i8"),
    **dict.fromkeys(("signed long long int", "int64", "int64_t"), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int"), "u8"),
    **dict.fromkeys(("uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}
_ENCODINGS = {
    "raw": Encoding.RAW,
    **dict.fromkeys(("gz", "gzip"), Encoding.GZIP),
    **dict.fromkeys(("bz2", "bzip2"), Encoding.BZIP2),
    **dict.fromkeys(("txt", "text", "ascii"), Encoding.TEXT),
    "hex": Encoding.HEX,
}
_SPACES = {
    **dict.fromkeys(("left-posterior-superior", "lps"), (1.0, 1.0, 1.0)),
    **dict.fromkeys(("right-anterior-superior", "ras"), (-1.0, -1.0, 1.0)),
    **dict.fromkeys(("left-anterior-superior", "las"), (1.0, -1.0, 1.0)),
}
"""Signs that bring a space to LPS."""
_NAMES = {
    np.dtype(code).name: name
    for name, code in _TYPES.items()
    if name
    in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float", "double")
}
_DOMAINS = ("domain", "space", "time", "???", "none", "")


def nrrd_header(text: bytes, name: str) -> VolumeHeader:
    """Read the fields up to the blank line before the data.

    Args:
        text: the file's start.
        name: what messages call the file.

    Raises:
        UnreadableError: the header is damaged.
        UnsupportedError: the data lie in another file, or are of a kind that is not read.
    """
    ends = [at + len(gap) for gap in (b"\n\n", b"\r\n\r\n") if (at := text.find(gap)) >= 0]
    if not ends:
        raise UnreadableError(f"{name}: has no end of its NRRD header", "a whole NRRD file")
    offset = min(ends)
    fields = {k.lower(): v for k, v in text_fields(text[:offset].splitlines()[1:], b":").items()}
    if "data file" in fields or "datafile" in fields:
        raise detached(name, fields.get("data file") or fields.get("datafile", ""))
    missing = [key for key in ("type", "dimension", "sizes", "encoding") if key not in fields]
    if missing:
        raise damaged(name, f"no {', no '.join(missing)} in its NRRD header")
    (count,) = whole_numbers(fields["dimension"], name, "the dimension", 1)
    sizes = whole_numbers(fields["sizes"], name, "the sizes", max(count, 1))
    check_axes(sizes, name)
    encoding = _ENCODINGS.get(fields["encoding"].lower())
    if (
        encoding is None
        or any(key in fields for key in ("line skip", "lineskip"))
        or any(fields.get(key, "0") != "0" for key in ("byte skip", "byteskip"))
    ):
        raise UnsupportedError(
            f"{name}: has the encoding {brief(fields['encoding'])}, or skips a part of the data",
            "raw, gzip, bzip2, text or hex, right behind the header",
            "export it as .nrrd or .nii.gz",
        )
    axis = _channel_axis(fields, sizes, name)
    grid, remarks = _grid(fields, sizes, axis, name)
    return VolumeHeader(
        sizes[::-1],
        None if axis is None else len(sizes) - 1 - axis,
        _dtype(fields, encoding, name),
        grid,
        offset,
        encoding,
        remarks=remarks,
    )


def write_nrrd_header(grid: Grid, channels: int, dtype: np.dtype[np.generic]) -> bytes:
    """The header of a gzip-compressed file on a grid with a spacing, its blank line included.

    Args:
        grid: where the voxels lie.
        channels: the length of a fourth, slowest axis; 1 for none.
        dtype: of the values, little endian.
    """
    square = np.reshape(grid.direction or np.eye(3).ravel(), (3, 3)) * np.array(grid.steps)
    vectors = [_vector(step) for step in square[::-1, ::-1].T]
    sizes, kinds = [*grid.shape[::-1]], ["domain"] * 3
    if channels > 1:
        sizes, kinds, vectors = [*sizes, channels], [*kinds, "list"], [*vectors, "none"]
    lines = (
        "NRRD0004",
        f"type: {_NAMES[np.dtype(dtype.str[1:]).name]}",
        f"dimension: {len(sizes)}",
        "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, sizes))}",
        f"space directions: {' '.join(vectors)}",
        f"kinds: {' '.join(kinds)}",
        "endian: little",
        "encoding: gzip",
        f"space origin: {_vector((grid.origin_mm or (0.0,) * 3)[::-1])}",
    )
    return ("\n".join(lines) + "\n\n").encode()


def _vector(values: object) -> str:
    return f"({','.join(repr(float(value)) for value in np.asarray(values))})"


def _dtype(fields: Mapping[str, str], encoding: Encoding, name: str) -> np.dtype[np.generic]:
    code = _TYPES.get(fields["type"].lower())
    if code is None:
        raise UnsupportedError(
            f"{name}: has values of type {brief(fields['type'])}",
            "whole numbers or floating point",
            "export it as .nrrd or .nii.gz",
        )
    endian = fields.get("endian", "").lower()
    if code[1] != "1" and encoding is not Encoding.TEXT and endian not in ("little", "big"):
        raise damaged(name, "it does not state the order of its bytes")
    return np.dtype((">" if endian == "big" else "<") + code)


def _vectors(fields: Mapping[str, str], count: int, name: str) -> list[tuple[float, ...] | None]:
    """The step along each axis; None for one that is not in space."""
    found: list[tuple[float, ...] | None] = []
    for part in re.findall(r"none|\([^)]*\)", fields["space directions"], re.IGNORECASE):
        inner = part.strip("()").replace(",", " ")
        found.append(None if part[0] != "(" else numbers(inner, name, "the space directions"))
    if len(found) != count:
        raise damaged(name, f"{len(found)} space directions for {count} axes")
    return found


def _channel_axis(fields: Mapping[str, str], sizes: tuple[int, ...], name: str) -> int | None:
    """Which axis is not in space, the fastest being 0; None where there are three."""
    if len(sizes) == 3:
        return None
    odd = []
    if "space directions" in fields:
        steps = _vectors(fields, len(sizes), name)
        odd = [axis for axis, step in enumerate(steps) if step is None]
    kinds = fields.get("kinds", "").lower().split()
    if not odd and len(kinds) == len(sizes):
        odd = [axis for axis, kind in enumerate(kinds) if kind not in _DOMAINS]
    if len(odd) > 1 or any("complex" in kind for kind in kinds):
        raise UnsupportedError(
            f"{name}: has axes of the kinds {brief(fields.get('kinds', ''))}",
            "three axes in space, and one for the phases",
            "export each volume as a file",
        )
    return odd[0] if odd else len(sizes) - 1


def _grid(
    fields: Mapping[str, str], sizes: tuple[int, ...], odd: int | None, name: str
) -> tuple[Grid, tuple[str, ...]]:
    kept = [axis for axis in range(len(sizes)) if axis != odd]
    shape = tuple(sizes[axis] for axis in kept)[::-1]
    if "space directions" not in fields:
        if "spacings" not in fields:
            return Grid(shape), ()
        steps = numbers(fields["spacings"], name, "the spacings", len(sizes))
        unit = _unit(fields.get("units", ""), kept)
        scale = millimetres(unit, [steps[axis] for axis in kept], name)
        axes = np.diag([steps[axis] * scale for axis in kept])  # below 0: it counts the other way
        origin = _axis_starts(fields, steps, name)[kept] * scale
        grid, remarks = place_axes(shape, axes, origin, name)
        told = "the file states no orientation: its slices are taken to rise to the head"
        return grid, (told, *remarks)
    vectors = _vectors(fields, len(sizes), name)
    chosen = [vectors[axis] for axis in kept]
    if any(step is None or len(step) < 3 for step in chosen):
        raise damaged(name, f"space directions {brief(fields['space directions'])}")
    axes = np.array([step[:3] for step in chosen if step is not None]).T
    space = fields.get("space", "").lower().removesuffix("-time").removesuffix("t")
    signs = np.array(_SPACES.get(space, (1.0, 1.0, 1.0)))
    remarks = ()
    if space not in _SPACES and "space dimension" not in fields:
        remarks = (f"the file's space {brief(space)!r} is not the patient's: taken for LPS",)
    unit = _unit(fields.get("space units", ""), range(3))
    scale = millimetres(unit, np.linalg.norm(axes, axis=0).tolist(), name)
    origin = _origin(fields, name)
    grid, more = place_axes(shape, signs[:, None] * axes * scale, signs * origin * scale, name)
    return grid, (*remarks, *more)


def _axis_starts(
    fields: Mapping[str, str], steps: Sequence[float], name: str
) -> NDArray[np.float64]:
    """The centre of the first sample along each axis; 0 of an axis that does not state it.

    A sample is a cell, which starts half a step before its centre, unless the file says a node.
    """
    mins = fields.get("axis mins", "").lower().split()
    centers = fields.get("centerings", fields.get("centers", "")).lower().split()
    starts = np.zeros(len(steps))
    for axis, text in enumerate(mins[: len(steps)]):
        (low,) = numbers(text, name, "the axis mins", 1)
        node = axis < len(centers) and centers[axis] == "node"
        if np.isfinite(low):
            starts[axis] = low if node else low + steps[axis] / 2
    return starts


def _origin(fields: Mapping[str, str], name: str) -> NDArray[np.float64]:
    text = fields.get("space origin", "(0,0,0)").strip("()").replace(",", " ")
    found = numbers(text, name, "the space origin")
    if len(found) < 3:
        raise damaged(name, f"a space origin of {len(found)} numbers")
    return np.array(found[:3])


def _unit(text: str, axes: object) -> str:
    """The one unit of these axes, of a list in quotes; all of it where they differ."""
    units = re.findall(r'"([^"]*)"', text)
    said = {units[axis] for axis in axes if axis < len(units)} - {"", "???"}  # type: ignore[attr-defined]
    return said.pop() if len(said) == 1 else " ".join(sorted(said))
