"""``breastseg segment``: images in, masks and measurements out."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from breastseg.cli.alone import alone
from breastseg.cli.console import complain, progress, say
from breastseg.cli.dicom_kinds import NO_DICOM, DicomKinds
from breastseg.cli.entries import exit_code, naming_options, tell_one
from breastseg.cli.spacing import SpacingMm
from breastseg.core.errors import InputError
from breastseg.inference.options import SegmentOptions
from breastseg.inference.time_limit import MAX_SECONDS, set_max_seconds
from breastseg.io.memory import MAX_MEMORY, set_max_gib

if TYPE_CHECKING:
    from breastseg.core.segmenter import Segmenter
    from breastseg.results.run import Run
    from breastseg.results.schema import OptionValue
    from breastseg.results.source import Sources

DEFAULT_FOLDER = Path("breastseg-results")

_STILLS = (".png", ".jpg", ".jpeg", ".bmp")
"""One such file is done before a progress bar would be drawn."""
_NO_HINT = tyro.conf.arg(help_behavior_hint="")


@dataclass(frozen=True)
class _Options(SegmentOptions):
    """The same, with a spacing that may be one number."""

    spacing_mm: SpacingMm = None


DEFAULT_OPTIONS = _Options()


@dataclass(frozen=True)
class Segment:
    """Segment the lesions in images and measure them.

    Writes STEM_mask.png (0 and 255, in the size of the image) and STEM_overlay.png for every
    image or frame (STEM_f0001 ...), and results.json and results.csv for the run; with
    --uncertainty also STEM_uncertainty.png, a grey image from 0 (sure) to 255; with --report also
    report.html, which opens in any browser and prints, and STEM_seen.png, the images in it.

    'models list' names the methods. The parameters of a classical method are further options:
    'segment --method otsu --help' lists them.

    Exit codes: 0 all were segmented, 1 some failed and the others were done, 2 none could be
    done, 130 stopped; what was finished is kept.

    Attributes:
        inputs: PNG, JPEG, TIFF, BMP and DICOM files, folders with such files, or - for standard
            input.
        out: folder for what is written; by default breastseg-results, or none with --json and
            without --dicom.
        options: how.
        report: write report.html with all images and measurements.
        objects: which DICOM objects are written.
        max_memory: GiB that one image may take; what would take more is refused before it is
            decoded.
        max_seconds: that a network may take for one image; what takes longer fails.
        json: print the results as JSON to standard output, and nothing else there.
        quiet: no progress and no lines but errors.
        overwrite: replace what an earlier run has written.
        resume: continue a run that was stopped, with the same options and inputs; what it has done
            stays, what failed is tried again.
        ray: address of a Ray cluster whose cores segment a file each, as HOST:PORT; or local, for
            one on this machine that ends with the run, of --threads workers.
    """

    inputs: tyro.conf.Positional[
        Annotated[tuple[Path, ...], tyro.conf.arg(metavar="INPUT ...", help_behavior_hint="")]
    ]
    out: Annotated[Path | None, _NO_HINT] = None
    options: Annotated[_Options, tyro.conf.arg(name="")] = DEFAULT_OPTIONS
    report: bool = False
    objects: Annotated[DicomKinds, tyro.conf.arg(name="")] = NO_DICOM
    max_memory: float = MAX_MEMORY / 2**30
    max_seconds: float = MAX_SECONDS
    json: bool = False
    quiet: bool = False
    overwrite: bool = False
    resume: bool = False
    ray: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS", help_behavior_hint="")] = None

    def run(self) -> int:
        """Segment everything; returns the exit code."""
        return self.run_with(self.options.method)

    def run_with(self, method: str | Segmenter) -> int:
        """The same with a method that has its parameters already."""
        nothing_written = self.json and self.objects.companion() is None and not self.report
        root = self.out or (None if nothing_written else DEFAULT_FOLDER)
        with alone(root):
            return self._segmented(method, root)

    def _segmented(self, method: str | Segmenter, root: Path | None) -> int:
        from breastseg.inference.open import check_dimensions, check_margin, open_segmenter
        from breastseg.results.run import Run
        from breastseg.results.segment import segment_images
        from breastseg.results.segment_on_ray import Work, check_cluster, segment_on_ray
        from breastseg.results.source import find_sources

        if not self.inputs:
            raise InputError("nothing to segment", "files, folders or - for standard input")
        set_max_gib(self.max_memory)
        set_max_seconds(self.max_seconds)
        options = self.options
        opened = partial(
            open_segmenter,
            method,
            options,
            uncertainty=options.uncertainty,
            screenshot=options.screenshot,
        )
        segmenter = opened(threads=options.threads)
        check_dimensions(segmenter, 2)
        if options.margin is not None:
            check_margin(segmenter, options.margin)
        companion = self.objects.companion()
        sources = find_sources(self.inputs, root)
        segmented = partial(
            segment_images,
            segmenter,
            sources,
            options,
            companion=companion,
            keep_images=self.report,
        )
        if self.ray is not None:
            check_cluster(self.ray, sources, options.threads)
            work = Work(opened, options, companion, self.report)
            segmented = partial(segment_on_ray, self.ray, work, sources)
        inputs = {source.name: source.path for source in sources}
        with naming_options(", or continue it with --resume"):
            run = Run(self._asked(), root, inputs, overwrite=self.overwrite, resume=self.resume)
        total = len(sources) if len(sources) > 1 else None
        short = total is None and sources[0].path.suffix.lower() in _STILLS
        stopped = False
        try:
            with (
                progress("Segmenting", total, self.quiet or short) as advance,
                closing(segmented(run=run, advance=advance)) as entries,
            ):
                for entry in entries:
                    tell_one(entry, self.json or self.quiet)
            if self.report and root is not None:
                _write_report(root, run, segmenter)
        except InputError as error:  # of the folder, as when the disk is full
            stopped = True
            complain(str(error))
        return self._told(run, sources, stopped)

    def _asked(self) -> dict[str, OptionValue]:
        """What decides the results: not how many cores or machines make them."""
        asked = asdict(self.options) | asdict(self.objects) | {"report": self.report}
        return {name: value for name, value in asked.items() if name != "threads"}

    def _told(self, run: Run, sources: Sources, stopped: bool) -> int:
        """Say what came of it all; returns the exit code."""
        from breastseg.results.document import to_json

        if self.json:
            say(to_json(run.document(complete=not stopped)).rstrip("\n"))
        failed = sum(entry.failed for entry in run.entries)
        if run.root is not None and not self.json and not self.quiet and not stopped:
            others = f", {_count(sources.others, 'other file')} passed over" * bool(sources.others)
            images = _count(len(run.entries), "image")
            say(f"{images}, {failed} failed{others}. Results are in {run.root}/")
        return exit_code(len(run.entries) - failed, failed + stopped)


def _write_report(root: Path, run: Run, segmenter: Segmenter) -> None:
    from breastseg.results.report import write_report  # a twentieth of a second to import

    write_report(root, run.document(), getattr(segmenter, "bundle", None))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
