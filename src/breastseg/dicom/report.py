"""DICOM structured report: the measurements of the lesions.

TID 1500 of DICOM PS3.16, from highdicom's templates: Comprehensive 3D SR for a volume,
Comprehensive SR for what has no place in space (PS3.3 A.35.13, A.35.3). Every report is
preliminary and unverified, and says in plain text that it is for research.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.sr.coding import Code

from breastseg.core.reference import FrameReference
from breastseg.dicom.codes import (
    BREAST,
    MASS,
    MORPHOLOGICALLY_ABNORMAL,
    PIXELS,
    SIDES,
    algorithm_family,
    algorithm_parameters,
)
from breastseg.dicom.contour import contours
from breastseg.dicom.derived import RESEARCH, derived_dataset, sop_reference
from breastseg.dicom.segmentation import frame_numbers, tracking
from breastseg.dicom.subject import Plane, Segment, Subject
from breastseg.dicom.uids import derived_uid, identify
from breastseg.measure.descriptors import DEFINITIONS, TITLES, Kind
from breastseg.measure.margin import LesionMargin
from breastseg.results.schema import significant

if TYPE_CHECKING:
    from highdicom import sr
    from pydicom import Dataset

    Group = (
        sr.PlanarROIMeasurementsAndQualitativeEvaluations
        | sr.VolumetricROIMeasurementsAndQualitativeEvaluations
    )

COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.33"
COMPREHENSIVE_3D = "1.2.840.10008.5.1.4.1.1.88.34"

_SERIES = 9103
_PROCEDURES = {
    "US": Code("47079000", "SCT", "Ultrasonography of breast"),
    "MG": Code("71651007", "SCT", "Mammography"),
    "MR": Code("241615005", "SCT", "Magnetic resonance imaging of breast"),
}
_IMAGING = Code("363679005", "SCT", "Imaging")
_LONG_AXIS = Code("103339001", "SCT", "Long Axis")
_SHORT_AXIS = Code("103340004", "SCT", "Short Axis")
_AREA = Code("42798000", "SCT", "Area")
_VOLUME = Code("118565006", "SCT", "Volume")
_CERTAINTY = Code("111012", "DCM", "Certainty of Finding")
_MEAN = Code("373098007", "SCT", "Mean")
_MINIMUM = Code("255605001", "SCT", "Minimum")
_MAXIMUM = Code("56851009", "SCT", "Maximum")
ABSENT = Code("2667000", "SCT", "Absent")
_COMMENT = Code("121106", "DCM", "Comment")
_DEVICE = Code("121007", "DCM", "Device")
_UNITS = {
    ("mm", 1): Code("mm", "UCUM", "millimeter"),
    ("mm", 2): Code("mm2", "UCUM", "square millimeter"),
    ("mm", 3): Code("mm3", "UCUM", "cubic millimeter"),
}
DESCRIPTORS: dict[Kind, Code] = {
    "shape": Code("300842002", "SCT", "Shape"),
    "orientation": Code("111354", "DCM", "Orientation"),
    "margin": Code("111037", "DCM", "Margins"),
    "echo_pattern": Code("111360", "DCM", "Echo pattern"),
    "posterior_features": Code("111366", "DCM", "Posterior acoustic features"),
}
DESCRIBED = {
    "round": Code("42700002", "SCT", "Round shape"),
    "oval": Code("84360004", "SCT", "Ovoid shape (Oval)"),
    "irregular": Code("49608001", "SCT", "Irregular"),
    "parallel": Code("111355", "DCM", "Parallel"),
    "not parallel": Code("111356", "DCM", "Not parallel"),
    "circumscribed": Code("129738007", "SCT", "Circumscribed lesion"),
    "anechoic": Code("111361", "DCM", "Anechoic"),
    "hyperechoic": Code("111362", "DCM", "Hyperechoic"),
    "complex": Code("111363", "DCM", "Complex"),
    "hypoechoic": Code("111364", "DCM", "Hypoechoic"),
    "isoechoic": Code("111365", "DCM", "Isoechoic"),
    "none": Code("111367", "DCM", "No posterior acoustic features"),
    "enhancement": Code("111368", "DCM", "Posterior enhancement"),
    "shadowing": Code("111369", "DCM", "Posterior shadowing"),
    "combined": Code("111370", "DCM", "Combined posterior enhancement and shadowing"),
}
_PERCENT = Code("%", "UCUM", "percent")


def report(subject: Subject, segments: Dataset | None = None) -> Dataset:
    """Make the object; also where no lesion was found, which it then says.

    Args:
        subject: the lesions.
        segments: the segmentation that was made of the same subject, to refer to; without one
            each lesion's contour stands in the report.

    Returns:
        A data set ready to be saved, explicit VR little endian.
    """
    from highdicom import sr

    spatial = subject.grid.ndim == 3
    sop_class = COMPREHENSIVE_3D if spatial else COMPREHENSIVE
    one = derived_dataset(subject, sop_class, "SR", _SERIES)
    numbers = range(1, len(subject.segments) + 1)
    content = sr.MeasurementReport(
        observation_context=_observers(subject),
        procedure_reported=_PROCEDURES.get(subject.reference.tags.get("Modality", ""), _IMAGING),
        imaging_measurements=[_group(subject, number, segments) for number in numbers]
        or [_nothing(subject)],
        title=Code("126000", "DCM", "Imaging Measurement Report"),
    )
    root = content[0]
    for text in (words(subject), *remarks(subject)):
        root.ContentSequence.append(
            sr.TextContentItem(_COMMENT, text, sr.RelationshipTypeValues.CONTAINS)
        )
    one.update(root)
    one.CompletionFlag, one.VerificationFlag, one.PreliminaryFlag = (
        *("COMPLETE", "UNVERIFIED"),
        "PRELIMINARY",
    )
    one.PerformedProcedureCodeSequence = []
    one.ReferencedPerformedProcedureStepSequence = []
    one.CurrentRequestedProcedureEvidenceSequence = [_evidence(subject, segments)]
    identify(one)
    return one


def words(subject: Subject) -> str:
    """How many lesions were outlined, by what, for what use, and what must be known of it."""
    count = len(subject.segments)
    found = f"{count} lesion{'s' * (count > 1)} outlined" if count else "No lesion outlined"
    by = f"{subject.provenance.segmenter} {subject.provenance.version}"
    parts = (f"{RESEARCH}", f"{found} by {by}, not reviewed by a person", *subject.remarks)
    return ". ".join(parts) + "."


def _observers(subject: Subject) -> sr.ObservationContext:
    from highdicom import sr

    said = subject.provenance
    return sr.ObservationContext(
        observer_device_context=sr.ObserverContext(
            sr.CodedConcept.from_code(_DEVICE),
            sr.DeviceObserverIdentifyingAttributes(
                derived_uid("device", said.segmenter, said.version, said.weights_sha256),
                "breastseg",
                "breastseg",
                said.segmenter,
            ),
        )
    )


def _group(subject: Subject, number: int, segments: Dataset | None) -> Group:
    """One lesion; TID 1410, of a volume TID 1411."""
    from highdicom import sr

    make: Callable[..., Group] = sr.PlanarROIMeasurementsAndQualitativeEvaluations
    if subject.grid.ndim == 3:
        make = sr.VolumetricROIMeasurementsAndQualitativeEvaluations
    name, uid = tracking(subject, number)
    said = subject.provenance
    parameters = [f"{key} = {value}" for key, value in algorithm_parameters(said).items()]
    return make(
        tracking_identifier=sr.TrackingIdentifier(uid, name),
        finding_type=MASS,
        finding_category=MORPHOLOGICALLY_ABNORMAL,
        finding_sites=[sr.FindingSite(BREAST, SIDES.get(subject.side))],
        measurements=[
            sr.Measurement(one.code, one.value, one.unit, derivation=one.derivation)
            for one in measurements(subject, subject.segments[number - 1])
        ],
        qualitative_evaluations=[
            sr.QualitativeEvaluation(kind, value)
            for kind, value in described(subject.segments[number - 1])
        ],
        algorithm_id=sr.AlgorithmIdentification(
            said.segmenter, said.version, parameters or None, algorithm_family(said), "breastseg"
        ),
        **_where(subject, number, segments),
    )


def _where(subject: Subject, number: int, segments: Dataset | None) -> dict[str, object]:
    """Where a lesion lies: in the segmentation, or by its contour."""
    from highdicom import sr

    segment = subject.segments[number - 1]
    shown = next(plane for plane in segment.planes if plane.index == segment.measured_at)
    spatial = subject.grid.ndim == 3
    if segments is None:
        if spatial:
            return {"referenced_regions": [_region(subject, plane) for plane in segment.planes]}
        return {"referenced_region": _region(subject, shown)}
    planes = segment.planes if spatial else (shown,)
    images = [_segmented(subject.sources[plane.index]) for plane in planes]
    kind, uid = segments.SOPClassUID, segments.SOPInstanceUID
    if spatial:
        return {"referenced_segment": sr.ReferencedSegment(kind, uid, number, None, images)}
    frame = frame_numbers(subject, number)[segment.planes.index(shown)]
    reference = sr.ReferencedSegmentationFrame(kind, uid, frame, number, images[0])
    # a frame is of one segment, and only one of both may be stated (PS3.3 10.8)
    del reference[0].ReferencedSOPSequence[0].ReferencedSegmentNumber
    return {"referenced_segment": reference}


def _segmented(source: FrameReference) -> sr.SourceImageForSegmentation:
    from highdicom import sr

    return sr.SourceImageForSegmentation(source.class_uid, source.instance_uid, _frames(source))


def _nothing(subject: Subject) -> sr.MeasurementsAndQualitativeEvaluations:
    """That there is no lesion in what was looked at; TID 1501."""
    from highdicom import sr

    return sr.MeasurementsAndQualitativeEvaluations(
        sr.TrackingIdentifier(derived_uid("none", subject.sources[0].instance_uid), "No lesion"),
        source_images=[
            sr.SourceImageForMeasurementGroup(one.class_uid, one.instance_uid, _frames(one))
            for one in subject.sources
        ],
        qualitative_evaluations=[sr.QualitativeEvaluation(MASS, ABSENT)],
    )


@dataclass(frozen=True)
class Measured:
    """A measurement of a lesion.

    Attributes:
        code: what was measured.
        value: to four significant digits; a probability in percent to two decimals.
        unit: in UCUM.
        derivation: of the value, where it is one of many.
    """

    code: Code
    value: float
    unit: Code
    derivation: Code | None = None


def measurements(subject: Subject, segment: Segment) -> Iterator[Measured]:
    """What is stated of a lesion: axes and area, or volume, and its mean probability."""
    measured = segment.finding.measured
    if measured is not None:
        # their ends are lines of the presentation state: the template has no place for them
        for code, length in ((_LONG_AXIS, measured.longest), (_SHORT_AXIS, measured.perpendicular)):
            yield Measured(code, significant(length), _unit(measured.unit, 1))
        yield Measured(_AREA, significant(measured.area), _unit(measured.unit, 2))
        if segment.finding.margin is not None:
            yield from _between(segment.finding.margin, measured.unit)
    if segment.finding.volume is not None:
        unit = _unit(subject.grid.unit, 3)
        yield Measured(_VOLUME, significant(segment.finding.volume), unit)
    probability = round(100 * segment.finding.lesion.mean_probability, 2)
    yield Measured(_CERTAINTY, probability, _PERCENT, _MEAN)


def _between(margin: LesionMargin, unit: str) -> Iterator[Measured]:
    """The smallest and largest of what an inner and an outer contour promise."""
    for code, pair, power in (
        (_LONG_AXIS, margin.longest_diameter, 1),
        (_AREA, margin.area, 2),
    ):
        for value, derivation in zip(pair, (_MINIMUM, _MAXIMUM), strict=True):
            yield Measured(code, significant(value), _unit(unit, power), derivation)


def remarks(subject: Subject) -> Iterator[str]:
    """What must be said of the figures: how descriptors were computed, what margins promise."""
    every = [one for segment in subject.segments for one in segment.finding.descriptors]
    kinds = {one.kind for one in every}
    if kinds:
        how = "; ".join(
            f"{TITLES[kind]}: {said}" for kind, said in DEFINITIONS.items() if kind in kinds
        )
        yield f"Descriptors are computed from mask and grey levels and are not a reading. {how}"
    for number, segment in enumerate(subject.segments, start=1):
        name = tracking(subject, number)[0]
        for one in segment.finding.descriptors:
            if one.detail:
                stated = "" if one.value else "not computed, "
                yield f"{name}, {TITLES[one.kind]}: {stated}{one.detail}"
        margin = segment.finding.margin
        if margin is not None:
            yield (
                f"{name}: minimum and maximum are of an inner and an outer contour, "
                f"on average {significant(margin.inner_distance)} within and "
                f"{significant(margin.outer_distance)} {_length(segment)} outside of the mask's. "
                f"Each of both holds with a probability of {margin.coverage:.0%}, as calibrated on "
                "other patients: all within the inner one is lesion, and all of the lesion lies "
                "within the outer one"
            )


def _length(segment: Segment) -> str:
    return segment.finding.measured.unit if segment.finding.measured is not None else "px"


def described(segment: Segment) -> Iterator[tuple[Code, Code]]:
    """The computed descriptors of a lesion as concepts: what, and what it is."""
    for one in segment.finding.descriptors:
        if one.value is not None:
            yield DESCRIPTORS[one.kind], DESCRIBED[one.value]


def _unit(unit: str, power: int) -> Code:
    return _UNITS.get((unit, power), PIXELS)


def _region(subject: Subject, plane: Plane) -> sr.ImageRegion:
    """The longest closed contour on one frame."""
    from highdicom import sr

    line = contours(plane.crop, plane.box)[0]
    image = _image(subject.sources[plane.index])
    return sr.ImageRegion(sr.GraphicTypeValues.POLYLINE, line, image)


def _image(source: FrameReference) -> sr.SourceImageForRegion:
    from highdicom import sr

    return sr.SourceImageForRegion(source.class_uid, source.instance_uid, _frames(source))


def _frames(source: FrameReference) -> list[int] | None:
    return None if source.number is None else [source.number]


def _evidence(subject: Subject, segments: Dataset | None) -> Dataset:
    """All objects that the report refers to; PS3.3 C.17.2.3."""
    from pydicom import Dataset

    frames = [*subject.sources, *subject.others]
    if segments is not None:
        frames.append(
            FrameReference(
                segments.SeriesInstanceUID, segments.SOPInstanceUID, segments.SOPClassUID
            )
        )
    series: dict[str, dict[str, str]] = {}
    for frame in frames:
        series.setdefault(frame.series_uid, {})[frame.instance_uid] = frame.class_uid
    study = Dataset()
    study.StudyInstanceUID = subject.reference.study_uid
    study.ReferencedSeriesSequence = []
    for uid, instances in series.items():
        item = Dataset()
        item.SeriesInstanceUID = uid
        item.ReferencedSOPSequence = [sop_reference(kind, one) for one, kind in instances.items()]
        study.ReferencedSeriesSequence.append(item)
    return study
