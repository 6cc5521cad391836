"""``breastseg segment``: images in, outlines and measurements out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from breastseg.cli.console import complain, progress, say
from breastseg.core.box import Box
from breastseg.core.errors import BreastsegError, InputError
from breastseg.core.image import Image
from breastseg.core.prompt import Prompt
from breastseg.inference.options import DEFAULT_METHOD, DEFAULT_PRESET, MethodOptions
from breastseg.io.memory import MAX_MEMORY, set_max_memory
from breastseg.results.source import Source, find_sources

if TYPE_CHECKING:
    from breastseg.core.segmenter import Segmenter
    from breastseg.inference.stream import Segmented
    from breastseg.results.document import Entry
    from breastseg.results.folder import OutputFolder

DEFAULT_FOLDER = Path("breastseg-results")

_STILLS = (".png", ".jpg", ".jpeg", ".bmp")
"""One such file is done before a progress bar would be drawn."""
_NO_HINT = tyro.conf.arg(help_behavior_hint="")
_Points = Annotated[tuple[int, ...], tyro.conf.arg(metavar="ROW COLUMN ...", help_behavior_hint="")]


@dataclass(frozen=True)
class Segment:
    """Outline the lesions in images and measure them.

    Writes STEM_mask.png (0 and 255, in the size of the image) and STEM_overlay.png for every
    image or frame (STEM_f0001 ...), and results.json and results.csv for the run; with
    --uncertainty also STEM_uncertainty.png.

    Exit codes: 0 all were segmented, 1 some failed and the others were done, 2 none could be
    done, 130 stopped; what was finished is kept.

    Attributes:
        inputs: PNG, JPEG, TIFF, BMP and DICOM files, folders with such files, or - for standard
            input.
        out: folder for what is written; by default breastseg-results, or none with --json.
        method: a method of 'breastseg models list', the folder of a bundle, or several networks
            joined by a plus: their mean. The parameters of a classical method are further options:
            'segment --method otsu --help' lists them.
        preset: which tuned parameters a classical method starts from: ultrasound, mammography,
            none, or a file that 'breastseg tune' has written.
        box: where the lesion lies, in pixels counted from 0: its first row and column, then the
            row and column one past its last. The same four numbers as in results.json and in
            Python's Box. For classical methods.
        inside: row and column of points in the lesion. For classical methods.
        outside: row and column of points that are no lesion. For classical methods.
        threshold: outline pixels of at least this probability, between 0 and 1, in place of the
            method's own threshold.
        flip_average: average with the prediction for the mirrored image, where the method does not
            already: a little better, and the network runs twice.
        uncertainty: also write how unsure a network is of each pixel, as a grey picture from 0
            (black: sure) to 255 (as likely lesion as not), and of each lesion. The outlines stay
            the same.
        screen: look at the scan alone: cut off titles and margins, and fill callipers and letters
            from their surroundings. The overlay is black where it was not looked at. For pictures
            of an ultrasound machine's whole screen.
        spacing: distance of pixel centres in millimetres, or that of rows and that of columns, for
            images that do not state their own, such as PNG.
        smooth_frames: average each frame of a cine loop with so many before and after it; 0 for
            each frame by itself.
        threads: CPU cores to use; 0 for all.
        max_memory: GiB that one image may take; what would take more is refused before it is
            decoded.
        json: print the results as JSON to standard output, and nothing else there.
        quiet: no progress and no lines but errors.
        overwrite: replace what an earlier run has written.
        force: also take images of another modality, or scale, than the method was made for.
    """

    inputs: tyro.conf.Positional[
        Annotated[tuple[Path, ...], tyro.conf.arg(metavar="INPUT ...", help_behavior_hint="")]
    ]
    out: Annotated[Path | None, _NO_HINT] = None
    method: str = DEFAULT_METHOD
    preset: str = DEFAULT_PRESET
    box: Annotated[
        tuple[int, int, int, int] | None,
        tyro.conf.arg(metavar="ROW0 COLUMN0 ROW1 COLUMN1", help_behavior_hint=""),
    ] = None
    inside: _Points = ()
    outside: _Points = ()
    threshold: Annotated[float | None, _NO_HINT] = None
    flip_average: bool = False
    uncertainty: bool = False
    screen: bool = False
    spacing: Annotated[
        tuple[float, ...], tyro.conf.arg(metavar="MM [MM]", help_behavior_hint="")
    ] = ()
    smooth_frames: int = 0
    threads: int = 0
    max_memory: float = MAX_MEMORY / 2**30
    json: bool = False
    quiet: bool = False
    overwrite: bool = False
    force: bool = False

    def run(self) -> int:
        """Segment everything; returns the exit code."""
        return self.run_with(self.method)

    def run_with(self, method: str | Segmenter) -> int:
        """The same with a method that has its parameters already."""
        from breastseg.inference.open import check_dimensions, open_segmenter
        from breastseg.results.document import to_json, write_results

        self._check()
        set_max_memory(round(self.max_memory * 2**30))
        self._spacing()
        prompt = self._prompt()
        segmenter = open_segmenter(
            method,
            MethodOptions(self.preset, self.threshold, self.flip_average, self.force),
            threads=self.threads,
            uncertainty=self.uncertainty,
            screenshot=self.screen,
        )
        check_dimensions(segmenter, 2)
        root = self.out or (None if self.json else DEFAULT_FOLDER)
        sources = find_sources(self.inputs, root)
        folder = None if root is None else self._folder(root, sources)
        entries: list[Entry] = []
        complete = False
        try:
            for entry in self._entries(segmenter, prompt, sources, folder):
                entries.append(entry)
                self._tell(entry)
            complete = True
        finally:
            if root is not None:
                write_results(root, entries, complete)
        if self.json:
            say(to_json(entries).rstrip("\n"))
        failed = sum(entry.failed for entry in entries)
        if root is not None and not self.json and not self.quiet:
            beside = (
                f", {_count(sources.others, 'other file')} passed over" if sources.others else ""
            )
            say(f"{_count(len(entries), 'image')}, {failed} failed{beside}. Results are in {root}/")
        if failed == 0:
            return 0
        return 1 if failed < len(entries) else 2

    def _check(self) -> None:
        if not self.inputs:
            raise InputError("nothing to segment", "files, folders or - for standard input")
        if self.threads < 0:
            raise InputError(f"threads = {self.threads}", "1 or more, or 0 for all cores")
        if not 0 <= self.smooth_frames <= 50:
            raise InputError(f"smooth_frames = {self.smooth_frames}", "0 to 50")
        if self.screen and self._prompt() is not None:
            raise InputError(
                "--screen with --box, --inside or --outside",
                "one or the other",
                "point at the lesion, or let it be looked for",
            )

    def _entries(
        self,
        segmenter: Segmenter,
        prompt: Prompt | None,
        sources: Sequence[Source],
        folder: OutputFolder | None,
    ) -> Iterator[Entry]:
        """Segment and write one image after the other, while the next are read and computed."""
        from breastseg.inference.cine import smooth_cine
        from breastseg.inference.session import usable_cores
        from breastseg.inference.stream import segment_stream

        total = len(sources) if len(sources) > 1 else None
        short = all(source.path.suffix.lower() in _STILLS for source in sources) and total is None
        stream = segment_stream(
            segmenter,
            _read(sources, self._spacing()),
            _Slot.load,
            self.threads or usable_cores(),
            prompt,
        )
        reach = self.smooth_frames
        frames = smooth_cine(stream, _Slot.loop, reach) if reach else stream
        with progress("Segmenting", total, self.quiet or short) as advance, closing(stream):
            last: Source | None = None
            for done in frames:
                source = done.item.source
                advance(int(total is None or source is not last), source.name)
                last = source
                yield _entry(done, folder)

    def _folder(self, root: Path, sources: Sequence[Source]) -> OutputFolder:
        from breastseg.results.folder import OutputFolder

        return OutputFolder(root, sources, self.overwrite, self.uncertainty)

    def _spacing(self) -> tuple[float, float] | None:
        if len(self.spacing) > 2 or not all(math.isfinite(mm) and mm > 0 for mm in self.spacing):
            raise InputError(f"spacing {self.spacing}", "one or two numbers above 0")
        return (self.spacing[0], self.spacing[-1]) if self.spacing else None

    def _prompt(self) -> Prompt | None:
        """What the user has pointed at, if anything."""
        if self.box is None and not self.inside and not self.outside:
            return None
        for name, numbers in (("inside", self.inside), ("outside", self.outside)):
            if len(numbers) % 2:
                raise InputError(
                    f"--{name} with {len(numbers)} numbers", "ROW COLUMN of each point"
                )
        return Prompt(
            box=None if self.box is None else Box.of(*self.box),
            inside=tuple(zip(self.inside[::2], self.inside[1::2], strict=True)),
            outside=tuple(zip(self.outside[::2], self.outside[1::2], strict=True)),
        )

    def _tell(self, entry: Entry) -> None:
        if entry.failed:
            complain(entry.line)
        elif not self.json and not self.quiet:
            say(entry.line)


@dataclass(frozen=True, eq=False)
class _Slot:
    """One picture, read as it stands in its file, or why there is none."""

    source: Source
    image: Image | None = None
    frame: int | None = None
    problem: BreastsegError | None = None

    def loop(self) -> Source | None:
        """The cine loop that the picture is a frame of."""
        return None if self.frame is None else self.source

    def load(self) -> Image:
        if self.problem is not None:
            raise self.problem
        assert self.image is not None
        return self.image


def _read(sources: Iterable[Source], spacing_mm: tuple[float, float] | None) -> Iterator[_Slot]:
    """Read all pictures of all sources, as they are asked for."""
    from breastseg.results.reading import read_source

    for source in sources:
        frame = None
        try:
            for image in read_source(source, spacing_mm):
                frame = image.frame
                yield _Slot(source, image, frame)
        except BreastsegError as error:
            yield _Slot(source, None, None if frame is None else frame + 1, error)


def _entry(done: Segmented[_Slot], folder: OutputFolder | None) -> Entry:
    from breastseg.results.document import failure, findings, success

    source = done.item.source
    frame = None if done.item.frame is None else done.item.frame + 1
    if done.image is None or isinstance(done.result, BreastsegError):
        assert isinstance(done.result, BreastsegError)
        return failure(source.name, done.result, frame)
    found = findings(done.result)
    files = {} if folder is None else folder.save(source, done.image, done.result, found)
    if isinstance(files, InputError):
        return failure(source.name, files, frame)
    return success(source.name, done.image, done.result, found, files)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
