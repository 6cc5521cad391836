"""What the user named on the command line, as a list of files with one output name each."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from breastseg.core.errors import BreastsegError, UnreadableError
from breastseg.io.memory import check_memory, max_memory
from breastseg.io.write import cut_name, well_formed

STANDARD_INPUT = Path("-")


@dataclass(frozen=True)
class Source:
    """One file to be read.

    Attributes:
        name: what messages and results call it: the path as the user gave it.
        path: where it is; ``-`` is standard input.
        stem: how its outputs are called; no other source of the run has it.
        reserved: stems of other sources, case-folded, that read like those of its frames.
        problem: why it cannot be read, where that is known beforehand.
    """

    name: str
    path: Path
    stem: str = ""
    reserved: frozenset[str] = frozenset()
    problem: BreastsegError | None = None

    def of_frame(self, number: int) -> str:
        """The stem of a frame's outputs, which no other source or frame of the run has."""
        return unused(f"{self.stem}_f{number:04d}", set(self.reserved))

    def open(self) -> Path | BinaryIO:
        """The path, or all of standard input as a stream.

        Raises:
            UnreadableError: `problem`, or standard input is a terminal.
            UnsupportedError: standard input holds more than the memory limit.
        """
        if self.problem is not None:
            raise self.problem
        if self.path != STANDARD_INPUT:
            return self.path
        if sys.stdin.isatty():
            raise UnreadableError(
                "standard input is a terminal", "an image", "for example: cat scan.png | ..."
            )
        data = sys.stdin.buffer.read(max_memory() + 1)
        check_memory(len(data), "standard input", "more bytes than may be held")
        return io.BytesIO(data)


class Sources(tuple[Source, ...]):
    """Files to be read, in order, and how many others lie beside them in the folders named.

    Attributes:
        others: reports, text and whatever else was passed over.
    """

    others: int = 0


def find_sources(inputs: Sequence[Path], leave_out: Path | None) -> Sources:
    """List the files, each once, in the order given; those in folders are sorted.

    Two links to one file are two sources: each name is a scan of its own to who made it.

    Args:
        inputs: files, folders, ``-``.
        leave_out: a folder whose files are outputs and not to be read again.

    Returns:
        The sources with their stems. What cannot be listed comes as a source with a problem.
    """
    found: dict[str, Source] = {}
    others = 0
    for given in inputs:
        if given == STANDARD_INPUT:
            found.setdefault(str(given), Source("standard input", given))
        elif given.is_dir():
            inside, beside = _in_folder(given, leave_out)
            others += beside
            for source in inside:
                found.setdefault(os.path.abspath(source.path), source)
        else:
            found.setdefault(os.path.abspath(given), Source(printable(given), given))
    stems = distinct_stems([source.path for source in found.values()])
    reserved = _like_frames(stems)
    sources = Sources(
        replace(source, stem=stem, reserved=frozenset(reserved.get(stem.casefold(), ())))
        for source, stem in zip(found.values(), stems, strict=True)
    )
    sources.others = others
    return sources


def _in_folder(folder: Path, leave_out: Path | None) -> tuple[list[Source], int]:
    """The images in a folder and the number of other files; without an image, the folder."""
    from breastseg.io.find import search_folder

    name = printable(folder)
    found = search_folder(folder, leave_out)
    if found.images:
        return [Source(printable(path), path) for path in found.images], found.others
    what = f"no image among its {found.others} files" if found.others else "nothing in it"
    problem = UnreadableError(
        f"{name}: is a folder with {what}", "images", "name the folder that they are in"
    )
    return [Source(name, folder, problem=problem)], found.others


def distinct_stems(paths: Sequence[Path]) -> list[str]:
    """Name the outputs of each path so that none overwrites another's, on any file system.

    A file's own stem where it is the only one of that name (upper and lower case count as
    equal); else its folder's name before it; a number after it where that is taken as well.
    """
    plain = [_stem(path) for path in paths]
    counts: dict[str, int] = {}
    for stem in plain:
        counts[stem.casefold()] = counts.get(stem.casefold(), 0) + 1
    names: list[str] = []
    taken = {stem for stem, count in counts.items() if count == 1}
    for path, stem in zip(paths, plain, strict=True):
        name = stem
        if counts[stem.casefold()] > 1:
            name = unused(f"{_clean(path.absolute().parent.name)}_{stem}", taken)
        names.append(name)
    return names


def _like_frames(stems: Iterable[str]) -> dict[str, list[str]]:
    """The stems that read like those of frames, by the stem of the file with the frames."""
    found: dict[str, list[str]] = {}
    for stem in stems:
        folded = stem.casefold()
        like = re.fullmatch(r"(.+)_f\d{4,}(_\d+)?", folded, re.DOTALL)
        if like is not None:
            found.setdefault(like[1], []).append(folded)
    return found


def unused(name: str, taken: set[str]) -> str:
    """The name, or the name with the first free number from 2; added to `taken`, case-folded."""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate.casefold())
    return candidate


def printable(path: Path) -> str:
    """A path as text that can be written in any file, and that no other path is written as."""
    return well_formed(str(path))


def _stem(path: Path) -> str:
    if path == STANDARD_INPUT:
        return "stdin"
    from breastseg.io.find import image_suffix

    # a UID as a file name ends in a number that is part of it
    return _clean(path.name[: len(path.name) - len(image_suffix(path.name))])


def _clean(name: str) -> str:
    """Text of at most 180 bytes, so that with what is added it is a valid file name."""
    return cut_name(name, 180) or "scan"
