"""What the machine itself lacks, told in one line that names no path."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE)
_FULL_WORDS = ("is full", "No space left")
"""As SQLite and PostgreSQL have it."""


@dataclass(frozen=True)
class Trouble:
    """A disk or store that cannot be used.

    Attributes:
        found: what is wrong.
        remedy: what to do.
    """

    found: str
    remedy: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.found}. Try: {self.remedy}"


DISK_FULL = Trouble(
    "the service cannot use its disk: it is full", "free space there, then do it again"
)
UNUSABLE = Trouble(
    "the service cannot use its disk or store",
    "let who runs the service look at its log, then do it again",
)


def trouble_of(error: BaseException) -> Trouble | None:
    """The machine's trouble behind an error; None where the error is of another kind."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OperationalError):
            return DISK_FULL if any(word in str(seen) for word in _FULL_WORDS) else UNUSABLE
        if isinstance(seen, OSError) and seen.errno in _FULL:
            return DISK_FULL
        if isinstance(seen, OSError) and seen.errno in _REFUSED:
            return UNUSABLE
        seen = seen.__cause__ or seen.__context__
    return None
