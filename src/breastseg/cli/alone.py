"""One command at a time in an output folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from breastseg.core.errors import InputError


@contextmanager
def alone(folder: Path | None) -> Iterator[None]:
    """Keep a second command out of a folder while the first one works in it.

    Both would do all the work, and each would count what the other has written as a failure. The
    system lets go of the folder however the process ends; nothing is left in it.

    Args:
        folder: made where it is missing; None where nothing is written.

    Raises:
        InputError: another process works in it.
    """
    if folder is None or os.name != "posix":
        yield
        return
    new = not folder.exists()
    handle = _locked(folder)
    try:
        yield
    finally:
        if new:
            with suppress(OSError):  # it holds something
                folder.rmdir()
        if handle is not None:
            _let_go(handle)


def _let_go(handle: int) -> None:
    """Unlock by name: a process that was forked meanwhile would keep a lock that is closed."""
    import fcntl

    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)


def _locked(folder: Path) -> int | None:
    """The descriptor of the folder; None where it cannot be made, used or locked."""
    import fcntl

    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # whoever writes into it says so
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise InputError(
            f"{folder}: another command works in it",
            "one at a time",
            "wait for its end, or choose another folder",
        ) from error
    except OSError:  # a file system without locks
        os.close(handle)
        return None
    return handle
