"""``breastseg volume``: the phases of one MRI study in, a mask on the same grid out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import tyro

from breastseg.cli.alone import alone
from breastseg.cli.dicom_kinds import NO_DICOM, DicomKinds
from breastseg.cli.entries import naming_options, tell
from breastseg.core.errors import InputError
from breastseg.inference.options import DEFAULT_OPTIONS, MethodOptions
from breastseg.inference.time_limit import MAX_SECONDS, set_max_seconds
from breastseg.io.memory import MAX_MEMORY, set_max_gib

_NO_HINT = tyro.conf.arg(help_behavior_hint="")


@dataclass(frozen=True)
class Volume:
    """Outline the lesions of one volume: a breast MRI, its phases as files or folders.

    Writes mask.nii.gz and probability.nii.gz on the grid of the input, and results.json and
    results.csv with the volume, box and mean probability of each lesion. The methods are bundles
    for volumes. The bundled one, mri-phantom, was trained on synthetic volumes alone: it shows how
    everything works, not where a lesion is.

    Attributes:
        phases: NIfTI, NRRD or MetaImage files on one grid, enhanced MR objects, or folders of DICOM
            slices, in the order of their time: before contrast first. One folder or object may hold
            all phases.
        out: the folder for the results.
        method: mri-phantom, the folder of a bundle for volumes, or several joined by a plus: their
            mean, with uncertainty.nii.gz, which is 0 where they are sure and 1 where they are not.
        correct_bias: take the coils' shading away first (N4).
        within_breast: segment nothing behind the chest wall. The wall is found roughly: look at
            what is close to it.
        threads: CPU cores to use; 0 for all.
        options: how the method is opened.
        objects: which DICOM objects are written, of phases that are folders of DICOM slices.
        max_memory: GiB that one study may take; what would take more is refused before it is
            decoded.
        max_seconds: that a network may take for one patch; what takes longer fails.
        overwrite: replace what an earlier run has written.
        resume: continue a run that was stopped, with the same options and inputs; what is done is
            not done again.
    """

    phases: tyro.conf.Positional[
        Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PHASE ...", help_behavior_hint="")]
    ]
    method: str
    out: Annotated[Path, _NO_HINT] = Path("volume-results")
    correct_bias: bool = False
    within_breast: bool = False
    threads: int = 0
    options: Annotated[MethodOptions, tyro.conf.arg(name="")] = DEFAULT_OPTIONS
    objects: Annotated[DicomKinds, tyro.conf.arg(name="")] = NO_DICOM
    max_memory: float = MAX_MEMORY / 2**30
    max_seconds: float = MAX_SECONDS
    overwrite: bool = False
    resume: bool = False

    def run(self) -> int:
        """Segment; returns the exit code."""
        with alone(self.out):
            return self._segment()

    def _segment(self) -> int:
        from breastseg.inference.open import check_dimensions, open_segmenter
        from breastseg.results.run import Run
        from breastseg.results.source import printable
        from breastseg.results.volume import segment_volume

        if not self.phases:
            raise InputError("no volume", "the phases of one study, before contrast first")
        set_max_gib(self.max_memory)
        set_max_seconds(self.max_seconds)
        segmenter = open_segmenter(self.method, self.options, threads=self.threads)
        check_dimensions(segmenter, 3)
        asked = {
            "method": self.method,
            "correct_bias": self.correct_bias,
            "within_breast": self.within_breast,
            **asdict(self.options),
            **asdict(self.objects),
        }
        with naming_options(", or continue it with --resume"):
            run = Run(
                asked,
                self.out,
                {printable(path): path for path in self.phases},
                overwrite=self.overwrite,
                resume=self.resume,
            )
        companion = self.objects.companion()
        entries = segment_volume(
            segmenter, self.phases, run, self.correct_bias, self.within_breast, companion
        )
        return tell(entries, self.out)
