"""``--dicom seg,sr,ps``: which DICOM objects a command writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, get_args

import tyro

from breastseg.dicom.objects import DicomObjects, DicomOptions, ObjectKind


def _kinds_of(words: list[str]) -> tuple[ObjectKind, ...]:
    """Words joined by commas."""
    allowed: tuple[ObjectKind, ...] = get_args(ObjectKind)
    found = tuple(kind for word in words[0].split(",") for kind in allowed if kind == word)
    if len(found) < len(words[0].split(",")):
        raise ValueError(f"{words[0]}; expected: some of {','.join(allowed)}")
    return found


@dataclass(frozen=True)
class DicomKinds(DicomOptions):
    """The same, joined by commas."""

    dicom: Annotated[
        tuple[ObjectKind, ...],
        tyro.constructors.PrimitiveConstructorSpec(
            nargs=1,
            metavar="KIND[,KIND ...]",
            instance_from_str=_kinds_of,
            is_instance=lambda value: isinstance(value, tuple),
            str_from_instance=lambda value: [",".join(value)],
        ),
        tyro.conf.arg(help_behavior_hint=""),
    ] = ()

    def companion(self) -> DicomObjects | None:
        """What writes them; None where none is asked for.

        Raises:
            MissingExtraError: highdicom is not installed.
        """
        return DicomObjects(self) if self.dicom or self.fhir else None


NO_DICOM = DicomKinds()
