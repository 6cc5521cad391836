"""Telling the user of results as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from breastseg.cli.console import complain, say
from breastseg.core.errors import InputError
from breastseg.results.run import OccupiedError
from breastseg.results.schema import Entry
from breastseg.results.sentences import lines


@contextmanager
def naming_options(more: str = "") -> Iterator[None]:
    """Say with which options a folder that holds earlier results can be used."""
    try:
        yield
    except OccupiedError as error:
        remedy = f"choose another folder with --out, or replace it with --overwrite{more}"
        raise InputError(error.given, error.allowed, remedy) from None


def tell_one(entry: Entry, quiet: bool = False) -> None:
    """Its lines: of a failure on standard error, else on standard output."""
    for line in (one.replace("\n", "\\n") for one in lines(entry)):
        if entry.failed:
            complain(line)
        elif not quiet:
            say(line)


def tell(entries: Iterable[Entry], folder: Path) -> int:
    """The lines of all entries and where the results are; returns the exit code."""
    failed = done = 0
    for entry in entries:
        tell_one(entry)
        failed += entry.failed
        done += not entry.failed
    if done or not failed:  # without an entry, an earlier run had done all
        say(f"The results are in {folder}/")
    return exit_code(done, failed)


def exit_code(done: int, failed: int) -> int:
    """0 where nothing failed, 1 where something was done all the same, else 2."""
    if failed == 0:
        return 0
    return 1 if done else 2
