"""DICOM Segmentation: a segment a lesion, of a still, a cine loop or a volume.

DICOM PS3.3 A.51 and C.8.20. Built from highdicom's sequences with pydicom, for every kind of
source in one way: highdicom's own writer takes no multi-frame image without a frame of reference,
as a cine loop is. Each frame of the object names the frame of the source that it lies on. Frames
without the lesion are left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from breastseg.core.errors import InputError, UnsupportedError
from breastseg.core.provenance import BY_HAND
from breastseg.dicom.codes import (
    BREAST,
    MASS,
    MORPHOLOGICALLY_ABNORMAL,
    SEGMENTATION,
    SIDES,
    SOURCE_IMAGE,
    algorithm_identification,
    code_item,
)
from breastseg.dicom.derived import RESEARCH, derived_dataset, referenced_series, sop_reference
from breastseg.dicom.stack import in_space
from breastseg.dicom.subject import Plane, Subject
from breastseg.dicom.uids import derived_uid, identify
from breastseg.io.memory import check_memory

if TYPE_CHECKING:
    from pydicom import Dataset

Kind = Literal["BINARY", "FRACTIONAL"]
SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"
MAX_FRACTION = 255
_MAX_BYTES = 2**32 - 2

_SERIES = {"BINARY": 9101, "FRACTIONAL": 9102}
_COLOURS_LAB = ((43000, 53000, 50000), (50000, 20000, 49000), (21000, 53000, 5000))


def tracking(subject: Subject, number: int) -> tuple[str, str]:
    """Identifier and UID of a lesion, from 1: the same in all objects of one result."""
    box = subject.segments[number - 1].planes[0].box
    first = subject.sources[0]
    return f"Lesion {number}", derived_uid("lesion", first.instance_uid, number, tuple(box))


def segmentation(subject: Subject, kind: Kind = "BINARY") -> Dataset:
    """Make the object.

    Args:
        subject: with at least one lesion.
        kind: BINARY for the mask; FRACTIONAL for the probability on the mask, 0 outside.

    Returns:
        A data set ready to be saved, explicit VR little endian.

    Raises:
        InputError: no lesion.
        UnsupportedError: its pixels take more memory than the limit.
    """
    if not subject.segments:
        raise InputError("a segmentation without a lesion", "at least one lesion")
    shape = subject.grid.shape[-2:]
    one = derived_dataset(subject, SEGMENTATION_STORAGE, "SEG", _SERIES[kind])
    one.ImageType = ["DERIVED", "PRIMARY"]
    one.PatientOrientation = ""
    one.ContentLabel, one.ContentCreatorName = "LESIONS", ""
    one.ContentDescription = RESEARCH
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.PixelRepresentation, one.LossyImageCompression = 0, "00"
    one.Rows, one.Columns = shape
    one.SegmentationType, one.SegmentsOverlap = kind, "NO"
    bits = 1 if kind == "BINARY" else 8
    one.BitsAllocated = one.BitsStored = bits
    one.HighBit = bits - 1
    if kind == "FRACTIONAL":
        one.SegmentationFractionalType, one.MaximumFractionalValue = "PROBABILITY", MAX_FRACTION
    one.SegmentSequence = [
        _description(subject, number) for number in range(1, len(subject.segments) + 1)
    ]
    frames = [(k, plane) for k, one in enumerate(subject.segments, 1) for plane in one.planes]
    one.NumberOfFrames = len(frames)
    _dimensions(one, subject)
    one.SharedFunctionalGroupsSequence = [_shared(subject)]
    order = in_space(len(subject.sources), subject.places)
    one.PerFrameFunctionalGroupsSequence = [
        _frame(subject, number, plane, order[plane.index]) for number, plane in frames
    ]
    one.ReferencedSeriesSequence = referenced_series((*subject.sources, *subject.others))
    one.PixelData = _pixels([plane for _, plane in frames], (shape[0], shape[1]), kind)
    one["PixelData"].VR = "OB" if kind == "FRACTIONAL" else "OW"
    identify(one)
    return one


def frame_numbers(subject: Subject, number: int) -> list[int]:
    """Numbers, from 1, of the frames of the object that show a segment, in order."""
    before = sum(len(one.planes) for one in subject.segments[: number - 1])
    return [before + k for k in range(1, len(subject.segments[number - 1].planes) + 1)]


def frame_of_reference(subject: Subject) -> str:
    """That of the source; a new one, the same in every run, where it states none."""
    stated = subject.reference.frame_of_reference_uid
    return stated or derived_uid("frame of reference", subject.sources[0].series_uid)


def _description(subject: Subject, number: int) -> Dataset:
    """DICOM PS3.3 C.8.20.4."""
    from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription

    name, uid = tracking(subject, number)
    by_person = subject.provenance.segmenter == BY_HAND
    kind = SegmentAlgorithmTypeValues
    described = SegmentDescription(
        segment_number=number,
        segment_label=name,
        segmented_property_category=MORPHOLOGICALLY_ABNORMAL,
        segmented_property_type=MASS,
        algorithm_type=kind.SEMIAUTOMATIC if by_person else kind.AUTOMATIC,
        algorithm_identification=algorithm_identification(subject.provenance),
        tracking_uid=uid,
        tracking_id=name,
        anatomic_regions=[BREAST],
    )
    if subject.side:
        region = described.AnatomicRegionSequence[0]
        region.AnatomicRegionModifierSequence = [code_item(SIDES[subject.side])]
    described.SegmentDescription = RESEARCH
    described.RecommendedDisplayCIELabValue = list(_COLOURS_LAB[(number - 1) % len(_COLOURS_LAB)])
    return described


def _dimensions(one: Dataset, subject: Subject) -> None:
    """How frames are counted: by segment, then by place in the source; C.7.6.17."""
    from pydicom import Dataset
    from pydicom.tag import Tag

    within = ("FrameContentSequence", "InStackPositionNumber")
    if subject.grid.ndim == 3:
        within = ("PlanePositionSequence", "ImagePositionPatient")
    if subject.places:
        one.FrameOfReferenceUID = frame_of_reference(subject)
        one.PositionReferenceIndicator = ""
    pointers = (("SegmentIdentificationSequence", "ReferencedSegmentNumber"), within)
    organization = Dataset()
    organization.DimensionOrganizationUID = derived_uid("dimensions", *pointers)
    one.DimensionOrganizationSequence = [organization]
    one.DimensionIndexSequence = []
    for group, keyword in pointers:
        item = Dataset()
        item.DimensionOrganizationUID = organization.DimensionOrganizationUID
        item.FunctionalGroupPointer, item.DimensionIndexPointer = Tag(group), Tag(keyword)
        item.DimensionDescriptionLabel = keyword
        one.DimensionIndexSequence.append(item)


def _shared(subject: Subject) -> Dataset:
    """What all frames have in common in space; of an image the source that is named says it."""
    from pydicom import Dataset

    shared = Dataset()
    if subject.places and _parallel(subject):
        _measured(shared, subject, 0)
    return shared


def _parallel(subject: Subject) -> bool:
    """Whether all frames have one scale and one orientation."""
    return len({replace(one, position_mm=(0.0, 0.0, 0.0)) for one in subject.places}) == 1


def _measured(group: Dataset, subject: Subject, index: int) -> None:
    """State scale and orientation of a frame of the source."""
    from pydicom import Dataset

    place = subject.places[index]
    measures, orientation = Dataset(), Dataset()
    measures.PixelSpacing = [_decimal(step) for step in place.spacing_mm]
    if place.thickness_mm is not None:
        measures.SliceThickness = _decimal(place.thickness_mm)
    if subject.grid.ndim == 3:
        measures.SpacingBetweenSlices = _decimal(subject.grid.steps[0])
    orientation.ImageOrientationPatient = [_decimal(value) for value in place.orientation]
    group.PixelMeasuresSequence = [measures]
    group.PlaneOrientationSequence = [orientation]


def _frame(subject: Subject, number: int, plane: Plane, order: int) -> Dataset:
    """A segment on a frame of the source; `order` counts the source's frames in space, from 1."""
    from pydicom import Dataset

    source = subject.sources[plane.index]
    group, content, identified, derivation = (Dataset() for _ in range(4))
    content.DimensionIndexValues = [number, order]
    identified.ReferencedSegmentNumber = number
    image = sop_reference(source.class_uid, source.instance_uid, source.number)
    image.SpatialLocationsPreserved = "YES"
    image.PurposeOfReferenceCodeSequence = [code_item(SOURCE_IMAGE)]
    derivation.DerivationCodeSequence = [code_item(SEGMENTATION)]
    derivation.SourceImageSequence = [image]
    if subject.places:
        position = Dataset()
        place = subject.places[plane.index]
        position.ImagePositionPatient = [_decimal(value) for value in place.position_mm]
        group.PlanePositionSequence = [position]
        if not _parallel(subject):
            _measured(group, subject, plane.index)
    if subject.grid.ndim == 2:
        content.StackID, content.InStackPositionNumber = "1", order
    group.FrameContentSequence = [content]
    group.SegmentIdentificationSequence = [identified]
    group.DerivationImageSequence = [derivation]
    return group


def _pixels(planes: Sequence[Plane], shape: tuple[int, int], kind: Kind) -> bytes:
    """All frames: a byte a pixel, or a bit, packed without a gap between frames (PS3.5 8.1.1).

    Raises:
        UnsupportedError: they take too much memory, or more bytes than an object can hold.
    """
    pixels = len(planes) * math.prod(shape)
    size = pixels if kind == "FRACTIONAL" else math.ceil(pixels / 8)
    said = f"{len(planes)} frames of {shape[0]} x {shape[1]} pixels"
    check_memory(2 * size, "a segmentation", said)
    if size >= _MAX_BYTES:
        raise UnsupportedError(f"a segmentation of {said}", "less than 4 GiB of pixels")
    data = np.zeros(size + size % 2, np.uint8)
    for number, plane in enumerate(planes):
        start, used = divmod(number * math.prod(shape), 1 if kind == "FRACTIONAL" else 8)
        frame = np.zeros(used + math.prod(shape), np.uint8)
        part = frame[used:].reshape(shape)[plane.box.slices]
        if kind == "FRACTIONAL":
            level = np.rint(plane.probability * MAX_FRACTION).astype(np.uint8)
            part[plane.crop] = np.maximum(level[plane.crop], 1)
        else:
            part |= plane.crop
            frame = np.packbits(frame, bitorder="little")
        data[start : start + len(frame)] |= frame
    return data.tobytes()


def _decimal(value: float) -> str:
    """As a Decimal String of at most 16 characters; PS3.5 6.2."""
    from pydicom.valuerep import format_number_as_ds

    return str(format_number_as_ds(float(value)))
