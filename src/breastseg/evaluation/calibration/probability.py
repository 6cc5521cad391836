"""Making the probabilities of a network mean what they say.

A temperature for every pixel (Guo et al. 2017, https://proceedings.mlr.press/v70/guo17a.html), and
Platt's line for the malignancy of an image. Both by `breastseg.metrics.calibration`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from breastseg.core.calibrated import PlattScaling
from breastseg.core.errors import DataSetError
from breastseg.core.prediction import malignancy_of
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.malignancy import LABELS
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.temperature import LEAST
from breastseg.metrics.calibration import (
    TEMPERATURES,
    expected_calibration_error,
    fit_platt,
    fit_temperature,
)
from breastseg.preprocess.prepare import prepare

PIXELS = 2000
"""How many pixels of an image are drawn, at most: all of them would say little more."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FittedTemperature:
    """A temperature and what it changes.

    Attributes:
        temperature: that the logits are divided by.
        images: how many it was fitted on.
        error_before: expected calibration error of a pixel's probability of any lesion at
            temperature 1, 0 to 1.
        error_after: the same at the fitted one.
    """

    temperature: float
    images: int
    error_before: float
    error_after: float


@dataclass(frozen=True)
class FittedMalignancy:
    """Platt's line and what it changes.

    Attributes:
        scaling: the line.
        images: how many outlined images it was fitted on.
        malignant: how many of them are malignant.
        error_before: expected calibration error without the line, 0 to 1.
        error_after: the same with it.
    """

    scaling: PlattScaling
    images: int
    malignant: int
    error_before: float
    error_after: float


def calibrate_temperature(
    network: OnnxSegmenter,
    cases: Sequence[CaseRef],
    generator: np.random.Generator,
    progress: Progress = lambda done, total: None,
) -> FittedTemperature:
    """Fit one temperature to pixels drawn from every image, at the network's size.

    Args:
        network: its own temperature and test-time augmentation are left aside.
        cases: with ground truth; each counts the same.
        generator: draws the pixels.
        progress: called with (done, total).

    Raises:
        DataSetError: a case without ground truth or of a label that the network does not know.
    """
    bare = network.with_output(replace(network.output, temperature=1.0, flip_average=False))
    logits, truths = [], []
    for ref in cases:
        drawn = _drawn(bare, ref, generator)
        logits.append(drawn[0])
        truths.append(drawn[1])
        progress(len(logits), len(cases))
    if not logits:
        raise DataSetError("no case", "at least one with ground truth")
    every, truth = np.concatenate(logits), np.concatenate(truths)
    # at the very ends a temperature would only say that the map is all right or all wrong
    found = float(np.clip(fit_temperature(every, truth), *TEMPERATURES))
    before, after = (
        expected_calibration_error(_lesion(every / one), truth > 0) for one in (1.0, found)
    )
    return FittedTemperature(round(found, 3), len(logits), before, after)


def _drawn(
    network: OnnxSegmenter, ref: CaseRef, generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits (n,) or (n, K) of some pixels of an image, and their true classes (n,)."""
    case = ref.load()
    if case.mask is None:
        raise DataSetError(f"case {ref.key} without ground truth", "a mask")
    array, placement = prepare(case.images[0], network.bundle.input)
    maps = network.class_probabilities(array[None])[0]
    names = network.class_names
    truth = (placement.forward(case.mask.foreground) >= 0.5).astype(np.int64)
    if names and truth.any():
        if case.label not in names:
            raise DataSetError(
                f"case {ref.key} labelled {case.label!r}", f"one of {', '.join(names)}"
            )
        truth *= names.index(case.label) + 1
    # neither the padding is a pixel of the image, nor what is to be ignored
    known = np.zeros(truth.shape, bool)
    known[placement.inner.slices] = True
    known &= placement.forward(case.mask.ignored) < 0.5
    chosen = generator.permutation(np.flatnonzero(known))[:PIXELS]
    values = np.clip(maps.reshape(len(maps), -1)[:, chosen].astype(np.float64), LEAST, 1 - LEAST)
    own = np.log(values).T if names else np.log(values[0]) - np.log1p(-values[0])
    return own, truth.ravel()[chosen]


def _lesion(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of any lesion, (n,)."""
    if logits.ndim == 1:
        return np.asarray(1 / (1 + np.exp(-logits)))
    apart = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(1 - apart[:, 0] / apart.sum(axis=1))


def calibrate_malignancy(
    network: OnnxSegmenter,
    cases: Sequence[CaseRef],
    progress: Progress = lambda done, total: None,
) -> FittedMalignancy:
    """Fit Platt's line over the outlined images that are benign or malignant.

    Args:
        network: with the classes benign and malignant; its own line is left aside.
        cases: labelled; images of other labels and those in which nothing is outlined do not enter.
        progress: called with (done, total).

    Raises:
        DataSetError: the network has other classes, or not both kinds of image are outlined.
    """
    if not set(LABELS) <= set(network.class_names):
        raise DataSetError(
            f"{network.name!r} with the classes {', '.join(network.class_names) or 'none'}",
            "a network with the classes benign and malignant",
        )
    told = list(_malignancies(network, cases, progress))
    given = np.array([value for value, _ in told], np.float64)
    malignant = np.array([truth for _, truth in told], bool)
    if malignant.all() or not malignant.any():
        raise DataSetError(
            f"{len(told)} outlined images, {malignant.sum()} of them malignant",
            "benign and malignant ones",
        )
    scaling = fit_platt(given, malignant)
    scaled = np.array([scaling(value) for value in given])
    return FittedMalignancy(
        scaling,
        len(told),
        int(malignant.sum()),
        expected_calibration_error(given, malignant),
        expected_calibration_error(scaled, malignant),
    )


def _malignancies(
    network: OnnxSegmenter, cases: Sequence[CaseRef], progress: Progress
) -> Iterator[tuple[float, bool]]:
    for done, ref in enumerate(cases, start=1):
        case = ref.load()
        found = malignancy_of(network.segment(case.images[0]))
        progress(done, len(cases))
        if case.label in LABELS and found is not None:
            yield found, case.label == LABELS[1]
