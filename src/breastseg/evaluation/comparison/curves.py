"""What one operating point hides: free-response counts at many thresholds, and calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.evaluation.comparison.cell import BINS, THRESHOLDS, Cell
from breastseg.metrics.calibration import ReliabilityBins, reliability_bins
from breastseg.metrics.lesionwise import LesionMatch, TrueLesions

_CUTS = np.array(THRESHOLDS, np.float32)


@dataclass(frozen=True)
class Counts:
    """One map against its ground truth.

    Attributes:
        found: at each of `THRESHOLDS`, true lesions that are found.
        false_positives: at each of `THRESHOLDS`, regions that hit no true lesion.
        bin_pixels: per bin of probability, pixels.
        bin_lesion: per bin, those that are lesion.
        bin_probability: per bin, the sum of the probabilities.
    """

    found: tuple[int, ...] = (0,) * len(THRESHOLDS)
    false_positives: tuple[int, ...] = (0,) * len(THRESHOLDS)
    bin_pixels: tuple[int, ...] = (0,) * BINS
    bin_lesion: tuple[int, ...] = (0,) * BINS
    bin_probability: tuple[float, ...] = (0.0,) * BINS


def count(
    probability: NDArray[np.float32], lesion: NDArray[np.bool_], min_iou: float, ignored: int = 0
) -> Counts:
    """Count one map against its ground truth.

    Args:
        probability: (H, W) or (slices, H, W) float32, 0 to 1.
        lesion: of that shape, bool.
        min_iou: intersection over union from which a region hits a true lesion; when it is found
            stands in `breastseg.metrics.lesionwise`.
        ignored: how many pixels, of probability 0, are to be ignored; they are in no bin.
    """
    # Beyond this part no threshold is reached and there is no lesion: all is in the first bin.
    box = Box.around((probability >= _CUTS[0]) | lesion)
    part = (slice(0, 0),) * lesion.ndim if box is None else box.slices
    found, false = _matches(probability[part], lesion[part], min_iou)
    near, true = probability[part].ravel(), lesion[part].ravel()
    bins = reliability_bins(near, true, BINS)
    pixels, sums = bins.counts.copy(), bins.sums.copy()
    pixels[0] += probability.size - near.size - ignored
    sums[0] += max(0.0, probability.sum(dtype=np.float64) - near.sum(dtype=np.float64))
    return Counts(
        found, false, tuple(pixels.tolist()), tuple(bins.true.tolist()), tuple(sums.tolist())
    )


def _matches(
    probability: NDArray[np.float32], lesion: NDArray[np.bool_], min_iou: float
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Lesions found and false positives at each threshold."""
    lesions = TrueLesions.of(lesion)
    # How many thresholds each pixel reaches: the map cut at threshold i is levels > i.
    lively = probability >= _CUTS[0]
    levels = np.zeros(probability.shape, np.uint8)
    levels[lively] = np.searchsorted(_CUTS, probability[lively], side="right")
    between = np.bincount(levels.ravel(), minlength=len(_CUTS) + 1)
    matches: list[LesionMatch] = []
    for i in range(len(_CUTS)):
        # With no pixel between this threshold and the one before, nothing has changed.
        same = i > 0 and between[i] == 0
        matches.append(matches[-1] if same else lesions.match(levels > i, min_iou))
    return tuple(one.found for one in matches), tuple(one.false_positives for one in matches)


def free_response(cells: Sequence[Cell]) -> tuple[tuple[float, float], ...]:
    """The free-response curve (FROC) of one method.

    Bunch et al. 1978, doi:10.1117/12.955926.

    Args:
        cells: of one method; a failed one finds nothing.

    Returns:
        At each of `THRESHOLDS`: false positives per image, 0 or more; and the fraction of all true
        lesions that are found, 0 to 1. NaN where there is no image or no lesion.
    """
    lesions = sum(cell.row.score.true_lesions for cell in cells)
    return tuple(
        (
            _ratio(sum(cell.false_positives[i] for cell in cells), len(cells)),
            _ratio(sum(cell.found[i] for cell in cells), lesions),
        )
        for i in range(len(THRESHOLDS))
    )


def reliability(cells: Sequence[Cell]) -> ReliabilityBins:
    """The reliability diagram of one method, over the pixels of all images together.

    As most pixels are background with a probability near 0, its expected calibration error is small
    for every method; compare it between methods only.

    Args:
        cells: of one method; a failed one has no pixels.
    """
    counted = [(cell.bin_pixels, cell.bin_lesion, cell.bin_probability) for cell in cells]
    pixels, lesion, sums = np.sum(counted, axis=0) if counted else np.zeros((3, BINS))
    return ReliabilityBins(pixels.astype(np.int64), lesion.astype(np.int64), sums)


def _ratio(part: float, whole: int) -> float:
    return part / whole if whole else math.nan
