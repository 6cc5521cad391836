"""Which stored DICOM object an image came from, so that a result finds its way back to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType

from breastseg.core.errors import InputError

_PATIENT = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate")


@dataclass(frozen=True)
class FrameReference:
    """One frame of one stored object; DICOM PS3.3 10.3, 10.8 and C.7.3.1.

    Attributes:
        series_uid: Series Instance UID.
        instance_uid: SOP Instance UID.
        class_uid: SOP Class UID.
        number: Referenced Frame Number, from 1; None where the object holds a single frame.
    """

    series_uid: str
    instance_uid: str
    class_uid: str
    number: int | None = None


@dataclass(frozen=True)
class Place:
    """Where a frame lies in the patient, as its file states it; DICOM PS3.3 C.7.6.2, C.7.6.16.2.

    Attributes:
        position_mm: (x, y, z) of the first pixel's centre in DICOM's patient system (LPS).
        orientation: 6 cosines: the direction in which the columns count up, then the rows'.
        spacing_mm: (row, column) distance of pixel centres.
        thickness_mm: of the slice; None where it is not stated.
    """

    position_mm: tuple[float, float, float]
    orientation: tuple[float, ...]
    spacing_mm: tuple[float, float]
    thickness_mm: float | None = None

    @property
    def height_mm(self) -> float:
        """Of the plane along its normal, which makes a right-handed system with its axes."""
        ax, ay, az, bx, by, bz = self.orientation
        normal = (ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)
        return sum(a * b for a, b in zip(normal, self.position_mm, strict=True))


@dataclass(frozen=True)
class Display:
    """How a frame's stored values come to a screen, as its file states it; PS3.3 C.11.1, C.11.2.

    Attributes:
        rescale: slope, intercept and type; None where one of both numbers is not stated.
        window: centre, width and function of the first window; None without one. The function is
            empty where it is not stated.
        table: whether a modality LUT takes the place of the rescaling.
    """

    rescale: tuple[float, float, str] | None = None
    window: tuple[float, float, str] | None = None
    table: bool = False


@dataclass(frozen=True)
class Reference:
    """The study that an image belongs to and the frames that it was read from.

    A value that the file does not state is an empty string.

    Attributes:
        study_uid: Study Instance UID.
        accession_number: Accession Number.
        frame_of_reference_uid: Frame of Reference UID; most ultrasound images have none.
        frames: one entry for a 2-D image; for a volume one for each slice in array order, all
            slices of the first phase before those of the second.
        tags: by keyword, as text, what the patient, study and equipment modules state and a
            derived object repeats. These name the patient: `as_dict` and the ``repr`` leave them
            out.
        places: of the frames, one each; empty where one of them has no stated place.
        displays: of the frames, one each; empty for what comes from no DICOM file.

    Raises:
        InputError: there is no frame, or another number of places or displays.
    """

    study_uid: str
    accession_number: str
    frame_of_reference_uid: str
    frames: tuple[FrameReference, ...]
    tags: Mapping[str, str] = field(default_factory=dict, repr=False)
    places: tuple[Place, ...] = field(default=(), repr=False)
    displays: tuple[Display, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.frames:
            raise InputError("a reference to no frame", "at least one")
        for name, given in (("places", self.places), ("displays", self.displays)):
            if given and len(given) != len(self.frames):
                raise InputError(
                    f"{len(given)} {name} of {len(self.frames)} frames", "one each or none"
                )
        object.__setattr__(self, "tags", MappingProxyType(dict(self.tags)))

    @property
    def series_uid(self) -> str:
        """Series Instance UID of the first frame."""
        return self.frames[0].series_uid

    def as_dict(self) -> dict[str, object]:
        """Identifiers alone, as plain containers ready for JSON."""
        return {
            "study_uid": self.study_uid,
            "accession_number": self.accession_number,
            "frame_of_reference_uid": self.frame_of_reference_uid,
            "frames": [asdict(frame) for frame in self.frames],
        }


def join_references(references: Sequence[Reference]) -> Reference:
    """The reference of a volume, from those of its slices in array order.

    Study, frame of reference and tags are those of the first slice.

    Args:
        references: of the slices, at least one.

    Raises:
        InputError: there is none, or they are of several patients or studies, whatever their
            series.
    """
    if not references:
        raise InputError("references of no slice", "at least one")
    patients = {tuple(one.tags.get(tag, "") for tag in _PATIENT) for one in references}
    for noun, count in (
        ("patients", len(patients)),
        ("studies", len({one.study_uid for one in references})),
    ):
        if count > 1:
            raise InputError(
                f"slices of {count} {noun} as one volume",
                "slices of one",
                "sort the files by patient and study",
            )
    frames = tuple(frame for one in references for frame in one.frames)
    placed = all(one.places for one in references)
    places = tuple(place for one in references for place in one.places) if placed else ()
    known = all(one.displays for one in references)
    displays = tuple(display for one in references for display in one.displays) if known else ()
    return replace(references[0], frames=frames, places=places, displays=displays)
