"""``breastseg measure``: an image and its corrected mask in, measurements out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from breastseg.cli.console import say
from breastseg.cli.entries import naming_options
from breastseg.cli.spacing import SpacingMm


@dataclass(frozen=True)
class Measure:
    """Measure the lesions of a mask that was drawn or corrected by hand.

    Prints a line a lesion, such as "Lesion 1: 24.7 x 16.4 mm". With --out it also writes
    results.json and results.csv, in the form that 'segment' gives them, and for an image
    overlay.png and report.html.

    Attributes:
        image: PNG, JPEG, TIFF, BMP or DICOM with one image; or a volume, NIfTI, NRRD or MetaImage.
        mask: of the same size: 0 outside, one value inside lesions.
        out: the folder for the results; by default nothing is written.
        spacing_mm: distance of pixel centres in millimetres, row and column, of an image that
            does not state its own, such as PNG.
        json: print the results as JSON to standard output, and nothing else there.
        overwrite: replace what an earlier run has written.
    """

    image: tyro.conf.Positional[Path]
    mask: tyro.conf.Positional[Path]
    out: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="")] = None
    spacing_mm: SpacingMm = None
    json: bool = False
    overwrite: bool = False

    def run(self) -> int:
        """Measure; returns the exit code."""
        from breastseg.core.grid import check_stated_spacing
        from breastseg.results.document import to_json
        from breastseg.results.given_mask import measure_mask
        from breastseg.results.run import Run
        from breastseg.results.sentences import lines, to_paste
        from breastseg.results.source import printable

        if self.spacing_mm is not None:
            check_stated_spacing(self.spacing_mm)
        inputs = {printable(path): path for path in (self.image, self.mask)}
        asked = {"mask": printable(self.mask), "spacing_mm": self.spacing_mm}
        with naming_options():
            run = Run(asked, self.out, inputs, overwrite=self.overwrite)
        entry = measure_mask(self.image, self.mask, run, self.spacing_mm)
        if self.json:
            say(to_json(run.document()).rstrip("\n"))
            return 0
        said = lines(entry)
        for text in (*(to_paste(entry) or said[:1]), *said[1:]):
            say(text)
        return 0
