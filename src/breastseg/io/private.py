"""Folders and files that nobody else on the machine may read, whatever the system's default is."""

from __future__ import annotations

import os
from pathlib import Path


def private_folder(path: Path) -> None:
    """Make a folder, where it is missing, and keep it to its owner.

    Raises:
        OSError: it cannot be made, or belongs to somebody else.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def private_file(path: Path) -> None:
    """Make an empty file, where it is missing, and keep it to its owner.

    SQLite gives the files beside a database the mode of the database.

    Raises:
        OSError: it cannot be made, or belongs to somebody else.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
