"""Writing the DICOM objects of one file's results beside its mask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from breastseg.core.errors import BreastsegError, InputError, as_breastseg_error
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
from breastseg.io.write import replacing, write_text
from breastseg.measure.finding import Finding
from breastseg.results.companion import Taken

if TYPE_CHECKING:
    from pydicom import Dataset

    from breastseg.dicom.capture import Drawings

ObjectKind = Literal["seg", "probability", "sr", "ps", "sc"]


@dataclass(frozen=True)
class DicomOptions:
    """Which DICOM objects are written.

    Attributes:
        dicom: DICOM objects to write beside the mask of a DICOM image, joined by commas: seg for a
            segmentation, or probability for one with the probabilities in it; sr for a structured
            report; ps for a presentation state with contours and rulers; sc for a secondary
            capture, the image with the contours drawn into it.
        fhir: also write a FHIR R5 bundle with a diagnostic report.

    Raises:
        InputError: seg and probability, which would have one name.
    """

    dicom: tuple[ObjectKind, ...] = ()
    fhir: bool = False

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
        self._fhir = options.fhir
        self._stem = ""
        self._frames: list[FrameResult] = []
        self._volume: Subject | None = None
        self._drawn: Drawings | None = None

    def take(
        self, stem: str, image: Image, prediction: Prediction, found: Sequence[Finding]
    ) -> Taken:
        """Take the result of an image, frame or volume; see the protocol."""
        from breastseg.dicom.capture import Drawings
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
            if "sc" in self._kinds and found:
                self._drawn = self._drawn or Drawings()
                self._drawn.add(image, prediction, found)
            subject = subject_of_frames(self._frames[-1:])
        remarks = [remark for remark in subject.remarks if remark not in image.remarks]
        ruled = "ps" in self._kinds and bool(found)
        unfit = no_presentation(subject) if ruled else None
        outlined = bool(self._kinds & {"seg", "probability"}) and bool(found)
        capturing = "sc" in self._kinds and bool(found)
        captured = capturing and self._volume is None
        if capturing and not captured:
            remarks.append("no secondary capture, which shows images alone: open the segmentation")
        return Taken(
            self._name("seg") if outlined else None,
            self._name("sr") if "sr" in self._kinds else None,
            self._name("ps") if ruled and unfit is None else None,
            self._name("sc") if captured else None,
            self._name("fhir") if self._fhir else None,
            (*remarks, *([] if unfit is None else [unfit])),
        )

    def forget(self) -> None:
        """Leave out what was taken last; see the protocol."""
        self._volume = None
        for frame in self._frames[-1:]:
            if self._drawn is not None:
                self._drawn.forget(frame.reference.frames[0])
        del self._frames[-1:]

    def write(self, folder: Path) -> None:
        """Write the objects of what was taken; see the protocol."""
        from breastseg.dicom.fhir import fhir_bundle

        frames, volume, drawn = self._frames, self._volume, self._drawn
        self._frames, self._volume, self._drawn = [], None, None
        if not frames and volume is None:
            return
        subject = volume or subject_of_frames(frames)
        for kind, one in self._made(subject, drawn).items():
            with replacing(folder / self._name(kind)) as temporary, quiet():
                one.save_as(temporary, enforce_file_format=True)
        if self._fhir:
            said = json.dumps(fhir_bundle(subject), indent=1, ensure_ascii=False)
            write_text(folder / self._name("fhir"), said + "\n")

    def _name(self, kind: str) -> str:
        suffix = "json" if kind == "fhir" else "dcm"
        return f"{self._stem}_{kind}.{suffix}" if self._stem else f"{kind}.{suffix}"

    def _made(self, subject: Subject, drawn: Drawings | None) -> dict[str, Dataset]:
        """The objects by kind.

        Raises:
            BreastsegError: one of them cannot be made of what the source states.
        """
        from breastseg.dicom.capture import capture

        try:
            with quiet():  # what the source states is repeated as it is, against the rules or not
                made = made_objects(subject, self._kinds)
                if drawn is not None and drawn.frames:
                    made["sc"] = capture(subject, drawn)
                return made
        except BreastsegError:
            raise
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
