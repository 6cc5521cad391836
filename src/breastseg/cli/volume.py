"""``breastseg volume``: the phases of one MRI examination in, an outline on the same grid out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from breastseg.cli.console import say
from breastseg.core.errors import InputError
from breastseg.inference.options import DEFAULT_OPTIONS, MethodOptions
from breastseg.io.memory import MAX_MEMORY, set_max_memory

if TYPE_CHECKING:
    from breastseg.core.image import Image
    from breastseg.core.prediction import Lesion, Prediction

_NO_HINT = tyro.conf.arg(help_behavior_hint="")
MASK, PROBABILITY, RESULTS = "mask.nii.gz", "probability.nii.gz", "results.json"
UNCERTAINTY = "uncertainty.nii.gz"
_WRITTEN = (MASK, PROBABILITY, UNCERTAINTY, RESULTS)


@dataclass(frozen=True)
class Volume:
    """Outline the lesions of one volume: a breast MRI, its phases as files or folders.

    Writes mask.nii.gz and probability.nii.gz on the grid of the input, and results.json with the
    volume, box and confidence of each lesion. The methods are bundles for volumes. The one that
    comes along, mri-phantom, has learnt from synthetic volumes alone: it shows how everything
    works, not where a lesion is.

    Attributes:
        phases: NIfTI, NRRD or MetaImage files on one grid, or folders of DICOM slices, in the order
            of their time: before contrast first. One folder may hold all phases.
        out: the folder for the results.
        method: mri-phantom, the folder of a bundle for volumes, or several joined by a plus: their
            mean, with uncertainty.nii.gz, which is 0 where they are sure and 1 where they are not.
        correct_bias: take the coils' shading away first (N4).
        within_breast: outline nothing behind the chest wall. The wall is found roughly: look at
            what is close to it.
        threads: CPU cores to use; 0 for all.
        options: how the method is opened.
        max_memory: GiB that one examination may take; what would take more is refused before it is
            decoded.
        overwrite: replace what an earlier run has written.
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
    max_memory: float = MAX_MEMORY / 2**30
    overwrite: bool = False

    def run(self) -> int:
        """Segment; returns the exit code."""
        from breastseg.inference.examination import read_examination, segment_examination
        from breastseg.inference.open import check_dimensions, open_segmenter
        from breastseg.io.volume import write_volume
        from breastseg.io.write import write_text

        set_max_memory(round(self.max_memory * 2**30))
        if not self.phases:
            raise InputError("no volume", "the phases of one examination, before contrast first")
        there = [name for name in _WRITTEN if (self.out / name).exists()]
        if there and not self.overwrite:
            raise InputError(
                f"{self.out / there[0]} exists", "a new folder", "choose another, or --overwrite"
            )
        segmenter = open_segmenter(self.method, self.options, threads=self.threads)
        check_dimensions(segmenter, 3)
        image = read_examination(segmenter, self.phases)
        prediction = segment_examination(segmenter, image, self.correct_bias, self.within_breast)
        lesions = prediction.lesions()
        self.out.mkdir(parents=True, exist_ok=True)
        write_volume(prediction.mask().labels, image.grid, self.out / MASK)
        write_volume(prediction.probability, image.grid, self.out / PROBABILITY)
        if prediction.uncertainty is None:
            (self.out / UNCERTAINTY).unlink(missing_ok=True)  # of what is being overwritten
        else:
            write_volume(prediction.uncertainty, image.grid, self.out / UNCERTAINTY)
        document = self._document(image, prediction, lesions)
        write_text(self.out / RESULTS, json.dumps(document, indent=2) + "\n")
        for remark in image.remarks:
            say(f"note: {remark}")
        say(_in_words(prediction, lesions))
        say(f"The results are in {self.out}/")
        return 0

    def _document(
        self, image: Image, prediction: Prediction, lesions: tuple[Lesion, ...]
    ) -> dict[str, object]:
        """The results as plain containers for JSON."""
        from breastseg.measure.uncertainty import region_uncertainty

        provenance = prediction.provenance
        return {
            "outlined": prediction.outlined,
            "phases": list(image.phases),
            "remarks": list(image.remarks),
            "segmenter": provenance.segmenter,
            "version": provenance.version,
            "weights_sha256": provenance.weights_sha256,
            "steps": list(provenance.steps),
            "shape": list(prediction.grid.shape),
            "spacing_mm": list(prediction.grid.steps),
            "lesions": [
                {
                    "volume_mm3": round(_mm3(prediction, lesion), 1),
                    "box": list(lesion.box),
                    "confidence": round(lesion.confidence, 4),
                    "peak": round(lesion.peak, 4),
                    "uncertainty": _rounded(region_uncertainty(prediction, lesion)),
                }
                for lesion in lesions
            ],
        }


def _mm3(prediction: Prediction, lesion: Lesion) -> float:
    sides = prediction.grid.steps
    return float(lesion.area_px * sides[0] * sides[1] * sides[2])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _in_words(prediction: Prediction, lesions: tuple[Lesion, ...]) -> str:
    """One line: how many lesions and how large."""
    from breastseg.results.document import plural

    what = prediction.outlined
    if not lesions:
        return f"no {what} outlined"
    volumes = ", ".join(f"{_mm3(prediction, lesion) / 1000:.2f}" for lesion in lesions[:5])
    more = " and more" if len(lesions) > 5 else ""
    word = what if len(lesions) == 1 else plural(what)
    return f"{len(lesions)} {word} outlined: {volumes}{more} cm3"
