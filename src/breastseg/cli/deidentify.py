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
from breastseg.core.errors import InputError
from breastseg.io.write import clear_leftovers, remove_leftovers

if TYPE_CHECKING:
    from breastseg.dicom.deidentify.run import Outcome, Places


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
        resume: continue a run that was stopped, with the same key and inputs; what it has written
            stays, what failed is tried again.
    """

    inputs: tyro.conf.Positional[tuple[Path, ...]]
    out: Path
    key: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="")] = None
    new_key: bool = False
    resume: bool = False

    def run(self) -> int:
        """Do it; returns the exit code."""
        from breastseg.dicom.deidentify.run import Places

        with alone(self.out, "*"):
            return self._deidentify(Places.beside(self.out, self.key, self.new_key))

    def _deidentify(self, places: Places) -> int:
        remove_leftovers(places.key)
        for folder in (places.held_back, *places.held_back.glob("*")):
            clear_leftovers(folder)
        known = places.key.exists()
        counts: Counter[str] = Counter()
        stopped = self._count(places, counts)
        if counts["written"]:
            say(f"{counts['written']} images are in {places.out}/, with report.jsonl")
        if counts["held back"]:
            say(f"{counts['held back']} are held back in {places.held_back}/: look at them")
        if counts["left out"]:
            say(f"{counts['left out']} files were left out: no DICOM, or without an image")
        if places.key.exists():
            which = "The key" if known else "A new key"
            say(f"{which} is {places.key}: keep it, and give it to nobody with the images")
        if counts.total() == counts["left out"] and not stopped:
            complain("there was no DICOM image to de-identify")
            return 2
        others = counts.total() - counts["written"] - counts["left out"]
        return exit_code(counts["written"], others + stopped)

    def _count(self, places: Places, counts: Counter[str]) -> bool:
        """Count what becomes of the files; returns whether it ended before the last."""
        from breastseg.dicom.deidentify.run import deidentify
        from breastseg.results.run import OccupiedError

        try:
            for outcome in deidentify(self.inputs, places, resume=self.resume):
                counts[outcome.status] += 1
                _tell(outcome)
        except OccupiedError as error:
            remedy = "choose another folder with --out, or continue a run with --resume"
            raise InputError(error.given, error.allowed, remedy) from None
        except InputError as error:
            if not counts:
                raise
            complain(str(error))  # the disk is full, say
            return True
        return False


def _tell(outcome: Outcome) -> None:
    """The line of an image, where there is something to say of it that was not said before."""
    if outcome.earlier:
        return
    if outcome.status == "held back":
        complain(f"{outcome.source}: held back as {outcome.written}: {outcome.why}")
    elif outcome.status == "failed":
        complain(outcome.why)
    elif outcome.status == "written" and outcome.why:
        complain(f"{outcome.source}: {outcome.why}")
