"""The entries of a run as they come, one a line, so that a run killed at any moment loses none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from breastseg.core.errors import InputError
from breastseg.io.write import write_text
from breastseg.results.document import parsed
from breastseg.results.schema import Document, Entry, OptionValue, SegmenterRecord, plain

JOURNAL_NAME = "results.partial.jsonl"
RESERVE_NAME = ".results.reserve"
"""Holds room on the disk for the results, which are written when nothing else fits any more."""
_ROOM = 3
"""Bytes of results for a byte of the journal, with room to spare."""


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        options: that it was started with.
        provenance: what produced its entries; None where there is none yet.
        entries: in the order in which they came.
        overwrite: it may replace whatever its names meet in the folder.
        stale: names of files of an earlier run, which go when this one is complete.
        writing: names of files that were being written when the last entry had come.
        complete: True where the run came to its end.
    """

    options: Mapping[str, OptionValue]
    provenance: SegmenterRecord | None = None
    entries: list[Entry] = field(default_factory=list)
    overwrite: bool = False
    stale: tuple[str, ...] = ()
    writing: tuple[str, ...] = ()
    complete: bool = False

    @classmethod
    def of(cls, document: Document) -> Progress:
        """That of a run whose results were written."""
        provenance, entries = document.provenance, list(document.entries)
        return cls(document.options, provenance, entries, complete=document.complete)


@dataclass(frozen=True)
class Start:
    """The first line of a journal: `Progress` without what comes later."""

    options: Mapping[str, OptionValue]
    overwrite: bool
    stale: tuple[str, ...]


@dataclass(frozen=True)
class _Line:
    """One line of a journal, of which one field is given."""

    start: Start | None = None
    provenance: SegmenterRecord | None = None
    writing: tuple[str, ...] | None = None
    entry: Entry | None = None


class Journal:
    """Adds line after line; each reaches the operating system before the call returns.

    Args:
        path: the file; what it holds is replaced by `start`, whole or not at all.
        start: what the run has already.

    Raises:
        InputError: the file cannot be written.
    """

    def __init__(self, path: Path, start: Progress) -> None:
        self.path = path
        lines = [_line("start", Start(start.options, start.overwrite, start.stale))]
        if start.provenance is not None:
            lines.append(_line("provenance", start.provenance))
        lines += [_line("entry", entry) for entry in start.entries]
        write_text(path, "".join(lines))
        self._reserve = path.with_name(RESERVE_NAME)
        self._reserved, self._written = 0, sum(map(len, lines))
        try:
            self._reserve.unlink(missing_ok=True)
            self._keep_room()
        except OSError as error:
            raise _unwritable(path, error) from error

    def add(self, key: str, value: object) -> None:
        """Add one line.

        Raises:
            InputError: the file cannot be written, as on a full disk.
        """
        try:
            with self.path.open("a", encoding="utf-8") as file:
                self._written += file.write(_line(key, value))
            self._keep_room()
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _keep_room(self) -> None:
        """Let the reserve grow with the journal, twice as far each time."""
        wanted = _ROOM * self._written + 2**14
        if wanted > self._reserved:
            with self._reserve.open("ab") as file:
                file.write(bytes(2 * wanted - self._reserved))
            self._reserved = 2 * wanted

    def release(self) -> None:
        """Give the room to the results."""
        try:
            self._reserve.unlink(missing_ok=True)
        except OSError:  # the folder has gone
            return


def read_journal(path: Path) -> Progress | None:
    """What a journal holds; a last line that was cut off is left out.

    Returns:
        None where there is no such file.

    Raises:
        InputError: it cannot be read, or a line is not what this version writes.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read", "the journal of a run") from error
    progress = Progress({})
    for number, text_line in enumerate(text.split("\n")[:-1], start=1):
        line = parsed(_Line, text_line, f"{path}: line {number}")
        if line.start is not None:
            progress.options = line.start.options
            progress.overwrite, progress.stale = line.start.overwrite, line.start.stale
        if line.provenance is not None:
            progress.provenance = line.provenance
        if line.writing is not None:
            progress.writing = line.writing
        if line.entry is not None:
            progress.entries.append(line.entry)
            progress.writing = ()
    return progress


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: cannot be written ({error.strerror or error})",
        remedy="make room, then continue the run",
    )


def _line(key: str, value: object) -> str:
    return json.dumps({key: plain(value)}, allow_nan=False) + "\n"
