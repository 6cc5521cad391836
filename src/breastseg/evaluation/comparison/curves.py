"""What one operating point hides: free-response counts at many thresholds, and calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.evaluation.comparison.cell import BINS, THRESHOLDS, Cell

_CUTS = np.array(THRESHOLDS, np.float32)


@dataclass(frozen=True)
class Counts:
    """One map against its truth.

    Attributes:
        found: at each of `THRESHOLDS`, true lesions that an outline matches.
        false_outlines: at each of `THRESHOLDS`, outlines that match no true lesion.
        bin_pixels: per bin of probability, pixels.
        bin_lesion: per bin, those that are lesion.
        bin_probability: per bin, the sum of the probabilities.
    """

    found: tuple[int, ...] = (0,) * len(THRESHOLDS)
    false_outlines: tuple[int, ...] = (0,) * len(THRESHOLDS)
    bin_pixels: tuple[int, ...] = (0,) * BINS
    bin_lesion: tuple[int, ...] = (0,) * BINS
    bin_probability: tuple[float, ...] = (0.0,) * BINS


def count(probability: NDArray[np.float32], lesion: NDArray[np.bool_], min_iou: float) -> Counts:
    """Count one map against its truth, lesions as `breastseg.metrics.match_lesions` does.

    Args:
        probability: (H, W) or (slices, H, W) float32, 0 to 1.
        lesion: of that shape, bool.
        min_iou: intersection over union from which an outline and a true lesion match.
    """
    # Where no threshold is reached there is no outline, and all is in the first bin.
    lively = ndimage.find_objects((probability >= _CUTS[0]).astype(np.uint8))
    part = lively[0] if lively else (slice(0),) * probability.ndim
    found, false = _matches(probability[part], lesion, part, min_iou)
    flat, true = probability[part].ravel(), lesion[part].ravel()
    bins = np.minimum((flat * np.float32(BINS)).astype(np.intp), BINS - 1)
    pixels = np.bincount(bins, minlength=BINS)
    lesions = np.bincount(bins[true], minlength=BINS)
    sums = np.bincount(bins, flat, BINS).astype(np.float64)  # whole numbers where there are none
    pixels[0] += probability.size - flat.size
    lesions[0] += np.count_nonzero(lesion) - np.count_nonzero(true)
    sums[0] += max(0.0, probability.sum(dtype=np.float64) - flat.sum(dtype=np.float64))
    return Counts(
        found, false, tuple(pixels.tolist()), tuple(lesions.tolist()), tuple(sums.tolist())
    )


def _matches(
    probability: NDArray[np.float32],
    lesion: NDArray[np.bool_],
    part: tuple[slice, ...],
    min_iou: float,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Lesions found and false outlines at each threshold.

    Args:
        probability: of the part of the image that holds all outlines.
        lesion: bool, of the whole image.
        part: where it lies.
        min_iou: from which an outline and a true lesion match.
    """
    n, regions = _regions(lesion)
    sizes = np.bincount(regions.ravel(), minlength=n)[1:]
    within = regions[part]
    places = [np.flatnonzero(within == number) for number in range(1, n)]
    # How many thresholds each pixel reaches: the map cut at threshold i is levels > i.
    lively = probability >= _CUTS[0]
    levels = np.zeros(probability.shape, np.uint8)
    levels[lively] = np.searchsorted(_CUTS, probability[lively], side="right")
    between = np.bincount(levels.ravel(), minlength=len(_CUTS) + 1)
    counts: list[tuple[int, int]] = []
    for i in range(len(_CUTS)):
        # With no pixel between this threshold and the one before, nothing has changed.
        same = i > 0 and between[i] == 0
        counts.append(counts[-1] if same else _matched(levels > i, places, sizes, min_iou))
    return tuple(hits for hits, _ in counts), tuple(alarms for _, alarms in counts)


def _matched(
    outline: NDArray[np.bool_],
    places: Sequence[NDArray[np.intp]],
    sizes: NDArray[np.intp],
    min_iou: float,
) -> tuple[int, int]:
    """Lesions found and false outlines of one mask.

    Args:
        outline: bool, the part of the image that holds all outlines.
        places: for each lesion, its pixels in the flattened part.
        sizes: for each lesion, its pixels in the whole image.
        min_iou: from which they match.
    """
    if not outline.any():
        return 0, 0
    n, numbers = _regions(outline)
    flat = numbers.ravel()
    areas = np.bincount(flat, minlength=n)[1:]
    found = 0
    matched = np.zeros(n - 1, bool)
    for place, size in zip(places, sizes, strict=True):
        common = np.bincount(flat[place], minlength=n)[1:]
        hit = (common > 0) & (common >= min_iou * (areas + size - common))
        found += bool(hit.any())
        matched |= hit
    return found, int(n - 1 - matched.sum())


def _regions(mask: NDArray[np.bool_]) -> tuple[int, NDArray[np.int32]]:
    """Number the regions that touch by a side or a corner: one more than there are, and the map."""
    if mask.ndim == 2:  # OpenCV is many times as fast, and knows pictures only
        n, numbers = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
        return n, np.asarray(numbers)
    numbers, count = ndimage.label(mask, np.ones((3,) * mask.ndim, bool))
    return count + 1, numbers


def free_response(cells: Sequence[Cell]) -> tuple[tuple[float, float], ...]:
    """The free-response curve (FROC) of one method.

    Bunch et al. 1978, doi:10.1117/12.955926.

    Args:
        cells: of one method; a failed one finds nothing.

    Returns:
        At each of `THRESHOLDS`: false outlines an image, 0 or more; and the share of all true
        lesions that are found, 0 to 1. NaN where there is no image or no lesion.
    """
    lesions = sum(cell.row.score.true_lesions for cell in cells)
    return tuple(
        (
            _ratio(sum(cell.false_outlines[i] for cell in cells), len(cells)),
            _ratio(sum(cell.found[i] for cell in cells), lesions),
        )
        for i in range(len(THRESHOLDS))
    )


@dataclass(frozen=True)
class Reliability:
    """Whether a probability means what it says, over the pixels of all images together.

    Attributes:
        probability: per bin, the mean probability; NaN where the bin is empty.
        observed: per bin, the share of pixels that are lesion; NaN where the bin is empty.
        pixels: per bin, how many.
        error: the expected calibration error, 0 to 1: the mean over pixels of the distance between
            the two in their bin; NaN without pixels.
    """

    probability: tuple[float, ...]
    observed: tuple[float, ...]
    pixels: tuple[int, ...]
    error: float


def reliability(cells: Sequence[Cell]) -> Reliability:
    """The reliability diagram of one method and its expected calibration error.

    Guo et al. 2017, doi:10.48550/arXiv.1706.04599. As most pixels are background with a
    probability near 0, the error is small for every method; compare it between methods only.

    Args:
        cells: of one method; a failed one has no pixels.
    """
    pixels = [sum(cell.bin_pixels[i] for cell in cells) for i in range(BINS)]
    lesion = [sum(cell.bin_lesion[i] for cell in cells) for i in range(BINS)]
    total = [math.fsum(cell.bin_probability[i] for cell in cells) for i in range(BINS)]
    apart = math.fsum(abs(p - s) for p, s in zip(total, lesion, strict=True))
    return Reliability(
        tuple(_ratio(p, n) for p, n in zip(total, pixels, strict=True)),
        tuple(_ratio(s, n) for s, n in zip(lesion, pixels, strict=True)),
        tuple(pixels),
        _ratio(apart, sum(pixels)),
    )


def _ratio(part: float, whole: int) -> float:
    return part / whole if whole else math.nan
