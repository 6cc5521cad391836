"""What every reader shares: opening the bytes, the size limit, quiet decoders."""

from __future__ import annotations

import math
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.io.memory import check_memory

MAX_PIXELS = 2**27
"""The largest image that is decoded, rows times columns: five times the largest mammogram.

A header that declares more is refused before anything is decoded, so that a small file
cannot claim all memory.
"""


MAX_SIDE = 2**16
"""The most rows or columns: a strip that is longer is no scan, whatever its area."""

_BYTES_A_PIXEL = 24
"""Of an image on its way: as decoded, as converted, and as the maps of a method."""


def name_of(path: Path | BinaryIO, source: str = "") -> str:
    """What messages call the input: `source` if given, else the path, else the stream's name."""
    if source:
        return source
    if isinstance(path, Path):
        return str(path)
    name = getattr(path, "name", None)
    return name if isinstance(name, str) else "the given stream"


@contextmanager
def opened(path: Path | BinaryIO, source: str = "") -> Iterator[BinaryIO]:
    """Open a file for reading, or take a stream from its start; a given stream is left open.

    Args:
        path: a file, or a seekable binary stream.
        source: what messages call it.

    Raises:
        UnreadableError: missing, a folder, not readable, or empty.
    """
    name = name_of(path, source)
    if not isinstance(path, Path):
        path.seek(0)
        _refuse_empty(path, name)
        yield path
        return
    _refuse_odd(path, name)
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UnreadableError(
            f"{name}: cannot be opened ({error.strerror or error})",
            remedy="check the file's permissions",
        ) from error
    with stream:
        _refuse_empty(stream, name)
        yield stream


def _refuse_odd(path: Path, name: str) -> None:
    """Refuse what is not a regular file, before a pipe or device could block the reader."""
    try:
        if path.is_file():
            return
        exists, folder, link = path.exists(), path.is_dir(), path.is_symlink()
    except OSError as error:
        raise UnreadableError(
            f"{name}: cannot be opened ({error.strerror or error})", remedy="check the path"
        ) from error
    if folder:
        raise UnreadableError(
            f"{name}: is a folder{_why_not_listed(path)}",
            "one image file, or a folder that holds some",
        )
    if exists:
        raise UnreadableError(f"{name}: is not a regular file", "one image file")
    if link:
        raise UnreadableError(
            f"{name}: is a link to {os.readlink(path)}, which does not exist",
            remedy="restore its target or name another file",
        )
    raise UnreadableError(f"{name}: there is no such file", remedy="check the path")


def _why_not_listed(folder: Path) -> str:
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        return f" that cannot be listed ({error.strerror or error})"
    return ""


def _refuse_empty(stream: BinaryIO, name: str) -> None:
    try:
        first = stream.read(1)
        stream.seek(0)
    except OSError as error:
        raise UnreadableError(
            f"{name}: cannot be read ({error.strerror or error})", remedy="check the disk"
        ) from error
    if not first:
        raise UnreadableError(
            f"{name}: is empty (0 bytes)", "an image file", "copy or export the file again"
        )


def brief(value: object, limit: int = 60) -> str:
    """What a file or a decoder says, fit for a message: one line, printable, short."""
    text = "".join(c if c.isprintable() else " " for c in str(value)[: 10 * limit])
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def check_size(rows: int, columns: int, name: str) -> None:
    """Refuse a declared image size before it is decoded.

    Raises:
        UnreadableError: a side is not at least 1.
        UnsupportedError: more than `MAX_PIXELS`, a side beyond `MAX_SIDE`, or more memory than
            the process's limit.
    """
    if rows < 1 or columns < 1:
        raise UnreadableError(
            f"{name}: declares {rows} rows and {columns} columns", "at least 1 of each"
        )
    if max(rows, columns) > MAX_SIDE:
        raise UnsupportedError(
            f"{name}: declares {rows} x {columns} pixels",
            f"at most {MAX_SIDE} along a side",
            "crop it or export it at a lower resolution",
        )
    if rows * columns > MAX_PIXELS:
        raise UnsupportedError(
            f"{name}: declares {rows} x {columns} = {rows * columns} pixels",
            f"at most {MAX_PIXELS}",
            "crop it or export it at a lower resolution",
        )
    check_memory(rows * columns * _BYTES_A_PIXEL, name, f"{rows} x {columns} pixels")


def positive(value: object, signed: bool = False) -> float | None:
    """What a header states as a finite number above 0; with `signed`, its absolute value."""
    if not isinstance(value, int | float | str):
        return None
    try:
        number = abs(float(value)) if signed else float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def one_if_equal(colour: NDArray[np.generic]) -> NDArray[np.generic]:
    """One channel where all of (3, rows, columns) are equal, as in most exported scans."""
    equal = np.array_equal(colour[0], colour[1]) and np.array_equal(colour[0], colour[2])
    return colour[:1] if equal else colour


CONSTANT = "every pixel has the same value: there is nothing to see in this image"


def constant_remark(array: NDArray[np.generic]) -> tuple[str, ...]:
    """`CONSTANT` for an image of a single value, or of none; nothing for any other."""
    flat = array.reshape(len(array), -1)
    if array.dtype.kind == "f" and not np.isfinite(flat).any():
        return (CONSTANT,)
    # a few pixels settle it for nearly every image
    if (flat[:, :: max(1, flat.shape[1] // 64)] != flat[:, :1]).any():
        return ()
    return () if (flat != flat[:, :1]).any() else (CONSTANT,)


_lock = threading.Lock()
_inside = 0
_saved: warnings.catch_warnings[None] | None = None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep a decoder's Python warnings from the user; may be entered by many threads at once.

    The filters of `warnings` belong to the process, so two threads that each saved and
    restored them could leave them changed: only the first in saves and the last out restores.
    """
    global _inside, _saved  # noqa: PLW0603 -- the filters are global too
    with _lock:
        if _inside == 0:
            _saved = warnings.catch_warnings()
            _saved.__enter__()
            warnings.simplefilter("ignore")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _saved is not None:
                _saved.__exit__(None, None, None)
                _saved = None
