"""``breastseg slide``: a whole slide in, contours that QuPath opens out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import tyro

from breastseg.cli.alone import alone
from breastseg.cli.console import Advance, progress, say
from breastseg.cli.entries import naming_options, tell
from breastseg.inference.options import DEFAULT_OPTIONS, MethodOptions
from breastseg.inference.time_limit import MAX_SECONDS, set_max_seconds

_NO_HINT = tyro.conf.arg(help_behavior_hint="")


@dataclass(frozen=True)
class SegmentSlide:
    """Outline the lesions on one whole slide (.svs, .ndpi, .mrxs, .scn, .tif), or a part of one.

    A part may also be a PNG or JPEG image, with --slide-um.

    Writes mask.tif, a tiled pyramid at the method's resolution; lesions.geojson, annotations for
    QuPath in pixels of the slide; results.json and results.csv with areas; and overview.png. The
    methods are bundles for histopathology that state their micrometres a pixel.

    Attributes:
        slide: the slide's file.
        method: histopathology-tumour, histopathology-nuclei, or the folder of a bundle.
        out: the folder for the results.
        um_per_px: micrometres a pixel that the method shall see, in place of the bundle's own.
        slide_um: micrometres a pixel of the slide, where its file does not state them.
        normalise_stain: show the network the slide in the dyes of one reference (Macenko), where it
            was stained otherwise than what the method was trained on.
        threads: CPU cores to use; 0 for all.
        options: how the method is opened.
        max_seconds: that a network may take for one batch of tiles; what takes longer fails.
        overwrite: replace what an earlier run has written.
        resume: continue a run that was stopped, with the same options and slide; tiles that are
            done are not done again.
        quiet: no bar.
    """

    slide: tyro.conf.Positional[Annotated[Path, _NO_HINT]]
    method: str
    out: Annotated[Path, _NO_HINT] = Path("slide-results")
    um_per_px: float | None = None
    slide_um: float | None = None
    normalise_stain: bool = False
    threads: int = 0
    options: Annotated[MethodOptions, tyro.conf.arg(name="")] = DEFAULT_OPTIONS
    max_seconds: float = MAX_SECONDS
    overwrite: bool = False
    resume: bool = False
    quiet: bool = False

    def run(self) -> int:
        """Outline; returns the exit code."""
        with alone(self.out):
            return self._outline()

    def _outline(self) -> int:
        from breastseg.inference.open import image_network, open_segmenter
        from breastseg.results.run import Run
        from breastseg.results.slide import SlideOptions, segment_slide_file
        from breastseg.results.source import printable

        set_max_seconds(self.max_seconds)
        segmenter = image_network(open_segmenter(self.method, self.options, threads=self.threads))
        view = SlideOptions(self.um_per_px, self.slide_um, self.normalise_stain)
        with naming_options(", or continue it with --resume"):
            run = Run(
                {"method": self.method, **asdict(view), **asdict(self.options)},
                self.out,
                {printable(self.slide): self.slide},
                overwrite=self.overwrite,
                resume=self.resume,
            )
        with progress("tiles", None, self.quiet) as advance:
            watch = _Watch(advance)
            entries = segment_slide_file(segmenter, self.slide, view, run, watch)
            return tell(entries, self.out)


@dataclass
class _Watch:
    """Shows how far it is."""

    advance: Advance
    begun: int = 0

    def note(self, remark: str) -> None:
        say(f"note: {remark}")

    def progress(self, done: int, total: int) -> None:
        self.advance(done - self.begun, f"of {total}")
        self.begun = done
