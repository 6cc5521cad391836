"""Whether one method is better than another on the same images, and how sure that is.

Images of one patient are not independent: intervals draw whole patients, and tests compare the
means of patients.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import InputError
from breastseg.evaluation.comparison.cell import Comparison
from breastseg.evaluation.statistics import RESAMPLES, Interval, ratio_intervals

METRICS: Mapping[str, bool] = {
    "dice": True,
    "iou": True,
    "precision": True,
    "recall": True,
    "specificity": True,
    "hd95_px": False,
    "assd_px": False,
    "hd95_mm": False,
    "assd_mm": False,
}
"""The metrics that methods can be held against each other by; True where higher is better."""


@dataclass(frozen=True)
class Difference:
    """A method against the baseline.

    Attributes:
        method: its label.
        difference: the mean over images of its metric less the baseline's.
        p_value: that the patients' differences are symmetric around 0, two-sided; NaN without
            images.
        p_adjusted: the same after Holm's correction for the number of methods held against the
            baseline.
        images: how many enter: those where both have a value.
        patients: of how many patients.
    """

    method: str
    difference: Interval
    p_value: float
    p_adjusted: float
    images: int
    patients: int


@dataclass(frozen=True)
class Ranking:
    """The places of all methods.

    Attributes:
        ranks: by label, the mean over images of its place, 1 the best; methods that are level share
            the mean of their places, and one without a value (a distance to no mask) is last.
        p_value: that all methods are alike, of Friedman's test; None below three methods, NaN
            without images.
        images: how many enter.
        patients: of how many patients.
    """

    ranks: Mapping[str, Interval]
    p_value: float | None
    images: int
    patients: int


def differences(
    comparison: Comparison,
    metric: str = "dice",
    keys: Collection[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[Difference, ...]:
    """Hold every method against the baseline.

    The test is Wilcoxon's signed-rank test (1945, doi:10.2307/3001968) on the patients' mean
    differences; patients without a difference are left out of it, and it is 1 where none has one.

    Args:
        comparison: all cells.
        metric: one of `METRICS`. An image where either method has no value is left out, which
            favours a method that misses the hardest lesions: read distances beside the Dice.
        keys: the images; those with a lesion by default.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        One a method but the baseline, in the order of the comparison.

    Raises:
        InputError: no such metric.
    """
    values, patients = _values(comparison, metric, keys)
    labels = list(comparison.methods)
    against = values - values[:, [labels.index(comparison.baseline)]]
    known = ~np.isnan(against)
    intervals = ratio_intervals(
        np.where(known, against, 0), known, patients, np.random.default_rng(seed), resamples
    )
    others = [i for i, label in enumerate(labels) if label != comparison.baseline]
    p_values = [_signed_rank(_patient_means(against[:, [i]], patients)[:, 0]) for i in others]
    adjusted = holm(p_values)
    return tuple(
        Difference(
            labels[i],
            intervals[i],
            p_values[n],
            adjusted[n],
            int(known[:, i].sum()),
            len({patient for patient, enters in zip(patients, known[:, i], strict=True) if enters}),
        )
        for n, i in enumerate(others)
    )


def ranking(
    comparison: Comparison,
    metric: str = "dice",
    keys: Collection[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Ranking:
    """Rank all methods on every image.

    The test is Friedman's (1937, doi:10.1080/01621459.1937.10503522) on the patients' mean places;
    it is 1 where all methods are level on all patients. Arguments as for `differences`.

    Raises:
        InputError: no such metric.
    """
    from scipy.stats import rankdata

    values, patients = _values(comparison, metric, keys)
    worth = values if METRICS[metric] else -values
    places = np.empty_like(worth)
    if len(worth):
        places = rankdata(np.where(np.isnan(worth), np.inf, -worth), axis=1)
    intervals = ratio_intervals(
        places, np.ones_like(places), patients, np.random.default_rng(seed), resamples
    )
    return Ranking(
        ranks=dict(zip(comparison.methods, intervals, strict=True)),
        p_value=_friedman(_patient_means(places, patients)),
        images=len(patients),
        patients=len(set(patients)),
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Correct p-values for their number, so that one false finding in all of them is as rare.

    Holm 1979, https://www.jstor.org/stable/4615733. The smallest is multiplied by their number, the
    next by one less, and so on; none falls below one before it or exceeds 1. NaN stays NaN and does
    not count.
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    adjusted = [math.nan] * len(p_values)
    least = 0.0
    for rank, (p, i) in enumerate(known):
        least = min(1.0, max(least, p * (len(known) - rank)))
        adjusted[i] = least
    return tuple(adjusted)


def _values(
    comparison: Comparison, metric: str, keys: Collection[str] | None
) -> tuple[NDArray[np.float64], list[str]]:
    """The metric, (images, methods), NaN where there is none; and the images' patients."""
    if metric not in METRICS:
        raise InputError(f"metric {metric!r}", f"one of {', '.join(METRICS)}")
    rows = [cell.row for cell in comparison.cells[comparison.baseline]]
    chosen = [
        i for i, row in enumerate(rows) if (row.has_lesion if keys is None else row.key in keys)
    ]
    table = [
        [getattr(cells[i].row.score, metric) for cells in comparison.cells.values()] for i in chosen
    ]
    # None, a distance that is not known in millimetres, becomes NaN.
    values = np.array(table, np.float64).reshape(len(chosen), len(comparison.cells))
    return values, [rows[i].patient for i in chosen]


def _patient_means(values: NDArray[np.float64], patients: Sequence[str]) -> NDArray[np.float64]:
    """Means over the images of each patient, (patients, m); patients without a value left out."""
    names, patient = np.unique(np.asarray(patients, str), return_inverse=True)
    sums, numbers = np.zeros((2, len(names), values.shape[1]))
    known = ~np.isnan(values)
    np.add.at(sums, patient, np.where(known, values, 0))
    np.add.at(numbers, patient, known)
    whole = (numbers > 0).all(axis=1)
    return np.asarray(sums[whole] / numbers[whole])


def _signed_rank(means: NDArray[np.float64]) -> float:
    from scipy.stats import wilcoxon

    if not len(means):
        return math.nan
    if not means.any():
        return 1.0
    # Zeros are dropped here as zero_method "wilcox" does, which then can be exact.
    return float(wilcoxon(means[means != 0], zero_method="wilcox", method="auto").pvalue)


def _friedman(places: NDArray[np.float64]) -> float | None:
    from scipy.stats import friedmanchisquare

    if places.shape[1] < 3:
        return None
    if not len(places):
        return math.nan
    if (places == places[:, :1]).all():
        return 1.0
    return float(friedmanchisquare(*places.T).pvalue)
