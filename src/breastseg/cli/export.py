"""``breastseg export``: a run folder in, a bundle out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from breastseg.cli.case_options import Words
from breastseg.cli.console import say
from breastseg.core.bundle import OutputSpec
from breastseg.core.errors import InputError, MissingExtraError
from breastseg.core.image import Modality

_NO_HINT = tyro.conf.arg(help_behavior_hint="")


@dataclass(frozen=True)
class Export:
    """Make a bundle, which runs without torch, of a training run.

    Writes model.onnx, bundle.json and MODEL_CARD.md, after comparing the exported network with
    the trained one.
    """

    run_folder: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN")]]
    """The folder that 'breastseg train' left."""
    out: Path
    """The folder of the bundle; must not exist yet."""
    name: Annotated[str | None, _NO_HINT] = None
    """Under which the method is known; the folder's name by default."""
    bundle_version: str = "1.0.0"
    """Of the bundle, not of the software."""
    modality: Modality = Modality.ULTRASOUND
    """What the network was trained on and may be used on."""
    summary: str = "outlines breast lesions"
    """One line for lists."""
    licence: str = "Apache-2.0"
    """Of the weights."""
    trained_on: Annotated[
        tyro.conf.UseAppendAction[Words],
        tyro.conf.arg(metavar="TEXT ...", help_behavior_hint=""),
    ] = ()
    """A line for each data set: name, count, licence, citation."""
    results: Annotated[
        tyro.conf.UseAppendAction[Words],
        tyro.conf.arg(metavar="PROTOCOL=FILE ...", help_behavior_hint=""),
    ] = ()
    """The summary.json of evaluations, to stand in the bundle and its card."""
    weights: Literal["last", "best"] = "last"
    """Of the last epoch, or of the one with the best validation Dice."""
    threshold: float = OutputSpec.threshold
    """Pixels of at least this probability are lesion."""
    min_peak: float = OutputSpec.min_peak
    """An outline whose highest probability stays below this is dropped."""
    min_area_fraction: float = OutputSpec.min_area_fraction
    """An outline that covers a smaller share of the image than this is dropped."""
    largest_only: bool = False
    """Keep only the largest outline."""
    flip_average: bool = False
    """Average with the prediction for the mirrored image."""

    def run(self) -> int:
        """Export; returns the exit code."""
        output = OutputSpec(
            threshold=self.threshold,
            min_peak=self.min_peak,
            min_area_fraction=self.min_area_fraction,
            largest_only=self.largest_only,
            flip_average=self.flip_average,
        )
        try:
            from breastseg.export.bundle import About, make_bundle
            from breastseg.export.results import read_results
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"export needs torch and onnx ({error})", remedy="pip install 'breastseg[train]'"
            ) from error

        files = dict(_pair(text) for words in self.results for text in words)
        about = About(
            name=self.name or self.out.resolve().name,
            version=self.bundle_version,
            modality=self.modality,
            summary=self.summary,
            training_data=tuple(text for words in self.trained_on for text in words),
            results={protocol: read_results(path) for protocol, path in files.items()},
            licence=self.licence,
        )
        bundle = make_bundle(self.run_folder, self.out, about, output, self.weights)
        size = (self.out / "model.onnx").stat().st_size / 1e6
        say(
            f"{bundle.name} {bundle.version}, {size:.1f} MB, is in {self.out}/. "
            f"Next: breastseg segment SCAN --method {self.out}"
        )
        return 0


def _pair(text: str) -> tuple[str, Path]:
    protocol, equals, path = text.partition("=")
    if not equals or not protocol.strip() or not path:
        raise InputError(f"--results {text}", "PROTOCOL=FILE")
    return protocol.strip(), Path(path)
