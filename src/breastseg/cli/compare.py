"""``breastseg compare``: several methods on the same data, and how they differ."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from breastseg.cli.alone import alone
from breastseg.cli.case_options import DataOption, Words, flat, portable_words, tell_notices
from breastseg.cli.console import Advance, complain, console, progress, say
from breastseg.data.sources import select_cases
from breastseg.inference.options import DEFAULT_OPTIONS, MethodOptions
from breastseg.io.real_path import real_path

if TYPE_CHECKING:
    from rich.table import Table as RichTable
    from rich.text import Text

    from breastseg.evaluation.comparison.results import Results
    from breastseg.evaluation.comparison.table import Entry, Table
    from breastseg.inference.methods import MethodSpec

_NO_HINT = tyro.conf.arg(help_behavior_hint="")
_COMPLAINTS = 10


@dataclass(frozen=True)
class Compare:
    """Score several methods on the same data and report how they differ.

    Writes report.html, which opens and prints without a network, report.md, comparison.csv,
    comparison.json and figures/, and keeps every mask: the same command again continues a run
    that was stopped, and adding a method computes only that one.

    Exit codes: 0 all was scored, 1 some images failed (they count as missed), 2 all failed or
    nothing could be done, 130 interrupted (the same command continues).

    Attributes:
        methods: methods of 'breastseg models list' or folders of bundles, for volumes where the
            data are; parameters after a colon, otsu:shift=0.1,opening=5; a name of your own before
            an equals sign, mine=otsu:shift=1.
        out: folder for the reports and masks; reports in it are replaced.
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA.
        split: which cases: all (by default), lesions, normals, fold:1,2, list:FILE or
            split:FILE#PART; 'lesions & fold:1' means both; BUSI=lesions is for one data set.
        prompt: what the methods are told: none (they find the lesion) or box (around each true
            lesion; for methods that take one).
        baseline: the method that the others are held against; by default the last network named,
            else the first method.
        options: how all methods are opened.
        size: score at this many rows and columns, to compare with work that does; each image's own
            size by default.
        workers: processes of one CPU core each; 0 for one a core.
        no_images: show no image in the report, for publishing where that is not allowed.
        json: print comparison.json to standard output in place of the table.
        quiet: no progress.
    """

    methods: tyro.conf.Positional[
        Annotated[tuple[str, ...], tyro.conf.arg(metavar="METHOD ...", help_behavior_hint="")]
    ]
    out: Path
    data: DataOption = ()
    split: Annotated[
        tyro.conf.UseAppendAction[Words],
        tyro.conf.arg(metavar="[NAME=]SELECTION ...", help_behavior_hint=""),
    ] = ()
    prompt: Literal["none", "box"] = "none"
    baseline: Annotated[str | None, _NO_HINT] = None
    options: Annotated[MethodOptions, tyro.conf.arg(name="")] = DEFAULT_OPTIONS
    size: Annotated[int | None, _NO_HINT] = None
    workers: int = 0
    no_images: bool = False
    json: bool = False
    quiet: bool = False

    def run(self) -> int:
        """Compare; returns the exit code."""
        with alone(self.out):
            return self._compare()

    def _compare(self) -> int:
        from breastseg.evaluation.comparison.report import write_comparison
        from breastseg.evaluation.comparison.run import compare
        from breastseg.evaluation.protocol import Prompting, Protocol
        from breastseg.evaluation.seen import seen_in_training
        from breastseg.inference.methods import MethodSpec

        specs = [MethodSpec.parse(text, self.options) for text in self.methods]
        cases = select_cases(flat(self.data), flat(self.split), volumes=True)
        warnings = seen_in_training({spec.label: spec.method for spec in specs}, cases)
        for warning in warnings:
            complain(f"warning: {warning}")
        size = None if self.size is None else (self.size, self.size)
        protocol = Protocol(size, prompting=Prompting(self.prompt))
        baseline = self.baseline or _baseline(specs)
        try:
            with progress("Comparing", len(specs) * len(cases), self.quiet) as advance:
                comparison = compare(
                    specs, cases, protocol, self.out, baseline, self.workers, _counted(advance)
                )
            comparison = replace(comparison, warnings=warnings)
            results = write_comparison(
                comparison, self.out, cases, self._command(specs, baseline), not self.no_images
            )
        except KeyboardInterrupt:
            complain("interrupted; what is done is kept, and the same command continues")
            return 130
        return self._tell(results)

    def _tell(self, results: Results) -> int:
        from breastseg.evaluation.run import unscored_lines, unusable_truths

        failures = [
            f"{scored.label} on {cell.row.key}: {cell.row.error}"
            for scored in results.scored_methods
            for cell in scored.cells
            if cell.row.error is not None
        ]
        faults = tell_notices(self.data)
        unscored = results.comparison.unscored
        for line in unscored_lines(unscored):
            complain(line)
        for line in failures[:_COMPLAINTS]:
            complain(line)
        if len(failures) > _COMPLAINTS:
            complain(f"{len(failures) - _COMPLAINTS} more failed; the report lists them")
        if self.json:
            say((self.out / "comparison.json").read_text(encoding="utf-8").rstrip())
        else:
            from breastseg.evaluation.comparison.tables import main_table

            console().print(_shown(main_table(results), results.comparison.baseline))
            say(f"The report is {real_path(self.out / 'report.html')} (opens in any browser)")
        cells = sum(len(scored.cells) for scored in results.scored_methods)
        if len(failures) == cells:
            return 2
        return 1 if failures or unusable_truths(unscored) else faults

    def _command(self, specs: Sequence[MethodSpec], baseline: str) -> str:
        """The command without the folders of this machine."""
        # Of a folder or file only its own name is told.
        methods = [
            text.replace(spec.method, Path(spec.method).name)
            for text, spec in zip(self.methods, specs, strict=True)
        ]
        words = [
            "breastseg",
            "compare",
            *methods,
            *portable_words(flat(self.data), flat(self.split)),
        ]
        words += ["--prompt", self.prompt, "--baseline", baseline]
        words += ["--preset", Path(self.options.preset).name]
        if self.options.threshold is not None:
            words += ["--threshold", f"{self.options.threshold:g}"]
        if self.options.missed_area is not None:
            words += ["--missed-area", f"{self.options.missed_area:g}"]
        words += ["--flip-average"] * self.options.flip_average
        if self.options.engine != DEFAULT_OPTIONS.engine:
            words += ["--engine", self.options.engine]
        words += ["--force"] * self.options.force
        if self.size is not None:
            words += ["--size", str(self.size)]
        return shlex.join([*words, "--out", "FOLDER"])


def _baseline(specs: Sequence[MethodSpec]) -> str:
    """The last network; the first method where there is none, nothing where there is no method."""
    networks = [spec.label for spec in specs if spec.info().kind == "network"]
    return (networks[-1:] or [spec.label for spec in specs] or [""])[0]


def _counted(advance: Advance) -> Callable[[int, int], None]:
    """From how many are done to how many more are."""
    before = 0

    def note(done: int, _total: int) -> None:
        nonlocal before
        advance(done - before, "")
        before = done

    return note


def _shown(table: Table, baseline: str) -> RichTable:
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(title=table.title, title_justify="left")
    for number, head in enumerate(table.heads):
        shown.add_column(head, justify="right" if number else "left", no_wrap=number > 0)
    for line in table.lines:
        name = f"{line[0].text} (baseline)" if line[0].text == baseline else line[0].text
        shown.add_row(Text(name), *(_cell(entry) for entry in line[1:]))
    return shown


def _cell(entry: Entry) -> Text:
    from rich.text import Text

    cell = Text(entry.text, "bold" if entry.best else "")
    return cell.append(f" {entry.small}", "dim") if entry.small else cell
