"""The one form of all results: what stands in ``results.json``, field by field.

A field that is not known, or does not apply, is left out of the file and None here. Coordinates are
(row, column) in pixels from the upper left, (slice, row, column) in a volume; whole numbers are the
centres of pixels. Lengths are in the lesion's `unit`, areas in its square, volumes in its cube;
all have four significant digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Literal

from breastseg import __version__
from breastseg.core.provenance import Provenance, Scalar
from breastseg.core.reference import FrameReference, Reference
from breastseg.measure.descriptors import Kind as DescriptorKind

NOTICE = "Research tool, not a medical device."

Kind = Literal["image", "frame", "volume", "slide"]
Unit = Literal["mm", "px"]
Point = tuple[float, ...]
Line = tuple[Point, Point]
OptionValue = Scalar | tuple[Scalar, ...] | tuple[tuple[Scalar, ...], ...]


@dataclass(frozen=True)
class SegmenterRecord:
    """What produced all results of a run.

    Attributes:
        segmenter: name of the method or bundle.
        version: its version.
        parameters: all parameters in force, the operating point among them.
        weights_sha256: digest of the weights; absent where the method has none.
    """

    segmenter: str
    version: str
    parameters: Mapping[str, Scalar]
    weights_sha256: str | None = None

    @classmethod
    def of(cls, provenance: Provenance) -> SegmenterRecord:
        """What is the same for all images that one method has segmented."""
        return cls(
            provenance.segmenter,
            provenance.version,
            dict(provenance.parameters),
            provenance.weights_sha256,
        )


@dataclass(frozen=True)
class SourceReference:
    """The DICOM objects that an image was read from; no patient is named.

    Attributes:
        study_uid: Study Instance UID; empty where the file states none, as the next two.
        accession_number: Accession Number.
        frame_of_reference_uid: Frame of Reference UID.
        frames: the frames, one for an image and one a slice for a volume.
    """

    study_uid: str
    accession_number: str
    frame_of_reference_uid: str
    frames: tuple[FrameReference, ...]

    @classmethod
    def of(cls, reference: Reference | None) -> SourceReference | None:
        """The identifiers of a reference; None for what is no DICOM."""
        if reference is None:
            return None
        return cls(
            reference.study_uid,
            reference.accession_number,
            reference.frame_of_reference_uid,
            reference.frames,
        )


@dataclass(frozen=True)
class MarginRecord:
    """Between an inner and an outer contour of a lesion.

    Attributes:
        coverage: the probability with which each of the two contours holds, as calibrated.
        outer_distance: by how much the outer contour is wider than the mask, both taken as discs of
            their areas: the difference of the radii.
        inner_distance: by how much the inner one is narrower.
        longest_diameter: of what is within the inner and within the outer contour.
        area: of both.
    """

    coverage: float
    outer_distance: float
    inner_distance: float
    longest_diameter: tuple[float, float]
    area: tuple[float, float]


@dataclass(frozen=True)
class DescriptorRecord:
    """One descriptor after BI-RADS, computed from mask and grey levels; no reading.

    Attributes:
        kind: which.
        value: round, oval or irregular; parallel or not parallel; circumscribed; anechoic,
            hypoechoic, isoechoic, hyperechoic or complex; none, enhancement, shadowing or combined.
            Absent where it was not computed.
        detail: the figures behind it, or why it was not computed; absent where the value says all.
    """

    kind: DescriptorKind
    value: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class LesionRecord:
    """One lesion of an image, frame, volume or slide.

    Attributes:
        number: from 1, the largest first.
        box: first index along each axis, then one past the last: [row0, column0, row1, column1] in
            2-D, [slice0, row0, column0, slice1, row1, column1] in a volume.
        pixels: number of pixels or voxels of the mask; on a slide of the written mask.
        unit: of lengths: mm, or px where the spacing of the pixels is not known there.
        longest_diameter: the longest line across the lesion, between pixel corners; 2-D only.
        longest_diameter_ends: its two ends, in pixels.
        perpendicular_diameter: the longest line at a right angle to it across the lesion's convex
            hull; 2-D only.
        perpendicular_diameter_ends: its two ends, in pixels.
        area: 2-D only.
        distance_to_skin: the shortest one, in the plane of the image, between centres of pixels; 0
            where the lesion reaches the skin line. An upper bound where the nearest skin may lie
            beyond the image. Absent where no skin line is known: it is seen in a mammogram that
            shows the edge of the breast, elsewhere a person lays it; 2-D only.
        volume: 3-D only.
        mean_probability: over the lesion, 0 to 1, not calibrated; absent on slides.
        max_probability: the highest in the lesion, 0 to 1; absent on slides.
        uncertainty: mean over the lesion, 0 (sure) to 1; absent where the method gives none.
        class_name: the likeliest kind of lesion, of a method that tells kinds apart.
        class_probabilities: of each kind, the mean over the lesion, 0 to 1, not calibrated.
        margin: an inner and an outer contour; absent where it was not asked for.
        descriptors: those that are computed; 2-D only, absent for a mask of a few pixels.
    """

    number: int
    box: tuple[int, ...]
    pixels: int
    unit: Unit
    longest_diameter: float | None = None
    longest_diameter_ends: Line | None = None
    perpendicular_diameter: float | None = None
    perpendicular_diameter_ends: Line | None = None
    area: float | None = None
    distance_to_skin: float | None = None
    volume: float | None = None
    mean_probability: float | None = None
    max_probability: float | None = None
    uncertainty: float | None = None
    class_name: str | None = None
    class_probabilities: Mapping[str, float] | None = None
    margin: MarginRecord | None = None
    descriptors: tuple[DescriptorRecord, ...] | None = None


@dataclass(frozen=True)
class LesionPair:
    """Which lesion of a prior study is which of this one, and how it has grown.

    Attributes:
        number: the lesion's in this study; absent where it is no longer found.
        prior_number: the lesion's in the prior study; absent where it is new.
        growth_mm: longest diameter now less the prior one; absent where either is not known in mm.
        growth_percent: the same as a percentage of the prior one.
        volume_growth_percent: of the volume, as a percentage of the prior one; 3-D only.
    """

    number: int | None = None
    prior_number: int | None = None
    growth_mm: float | None = None
    growth_percent: float | None = None
    volume_growth_percent: float | None = None

    @classmethod
    def of(cls, now: LesionRecord, prior: LesionRecord) -> LesionPair:
        """A lesion that was found in both studies."""
        known = now.unit == prior.unit == "mm"
        change = percent = by_volume = None
        if known and now.longest_diameter is not None and prior.longest_diameter:
            change = round(now.longest_diameter - prior.longest_diameter, 2)
            percent = round(100 * (now.longest_diameter / prior.longest_diameter - 1), 1)
        if known and now.volume is not None and prior.volume:
            by_volume = round(100 * (now.volume / prior.volume - 1), 1)
        return cls(now.number, prior.number, change, percent, by_volume)


@dataclass(frozen=True)
class PriorStudy:
    """An earlier image of the same patient that this one is compared with.

    Attributes:
        input: the file as it was named.
        lesions: as they were found then.
        pairs: which lesion is which.
        reference: its DICOM objects; absent for what is no DICOM.
        study_date: YYYY-MM-DD, where it is known.
    """

    input: str
    lesions: tuple[LesionRecord, ...]
    pairs: tuple[LesionPair, ...]
    reference: SourceReference | None = None
    study_date: str | None = None


@dataclass(frozen=True)
class Files:
    """Names of what was written for an entry, in the folder of the results.

    Attributes:
        mask: the mask, on the grid of the input; of a slide a pyramid at the method's resolution.
        image: the image as it was looked at, in 8 bits; written for a report.
        overlay: the same with the mask's contour, numbers, diameters and a scale bar drawn on it.
        probability: the probability of lesion.
        uncertainty: the map of uncertainty.
        contours: polygons as GeoJSON.
        segmentation: DICOM Segmentation, of a cine loop for all frames, as the next two.
        report: DICOM structured report.
        presentation: DICOM presentation state.
        capture: DICOM secondary capture of the image with the contours drawn on it.
        fhir: FHIR R5 bundle with a diagnostic report.
    """

    mask: str | None = None
    image: str | None = None
    overlay: str | None = None
    probability: str | None = None
    uncertainty: str | None = None
    contours: str | None = None
    segmentation: str | None = None
    report: str | None = None
    presentation: str | None = None
    capture: str | None = None
    fhir: str | None = None


@dataclass(frozen=True)
class Entry:
    """What came of one image, frame, volume or slide.

    Attributes:
        input: the file as it was named; of a volume the first of its files or folders.
        kind: image, frame, volume or slide.
        status: ok or error.
        error: with status error, what is wrong in one line.
        frame: number of the frame in its file, from 1; absent where the file is one image.
        phases: of a volume, what its phases are called, in the order of their time.
        reference: the DICOM objects that it was read from; absent for what is no DICOM.
        shape: [rows, columns], of a volume [slices, rows, columns]; of a slide at full resolution.
        origin_px: of a slide, (row, column) of its first pixel on the whole plane of its file.
        spacing_mm: distance of pixel centres along each axis; absent where it is not known.
        view: side and view of a mammogram as its file states them, such as L MLO.
        skin_line: two points of the straight skin line that a person has laid, in pixels; it goes
            on beyond them. Absent where distances to the skin are to the breast's edge as seen.
        remarks: what must be known before a result is trusted; empty for most.
        label: what is segmented: lesion, or what the bundle says, such as nucleus.
        lesions: the largest first; empty where none was found.
        confidence: probability that the image shows a lesion, 0 to 1, calibrated on other patients;
            absent where the method was not calibrated.
        malignancy: probability that the image shows a malignant lesion, 0 to 1; absent where the
            method does not say or found nothing.
        steps: what was done, in order, in words.
        files: what was written.
        prior: the study that it is compared with.
    """

    input: str
    kind: Kind
    status: Literal["ok", "error"] = "ok"
    error: str | None = None
    frame: int | None = None
    phases: tuple[str, ...] | None = None
    reference: SourceReference | None = None
    shape: tuple[int, ...] | None = None
    origin_px: tuple[int, int] | None = None
    spacing_mm: tuple[float, ...] | None = None
    view: str | None = None
    skin_line: Line | None = None
    remarks: tuple[str, ...] = ()
    label: str | None = None
    lesions: tuple[LesionRecord, ...] = ()
    confidence: float | None = None
    malignancy: float | None = None
    steps: tuple[str, ...] = ()
    files: Files = Files()
    prior: PriorStudy | None = None

    @property
    def failed(self) -> bool:
        """True where nothing came of it."""
        return self.status == "error"


@dataclass(frozen=True, kw_only=True)
class Document:
    """The whole of ``results.json``.

    Attributes:
        software: the program's name.
        software_version: its version.
        schema_version: of this form; raised by a change that readers must know of.
        notice: that this is a research tool and not a medical device.
        complete: false where the run was stopped before its end.
        options: what was asked for, by the name of the option.
        provenance: what produced the results; absent where nothing was segmented.
        entries: in the order of the inputs.
    """

    software: Literal["breastseg"] = "breastseg"
    software_version: str = __version__
    schema_version: Literal[1] = 1
    notice: str = NOTICE
    complete: bool
    options: Mapping[str, OptionValue]
    provenance: SegmenterRecord | None = None
    entries: tuple[Entry, ...]


def plain(value: object) -> object:
    """A part of the schema as plain containers for JSON, without what is None.

    An option, a parameter or an identifier of a mapping stays also where it is None.
    """
    if is_dataclass(value) and not isinstance(value, type):
        held = {one.name: getattr(value, one.name) for one in fields(value)}
        return {name: plain(one) for name, one in held.items() if one is not None}
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(one) for one in value]
    return value


def significant(value: float, digits: int = 4) -> float:
    """Rounded to so many significant digits."""
    return float(f"{value:.{digits}g}")
