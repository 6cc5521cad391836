"""``breastseg deidentify``: DICOM images without what tells whose they are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from breastseg.cli.alone import alone
from breastseg.cli.console import complain, say
from breastseg.cli.entries import exit_code
from breastseg.io.write import remove_leftovers

if TYPE_CHECKING:
    from breastseg.dicom.deidentify.run import Places


@dataclass(frozen=True)
class Deidentify:
    """Write DICOM images without names, dates, identifiers and burned-in text.

    The basic profile of DICOM PS3.15 with clean pixel data and shifted dates. The key, beside the
    folder of results, gives the same pseudonyms in every run and leads back to the patients.
    An image in which text may be left is held back for a person to look at.

    Attributes:
        inputs: DICOM files and folders of them.
        out: a new folder, for the images and report.jsonl, which says what was removed.
        key: the key file of an earlier run, which is used and added to; by default OUT.key.json,
            which is made where it is missing.
        new_key: make the file that --key names, where it is missing.
    """

    inputs: tyro.conf.Positional[tuple[Path, ...]]
    out: Path
    key: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="")] = None
    new_key: bool = False

    def run(self) -> int:
        """Do it; returns the exit code."""
        from breastseg.dicom.deidentify.run import Places

        with alone(self.out):
            return self._deidentify(Places.beside(self.out, self.key, self.new_key))

    def _deidentify(self, places: Places) -> int:
        from breastseg.dicom.deidentify.run import deidentify

        remove_leftovers(places.key)
        known = places.key.exists()
        counts: Counter[str] = Counter()
        for outcome in deidentify(self.inputs, places):
            counts[outcome.status] += 1
            if outcome.status == "held back":
                complain(f"{outcome.source}: held back as {outcome.written}: {outcome.why}")
            elif outcome.status == "failed":
                complain(outcome.why)
            elif outcome.status == "written" and outcome.why:
                complain(f"{outcome.source}: {outcome.why}")
        if counts["written"]:
            say(f"{counts['written']} images are in {places.out}/, with report.jsonl")
        if counts["held back"]:
            say(f"{counts['held back']} are held back in {places.held_back}/: look at them")
        if counts["left out"]:
            say(f"{counts['left out']} files were left out: no DICOM, or without an image")
        if places.key.exists():
            which = "The key" if known else "A new key"
            say(f"{which} is {places.key}: keep it, and give it to nobody with the images")
        if counts.total() == counts["left out"]:
            complain("there was no DICOM image to de-identify")
            return 2
        return exit_code(counts["written"], counts.total() - counts["written"] - counts["left out"])
