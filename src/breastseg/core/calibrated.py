"""What was fitted to a network on images that it was not trained on, and what that promises."""

from __future__ import annotations

import math
from dataclasses import dataclass

from breastseg.core.errors import BundleError, InputError
from breastseg.core.parameters import Strict


@dataclass(frozen=True)
class PlattScaling(Strict):
    """How one number of an image becomes a probability.

    The probability has the logit ``slope * logit(number) + intercept``. Both are fitted on images
    that the network was not trained on, see `breastseg.metrics.calibration.fit_platt`.

    Source: Platt 1999, Probabilistic outputs for support vector machines, in Advances in Large
    Margin Classifiers; on logits as in Guo et al. 2017, https://proceedings.mlr.press/v70/guo17a.html.

    Attributes:
        slope: 0 to 1000; at least 0, so that the order of images is kept. 1 leaves logits as they
            are.
        intercept: -1000 to 1000; 0 leaves them.

    Raises:
        BundleError: a value outside its range.
    """

    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.slope <= 1000 or not -1000 <= self.intercept <= 1000:
            raise BundleError(
                f"slope {self.slope}, intercept {self.intercept} of a scaling",
                "a slope of 0 to 1000, an intercept of -1000 to 1000",
            )

    def __call__(self, fraction: float) -> float:
        """The probability, 0 to 1, for a fraction, 0 to 1; held one millionth from both ends."""
        inside = min(max(fraction, 1e-6), 1 - 1e-6)
        logit = self.slope * math.log(inside / (1 - inside)) + self.intercept
        # the branch keeps exp from overflowing
        if logit >= 0:
            return 1 / (1 + math.exp(-logit))
        return math.exp(logit) / (1 + math.exp(logit))


@dataclass(frozen=True)
class Confidence(PlattScaling):
    """How the score of an image becomes the probability that it shows a lesion.

    The score is the highest probability in the network's map, before any rule of the operating
    point.

    Attributes:
        slope: of Platt's line through the logit of the score, 0 to 1000.
        intercept: of that line, -1000 to 1000.
        calibrated_on: the images that it was fitted on, in words.

    Raises:
        BundleError: a value outside its range.
    """

    calibrated_on: str = ""


@dataclass(frozen=True)
class Margin(Strict):
    """Where an outer and an inner contour lie, by a region of the mask and its probabilities.

    The outer one goes around what is joined to the region at a lower probability, widened; the
    inner one around what in the region has a higher probability, narrowed. So both lie far from the
    region's own contour where the network is unsure, and near it elsewhere.

    Attributes:
        coverage: the probability with which each of the two contours holds, between 0 and 1.
        outer: by how much the outer one is widened, as a fraction of the region's equivalent
            diameter (that of the disc of the same area), at least 0.
        inner: by how much the inner one is narrowed, likewise.
        outer_threshold: pixels at or above it that are joined to the region are within the outer
            contour; above 0, and 1 for the region alone.
        inner_threshold: pixels of the region below it are not within the inner contour; below 1,
            and 0 for the whole region.

    Raises:
        BundleError: a value outside its range.
    """

    coverage: float
    outer: float
    inner: float
    outer_threshold: float = 1.0
    inner_threshold: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.coverage < 1 or not 0 <= self.outer <= 100 or not 0 <= self.inner <= 100:
            raise BundleError(
                f"margin with coverage {self.coverage}, outer {self.outer}, inner {self.inner}",
                "a coverage between 0 and 1, distances of 0 to 100 diameters",
            )
        if not 0 < self.outer_threshold <= 1 or not 0 <= self.inner_threshold < 1:
            raise BundleError(
                f"margin with thresholds {self.outer_threshold} and {self.inner_threshold}",
                "an outer one above 0 and at most 1, an inner one of at least 0 and below 1",
            )


@dataclass(frozen=True)
class MissedArea(Strict):
    """A threshold at which little of a lesion's area is expected to be missed.

    Attributes:
        expected: bound on the expected fraction of a lesion's area outside the mask, between 0 and
            1; a missed lesion counts as 1.
        threshold: that keeps it, between 0 and 1, in place of the operating point's.

    Raises:
        BundleError: a value outside its range.
    """

    expected: float
    threshold: float

    def __post_init__(self) -> None:
        if not 0 < self.expected < 1 or not 0 < self.threshold < 1:
            raise BundleError(
                f"missed area {self.expected} at threshold {self.threshold}", "both between 0 and 1"
            )


@dataclass(frozen=True)
class Conformal(Strict):
    """What holds for images exchangeable with those of the calibration, whatever the network.

    It holds at the bundle's own operating point. Nine of ten calibrations have margins that hold at
    least as often as they say; the missed area is bounded on average over calibrations. On another
    scanner nothing is promised. Sources: Angelopoulos et al. 2024, Conformal risk control,
    https://doi.org/10.48550/arXiv.2208.02814; Mossina and Friedrich 2025, Conformal prediction for
    image segmentation using morphological prediction sets,
    https://doi.org/10.48550/arXiv.2503.05618.

    Attributes:
        calibrated_on: the images, in words.
        patients: how many patients with a lesion that is touched there are; each counts once.
        missed: fraction of their lesions that no region touches, 0 to 1: the margins say nothing of
            those.
        margins: one a coverage.
        missed_area: one a bound.

    Raises:
        BundleError: a value outside its range, or a coverage or bound twice.
    """

    calibrated_on: str
    patients: int
    missed: float
    margins: tuple[Margin, ...] = ()
    missed_area: tuple[MissedArea, ...] = ()

    def __post_init__(self) -> None:
        coverages = {margin.coverage for margin in self.margins}
        bounds = {area.expected for area in self.missed_area}
        if len(coverages) < len(self.margins) or len(bounds) < len(self.missed_area):
            raise BundleError("a coverage or a bound of the missed area twice", "each once")
        if not 0 <= self.missed <= 1 or self.patients < 1:
            raise BundleError(
                f"missed {self.missed} of {self.patients} patients", "0 to 1, of at least 1"
            )

    def margin(self, coverage: float) -> Margin:
        """The margin of a coverage.

        Raises:
            InputError: there is none of that coverage.
        """
        for margin in self.margins:
            if math.isclose(margin.coverage, coverage):
                return margin
        there = ", ".join(f"{margin.coverage:g}" for margin in self.margins)
        raise InputError(f"no margin of coverage {coverage:g}", there or "none was calibrated")

    def threshold(self, expected: float) -> float:
        """The threshold that keeps the expected missed area within a bound.

        Raises:
            InputError: there is none for that bound.
        """
        for area in self.missed_area:
            if math.isclose(area.expected, expected):
                return area.threshold
        there = ", ".join(f"{area.expected:g}" for area in self.missed_area)
        raise InputError(
            f"no threshold for a missed area of {expected:g}", there or "none was calibrated"
        )
