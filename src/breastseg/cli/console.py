"""Talking to the user: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from breastseg.core.signals import heed_interruption

if TYPE_CHECKING:
    from rich.console import Console

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What could move a terminal's cursor or turn its text around; a file's name may hold it."""

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")

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
        A function to call after each step, which raises KeyboardInterrupt where a signal came in
        the step and was lost.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _count, _note: heed_interruption()
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

        def advance(count: int, note: str) -> None:
            heed_interruption()
            bar.update(task, advance=count, note=note)

        yield advance


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
    """Print in whatever encoding the stream has; what it cannot hold becomes an escape.

    So does what would steer a terminal. The escapes are JSON's, so that JSON stays what it is.
    """
    text = _CONTROLS.sub(_escape, text)
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        text = _BEYOND_ASCII.sub(_escape, text)
    print(text, file=stream, flush=True)


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
