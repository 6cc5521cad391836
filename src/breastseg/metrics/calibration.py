"""Whether probabilities mean what they say, and making them.

Of the images given a probability of 0.8, eight in ten should be malignant. A network is often
overconfident; one or two numbers fitted on images that it was not trained on correct that.
Guo et al. 2017, https://proceedings.mlr.press/v70/guo17a.html.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.calibrated import PlattScaling
from breastseg.core.errors import InputError
from breastseg.metrics.classwise import check_images

BINS = 10
TEMPERATURES = (0.01, 100.0)
"""What `fit_temperature` searches; the same as `OutputSpec.temperature` takes."""


@dataclass(frozen=True, eq=False)
class ReliabilityBins:
    """Probabilities in bins from 0 to 1, and how often they come true.

    A bin has its lower bound and not its upper one, but for the last, which has both.

    Attributes:
        counts: (B,) int64, how many probabilities lie in each.
        true: (B,) int64, how many of them came true.
        sums: (B,) float64, the sum of them.
    """

    counts: NDArray[np.int64]
    true: NDArray[np.int64]
    sums: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """(B,) the mean probability of each bin; NaN in an empty one."""
        return self._of_counts(self.sums)

    @property
    def observed(self) -> NDArray[np.float64]:
        """(B,) the fraction that came true; NaN in an empty bin."""
        return self._of_counts(self.true)

    @property
    def expected_error(self) -> float:
        """Mean of ``|mean - observed|`` over the bins, each counting by its number; 0 to 1.

        NaN without any probability. It depends on the bins, and is above 0 for a perfect method
        too, the more the fewer probabilities there are.

        Source: Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602.
        """
        total = int(self.counts.sum())
        return float(np.abs(self.sums - self.true).sum()) / total if total else math.nan

    @property
    def error_of_perfect(self) -> float:
        """What `expected_error` is on average if each probability is its bin's mean, and true.

        The probabilities come true independently of each other. NaN without any probability.

        Source: the mean absolute deviation of a binomial variable, de Moivre 1730, as in Diaconis
        and Zabell 1991, doi:10.1214/ss/1177011699.
        """
        from scipy import stats

        filled = self.counts > 0
        counts = self.counts[filled]
        chance = np.clip(self.sums[filled] / counts, 0, 1)
        above = np.floor(counts * chance) + 1  # the first count that is above the mean
        apart = 2 * above * (1 - chance) * stats.binom.pmf(above, counts, chance)
        return float(apart.sum() / counts.sum()) if counts.size else math.nan

    def _of_counts(self, values: NDArray[np.number]) -> NDArray[np.float64]:
        return np.where(self.counts > 0, values / np.maximum(self.counts, 1), np.nan)


def reliability_bins(
    probability: NDArray[np.floating], truth: NDArray[np.bool_], bins: int = BINS
) -> ReliabilityBins:
    """Sort probabilities into bins of one width and look how often they come true.

    Args:
        probability: (n,), 0 to 1, that something is the case.
        truth: (n,) bool, whether it is.
        bins: how many, at least 1.

    Raises:
        InputError: other shapes or values.
    """
    check_images(probability, truth)
    if bins < 1:
        raise InputError(f"{bins} bins", "at least 1")
    which = np.minimum((probability * bins).astype(np.intp), bins - 1)
    return ReliabilityBins(
        np.bincount(which, minlength=bins),
        np.bincount(which[truth], minlength=bins),
        np.bincount(which, probability, bins).astype(np.float64),  # whole where there is none
    )


def equal_mass_edges(probability: NDArray[np.floating], bins: int = BINS) -> NDArray[np.float64]:
    """The bounds between bins that hold about as many probabilities each.

    Equal probabilities stay together, so that many of them make fewer bins.

    Source: Nguyen and O'Connor 2015, doi:10.18653/v1/D15-1182.

    Args:
        probability: (n,), at least one.
        bins: how many at most, at least 1.

    Returns:
        Rising, at most bins - 1: a bin has its lower bound and not its upper one.

    Raises:
        InputError: no probability, or no bin.
    """
    if bins < 1 or not probability.size:
        raise InputError(f"{bins} bins of {probability.size} probabilities", "at least 1 of both")
    places = np.arange(1, bins) / bins
    edges = np.unique(np.quantile(probability.astype(np.float64), places, method="higher"))
    return np.asarray(edges[edges > probability.min()])


def expected_calibration_error(
    probability: NDArray[np.floating], truth: NDArray[np.bool_], bins: int = BINS
) -> float:
    """`ReliabilityBins.expected_error` over bins of one width; arguments as there."""
    return reliability_bins(probability, truth, bins).expected_error


def brier_score(probability: NDArray[np.floating], truth: NDArray[np.bool_]) -> float:
    """Mean squared distance of the probability from what was the case: 0 is best, 1 worst.

    Always saying 0.5 gives 0.25. NaN without any probability.

    Source: Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2, in the form for two
    classes, which is half of his.

    Args:
        probability: (n,), 0 to 1.
        truth: (n,) bool.

    Raises:
        InputError: other shapes or values.
    """
    check_images(probability, truth)
    return float(np.mean((probability - truth) ** 2)) if len(truth) else math.nan


def fit_temperature(logits: NDArray[np.floating], truth: NDArray[np.integer | np.bool_]) -> float:
    """The temperature at which logits divided by it give the ground truth the highest likelihood.

    Args:
        logits: (n,) of something being the case; or (n, K) of K classes.
        truth: (n,) bool; or (n,) whole numbers below K.

    Returns:
        Within `TEMPERATURES`; above 1 where the logits are too sure of themselves. Near its upper
        end the logits say nothing of the ground truth, near its lower end they are always right.

    Raises:
        InputError: no logits, other shapes, values that are not finite, or a class that there is
            not.
    """
    from scipy import optimize  # a quarter of a second to import

    values, labels = _two_columns(logits, truth)

    def loss(log_temperature: float) -> float:
        scaled = values / math.exp(log_temperature)
        top = scaled.max(axis=1)
        spread = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
        return float(np.mean(spread - scaled[np.arange(len(scaled)), labels]))

    # The likelihood has a single peak: it is concave in one over the temperature.
    low, high = (math.log(bound) for bound in TEMPERATURES)
    found = optimize.minimize_scalar(
        loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6}
    )
    return float(np.clip(math.exp(float(found.x)), *TEMPERATURES))


def fit_platt(probability: NDArray[np.floating], truth: NDArray[np.bool_]) -> PlattScaling:
    """The line through the logits that makes an image's probabilities as true as it can.

    The likelihood is that of targets a little off 0 and 1, as Platt has them, so that it has a
    finite peak also where the two kinds lie apart.

    Source: Platt 1999, Probabilistic outputs for support vector machines and comparisons to
    regularized likelihood methods, section 2.2.

    Args:
        probability: (n,), 0 to 1, a number an image, of images that the network was not trained
            on, such as `breastseg.core.prediction.malignancy_of` gives without a scaling.
        truth: (n,) bool, whether it is the case, with at least one of both.

    Raises:
        InputError: other shapes or values, or only one kind of image.
    """
    from scipy import optimize

    check_images(probability, truth)
    there, others = int(truth.sum()), int((~truth).sum())
    if not there or not others:
        raise InputError(f"{there} images with it and {others} without", "at least one of each")
    inside = np.clip(probability.astype(np.float64), 1e-6, 1 - 1e-6)  # as PlattScaling does
    logits = np.log(inside) - np.log1p(-inside)
    target = np.where(truth, (there + 1) / (there + 2), 1 / (others + 2))

    def loss(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scaled = line[0] * logits + line[1]
        value = np.mean(np.logaddexp(0, scaled) - target * scaled)
        slope = np.exp(-np.logaddexp(0, -scaled)) - target
        return float(value), np.array([np.mean(slope * logits), np.mean(slope)])

    found = optimize.minimize(
        loss,
        np.array([1.0, 0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, 1000.0), (-1000.0, 1000.0)],
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000},
    )
    return PlattScaling(float(found.x[0]), float(found.x[1]))


def _two_columns(
    logits: NDArray[np.floating], truth: NDArray[np.integer | np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits (n, K) of at least two classes and the index of the true one."""
    values, labels = logits.astype(np.float64), truth.astype(np.int64)
    if values.ndim == 1:
        values = np.stack([np.zeros_like(values), values], axis=1)
    fits = values.ndim == 2 and labels.shape == values.shape[:1] and len(values) > 0
    if not fits or truth.dtype.kind not in "bui" or not bool(np.isfinite(values).all()):
        raise InputError(
            f"logits of shape {logits.shape} and a ground truth of {truth.shape}, {truth.dtype}",
            "finite (n,) and bool, or finite (n, K) and whole numbers below K, n at least 1",
        )
    if labels.min() < 0 or labels.max() >= values.shape[1]:
        raise InputError(f"class {labels.max()} of {values.shape[1]}", "0 to one below that")
    return values, labels
