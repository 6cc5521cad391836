"""Writing the DICOM objects of one file's results beside its mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from breastseg.core.errors import InputError, as_breastseg_error
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.dicom.extra import require
from breastseg.dicom.subject import (
    FrameResult,
    Subject,
    refusal,
    subject_of_frames,
    subject_of_volume,
)
from breastseg.io.source import quiet
from breastseg.io.write import replacing
from breastseg.measure.finding import Finding
from breastseg.results.companion import Taken

if TYPE_CHECKING:
    from pydicom import Dataset

ObjectKind = Literal["seg", "probability", "sr", "ps"]


@dataclass(frozen=True)
class DicomOptions:
    """Which DICOM objects are written.

    Attributes:
        dicom: DICOM objects to write beside the mask of a DICOM image, joined by commas: seg for a
            segmentation, or probability for one with the probabilities in it; sr for a structured
            report; ps for a presentation state with contours and rulers.

    Raises:
        InputError: seg and probability, which would have one name.
    """

    dicom: tuple[ObjectKind, ...] = ()

    def __post_init__(self) -> None:
        if {"seg", "probability"} <= set(self.dicom):
            raise InputError("a segmentation as a mask and as probabilities", "one of them")


class DicomObjects:
    """Makes the objects of one file after the other; a `breastseg.results.companion.Companion`.

    Of a cine loop all frames are taken before its objects are written.

    Args:
        options: which.

    Raises:
        MissingExtraError: highdicom is not installed.
    """

    def __init__(self, options: DicomOptions) -> None:
        require("highdicom")
        self._kinds = frozenset(options.dicom)
        self._stem = ""
        self._frames: list[FrameResult] = []
        self._volume: Subject | None = None

    def take(
        self, stem: str, image: Image, prediction: Prediction, found: Sequence[Finding]
    ) -> Taken:
        """Take the result of an image, frame or volume; see the protocol."""
        from breastseg.dicom.presentation import no_presentation

        problem = refusal(image, prediction)
        if problem is not None:
            return Taken(remarks=(problem.given,))
        self._stem = stem
        if prediction.grid.ndim == 3:
            try:
                subject = self._volume = subject_of_volume(image, prediction)
            except InputError as error:
                return Taken(remarks=(f"no DICOM results: {error}",))
        else:
            self._frames.append(FrameResult.of(image, prediction, found))
            subject = subject_of_frames(self._frames[-1:])
        remarks = [remark for remark in subject.remarks if remark not in image.remarks]
        drawn = "ps" in self._kinds and bool(found)
        unfit = no_presentation(subject) if drawn else None
        outlined = bool(self._kinds & {"seg", "probability"}) and bool(found)
        return Taken(
            self._name("seg") if outlined else None,
            self._name("sr") if "sr" in self._kinds else None,
            self._name("ps") if drawn and unfit is None else None,
            (*remarks, *([] if unfit is None else [unfit])),
        )

    def forget(self) -> None:
        """Leave out what was taken last; see the protocol."""
        self._volume = None
        del self._frames[-1:]

    def write(self, folder: Path) -> None:
        """Write the objects of what was taken; see the protocol."""
        frames, volume = self._frames, self._volume
        self._frames, self._volume = [], None
        if not frames and volume is None:
            return
        subject = volume or subject_of_frames(frames)
        for kind, one in self._made(subject).items():
            with replacing(folder / self._name(kind)) as temporary, quiet():
                one.save_as(temporary, enforce_file_format=True)

    def _name(self, kind: str) -> str:
        return f"{self._stem}_{kind}.dcm" if self._stem else f"{kind}.dcm"

    def _made(self, subject: Subject) -> dict[str, Dataset]:
        """The objects by kind.

        Raises:
            BreastsegError: one of them cannot be made of what the source states.
        """
        try:
            with quiet():  # what the source states is repeated as it is, against the rules or not
                return made_objects(subject, self._kinds)
        except Exception as error:
            raise as_breastseg_error(error, self._stem or "volume") from error


def made_objects(subject: Subject, kinds: frozenset[ObjectKind]) -> dict[str, Dataset]:
    """The objects that can be made of a subject: without a lesion only the report.

    Returns:
        By kind, ``"seg"`` also for one with probabilities.
    """
    from breastseg.dicom.presentation import no_presentation, presentation
    from breastseg.dicom.report import report
    from breastseg.dicom.segmentation import segmentation

    made: dict[str, Dataset] = {}
    if subject.segments and kinds & {"seg", "probability"}:
        made["seg"] = segmentation(subject, "BINARY" if "seg" in kinds else "FRACTIONAL")
    if "sr" in kinds:
        made["sr"] = report(subject, made.get("seg"))
    if subject.segments and "ps" in kinds and no_presentation(subject) is None:
        made["ps"] = presentation(subject)
    return made
