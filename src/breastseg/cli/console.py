"""Talking to the user: results on standard output, everything else on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 96
"""Characters of a line of text."""

Advance = Callable[[int, str], None]
"""Called with how many more are done and what to show beside the bar."""


def say(text: str) -> None:
    """Print to standard output."""
    _print(text, sys.stdout)


def complain(text: str) -> None:
    """Print one line to standard error, with the program's name before it."""
    _print(f"breastseg: {text}", sys.stderr)


def console() -> Console:
    """Standard output for tables; where it is no terminal, wide enough not to wrap them."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120)


@contextmanager
def progress(title: str, total: int | None, quiet: bool = False) -> Iterator[Advance]:
    """Show a bar with the time left on standard error, if that is a terminal.

    Args:
        title: what is being done.
        total: how many there are to do; None where that is not known.
        quiet: show nothing.

    Yields:
        A function to call after each step.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _count, _note: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}" + ("/{task.total:.0f}" if total is not None else "")),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    # Lines for standard output may pass above the bar only where both are the same terminal.
    with Progress(
        *columns,
        console=Console(stderr=True),
        redirect_stdout=sys.stdout.isatty(),
        transient=True,
    ) as bar:
        task = bar.add_task(title, total=total, note="")
        yield lambda count, note: bar.update(task, advance=count, note=note)


@contextmanager
def logged(name: str) -> Iterator[None]:
    """Show what a part of the library logs on standard error, a line each.

    Args:
        name: of the logger, e.g. ``"breastseg.training"``.
    """

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            _print(self.format(record), sys.stderr)

    logger, handler = logging.getLogger(name), Lines()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _print(text: str, stream: TextIO) -> None:
    """Print in whatever encoding the stream has; what it cannot hold becomes an escape."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    line = text.encode(encoding, "backslashreplace").decode(encoding)
    print(line, file=stream, flush=True)
