"""What else a run writes for an image, by whoever makes it: this room knows no DICOM object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from breastseg.measure.finding import Finding
from breastseg.results.schema import Files

if TYPE_CHECKING:
    from breastseg.core.image import Image
    from breastseg.core.prediction import Prediction


@dataclass(frozen=True)
class Taken:
    """What came of a result that was handed over.

    Attributes:
        segmentation: name of the file that will be written; None for none.
        report: likewise.
        presentation: likewise.
        capture: likewise.
        fhir: likewise.
        remarks: why there is none, and what must be known of those there are.
    """

    segmentation: str | None = None
    report: str | None = None
    presentation: str | None = None
    capture: str | None = None
    fhir: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of all files that will be written."""
        every = (self.segmentation, self.report, self.presentation, self.capture, self.fhir)
        return tuple(name for name in every if name is not None)


class Companion(Protocol):
    """Takes the results of one file after the other, and writes once a file is done."""

    def take(
        self, stem: str, image: Image, prediction: Prediction, found: Sequence[Finding]
    ) -> Taken:
        """Take the result of an image, frame or volume, and say what will be written.

        Args:
            stem: of the names of the file's outputs; empty where there is only one file.
            image: what was read.
            prediction: what was found in it.
            found: its lesions, the largest first.
        """

    def forget(self) -> None:
        """Leave out what was taken last: its files must not be written."""

    def write(self, folder: Path) -> None:
        """Write what belongs to the results taken since the last time, and forget them.

        Raises:
            BreastsegError: a file cannot be made or written.
        """


def with_taken(files: Files, taken: Taken) -> Files:
    """The names of an entry's files, with those of its companion."""
    return replace(
        files,
        segmentation=taken.segmentation,
        report=taken.report,
        presentation=taken.presentation,
        capture=taken.capture,
        fhir=taken.fhir,
    )
