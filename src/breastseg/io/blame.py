"""Whether a file is damaged, or the machine failed over it.

A disk that is full or failing, a limit of open files or of memory: who is told that a scan is
damaged then exports a whole scan again, or throws it away.
"""

from __future__ import annotations

import errno

from breastseg.core.errors import InputError, UnreadableError, as_breastseg_error

_OF_DAMAGE = (errno.EINVAL, errno.EOVERFLOW)
"""What the system answers to an offset before the start or beyond all files."""


def blamed(error: Exception | str, name: str, damage: UnreadableError) -> InputError:
    """The error to raise over a file that was not read to its end.

    Args:
        error: what was raised or seen. A decoder's own OSError has no number.
        name: what messages call the file.
        damage: what is said of a file that is damaged.

    Returns:
        `damage`, or an InputError that is none of UnreadableError where the machine failed.
    """
    if isinstance(error, MemoryError):
        return InputError(*as_breastseg_error(error, name).args)
    if not isinstance(error, OSError) or error.errno is None or error.errno in _OF_DAMAGE:
        return damage
    return InputError(
        f"{name}: the machine failed over it, and not the file ({error.strerror})",
        remedy="again with room on the disk, a disk without faults, and higher limits",
    )
