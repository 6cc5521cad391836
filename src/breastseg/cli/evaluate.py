"""``breastseg evaluate``: how well a method agrees with ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from breastseg.cli.alone import alone
from breastseg.cli.case_options import DataOption, Words, flat, tell_notices
from breastseg.cli.console import complain, console, progress, say
from breastseg.core.errors import InputError
from breastseg.data.sources import select_cases
from breastseg.inference.options import DEFAULT_OPTIONS, MethodOptions
from breastseg.io.real_path import real_path
from breastseg.io.write import check_writable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from breastseg.core.segmenter import Segmenter
    from breastseg.data.dataset import CaseRef
    from breastseg.evaluation.gallery import Gallery
    from breastseg.evaluation.malignancy import ClassedImages
    from breastseg.evaluation.run import Evaluation, OpenedCase, Outcome
    from breastseg.evaluation.summary import Figure, Group, Summary

_NO_HINT = tyro.conf.arg(help_behavior_hint="")


@dataclass(frozen=True)
class Evaluate:
    """Score a method on data with ground truth; a bundle for volumes on data sets of volumes.

    Writes per_image.csv, summary.json and summary.md (and classes.md of a network that tells benign
    from malignant: confusion, Dice of each class, area under the curve), and prints the main
    figures with their 95 % intervals (bootstrap over patients).

    Exit codes: 0 all cases were scored, 1 some failed (they count as missed), 2 all failed or
    nothing could be done.

    Attributes:
        method: a method of 'breastseg models list', or the folder of a bundle.
        out: folder for the reports; files of these names in it are replaced.
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA.
        split: which cases: all (by default), lesions, normals, fold:1,2, list:FILE or
            split:FILE#PART; 'lesions & fold:1' means both; BUSI=lesions is for one data set.
        prompt: what the method is told: none (it finds the lesion) or box (around each true lesion;
            for methods that take one).
        options: how the method is opened.
        size: score at this many rows and columns, to compare with work that does; each image's own
            size by default.
        min_iou: a region and a true lesion match from this intersection over union on, above 0 to
            1; 0.5 is usual for nuclei.
        save_masks: write the mask of every case, and gallery.html, a page of all cases that opens
            offline and sorts by Dice; of images.
        write: keep the figures in the bundle's measured.json and card, under this name of the
            protocol; for the folder of a bundle as it is, scored without a failure.
        threads: CPU cores to use; 0 for all.
        json: print summary.json to standard output in place of the table.
        quiet: no progress.
    """

    method: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="METHOD")]]
    out: Path
    data: DataOption = ()
    split: Annotated[
        tyro.conf.UseAppendAction[Words],
        tyro.conf.arg(metavar="[NAME=]SELECTION ...", help_behavior_hint=""),
    ] = ()
    prompt: Literal["none", "box"] = "none"
    options: Annotated[MethodOptions, tyro.conf.arg(name="")] = DEFAULT_OPTIONS
    size: Annotated[int | None, _NO_HINT] = None
    min_iou: float = 0.1
    save_masks: bool = False
    write: Annotated[str | None, _NO_HINT] = None
    threads: int = 0
    json: bool = False
    quiet: bool = False

    def run(self) -> int:
        """Evaluate; returns the exit code."""
        return self.run_with(self.method)

    def run_with(self, method: str | Segmenter) -> int:
        """The same with a method that has its parameters already."""
        with alone(self.out, "masks/*"):
            return self._evaluate(method)

    def _evaluate(self, method: str | Segmenter) -> int:
        from breastseg.evaluation.gallery import Gallery
        from breastseg.evaluation.malignancy import ClassedImages
        from breastseg.evaluation.protocol import Prompting, Protocol
        from breastseg.evaluation.run import evaluate
        from breastseg.evaluation.seen import seen_in_training
        from breastseg.inference.open import open_segmenter

        self._check()
        check_writable(self.out)
        segmenter = open_segmenter(method, self.options, threads=self.threads)
        chosen = select_cases(flat(self.data), flat(self.split), volumes=True)
        cases = _cases_for(segmenter, chosen)
        size = None if self.size is None else (self.size, self.size)
        protocol = Protocol(size, self.min_iou, prompting=Prompting(self.prompt))
        gallery, kept = Gallery(self.out, len(cases)), ClassedImages()
        callbacks: list[Callable[[OpenedCase, Outcome], None]] = [kept.watch]
        callbacks += [gallery] if self.save_masks else []
        with progress("Scoring", len(cases), self.quiet) as advance:
            evaluation = evaluate(segmenter, cases, protocol, lambda *_: advance(1, ""), callbacks)
        warnings = seen_in_training({segmenter.name: self.method}, chosen)
        for warning in warnings:
            complain(f"warning: {warning}")
        evaluation = replace(evaluation, warnings=warnings)
        return self._told(evaluation, gallery, kept)

    def _told(self, evaluation: Evaluation, gallery: Gallery, kept: ClassedImages) -> int:
        """Write and say what came of it; returns the exit code."""
        from breastseg.evaluation.report import summary_json
        from breastseg.evaluation.run import unscored_lines, unusable_truths

        summary, problem = self._written(evaluation, gallery, kept)
        failures = evaluation.failures
        faults = tell_notices(self.data)
        for line in unscored_lines(evaluation.unscored):
            complain(line)
        for row in failures:
            complain(f"{row.key}: {row.error}")
        if self.json:
            say(summary_json(evaluation, summary).rstrip())
        else:
            for table in _tables(summary):
                console().print(table)
            if problem is None:
                say(f"The reports are in {self.out}/")
        if problem is not None:
            complain(str(problem))
        if len(failures) == len(evaluation.rows):
            return 2
        if problem is not None or failures or unusable_truths(evaluation.unscored):
            return 1
        if self.write is not None:
            faults = self._keep(self.write) or faults
        return faults

    def _written(
        self, evaluation: Evaluation, gallery: Gallery, kept: ClassedImages
    ) -> tuple[Summary, InputError | None]:
        """The figures, and why not all files could be written, as where the disk is full."""
        from breastseg.evaluation.report import write_report
        from breastseg.evaluation.summary import summarise

        try:
            summary = write_report(evaluation, self.out)
            gallery.write(evaluation.segmenter)
            kept.write(evaluation.segmenter, self.out)
        except InputError as error:
            return summarise(evaluation), error
        return summary, gallery.failure

    def _check(self) -> None:
        """Refuse a prompt that is not taken, and to keep figures but of a bundle as it is."""
        from breastseg.inference.bundle_folder import DESCRIPTION
        from breastseg.inference.methods import method_info

        if self.prompt == "box" and not method_info(self.method).takes_prompt:
            raise InputError(
                f"--prompt box for {self.method!r}",
                "a method that takes a prompt",
                "'breastseg models list' shows which do",
            )
        if self.write is None:
            return
        bundle = Path(self.method)
        if not (bundle / DESCRIPTION).is_file() or real_path(bundle) == real_path(self.out):
            raise InputError(
                f"--write for {self.method!r}", "the folder of a bundle, and another --out"
            )
        if self.options != DEFAULT_OPTIONS:
            raise InputError(
                "--write with options that change the method",
                "a bundle as it is",
                "leave out --write, or the other options",
            )
        check_writable(bundle)

    def _keep(self, protocol: str) -> int:
        """Keep the figures that have just been reported in the bundle."""
        from breastseg.cli.calibrating import rewrite
        from breastseg.export.results import read_results

        found = read_results(self.out / "summary.json")
        return rewrite(Path(self.method), lambda bundle: bundle, {protocol: found})


def _cases_for(segmenter: Segmenter, cases: Sequence[CaseRef]) -> Sequence[CaseRef]:
    """The cases as the method takes them.

    Raises:
        DataSetError: images for a method for volumes, or volumes for one for images.
    """
    from breastseg.data.dataset import require_images
    from breastseg.data.volume_studies import first_phases, require_volumes

    if segmenter.dimensions == 2:
        require_images(cases)
        return cases
    require_volumes(cases)
    return [first_phases(case, segmenter.phases) for case in cases]


def _tables(summary: Summary) -> list[Table]:
    groups = [group for name, group in summary.groups.items() if name != "all images"]
    lesions = [group for group in groups if "lesions_found" in group.figures]
    normals = [group for group in groups if group.name.endswith("normal images")]
    far = "hd95_mm" if any("hd95_mm" in group.figures for group in lesions) else "hd95_px"
    lesion_columns = {
        "Dice": "dice",
        "IoU": "iou",
        f"HD95 {far[-2:]}": far,
        "Lesions found": "lesions_found",
    }
    if any("true_volume_cm3" in group.figures for group in lesions):
        lesion_columns |= {
            "False positives": "false_positives_per_image",
            "Volume cm3": "volume_cm3",
            "True cm3": "true_volume_cm3",
            "Error cm3": "volume_error_cm3",
        }
    tables = []
    if lesions:
        tables.append(_table("Images with a lesion", lesions, lesion_columns))
    if normals:
        columns = {"With a mask": "fraction_outlined", "Specificity": "specificity"}
        tables.append(_table("Normal images", normals, columns))
    return tables


def _table(title: str, groups: Sequence[Group], columns: dict[str, str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    table.add_column("Images", no_wrap=True)
    for word in ("n", *columns):
        table.add_column(word, justify="right")
    for group in groups:
        shown = [_shown(group.figures.get(figure)) for figure in columns.values()]
        table.add_row(Text(group.name), str(group.images), *shown)
    return table


def _shown(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    from breastseg.evaluation.statistics import bracketed

    digits = 3 if max(figure.value, figure.high) < 3 else 1
    return f"{figure.value:.{digits}f}{bracketed(figure.low, figure.high, digits)}"
