"""``breastseg segment``: images in, outlines and measurements out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import tyro

from breastseg.cli.console import complain, progress, say
from breastseg.cli.inputs import Source, find_sources, unused
from breastseg.cli.method import DEFAULT_METHOD, open_method
from breastseg.core.errors import BreastsegError, InputError, UnreadableError
from breastseg.core.image import Image

if TYPE_CHECKING:
    from breastseg.cli.results import Entry, Finding
    from breastseg.core.prediction import Prediction
    from breastseg.inference.stream import Segmented

DEFAULT_FOLDER = Path("breastseg-results")

# Written out because the parser looks into `X | None` with a library that takes a tenth of a
# second to import.
OptionalPath = Optional[Path]  # noqa: UP045
OptionalFloat = Optional[float]  # noqa: UP045


@dataclass(frozen=True)
class Segment:
    """Outline the lesions in images and measure them.

    Writes STEM_mask.png (0 and 255, in the size of the image) and STEM_overlay.png for every
    image or frame (STEM_f0001 ...), and results.json and results.csv for the run.

    Exit codes: 0 all were segmented, 1 some failed and the others were done, 2 none could be
    done, 130 stopped; what was finished is kept.
    """

    inputs: tyro.conf.Positional[
        Annotated[tuple[Path, ...], tyro.conf.arg(metavar="INPUT ...", help_behavior_hint="")]
    ]
    """PNG, JPEG, TIFF, BMP and DICOM files, folders with such files, or - for standard input."""
    out: OptionalPath = None
    """Folder for what is written; breastseg-results by default, nothing is written with --json
    alone."""
    method: str = DEFAULT_METHOD
    """A method of 'breastseg models list', or the folder of a bundle."""
    threshold: OptionalFloat = None
    """Outline pixels of at least this probability, between 0 and 1, in place of the method's own
    threshold."""
    flip_average: bool = False
    """Average with the prediction for the mirrored image: a little better, twice the time."""
    threads: int = 0
    """CPU cores to use; 0 for all."""
    json: bool = False
    """Print the results as JSON to standard output, and nothing else there."""
    quiet: bool = False
    """No progress and no lines but errors."""
    overwrite: bool = False
    """Replace what an earlier run has written."""
    force: bool = False
    """Also take images of another modality than the method was made for."""

    def run(self) -> int:
        """Segment everything; returns the exit code."""
        from breastseg.cli.results import to_json, write_results

        if not self.inputs:
            raise InputError("nothing to segment", "files, folders or - for standard input")
        folder = self.out or (None if self.json else DEFAULT_FOLDER)
        sources = find_sources(self.inputs, folder)
        results = _Results(self, folder, sources)
        entries: list[Entry] = []
        complete = False
        try:
            for entry in results:
                entries.append(entry)
                if entry.failed:
                    complain(entry.line)
                elif not self.json and not self.quiet:
                    say(entry.line)
            complete = True
        finally:
            if folder is not None:
                write_results(folder, entries, complete)
        if self.json:
            say(to_json(entries).rstrip("\n"))
        failed = sum(entry.failed for entry in entries)
        if not self.json and not self.quiet and failed < len(entries):
            say(_closing_words(len(entries), failed, folder))
        if failed == 0:
            return 0
        return 1 if failed < len(entries) else 2
