"""Statements about unseen images that hold whatever the network: conformal prediction.

They hold for images exchangeable with those of the calibration set: the same scanner, the same
patients' mix, one case a patient. On another scanner nothing is promised; measure it.

Sources: Angelopoulos et al. 2024, Conformal risk control, https://doi.org/10.48550/arXiv.2208.02814;
Mossina and Friedrich 2025, Conformal prediction for image segmentation using morphological
prediction sets, https://doi.org/10.48550/arXiv.2503.05618.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import InputError
from breastseg.metrics.rules import check_pair

CONFIDENCE = 0.9
"""Of `tolerance_bound`."""


def tolerance_bound(
    scores: NDArray[np.floating], coverage: float, confidence: float = CONFIDENCE
) -> float:
    """The bound that at least `coverage` of all cases stay within, with a stated confidence.

    It is the smallest k-th score for which ``P(Binomial(n, coverage) < k)`` is at least
    `confidence`: of 100 calibrations with other cases, so many have a bound that holds. The
    quantile of split conformal prediction holds on average alone, and about every second
    calibration falls short. Sources: Wilks 1941, https://doi.org/10.1214/aoms/1177731788;
    Vovk 2012, https://proceedings.mlr.press/v25/vovk12.html.

    Args:
        scores: (n,), one a calibration case; infinite where no bound holds.
        coverage: above 0 and below 1.
        confidence: likewise.

    Returns:
        The bound; infinite where n is too small for that coverage: 0.9 needs 22 cases, 0.95 needs
        45.

    Raises:
        InputError: no scores, a NaN, or a coverage or confidence outside its range.
    """
    for name, value in (("coverage", coverage), ("confidence", confidence)):
        if not 0 < value < 1:
            raise InputError(f"a {name} of {value}", "above 0 and below 1")
    if scores.ndim != 1 or scores.size == 0 or bool(np.isnan(scores).any()):
        raise InputError(
            f"scores of shape {scores.shape}, {int(np.isnan(scores).sum())} of them NaN",
            "one number a calibration case",
        )
    from scipy import stats

    below = stats.binom.cdf(np.arange(scores.size), scores.size, coverage)
    place = int(np.searchsorted(below, confidence))
    return math.inf if place == scores.size else float(np.sort(scores)[place])


def risk_controlling_threshold(
    thresholds: NDArray[np.floating], losses: NDArray[np.floating], risk: float
) -> float | None:
    """The highest threshold whose expected loss on one more case is at most `risk`.

    Args:
        thresholds: (t,), rising.
        losses: (n, t) of each calibration case at each threshold, 0 to 1, not falling along a row:
            a higher threshold misses more. Missed lesions count with a loss of 1.
        risk: the bound, above 0 and below 1.

    Returns:
        The threshold; None where even the lowest one does not hold the bound.

    Raises:
        InputError: shapes that do not fit, losses outside 0 to 1 or falling, or a risk outside its
            range.
    """
    if not 0 < risk < 1:
        raise InputError(f"a risk of {risk}", "above 0 and below 1")
    if thresholds.ndim != 1 or losses.ndim != 2 or losses.shape[1] != thresholds.size:
        raise InputError(
            f"losses of shape {losses.shape} at {thresholds.shape} thresholds",
            "(cases, thresholds)",
        )
    if not len(losses) or not bool(((losses >= 0) & (losses <= 1)).all()):
        raise InputError(f"losses of {len(losses)} cases", "at least one case, each 0 to 1")
    if bool((np.diff(thresholds) <= 0).any()) or bool((np.diff(losses, axis=1) < 0).any()):
        raise InputError("thresholds or losses that fall", "rising thresholds and losses")
    n = len(losses)
    bounded = (losses.sum(axis=0) + 1) / (n + 1) <= risk
    return float(thresholds[bounded][-1]) if bool(bounded.any()) else None


def outer_margin(
    mask: NDArray[np.bool_], truth: NDArray[np.bool_], step: tuple[float, ...] | None = None
) -> float:
    """The least distance to widen a mask by until it holds all of the ground truth.

    Args:
        mask: any shape, bool.
        truth: the same shape, bool.
        step: length of a pixel along each axis; None counts pixels.

    Returns:
        At least 0, in the unit of `step`; 0 without a lesion, infinite where the mask is empty.

    Raises:
        InputError, GeometryError: no pair of masks.
    """
    check_pair(mask, truth)
    if not truth.any():
        return 0.0
    if not mask.any():
        return math.inf
    from scipy import ndimage

    return float(ndimage.distance_transform_edt(~mask, step)[truth].max())


def inner_margin(
    mask: NDArray[np.bool_], truth: NDArray[np.bool_], step: tuple[float, ...] | None = None
) -> float:
    """The least distance to narrow a mask by until all that is left is ground truth.

    A pixel is left where its distance to the background is above the margin.

    Args:
        mask: any shape, bool.
        truth: the same shape, bool.
        step: as for `outer_margin`.

    Returns:
        At least 0, in the unit of `step`. At worst nothing of the mask is left.

    Raises:
        InputError, GeometryError: no pair of masks.
    """
    check_pair(mask, truth)
    extra = mask & ~truth
    if not extra.any():
        return 0.0
    from scipy import ndimage

    # beyond the image is background: a mask that fills it can be narrowed too
    depth = ndimage.distance_transform_edt(np.pad(mask, 1), step)
    return float(depth[(slice(1, -1),) * mask.ndim][extra].max())
