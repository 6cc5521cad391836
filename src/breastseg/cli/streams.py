"""Standard input, output and error that may be closed or full.

A closed one is opened as the null device: Python has ``None`` in its place, and the next file that
is opened would take its number, so that what a library prints would go into that file. One that
fails, as on a full disk, ends no work whose results go elsewhere: that is said once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO, cast


class Steady:
    """A stream that fails once at most; all but a reader that goes away.

    Attributes:
        failure: what failed; None while nothing did.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        """Write, or lose it."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            self._lose(error)
            return len(text)

    def flush(self) -> None:
        """Flush, or lose what was held."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            self._lose(error)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def _lose(self, error: OSError) -> None:
        """Send what is still held, and what follows, to the null device."""
        self.failure = self.failure or error
        _nothing_as(self._stream.fileno())


@contextmanager
def steady_streams() -> Iterator[Steady | None]:
    """Open what is closed, and outlive what fails.

    Yields:
        Standard output; None where it is no file of the system, as in a notebook.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, f"__{name}__") is None:
            _nothing_as(number)
            opened = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, opened)
            setattr(sys, f"__{name}__", opened)
    before = sys.stdout, sys.stderr
    if before != (sys.__stdout__, sys.__stderr__):
        yield None
        return
    output, error = Steady(sys.stdout), Steady(sys.stderr)
    sys.stdout, sys.stderr = cast("TextIO", output), cast("TextIO", error)
    try:
        yield output
    finally:
        sys.stdout, sys.stderr = before


def _nothing_as(number: int) -> None:
    """Make the null device that descriptor, for child processes too."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, number)
    if null != number:
        with suppress(OSError):
            os.close(null)
