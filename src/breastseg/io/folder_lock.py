"""The system's lock of a folder: it lets go however the process ends, and nothing is left."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def lock_folder(folder: Path) -> int | None:
    """Lock a folder that is there, for this process.

    Returns:
        The descriptor to unlock; None where the system or its file system has no such locks.

    Raises:
        BlockingIOError: another process has it.
        OSError: the folder cannot be opened.
    """
    if os.name != "posix":
        return None
    import fcntl

    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:
        os.close(handle)
        return None
    return handle


def unlock_folder(handle: int | None) -> None:
    """Unlock by name: a process that was forked meanwhile would keep a lock that is closed.

    Args:
        handle: what `lock_folder` gave.
    """
    if handle is None:
        return
    import fcntl

    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)
