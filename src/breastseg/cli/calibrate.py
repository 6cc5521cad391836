"""``breastseg calibrate``: fit what stands outside a network, on cases kept for that."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from breastseg.cli.calibrating import BundleFolder, Selections, counted, opened, rewrite
from breastseg.cli.case_options import DataOption, flat
from breastseg.cli.console import progress, say
from breastseg.core.errors import InputError
from breastseg.data.sources import select_cases
from breastseg.evaluation.calibration.operating_point import Choice


@dataclass(frozen=True)
class CalibratePoint:
    """Show what each threshold and smallest score cost, and choose an operating point.

    Several bundles are those of a cross-validation: each segments its own selection, the first of
    --split for the first bundle, and the table is over all of them together. Choose on cases that
    no network was trained on and that are not reported on.

    Attributes:
        bundles: folders of bundles.
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA.
        split: which cases, as for 'breastseg evaluate'; one selection a bundle where there are
            several.
        choice: how the point is chosen.
        write: write the point into the bundle of this folder; margins and a confidence that were
            calibrated at another point are taken out of it.
        threads: CPU cores to use; 0 for all.
        quiet: no progress.
    """

    bundles: tyro.conf.Positional[tuple[Path, ...]]
    data: DataOption = ()
    split: Selections = ()
    choice: Annotated[Choice, tyro.conf.arg(name="")] = field(default_factory=Choice)
    write: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="")] = None
    threads: int = 0
    quiet: bool = False

    def run(self) -> int:
        """Print the table and the point; returns the exit code."""
        from breastseg.evaluation.calibration.operating_point import (
            at_point,
            counts_of_bundle,
            points_markdown,
            summed,
        )

        specs = flat(self.split)
        if not self.bundles or (len(self.bundles) > 1 and len(specs) != len(self.bundles)):
            raise InputError(
                f"{len(self.bundles)} bundles with {len(specs)} selections",
                "one bundle, or as many selections as bundles",
            )
        if self.write is not None:
            opened(self.write, self.threads, write=True)
        splits = [specs] if len(self.bundles) == 1 else [[spec] for spec in specs]
        found = []
        for folder, split in zip(self.bundles, splits, strict=True):
            cases = select_cases(flat(self.data), split)
            network = opened(folder, self.threads)
            with progress("Segmenting", len(cases), self.quiet) as advance:
                found += counts_of_bundle(network, cases, counted(advance))
        points = summed(found)
        say(points_markdown(points))
        output = opened(self.write or self.bundles[0], self.threads).bundle.output
        output = at_point(output, points.choose(self.choice))
        say(f"{self.choice.rule}: threshold {output.threshold}, min score {output.min_score}")
        if self.write is not None:
            return rewrite(self.write, lambda bundle: bundle.at(output))
        return 0


@dataclass(frozen=True)
class CalibrateTemperature:
    """Fit the temperature that the logits of a network are divided by.

    Attributes:
        bundle: folder of a bundle.
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA.
        split: which cases, as for 'breastseg evaluate'; none that the network was trained on.
        write: write the temperature into the bundle; margins and a confidence that were calibrated
            at another one are taken out of it.
        seed: of the draw of pixels.
        threads: CPU cores to use; 0 for all.
        quiet: no progress.
    """

    bundle: BundleFolder
    data: DataOption = ()
    split: Selections = ()
    write: bool = False
    seed: int = 0
    threads: int = 0
    quiet: bool = False

    def run(self) -> int:
        """Fit; returns the exit code."""
        import numpy as np

        from breastseg.evaluation.calibration.probability import calibrate_temperature

        cases = select_cases(flat(self.data), flat(self.split))
        network = opened(self.bundle, self.threads, self.write)
        with progress("Segmenting", len(cases), self.quiet) as advance:
            found = calibrate_temperature(
                network, cases, np.random.default_rng(self.seed), counted(advance)
            )
        say(
            f"temperature {found.temperature:g}, fitted on {found.images} images; expected "
            f"calibration error of a pixel {found.error_before:.4f} before, "
            f"{found.error_after:.4f} after"
        )
        if self.write:
            output = replace(network.bundle.output, temperature=found.temperature)
            return rewrite(self.bundle, lambda bundle: bundle.at(output))
        return 0


@dataclass(frozen=True)
class CalibrateMalignancy:
    """Fit the line that turns the malignant fraction of a mask into a probability of malignancy.

    Attributes:
        bundle: folder of a bundle with the classes benign and malignant.
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA.
        split: which cases, as for 'breastseg evaluate'; none that the network was trained on.
        write: write the line into the bundle, which from then on applies it.
        threads: CPU cores to use; 0 for all.
        quiet: no progress.
    """

    bundle: BundleFolder
    data: DataOption = ()
    split: Selections = ()
    write: bool = False
    threads: int = 0
    quiet: bool = False

    def run(self) -> int:
        """Fit; returns the exit code."""
        from breastseg.evaluation.calibration.probability import calibrate_malignancy

        cases = select_cases(flat(self.data), flat(self.split))
        network = opened(self.bundle, self.threads, self.write)
        with progress("Segmenting", len(cases), self.quiet) as advance:
            found = calibrate_malignancy(network, cases, counted(advance))
        line = found.scaling
        say(
            f"slope {line.slope:.3f}, intercept {line.intercept:.3f}, fitted on {found.images} "
            f"images with a mask, {found.malignant} of them malignant; expected calibration error "
            f"{found.error_before:.3f} before, {found.error_after:.3f} after"
        )
        if self.write:
            return rewrite(self.bundle, lambda bundle: replace(bundle, malignancy=line))
        return 0


@dataclass(frozen=True)
class CalibrateFinder:
    """Fit the weights by which the classical methods' finder ranks its candidates.

    Attributes:
        finder: which one.
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA.
        split: which cases, as for 'breastseg evaluate'.
        out: the file of weights to write into; only shown without it.
        workers: processes side by side.
        quiet: no progress.
    """

    finder: tyro.conf.Positional[Literal["ultrasound", "mammography"]]
    data: DataOption = ()
    split: Selections = ()
    out: Annotated[Path | None, tyro.conf.arg(help_behavior_hint="")] = None
    workers: int = 1
    quiet: bool = False

    def run(self) -> int:
        """Fit; returns the exit code."""
        from breastseg.evaluation.calibration.finder import fit_finder

        if self.workers < 1:
            raise InputError(f"--workers {self.workers}", "1 or more")
        cases = select_cases(flat(self.data), flat(self.split))
        with progress("Describing", len(cases), self.quiet) as advance:
            fitted = fit_finder(self.finder, cases, self.workers, counted(advance))
        for cost in fitted.costs:
            say(
                f"min_score {cost.min_score}: Dice of lesion images {cost.dice:.3f}, "
                f"{cost.normals_outlined} normals with a mask"
            )
        say(json.dumps({"weights": fitted.weights, "record": fitted.record}, indent=1))
        if self.out is not None:
            fitted.write(self.finder, self.out)
            say(f"Written to {self.out}")
        return 0
