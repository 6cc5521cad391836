"""How much memory one input may take, estimated from its header before anything is decoded.

A small file can declare a large image: 9 MB of ``.nii.gz`` can hold 2 GB of zeros. The limit
belongs to the process, as the operating system's own limits do, so that it need not be handed
through every reader.
"""

from __future__ import annotations

from breastseg.core.errors import InputError, UnsupportedError

MAX_MEMORY = 4 * 2**30
"""The default limit in bytes: an MRI of eight phases of 512 x 512 x 200 voxels fits."""

_limit = MAX_MEMORY


def max_memory() -> int:
    """The limit in bytes."""
    return _limit


def set_max_memory(limit: int) -> None:
    """Change the limit of this process.

    Args:
        limit: in bytes, at least 2**20.

    Raises:
        InputError: it is less.
    """
    global _limit  # noqa: PLW0603 -- the limit is the process's
    if limit < 2**20:
        raise InputError(f"a memory limit of {limit} bytes", "at least 1 MiB")
    _limit = limit


def set_max_gib(limit: float) -> None:
    """The same in GiB, from 0.001 to 2**20.

    Raises:
        InputError: it is not within these, or no number.
    """
    if not 0.001 <= limit <= 2**20:
        raise InputError(f"a memory limit of {limit:g} GiB", "0.001 to 1048576 GiB")
    set_max_memory(max(2**20, round(limit * 2**30)))


def check_memory(needed: int, name: str, what: str) -> None:
    """Refuse an input that would take more memory than the limit.

    Args:
        needed: estimated bytes, copies made on the way included.
        name: what messages call the input.
        what: what takes it, in the plural, such as ``"512 x 512 x 2000 voxels of int16"``.

    Raises:
        UnsupportedError: it would.
    """
    if needed > _limit:
        raise UnsupportedError(
            f"{name}: {what} take about {in_words(needed)} of memory",
            f"at most {in_words(_limit)}",
            "raise the memory limit, crop it, or export it at a lower resolution",
        )


def in_words(size: int) -> str:
    """A number of bytes, in MiB or GiB."""
    return f"{size / 2**30:.3g} GiB" if size >= 2**30 else f"{max(size / 2**20, 0.01):.3g} MiB"
