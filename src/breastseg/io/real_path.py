"""Where a path leads, whatever a person has typed."""

from __future__ import annotations

import os
from pathlib import Path


def real_path(path: Path) -> Path:
    """The absolute path with its links followed; one that leads in a circle stays as it is.

    `Path.resolve` raises RuntimeError at a circle before Python 3.13, and the reader that comes
    after it could say more.
    """
    return Path(os.path.realpath(path))


def at_home(path: str) -> Path:
    """The path with a leading ``~`` replaced; one of a person without a home stays as it is."""
    return Path(os.path.expanduser(path))
