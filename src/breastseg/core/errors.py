"""The exception tree. Every message is one line: what was found, what is expected, what to try.

It reads "Found. Expected: what would do. Try: what to do next."

BreastsegError
├── InputError        an image, a file or an option that cannot be used
│   ├── UnreadableError   missing, empty, truncated, or not the type that it claims to be
│   └── UnsupportedError  well formed, but of a kind that is not handled
├── GeometryError     shapes, spacings or grids that do not fit each other
├── DataSetError      a data set, list or split that is not as its layout says
│   └── GroundTruthError  a ground truth that cannot be used, though the image can
├── RecipeError       a training recipe that cannot be run
│   └── OwnCodeError      a recipe or run that runs code of its own, which nobody has allowed
├── BundleError       a bundle that is damaged, incomplete or not the one asked for
└── MissingExtraError a part of the software that is not installed
"""

from __future__ import annotations

import errno

from breastseg.core.signals import heed_interruption

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""Numbers of the errors that say that a disk, or one's part of it, is full."""

_MAX_LETTERS = 2000
"""Of a part of a message: a path may have so many, and what a file claims may have more."""


class BreastsegError(Exception):
    """Base of all errors that a user can act on.

    Args:
        given: what was found, with the value.
        allowed: what would have been accepted.
        remedy: what to do next.
    """

    def __init__(self, given: str, allowed: str = "", remedy: str = "") -> None:
        self.given = given
        self.allowed = allowed
        self.remedy = remedy
        super().__init__(given, allowed, remedy)

    def __str__(self) -> str:
        """One printable line, whatever the parts hold: a file cannot send codes to a terminal.

        Nor can it fill the terminal: of a part that is too long, the start and the end are shown.
        """
        parts = [_short(self.given)]
        parts += [f"Expected: {_short(self.allowed)}"] * bool(self.allowed)
        parts += [f"Try: {_short(self.remedy)}"] * bool(self.remedy)
        text = ". ".join(parts) if len(parts) > 1 else parts[0]
        text = "".join(c if c.isprintable() else " " for c in text)
        return " ".join(text.split())


def _short(part: str) -> str:
    half = _MAX_LETTERS // 2
    return part if len(part) <= _MAX_LETTERS else f"{part[:half]} ... {part[-half:]}"


def as_breastseg_error(error: Exception, name: str) -> BreastsegError:
    """Any exception as one of ours, so that one file of a batch costs no other.

    Args:
        error: what was raised; one of ours is returned as it is.
        name: what messages call the input over which it was raised.

    Raises:
        KeyboardInterrupt: a signal came, of which a library may have made this error.
    """
    heed_interruption()
    if isinstance(error, BreastsegError):
        return error
    if isinstance(error, MemoryError):
        return UnsupportedError(
            f"{name}: there is not enough memory for it",
            remedy="crop it, export it at a lower resolution, or end other programs",
        )
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return InputError(f"{name}: there is no room on the disk for it", remedy="make room")
    what = f"{type(error).__name__}: {error}"[:200]
    return InputError(
        f"{name}: something that was not foreseen went wrong ({what})",
        remedy="report it as a fault of this software",
    )


class InputError(BreastsegError):
    """An image, a file or an option that cannot be used."""


class UnreadableError(InputError):
    """A file that is missing, empty, truncated, or not of the type that it claims to be."""


class UnsupportedError(InputError):
    """A well-formed file of a kind that is not handled."""


class GeometryError(BreastsegError):
    """Shapes, spacings or grids that do not fit each other."""


class DataSetError(BreastsegError):
    """A data set, list or split that is not as its layout says."""


class GroundTruthError(DataSetError):
    """A ground truth that cannot be used, though the image can."""


class RecipeError(BreastsegError):
    """A training recipe that cannot be run."""


class OwnCodeError(RecipeError):
    """A recipe or run that runs code of its own, which nobody has allowed."""


class BundleError(BreastsegError):
    """A bundle that is damaged, incomplete or not the one asked for."""


class MissingExtraError(BreastsegError):
    """A part of the software that is not installed."""
