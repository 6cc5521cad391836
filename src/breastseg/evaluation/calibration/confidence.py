"""Making the score of an image the probability that it shows a lesion, and checking that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.calibrated import Confidence
from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.calibration.reliability import Reliability, reliability
from breastseg.inference.onnx_segmenter import OnnxSegmenter, any_lesion
from breastseg.metrics.calibration import fit_platt
from breastseg.preprocess.prepare import prepare

PIXELS = 2000
"""How many pixels of an image are drawn, at most."""


@dataclass(frozen=True, eq=False)
class ScoredImages:
    """What a network makes of images, one a row.

    Attributes:
        patients: n patients.
        scores: (n,) float64, the score of each image, see `Confidence`, without what is to be
            ignored.
        lesion: (n,) bool, whether it shows one.
        pixels: n arrays float32, the probability of lesion of some pixels.
        pixel_lesion: n arrays bool, whether they are lesion.
    """

    patients: tuple[str, ...]
    scores: NDArray[np.float64]
    lesion: NDArray[np.bool_]
    pixels: tuple[NDArray[np.float32], ...]
    pixel_lesion: tuple[NDArray[np.bool_], ...]


def score_images(
    network: OnnxSegmenter,
    cases: Sequence[CaseRef],
    generator: np.random.Generator,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ScoredImages:
    """Run a network once over each image.

    Args:
        network: at its own temperature and test-time augmentation.
        cases: with ground truth.
        generator: draws the pixels.
        progress: called with (done, total).

    Raises:
        DataSetError: no case, or one without ground truth.
    """
    if not cases:
        raise DataSetError("no case", "at least one with ground truth")
    rows = []
    for ref in cases:
        case = ref.load()
        if case.mask is None:
            raise DataSetError(f"case {ref.key} without ground truth", "a mask")
        array, placement = prepare(case.images[0], network.bundle.input)
        maps = network.class_probabilities(array[None])[0]
        truth = placement.forward(case.mask.foreground)[placement.inner.slices] >= 0.5
        lesion = any_lesion(maps[None])[0][placement.inner.slices]
        known = placement.forward(case.mask.ignored)[placement.inner.slices] < 0.5
        chosen = generator.permutation(np.flatnonzero(known))[:PIXELS]
        rows.append(
            (
                float(lesion[known].max(initial=0)),
                bool(case.mask.foreground.any()),
                lesion.ravel()[chosen],
                truth.ravel()[chosen],
            )
        )
        progress(len(rows), len(cases))
    scores, there, pixels, truths = zip(*rows, strict=True)
    patients = tuple(ref.patient_key for ref in cases)
    return ScoredImages(patients, np.array(scores), np.array(there, bool), pixels, truths)


def fit_confidence(images: ScoredImages, calibrated_on: str) -> Confidence:
    """Fit Platt's line to the scores of images.

    Args:
        images: that the network was not trained on, with and without a lesion.
        calibrated_on: what they are, in words.

    Raises:
        DataSetError: all of the images show a lesion, or none does.
    """
    if images.lesion.all() or not images.lesion.any():
        raise DataSetError(
            f"{len(images.scores)} images, {int(images.lesion.sum())} of them with a lesion",
            "images with a lesion and images without one",
        )
    line = fit_platt(images.scores, images.lesion)
    return Confidence(round(line.slope, 6), round(line.intercept, 6), calibrated_on)


def confidence_reliability(
    confidence: Confidence, images: ScoredImages, generator: np.random.Generator
) -> Reliability:
    """How true the confidence is on images; those of other patients than it was fitted on."""
    told = np.array([confidence(score) for score in images.scores])
    return reliability(told, images.lesion, images.patients, generator)


def pixel_reliability(images: ScoredImages, generator: np.random.Generator) -> Reliability:
    """How true the probability of a pixel is."""
    owners = np.repeat(np.arange(len(images.pixels)), [len(part) for part in images.pixels])
    patients = np.asarray(images.patients)[owners].tolist()
    return reliability(
        np.concatenate(images.pixels), np.concatenate(images.pixel_lesion), patients, generator
    )


def check_apart(fitted: Sequence[CaseRef], checked: Sequence[CaseRef]) -> None:
    """Refuse to check on patients that something was fitted on.

    Raises:
        DataSetError: a patient is in both.
    """
    both = {ref.patient_key for ref in fitted} & {ref.patient_key for ref in checked}
    if both:
        raise DataSetError(
            f"{len(both)} patients to check on that were fitted on, such as {min(both)}",
            "other patients",
        )
