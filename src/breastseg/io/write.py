"""Writing files whole or not at all: to a temporary name in the same folder, then renamed."""

from __future__ import annotations

import glob
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import InputError
from breastseg.io.folder_lock import lock_folder, unlock_folder

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}(\.[^.]*)?", re.DOTALL)
"""The names that `replacing` and `appearing` write to."""

SPACING_KEY = "spacing_mm"
"""The PNG text chunk that carries "row,column" spacing in millimetres."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    The temporary name is hidden and keeps the suffix, for writers that choose the format by it.
    Missing folders are made. A symbolic link is followed, so that what it points to is replaced.

    Args:
        path: where the file shall be; an existing regular file is replaced.

    Raises:
        InputError: the folder cannot be written, the disk is full, or `path` is no regular file.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise InputError(
            f"{path}: is {'a folder' if target.is_dir() else 'not a regular file'}",
            "the name of a file to write",
        )
    temporary = target.parent / f".{_short_stem(target)}.{secrets.token_hex(6)}{target.suffix}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(target)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        _remove(temporary)


def written(folder: Path, pattern: str) -> list[Path]:
    """Files of a folder that match, sorted, without those that `replacing` is writing now.

    Its temporary names are hidden and keep the suffix, so ``*.json`` alone would match them.
    """
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def remove_leftovers(path: Path) -> None:
    """Remove what a process that was killed while it wrote `path` has left beside it.

    Only for files that no other process is writing at the time.
    """
    target = Path(os.path.realpath(path))
    pattern = re.compile(
        rf"\.{re.escape(_short_stem(target))}\.[0-9a-f]{{12}}{re.escape(target.suffix)}"
    )
    if target.parent.is_dir():
        for beside in target.parent.iterdir():
            if pattern.fullmatch(beside.name):
                _remove(beside)


def clear_leftovers(folder: Path) -> None:
    """Remove what processes that were killed while they wrote into a folder have left in it.

    Only for a folder that no other process writes into at the time.
    """
    if folder.is_dir():
        for path in folder.iterdir():
            if _TEMPORARY.fullmatch(path.name) and not path.is_dir():
                _remove(path)


def check_writable(folder: Path) -> None:
    """Learn before hours of work that their result could not be written.

    Args:
        folder: where files shall be; made where it is missing.

    Raises:
        InputError: it cannot be written, or its disk is full.
    """
    trial = folder / f".trial.{secrets.token_hex(6)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(bytes(4096))
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        _remove(trial)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: cannot be written ({error.strerror or error})",
        remedy="choose a folder that exists, has room and may be written to",
    )


def cut_name(name: str, most: int) -> str:
    """Of a name so many whole characters of the file system as take at most so many bytes."""
    return os.fsencode(name)[:most].decode(sys.getfilesystemencoding(), "ignore")


def _short_stem(path: Path) -> str:
    """The stem in so many whole characters that a name with it stays below 255 bytes."""
    return cut_name(path.stem, 100)


def _remove(temporary: Path) -> None:
    """Remove what a failed write left; a folder that has gone took it along."""
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes to a file, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    r"""Write text to a file as UTF-8 with ``\n`` line ends, whole or not at all.

    What UTF-8 cannot hold becomes an escape.

    Raises:
        InputError: the file cannot be written.
    """
    write_bytes(path, well_formed(text).encode())


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write files that belong together: none takes its name before all are whole.

    Args:
        texts: by path, in the order in which they appear.

    Raises:
        InputError: a file cannot be written; those that were there are left.
    """
    with ExitStack() as stack:
        for path, text in reversed(list(texts.items())):
            stack.enter_context(replacing(path)).write_bytes(well_formed(text).encode())


def well_formed(text: str) -> str:
    r"""The text with an escape such as ``\udcff`` for what UTF-8 cannot hold.

    Names of files hold such characters where their bytes are no UTF-8.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def write_png(
    path: Path,
    array: NDArray[np.generic],
    spacing_mm: tuple[float, float] | None = None,
) -> None:
    """Write an array as a PNG file, whole or not at all.

    Args:
        path: the file to write.
        array: (rows, columns) of bool (written as 0 and 255), uint8 or uint16; or
            (rows, columns, 3) of uint8.
        spacing_mm: (row, column) spacing in millimetres. It goes into a text chunk named
            ``spacing_mm``, which `breastseg.io.raster.read_raster` reads back.

    Raises:
        InputError: another shape or dtype, or the file cannot be written.
    """
    from PIL import Image as Pillow
    from PIL.PngImagePlugin import PngInfo

    pixels = np.where(array, 255, 0).astype(np.uint8) if array.dtype == np.bool_ else array
    grey = pixels.ndim == 2 and pixels.dtype in (np.uint8, np.uint16)
    colour = pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8
    if not (grey or colour) or pixels.size == 0:
        raise InputError(
            f"{path}: an array of shape {array.shape}, dtype {array.dtype} is no PNG",
            "(rows, columns) of bool, uint8 or uint16, or (rows, columns, 3) of uint8",
        )
    text = PngInfo()
    if spacing_mm is not None:
        text.add_text(SPACING_KEY, ",".join(repr(float(step)) for step in spacing_mm))
    with replacing(path) as temporary:
        # Level 3 takes a third of the default's time, and speckle gets no smaller at any level.
        picture = Pillow.fromarray(np.ascontiguousarray(pixels))
        picture.save(temporary, "PNG", pnginfo=text, compress_level=3)


@contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """Give a temporary folder beside `folder` that takes its name on success, else goes.

    What a process that was killed while it did so has left goes too.

    Args:
        folder: must not exist yet.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    start = f".{cut_name(folder.name, 100)}."
    for beside in folder.parent.glob(f"{glob.escape(start)}*"):
        if _TEMPORARY.fullmatch(beside.name) and len(beside.name) == len(start) + 12:
            _remove_abandoned(beside)
    outer = folder.parent / f"{start}{secrets.token_hex(6)}"
    outer.mkdir(mode=0o700)
    handle = lock_folder(outer)
    try:
        # one level down: the outer folder is private, and goes in any case
        made = outer / folder.name
        made.mkdir()
        yield made
        made.rename(folder)
    finally:
        shutil.rmtree(outer, ignore_errors=True)
        unlock_folder(handle)


def _remove_abandoned(folder: Path) -> None:
    """Remove a temporary folder whose process has gone, where the system can tell."""
    try:
        handle = lock_folder(folder)
    except OSError:  # it is being written
        return
    if handle is not None:
        shutil.rmtree(folder, ignore_errors=True)
        unlock_folder(handle)
