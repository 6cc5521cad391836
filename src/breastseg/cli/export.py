"""``breastseg export``: a run folder in, a bundle out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from breastseg.cli.case_options import Words
from breastseg.cli.console import say
from breastseg.cli.own_code import naming_the_option
from breastseg.core.bundle import NOT_STATED, OutputSpec
from breastseg.core.errors import InputError, MissingExtraError
from breastseg.core.image import Modality
from breastseg.core.mask import LESION
from breastseg.io.real_path import real_path

_NO_HINT = tyro.conf.arg(help_behavior_hint="")


@dataclass(frozen=True)
class Export:
    """Make a bundle, which runs without torch, of a training run.

    Writes model.onnx, bundle.json and MODEL_CARD.md, after comparing the exported network with
    the trained one.

    Attributes:
        run_folder: the folder that 'breastseg train' left.
        out: the folder of the bundle; must not exist yet.
        name: under which the method is known; the folder's name by default.
        bundle_version: of the bundle, not of the software.
        modality: what the network was trained on and may be used on; as the run recorded it by
            default.
        summary: one line for lists.
        target: what is segmented, in the singular: tumour, nucleus. Kinds of lesion go by the
            recipe.
        licence: of the weights, for example Apache-2.0.
        trained_on: a line for each data set: name, count, licence, citation.
        results: the summary.json of evaluations, to stand in the bundle and its card.
        remark: what a user must know besides, a sentence or two each: failures, traps in the data.
        weights: of the last epoch, or of the one with the best validation Dice.
        precision: in which the large weights are stored: int8 for a smaller file, float32 for the
            rare network that float16 changes too much. The export checks what each changes.
        threshold: pixels of at least this probability are lesion.
        min_score: a region whose highest probability stays below this is dropped.
        min_area_fraction: a region that covers a smaller fraction of the image than this is
            dropped.
        largest_only: keep only the largest region.
        own_code: let the run's own network (module:Name) be built, which runs its code.
        flip_average: average with the prediction for the flipped image (test-time augmentation).
        mean_with: other runs of the same network, such as the one that this run started from: the
            mean of all their weights is exported, which holds better on other scanners.
        even_brightness: a first layer brings the bright parts of each image near this grey level,
            by a power; helps on scanners that draw darker than those of the training. 0 for none.
    """

    run_folder: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN")]]
    out: Path
    name: Annotated[str | None, _NO_HINT] = None
    bundle_version: str = "1.0.0"
    modality: Annotated[tyro.conf.EnumChoicesFromValues[Modality] | None, _NO_HINT] = None
    summary: str = "segments breast lesions"
    target: str = LESION
    licence: str = NOT_STATED
    trained_on: Annotated[
        tyro.conf.UseAppendAction[Words],
        tyro.conf.arg(metavar="TEXT ...", help_behavior_hint=""),
    ] = ()
    results: Annotated[
        tyro.conf.UseAppendAction[Words],
        tyro.conf.arg(metavar="PROTOCOL=FILE ...", help_behavior_hint=""),
    ] = ()
    remark: Annotated[
        tyro.conf.UseAppendAction[Words],
        tyro.conf.arg(metavar="TEXT ...", help_behavior_hint=""),
    ] = ()
    weights: Literal["last", "best"] = "last"
    precision: Literal["int8", "float16", "float32"] = "float16"
    threshold: float = OutputSpec.threshold
    min_score: float = OutputSpec.min_score
    min_area_fraction: float = OutputSpec.min_area_fraction
    largest_only: bool = False
    flip_average: bool = False
    own_code: bool = False
    mean_with: Annotated[
        tuple[Path, ...], tyro.conf.arg(metavar="RUN ...", help_behavior_hint="")
    ] = ()
    even_brightness: float = 0.0

    def run(self) -> int:
        """Export; returns the exit code."""
        output = OutputSpec(
            threshold=self.threshold,
            min_score=self.min_score,
            min_area_fraction=self.min_area_fraction,
            largest_only=self.largest_only,
            flip_average=self.flip_average,
        )
        try:
            from breastseg.export.bundle import About, Making, make_bundle, trained_modality
            from breastseg.export.results import read_results
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"export needs torch and onnx ({error})", remedy="pip install 'breastseg[train]'"
            ) from error

        files = dict(_pair(text) for words in self.results for text in words)
        about = About(
            name=self.name or real_path(self.out).name,
            version=self.bundle_version,
            modality=self.modality or trained_modality(self.run_folder),
            summary=self.summary,
            target=self.target,
            training_data=tuple(text for words in self.trained_on for text in words),
            results={protocol: read_results(path) for protocol, path in files.items()},
            licence=self.licence,
            remarks=tuple(text for words in self.remark for text in words),
        )
        making = Making(
            self.weights, self.precision, self.own_code, self.even_brightness, self.mean_with
        )
        with naming_the_option():
            bundle = make_bundle(self.run_folder, self.out, about, output, making)
        size = (self.out / "model.onnx").stat().st_size / 1e6
        use = "segment SCAN" if bundle.volume is None else "volume PHASES"
        say(
            f"{bundle.name} {bundle.version}, {size:.1f} MB, is in {self.out}/. "
            f"Next: breastseg {use} --method {self.out}"
        )
        return 0


def _pair(text: str) -> tuple[str, Path]:
    protocol, equals, path = text.partition("=")
    if not equals or not protocol.strip() or not path:
        raise InputError(f"--results {text}", "PROTOCOL=FILE")
    return protocol.strip(), Path(path)
