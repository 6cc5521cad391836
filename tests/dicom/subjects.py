"""Subjects made from the synthetic DICOM studies, with known masks in place of a method's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from breastseg.core.box import Box
from breastseg.core.calibrated import Margin
from breastseg.core.image import Image
from breastseg.core.prediction import Lesion, Prediction
from breastseg.core.provenance import Provenance
from breastseg.data.phantoms.dicom import DicomPhantom, dicom_phantoms
from breastseg.dicom.subject import FrameResult, Subject, subject_of_frames, subject_of_volume
from breastseg.io.open import open_images
from breastseg.measure.finding import findings
from breastseg.measure.margin import LesionMargin, lesion_margin

PROVENANCE = Provenance("oracle", "1", {"threshold": 0.5}, "ab" * 32)


@cache
def phantoms() -> dict[str, DicomPhantom]:
    return {one.name: one for one in dicom_phantoms(3)}


def saved(one: Dataset) -> bytes:
    buffer = BytesIO()
    one.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def read_back(one: Dataset) -> Dataset:
    return dcmread(BytesIO(saved(one)))


def predicted(image: Image, mask: NDArray[np.bool_]) -> Prediction:
    """The mask with probabilities that differ from pixel to pixel."""
    ramp = 0.6 + 0.4 * np.arange(mask.size).reshape(mask.shape) / mask.size
    return Prediction(np.where(mask, ramp, 0.1).astype(np.float32), image.grid, PROVENANCE)


def with_a_second(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The same with another lesion, in the corner across."""
    both = mask.copy()
    both[..., -4:, -9:-2] = True
    return both


def frame_results(
    name: str,
    change: Callable[[Dataset], None] | None = None,
    truth: NDArray[np.bool_] | None = None,
) -> list[FrameResult]:
    phantom = phantoms()[name]
    one = read_back(phantom.objects[0])
    if change is not None:
        change(one)
    known = phantom.truth if truth is None else truth
    masks = known if known.ndim == 3 else known[None]
    results = []
    for image, mask in zip(open_images(BytesIO(saved(one)), name), masks, strict=True):
        prediction = predicted(image, with_a_second(mask) if mask.any() else mask)
        results.append(FrameResult.of(image, prediction, findings(prediction, image)))
    return results


def image_subject(name: str) -> Subject:
    return subject_of_frames(frame_results(name))


def with_margins(subject: Subject) -> Subject:
    """The same, each lesion between an inner and an outer contour."""

    def held(box: Box, crop: NDArray[np.bool_]) -> LesionMargin:
        flat = np.zeros(subject.grid.shape, np.float32)
        return lesion_margin(Lesion(crop, box, 1.0, 1.0), flat, subject.grid, Margin(0.9, 0.2, 0.1))

    segments = []
    for segment in subject.segments:
        planes = tuple(
            replace(plane, margin=held(plane.box, plane.crop)) for plane in segment.planes
        )
        lesion = segment.finding.lesion
        found = replace(segment.finding, margin=held(lesion.box, lesion.crop))
        segments.append(replace(segment, planes=planes, finding=found))
    return replace(subject, segments=tuple(segments))


def expected(name: str) -> NDArray[np.bool_]:
    """(frames, rows, columns) of what the image's subject shows."""
    truth = phantoms()[name].truth
    masks = truth if truth.ndim == 3 else truth[None]
    return np.stack([with_a_second(mask) if mask.any() else mask for mask in masks])


def write_mr(folder: Path, objects: Sequence[Dataset] | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(objects or phantoms()["mr"].objects):
        one.save_as(folder / f"{number:03d}.dcm", enforce_file_format=True)


def volume_subject(image: Image, mask: NDArray[np.bool_]) -> Subject:
    return subject_of_volume(image, predicted(image, mask))
