"""Intervals for means over images of patients.

Images of one patient resemble each other, so whole patients are drawn with replacement, and the
figure is computed anew from all their images (cluster bootstrap: Field and Welsh 2007,
doi:10.1111/j.1467-9868.2007.00593.x). The interval runs between percentiles of the resamples
(Efron and Tibshirani 1993, doi:10.1201/9780429246593).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from breastseg.core.errors import InputError

RESAMPLES = 2000
_BLOCK = 4_000_000  # draws held at once: 32 MB


def bracketed(low: float, high: float, digits: int = 3) -> str:
    """`` [0.812, 0.934]`` to stand behind a figure; nothing where there is no interval."""
    return "" if math.isnan(low) else f" [{low:.{digits}f}, {high:.{digits}f}]"


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval.

    NaN throughout where there is nothing to average; its ends alone where one patient is all there
    is, of whose like nothing is then known.

    Attributes:
        value: the figure.
        low: the 2.5th percentile of the resamples.
        high: the 97.5th.
    """

    value: float
    low: float
    high: float


def ratio_intervals(
    numerators: ArrayLike,
    denominators: ArrayLike,
    patients: Sequence[str],
    generator: np.random.Generator,
    resamples: int = RESAMPLES,
) -> tuple[Interval, ...]:
    """Bootstrap ratios of totals, e.g. lesions found over lesions there.

    A mean is the ratio of a sum of values to a sum of ones. All figures share the draws.

    Args:
        numerators: (n, m), a row an image and a column a figure; finite.
        denominators: (n, m), finite, 0 or more; an image with 0 does not enter that figure.
        patients: n patients.
        generator: where the draws come from.
        resamples: number of draws, at least 1.

    Returns:
        m intervals.

    Raises:
        InputError: shapes that do not fit, values that are not finite, or no resample.
    """
    parts, wholes = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)
    if parts.ndim != 2 or parts.shape != wholes.shape or len(patients) != len(parts):
        raise InputError(
            f"{parts.shape} numerators, {wholes.shape} denominators, {len(patients)} patients",
            "two (n, m) arrays and n patients",
        )
    if not bool(np.isfinite(parts).all() and np.isfinite(wholes).all()) or resamples < 1:
        raise InputError(
            f"values that are not finite, or {resamples} resamples", "finite values, 1 or more"
        )
    if not len(parts):
        return tuple(Interval(math.nan, math.nan, math.nan) for _ in parts.T)
    _, patient = np.unique(np.asarray(patients), return_inverse=True)
    totals = np.zeros((2, int(patient.max()) + 1, parts.shape[1]))
    np.add.at(totals[0], patient, parts)
    np.add.at(totals[1], patient, wholes)
    drawn = _resampled(totals, generator, resamples)
    values = _ratio(parts.sum(axis=0), wholes.sum(axis=0))
    # drawn again and again, a single patient has no spread, and would look certain
    alone = (totals[1] != 0).sum(axis=0) < 2
    drawn[:, alone] = math.nan
    return tuple(interval_of(float(v), drawn[:, i]) for i, v in enumerate(values))


def mean_interval(
    values: ArrayLike,
    patients: Sequence[str],
    generator: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Interval:
    """Bootstrap the mean over images; arguments as `ratio_intervals`.

    Args:
        values: (n,); NaN is left out of the mean.
        patients: n patients.
        generator: where the draws come from.
        resamples: number of draws.
    """
    column = np.asarray(values, np.float64)[:, None]
    known = ~np.isnan(column)
    return ratio_intervals(np.where(known, column, 0), known, patients, generator, resamples)[0]


def drawn_patients(
    patients: Sequence[str], generator: np.random.Generator, resamples: int = RESAMPLES
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Patients drawn with replacement, for figures that are no ratio of totals.

    Args:
        patients: n patients, one an image.
        generator: where the draws come from.
        resamples: number of draws.

    Returns:
        (n,) the number of each image's patient, and (resamples, patients) how often each is drawn.
    """
    _, patient = np.unique(np.asarray(patients), return_inverse=True)
    count = int(patient.max()) + 1
    draws = generator.integers(count, size=(resamples, count))
    draws += np.arange(resamples)[:, None] * count
    times = np.bincount(draws.ravel(), minlength=resamples * count)
    return patient, times.reshape(resamples, count)


def _resampled(
    totals: NDArray[np.float64], generator: np.random.Generator, resamples: int
) -> NDArray[np.float64]:
    """Ratios (resamples, m) from totals (2, patients, m) of patients drawn with replacement."""
    patients = totals.shape[1]
    block = max(1, min(resamples, _BLOCK // patients))
    ratios = []
    for start in range(0, resamples, block):
        n = min(block, resamples - start)
        draws = generator.integers(patients, size=(n, patients))
        draws += np.arange(n)[:, None] * patients
        times = np.bincount(draws.ravel(), minlength=n * patients).reshape(n, patients)
        ratios.append(_ratio(times @ totals[0], times @ totals[1]))
    return np.concatenate(ratios)


def _ratio(parts: NDArray[np.float64], wholes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Parts over wholes, NaN where there is no whole."""
    empty = wholes == 0
    return np.asarray(np.where(empty, np.nan, parts / np.where(empty, 1, wholes)))


def interval_of(value: float, drawn: NDArray[np.float64]) -> Interval:
    """A figure with the interval between the percentiles of its resamples; NaN is left out."""
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return Interval(value, math.nan, math.nan)
    low, high = np.percentile(known, (2.5, 97.5))
    return Interval(value, float(low), float(high))
