"""``breastseg calibrate confidence`` and ``margins``: fitted and checked on patients apart."""

from __future__ import annotations

from dataclasses import dataclass, replace

from breastseg.cli.calibrating import (
    BundleFolder,
    Selections,
    counted,
    in_words,
    opened,
    rewrite,
)
from breastseg.cli.case_options import DataOption, flat
from breastseg.cli.console import progress, say
from breastseg.core.measured import Figures
from breastseg.data.sources import select_cases

CONFIDENCE, PIXELS, MARGINS = "calibration of images", "calibration of pixels", "margins"
"""Protocols in ``measured.json``."""


@dataclass(frozen=True)
class CalibrateConfidence:
    """Fit an image's probability of a lesion, and measure it on other patients.

    Attributes:
        bundle: folder of a bundle.
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA.
        split: which cases it is fitted on, as for 'breastseg evaluate': images with a lesion and
            without one, none that the network was trained on.
        check: which cases it is measured on, of other patients.
        write: write what was fitted into the bundle, and what was measured into its measured.json
            and model card.
        seed: of the draw of pixels and of the bootstrap.
        threads: CPU cores to use; 0 for all.
        quiet: no progress.
    """

    bundle: BundleFolder
    data: DataOption = ()
    split: Selections = ()
    check: Selections = ()
    write: bool = False
    seed: int = 0
    threads: int = 0
    quiet: bool = False

    def run(self) -> int:
        """Fit and measure; returns the exit code."""
        import numpy as np

        from breastseg.evaluation.calibration.confidence import (
            check_apart,
            confidence_reliability,
            fit_confidence,
            pixel_reliability,
            score_images,
        )

        generator = np.random.default_rng(self.seed)
        cases = select_cases(flat(self.data), flat(self.split))
        others = select_cases(flat(self.data), flat(self.check)) if self.check else ()
        check_apart(cases, others)
        network = opened(self.bundle, self.threads, self.write)
        with progress("Segmenting", len(cases) + len(others), self.quiet) as advance:
            fitted = score_images(network, cases, generator, counted(advance))
            confidence = fit_confidence(fitted, in_words(cases, self.data, self.split))
            say(
                f"slope {confidence.slope:g}, intercept {confidence.intercept:g}, fitted on "
                f"{confidence.calibrated_on}"
            )
            results: dict[str, Figures] = {}
            if others:
                seen = score_images(network, others, generator, counted(advance))
                words = in_words(others, self.data, self.check)
                for name, what, found in (
                    (CONFIDENCE, "Confidence", confidence_reliability(confidence, seen, generator)),
                    (PIXELS, "Probability of a pixel", pixel_reliability(seen, generator)),
                ):
                    protocol = (
                        f"{what} on {words}, other patients than it was fitted on. Bins of equal "
                        "mass; interval: bootstrap over patients."
                    )
                    results[name] = {"protocol": protocol, **found.figures()}
                    _tell(name, results[name])
        if self.write:
            return rewrite(
                self.bundle, lambda bundle: replace(bundle, confidence=confidence), results
            )
        return 0


@dataclass(frozen=True)
class CalibrateMargins:
    """Fit contours that hold a lesion, and thresholds that miss little of it, and check them.

    Attributes:
        bundle: folder of a bundle, at the operating point that it shall be used with.
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA.
        split: which cases they are fitted on, as for 'breastseg evaluate'; none that the network
            was trained on.
        check: which cases they are measured on, of other patients.
        write: write what was fitted into the bundle, and what was measured into its measured.json
            and model card.
        seed: of the draw of one lesion a patient and of the bootstrap.
        threads: CPU cores to use; 0 for all.
        quiet: no progress.
    """

    bundle: BundleFolder
    data: DataOption = ()
    split: Selections = ()
    check: Selections = ()
    write: bool = False
    seed: int = 0
    threads: int = 0
    quiet: bool = False

    def run(self) -> int:
        """Fit and measure; returns the exit code."""
        import numpy as np

        from breastseg.evaluation.calibration.confidence import check_apart
        from breastseg.evaluation.calibration.coverage import conformal_figures
        from breastseg.evaluation.calibration.margins import (
            COVERAGES,
            contour_thresholds,
            fit_conformal,
            look_at_all,
        )

        generator = np.random.default_rng(self.seed)
        cases = select_cases(flat(self.data), flat(self.split))
        others = select_cases(flat(self.data), flat(self.check)) if self.check else ()
        check_apart(cases, others)
        network = opened(self.bundle, self.threads, self.write)
        with progress("Segmenting", len(cases) + len(others), self.quiet) as advance:
            words = in_words(cases, self.data, self.split)
            start = contour_thresholds(network.output.threshold)
            conformal = fit_conformal(
                look_at_all(network, cases, counted(advance)), words, start, generator
            )
            seen = look_at_all(network, others, counted(advance))
        say(f"fitted on {words}, {conformal.patients} patients with a lesion that is touched")
        for margin in conformal.margins:
            say(f"margin {margin.coverage:g}: {margin.outer:g} outside, {margin.inner:g} inside")
        fitted = {margin.coverage for margin in conformal.margins}
        for coverage in (one for one in COVERAGES if one not in fitted):
            say(f"margin {coverage:g}: none, {conformal.patients} patients are too few for it")
        for area in conformal.missed_area:
            say(f"missed area at most {area.expected:g}: threshold {area.threshold:g}")
        results: dict[str, Figures] = {}
        if others:
            protocol = (
                f"On {in_words(others, self.data, self.check)}, other patients than they were "
                "fitted on. Intervals: bootstrap over patients. The contours hold for lesions that "
                "a region of the mask touches; the missed area counts all."
            )
            results[MARGINS] = {
                "protocol": protocol,
                **conformal_figures(conformal, seen, generator),
            }
            _tell(MARGINS, results[MARGINS])
        if self.write:
            return rewrite(
                self.bundle, lambda bundle: replace(bundle, conformal=conformal), results
            )
        return 0


def _tell(name: str, figures: Figures) -> None:
    say(name)
    for key, value in figures.items():
        say(f"  {key}: {value}")
