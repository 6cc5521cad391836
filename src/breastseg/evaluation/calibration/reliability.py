"""How far probabilities are from what they say, with an interval over patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.evaluation.statistics import Interval, drawn_patients, interval_of
from breastseg.metrics.calibration import BINS, ReliabilityBins, equal_mass_edges


@dataclass(frozen=True, eq=False)
class Reliability:
    """Probabilities in bins of equal mass against what was the case.

    Attributes:
        bins: from the lowest probabilities to the highest.
        error: expected calibration error over these bins, 0 to 1, with its 95 % interval, bootstrap
            over patients at fixed bins. It is above 0 for perfect probabilities too, the more the
            fewer images there are; `figures` says by how much.
        patients: how many.
    """

    bins: ReliabilityBins
    error: Interval
    patients: int

    def figures(self) -> dict[str, float | str]:
        """In the form that a bundle's measured figures have."""
        found: dict[str, float | str] = {
            "expected calibration error": round(self.error.value, 4),
            "expected calibration error, 95 % interval": (
                "none: all images are of one patient"
                if math.isnan(self.error.low)
                else f"{self.error.low:.4f} to {self.error.high:.4f}"
            ),
            "expected calibration error of perfect probabilities": round(
                self.bins.error_of_perfect, 4
            ),
        }
        for number, (count, mean, observed) in enumerate(self._rows(), start=1):
            found[f"bin {number}"] = f"mean {mean:.3f}, observed {observed:.3f}, of {count}"
        return found

    def _rows(self) -> list[tuple[int, float, float]]:
        columns = self.bins.counts.tolist(), self.bins.mean.tolist(), self.bins.observed.tolist()
        return list(zip(*columns, strict=True))


def reliability(
    probability: NDArray[np.floating],
    truth: NDArray[np.bool_],
    patients: Sequence[str],
    generator: np.random.Generator,
) -> Reliability:
    """Sort probabilities into bins of equal mass.

    Args:
        probability: (n,), 0 to 1, at least one.
        truth: (n,) bool, whether it was the case.
        patients: n patients, one a probability.
        generator: of the bootstrap.

    Raises:
        InputError: no probability.
    """
    edges = equal_mass_edges(probability)
    which = np.searchsorted(edges, probability, side="right")
    patient, times = drawn_patients(patients, generator)
    shape = (int(patient.max()) + 1, BINS)
    sums = np.zeros((3, *shape))
    for part, weights in zip(sums, (np.ones(len(truth)), truth, probability), strict=True):
        np.add.at(part, (patient, which), weights.astype(np.float64))
    held = slice(0, len(edges) + 1)
    counts, true, given = (part.sum(axis=0)[held] for part in sums)
    bins = ReliabilityBins(counts.astype(np.int64), true.astype(np.int64), given)
    gaps = np.abs(times @ (sums[2] - sums[1])).sum(axis=1) / (times @ sums[0]).sum(axis=1)
    if shape[0] < 2:  # drawn again and again, a single patient has no spread
        gaps[:] = math.nan
    return Reliability(bins, interval_of(bins.expected_error, gaps), shape[0])
