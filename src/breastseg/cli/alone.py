"""One command at a time in an output folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from breastseg.core.errors import InputError
from breastseg.io.folder_lock import lock_folder, unlock_folder
from breastseg.io.write import clear_leftovers


@contextmanager
def alone(folder: Path | None, *parts: str) -> Iterator[None]:
    """Keep a second command out of a folder while the first one works in it.

    Both would do all the work, and each would count what the other has written as a failure. What a
    command that was killed has left half-written in it goes. The system lets go of the folder
    however the process ends; nothing is left in it.

    Args:
        folder: made where it is missing; None where nothing is written.
        parts: patterns of the folders in it that are written to as well, such as ``masks/*``.

    Raises:
        InputError: another process works in it.
    """
    if folder is None or os.name != "posix":
        yield
        return
    new = not folder.exists()
    handle = _locked(folder)
    try:
        if handle is not None and not new:
            for place in (folder, *(place for part in parts for place in folder.glob(part))):
                clear_leftovers(place)
        yield
    finally:
        if new:
            with suppress(OSError):  # it holds something
                folder.rmdir()
        unlock_folder(handle)


def _locked(folder: Path) -> int | None:
    """The descriptor of the folder; None where it cannot be made, used or locked."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return lock_folder(folder)
    except BlockingIOError as error:
        raise InputError(
            f"{folder}: another command works in it",
            "one at a time",
            "wait for its end, or choose another folder",
        ) from error
    except OSError:  # whoever writes into it says so
        return None
