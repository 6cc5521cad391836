"""What a DICOM object is about: the lesions of one stored image, cine loop or volume."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.errors import InputError, UnsupportedError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.mask import LESION
from breastseg.core.prediction import Prediction
from breastseg.core.provenance import Provenance
from breastseg.core.reference import Display, FrameReference, Place, Reference
from breastseg.dicom.stack import Level, levels, places_of
from breastseg.dicom.uids import derived_uid
from breastseg.io.dicom_reference import REPEATED_TAGS
from breastseg.measure.finding import Finding, findings
from breastseg.measure.margin import LesionMargin


@dataclass(frozen=True, eq=False)
class Plane:
    """A lesion on one source frame.

    Attributes:
        index: of the frame in the subject's `sources`.
        box: where the lesion lies in it, 2-D.
        crop: box.shape bool, True on the lesion.
        probability: box.shape float32, 0 to 1; 0 outside the lesion.
        margin: between which contours it lies there; None where that was not asked for.
    """

    index: int
    box: Box
    crop: NDArray[np.bool_]
    probability: NDArray[np.float32]
    margin: LesionMargin | None = None


@dataclass(frozen=True, eq=False)
class Segment:
    """One lesion.

    Attributes:
        planes: the frames that show it, in order, at least one.
        finding: its measurements; in a cine loop those of the frame where it is longest.
        measured_at: index of that frame in the subject's `sources`; of a volume, of the slice
            with most of it.
    """

    planes: tuple[Plane, ...]
    finding: Finding
    measured_at: int


@dataclass(frozen=True, eq=False)
class Subject:
    """The lesions of one stored image, cine loop or volume, and where they were found.

    Attributes:
        reference: study and patient; its study UID is never empty.
        sources: the source frame of each plane; their series UIDs are never empty.
        places: where each of them lies in the patient; empty where they have no stated place.
        displays: how the values of each of them come to a screen.
        others: further source objects, such as the other phases of an MRI.
        grid: of the image or volume.
        side: ``"L"``, ``"R"``, or empty where it is not stated.
        provenance: what found the lesions.
        segments: the largest first; none where no lesion was found.
        remarks: what must be known before the result is trusted.
    """

    reference: Reference
    sources: tuple[FrameReference, ...]
    places: tuple[Place, ...]
    displays: tuple[Display, ...]
    others: tuple[FrameReference, ...]
    grid: Grid
    side: str
    provenance: Provenance
    segments: tuple[Segment, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FrameResult:
    """What is kept of an image or frame until its file is done: the lesions, not the maps.

    Attributes:
        reference: the frame.
        grid: of the image.
        view: as `Image.view`.
        remarks: as `Image.remarks`.
        provenance: what found the lesions.
        found: the lesions with their measurements.
        maps: the probability on each lesion's box, 0 outside the lesion.
    """

    reference: Reference
    grid: Grid
    view: str
    remarks: tuple[str, ...]
    provenance: Provenance
    found: tuple[Finding, ...]
    maps: tuple[NDArray[np.float32], ...]

    @classmethod
    def of(cls, image: Image, prediction: Prediction, found: Sequence[Finding]) -> FrameResult:
        """Keep what is needed of a result.

        Raises:
            UnsupportedError: as `refusal` says.
        """
        problem = refusal(image, prediction)
        if problem is not None:
            raise problem
        assert image.reference is not None
        maps = tuple(
            np.where(one.lesion.crop, prediction.probability[one.lesion.box.slices], np.float32(0))
            for one in found
        )
        return cls(
            image.reference,
            prediction.grid,
            image.view,
            image.remarks,
            prediction.provenance,
            tuple(found),
            maps,
        )


def refusal(image: Image, prediction: Prediction) -> UnsupportedError | None:
    """Why no DICOM object can be made of a result, or None."""
    if image.reference is None:
        return UnsupportedError(
            f"{image.source}: no DICOM results, since it is no DICOM", "a DICOM image"
        )
    if not all(one.instance_uid and one.class_uid for one in image.reference.frames):
        return UnsupportedError(
            f"{image.source}: no DICOM results, since its file has no SOP Instance or Class UID",
            "an object of an archive",
        )
    if prediction.target != LESION:
        return UnsupportedError(
            f"{image.source}: no DICOM results for {prediction.target!r}", "lesions"
        )
    return None


def subject_of_frames(frames: Sequence[FrameResult]) -> Subject:
    """The subject of one file: a still, or the frames of a cine loop or a stack in their order.

    Lesions that share a pixel on successive frames of a loop are one lesion; so are those on
    neighbouring slices of tomosynthesis or enhanced MR, whatever the order of the frames.

    Raises:
        InputError: no frame, or frames of several files.
    """
    if len({frame.reference.frames[0].instance_uid for frame in frames}) != 1:
        raise InputError(f"{len(frames)} frames of several files", "the frames of one file")
    first = frames[0]
    reference, sources, remarks = _completed(
        first.reference, [frame.reference.frames[0] for frame in frames]
    )
    placed = all(frame.reference.places for frame in frames)
    places = tuple(frame.reference.places[0] for frame in frames) if placed else ()
    linked = _linked(frames, places) if any(frame.found for frame in frames) else []
    segments = [_segment(frames, members) for members in linked]
    segments.sort(key=lambda one: -one.finding.lesion.area_px)
    return Subject(
        reference,
        sources,
        places,
        tuple(display for frame in frames for display in frame.reference.displays),
        (),
        first.grid,
        _side(first.view, first.reference),
        first.provenance,
        tuple(segments),
        (*dict.fromkeys((*first.remarks, *remarks)),),
    )


def subject_of_volume(image: Image, prediction: Prediction) -> Subject:
    """The subject of a volume.

    Its planes refer to the slices of one phase: of several, the first after contrast, in which a
    lesion is seen.

    Raises:
        UnsupportedError: as `refusal` says.
        InputError: the reference has not one frame a slice of each phase, or the same for two.
    """
    found = findings(prediction, image)
    result = FrameResult.of(image, prediction, found)
    slices, phases = image.grid.shape[0], len(image.array)
    frames = result.reference.frames
    if len(frames) != slices * phases:
        raise InputError(
            f"{image.source}: {len(frames)} referenced frames for {phases} phases of {slices}",
            "one a slice and phase",
        )
    if len({(frame.instance_uid, frame.number) for frame in frames}) < len(frames):
        raise InputError(
            "slices share one SOP Instance UID: nothing tells an archive which is meant",
            "a UID for each",
            "export the series again",
        )
    reference, completed, remarks = _completed(result.reference, frames)
    at = slices * min(1, phases - 1)
    segments = []
    for one, probability in zip(found, result.maps, strict=True):
        box = one.lesion.box
        flat = Box(box.start[1:], box.stop[1:])
        planes = tuple(
            Plane(box.start[0] + depth, flat, crop, probability[depth])
            for depth, crop in enumerate(one.lesion.crop)
            if crop.any()
        )
        largest = max(planes, key=lambda plane: np.count_nonzero(plane.crop))
        segments.append(Segment(planes, one, largest.index))
    return Subject(
        reference,
        completed[at : at + slices],
        places_of(image.grid),
        result.reference.displays[at : at + slices],
        completed[:at] + completed[at + slices :],
        prediction.grid,
        _side(image.view, result.reference),
        prediction.provenance,
        tuple(segments),
        (*dict.fromkeys((*image.remarks, *remarks)),),
    )


def _linked(frames: Sequence[FrameResult], places: Sequence[Place]) -> list[list[tuple[int, int]]]:
    """Groups of (frame, lesion) that are one lesion, each in the order of frames."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes = [(at, k) for at, frame in enumerate(frames) for k in range(len(frame.found))]
    index = {node: number for number, node in enumerate(nodes)}
    at_level: dict[Level, list[int]] = defaultdict(list)
    pairs = []
    for at, (stack, level) in enumerate(levels(len(frames), places)):
        at_level[stack, level].append(at)
    for (stack, level), here in at_level.items():
        near = [*here, *at_level.get((stack, level - 1), ())]
        pairs += [
            (index[one, k], index[other, j])
            for one in here
            for other in near
            if one != other
            for k, first in enumerate(frames[one].found)
            for j, second in enumerate(frames[other].found)
            if _touch(first, second)
        ]
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(len(nodes), len(nodes)))
    count, labels = connected_components(links, directed=False)
    groups: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for node, label in zip(nodes, labels.tolist(), strict=True):
        groups[label].append(node)
    return groups


def _touch(one: Finding, other: Finding) -> bool:
    """Whether two lesions share a pixel."""
    shared = one.lesion.box & other.lesion.box
    if shared is None:
        return False
    first, second = (
        finding.lesion.crop[shared.shifted(*(-at for at in finding.lesion.box.start)).slices]
        for finding in (one, other)
    )
    return bool((first & second).any())


def _segment(frames: Sequence[FrameResult], members: Sequence[tuple[int, int]]) -> Segment:
    planes = []
    for at, number in members:
        found = frames[at].found[number]
        box, crop = found.lesion.box, found.lesion.crop
        planes.append(Plane(at, box, crop, frames[at].maps[number], found.margin))

    def length(member: tuple[int, int]) -> float:
        measured = frames[member[0]].found[member[1]].measured
        return 0.0 if measured is None else measured.longest

    longest = max(members, key=length)
    return Segment(tuple(planes), frames[longest[0]].found[longest[1]], longest[0])


def _completed(
    reference: Reference, frames: Sequence[FrameReference]
) -> tuple[Reference, tuple[FrameReference, ...], tuple[str, ...]]:
    """New study and series UIDs where the source states none, the same ones in every run."""
    remarks = []
    study = reference.study_uid
    if not study:
        study = derived_uid("study", frames[0].instance_uid)
        remarks.append("the file states no Study Instance UID: DICOM results have a new one")
    if not all(frame.series_uid for frame in frames):
        remarks.append("the file states no Series Instance UID: DICOM results refer to a new one")
    if _letters_are_unsure(reference):
        remarks.append(
            "the file states no known character set for the letters in it: a name in DICOM results "
            "may be spelt wrongly"
        )
    series = derived_uid("series", frames[0].instance_uid)
    completed = tuple(
        frame if frame.series_uid else replace(frame, series_uid=series) for frame in frames
    )
    return replace(reference, study_uid=study), completed, tuple(remarks)


def _letters_are_unsure(reference: Reference) -> bool:
    """Whether letters beyond ASCII were read as Latin-1 for want of anything better."""
    from pydicom.charset import python_encoding

    tags = reference.tags
    stated = tags.get("SpecificCharacterSet", "")
    known = stated and all(one.strip() in python_encoding for one in stated.split("\\"))
    beyond = any(not tags.get(keyword, "").isascii() for keyword in REPEATED_TAGS)
    return beyond and not known


def _side(view: str, reference: Reference) -> str:
    said = (view[:1], reference.tags.get("ImageLaterality"), reference.tags.get("Laterality"))
    return next((side for side in said if side in ("L", "R")), "")
