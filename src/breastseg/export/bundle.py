"""From a run folder to a bundle."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Literal, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from torch import nn

from breastseg.core.bundle import (
    NOT_STATED,
    Bundle,
    InputSpec,
    Intensity,
    OutputSpec,
    PromptSpec,
    VolumeSpec,
)
from breastseg.core.errors import BundleError
from breastseg.core.image import Modality
from breastseg.core.mask import LESION
from breastseg.core.measured import Figures, Measured
from breastseg.core.trained_on import TrainedOn
from breastseg.data.fingerprint import run_signature
from breastseg.export.card import model_card
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import TOLERANCE, parity, seeded_inputs, with_prompts
from breastseg.export.volume import seeded_patches
from breastseg.inference.bundle_folder import (
    CARD,
    MODEL,
    read_bundle,
    sha256_of,
    write_bundle_json,
    write_measured,
    write_trained_on,
)
from breastseg.inference.strict_json import decode
from breastseg.io.own_code import OwnCode, refuse_own_code
from breastseg.io.toml_file import TomlKind, read_table
from breastseg.io.write import appearing, write_text
from breastseg.networks.catalogue import build_network
from breastseg.networks.even_brightness import EvenBrightness
from breastseg.networks.onnx_storage import Precision
from breastseg.networks.recipe import RECIPES, NetworkRecipe, OwnNetworkRecipe
from breastseg.networks.weights import load_mean_weights, require_weights_of

RECIPE, LOG, DATA = "recipe.toml", "metrics.csv", "data.json"
IMAGE_SPEC, VOLUME_SPEC = "input.json", "volume.json"
MODALITY = "modality.json"
OWN_CODE = "own_code.json"
_NOT_TAKEN = ("target", "results")  # fields of `About` that are none of `Bundle`
T = TypeVar("T")


@dataclass(frozen=True)
class About:
    """What a bundle says of itself that its run folder does not know.

    Attributes:
        name: catalogue name: lower-case letters, digits, ``.``, ``_`` and ``-``.
        version: of the bundle.
        modality: what it was trained on and may be used on.
        summary: one line for lists.
        training_data: one line a source: name, count, licence, citation.
        results: by protocol name; see `breastseg.export.results.read_results`.
        licence: of the weights, as their maker states it.
        remarks: what a user must know besides.
        target: what is segmented, in the singular; kinds of lesion go by the run's recipe.
    """

    name: str
    version: str
    modality: Modality
    summary: str
    training_data: tuple[str, ...] = ()
    results: Mapping[str, Figures] = field(default_factory=dict)
    licence: str = NOT_STATED
    remarks: tuple[str, ...] = ()
    target: str = LESION


@dataclass(frozen=True)
class Making:
    """How a trained network is taken from its run.

    Attributes:
        weights: of the last epoch, or of the best validated one.
        precision: how model.onnx stores the large weights.
        own_code: whether the run's own network may be built, which runs its code.
        even_brightness: the level of an `EvenBrightness` that is put before the network, below 1;
            0 for none.
        mean_with: other runs of the same network: the mean of all their weights is taken. Of a run
            and the one that it started from the mean holds better on other scanners
            (Wortsman et al. 2022, doi:10.1109/CVPR52688.2022.00780).
    """

    weights: Literal["last", "best"] = "last"
    precision: Precision = "float16"
    own_code: bool = False
    even_brightness: float = 0.0
    mean_with: tuple[Path, ...] = ()


def make_bundle(
    run: Path,
    out: Path,
    about: About,
    output: OutputSpec | None = None,
    making: Making | None = None,
) -> Bundle:
    """Export a trained network with everything needed to run and to judge it.

    Writes the files of a bundle and copies of the run's ``recipe.toml`` and ``metrics.csv``; the
    folder appears complete or not at all. A run on volumes becomes a bundle for volumes.

    Args:
        run: the run folder.
        out: the bundle's folder, which must not exist yet.
        about: name, data, results.
        output: operating point and post-processing; those of `OutputSpec` by default.
        making: how the network is taken from the run; as `Making` has it by default.

    Returns:
        The bundle as a reader of the folder sees it.

    Raises:
        BundleError: a file of the run is missing, damaged or of another run, `out` exists, the
            exported network computes something else than the trained one, or brightness cannot be
            evened.
        DataSetError: the record of its data is damaged.
        RecipeError: own code is not allowed, cannot be loaded or has changed.
    """
    copied = [_present(run / name) for name in (RECIPE, LOG)]
    _require_outlines(run)
    spec, making = _read_spec(run), making or Making()
    network, in_words = _trained(run, making, spec)
    draft = Bundle(
        **{f.name: getattr(about, f.name) for f in fields(about) if f.name not in _NOT_TAKEN},
        network=in_words,
        weights_sha256="0" * 64,
        input=InputSpec() if isinstance(spec, VolumeSpec) else spec,
        output=output or OutputSpec(),
        labels=_labels(run / RECIPE, about.target),
        volume=spec if isinstance(spec, VolumeSpec) else None,
        prompt=PromptSpec() if "prompting" in _recipe(run / RECIPE) else None,
    )
    with _appearing(out) as folder:
        write_bundle_json(folder, draft)  # a name that is none is found before the long export
        metadata = {"name": about.name, "version": about.version, "licence": about.licence}
        inputs = _trial_inputs(spec, draft.prompt)
        maps = inputs.shape[1] - spec.channels
        export_onnx(network, spec, folder / MODEL, metadata, making.precision, maps)
        difference = parity(network, folder / MODEL, spec, inputs, making.precision)
        bundle = replace(draft, weights_sha256=sha256_of(folder / MODEL))
        results = {**about.results, **_export_result(difference, inputs, making.precision)}
        measured = Measured(bundle.weights_sha256, results)
        write_bundle_json(folder, bundle)
        write_measured(folder, measured)
        write_text(folder / CARD, model_card(bundle, measured))
        _add_records(folder, (run, *making.mean_with), copied)
        return read_bundle(folder)


def _require_outlines(run: Path) -> None:
    if "masking" in _recipe(run / RECIPE):
        raise BundleError(
            f"{run}: a network that was pretrained to fill in masked squares, not to outline",
            "a run that was trained on ground truth",
            "train one that starts from it, with initial_weights in its recipe",
        )


def _add_records(folder: Path, runs: Sequence[Path], copied: Iterable[Path]) -> None:
    """What a bundle keeps of its runs: what they saw, the first's recipe and how training went."""
    if all((run / DATA).is_file() for run in runs):
        seen = [trained_on_of(run / DATA).images for run in runs]
        parts = dict.fromkeys(part for images in seen for part in images)
        joined = {part: {one for images in seen for one in images.get(part, ())} for part in parts}
        write_trained_on(folder, TrainedOn({part: tuple(sorted(joined[part])) for part in parts}))
    for path in copied:
        shutil.copyfile(path, folder / path.name)
    write_text(folder / RECIPE, without_machine((folder / RECIPE).read_text("utf-8")))


def without_machine(recipe: str) -> str:
    """A recipe's text with the last part alone of every absolute path: a bundle travels."""
    return re.sub(r'"(?:/|[A-Za-z]:\\\\)[^"\n]*?([^"/\\\n]+)/?"', r'"\1"', recipe)


def trained_modality(run: Path) -> Modality:
    """The modality of the cases that a network was trained on, as its run recorded it.

    A bundle refuses images that are known to be of another: a guess here would do harm.

    Raises:
        BundleError: no run, or one that does not say, or says several or unknown ones.
    """
    _present(run / RECIPE)
    if not (run / MODALITY).is_file():
        raise BundleError(
            f"{run} does not say of which modality its training cases were",
            remedy="state the modality",
        )
    found = _read_json_object(run / MODALITY).get("modalities")
    known = [one for one in Modality if one is not Modality.UNKNOWN]
    if not isinstance(found, list) or len(found) != 1 or found[0] not in known:
        says = ", ".join(map(str, found)) if isinstance(found, list) and found else repr(found)
        raise BundleError(
            f"{run} was trained on cases of modality {says}",
            f"one of {', '.join(known)}",
            "state the modality that the network may be used on",
        )
    return Modality(found[0])


def trained_on_of(path: Path) -> TrainedOn:
    """The digests of the images of a run, as its ``data.json`` has them.

    Raises:
        BundleError: it is missing or damaged.
    """
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))["sha256"]
        return TrainedOn(
            {part: tuple(sorted(one["image"] for one in parts[part].values())) for part in parts}
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(
            f"{path}: no record of a run's data ({error})",
            "the file that training wrote",
            "restore the run folder",
        ) from error


def _read_spec(run: Path) -> InputSpec | VolumeSpec:
    if (run / VOLUME_SPEC).is_file():
        return _read_json(run / VOLUME_SPEC, VolumeSpec)
    return _read_json(run / IMAGE_SPEC, InputSpec)


def _labels(recipe: Path, otherwise: str) -> dict[int, str]:
    """What the network tells apart, as the run's recipe has it; a single thing otherwise."""
    classes = _recipe(recipe).get("classes") or [otherwise]
    if not isinstance(classes, list):
        raise BundleError(f"{recipe}: classes is {classes!r}", "a list of names")
    return {label: str(name) for label, name in enumerate(classes, start=1)}


def _recipe(path: Path) -> dict[str, object]:
    return read_table(path, TomlKind("recipe", "restore the run folder", BundleError))


def _trial_inputs(spec: InputSpec | VolumeSpec, prompt: PromptSpec | None) -> NDArray[np.float32]:
    """What both networks are compared on."""
    if isinstance(spec, VolumeSpec):
        return seeded_patches(spec)
    return seeded_inputs(spec) if prompt is None else with_prompts(seeded_inputs(spec))


def _export_result(
    difference: float, inputs: NDArray[np.float32], precision: Precision
) -> dict[str, Figures]:
    return {
        "export": {
            "protocol": (
                "Largest difference of a probability between PyTorch with the trained float32 "
                f"weights and ONNX Runtime with the stored {precision} ones, over "
                f"{len(inputs)} synthetic {'images' if inputs.ndim == 4 else 'patches'} "
                f"of seed 0; at most {TOLERANCE[precision]:g} is accepted."
            ),
            "max_probability_difference": float(f"{difference:.2g}"),
        }
    }


def _trained(run: Path, making: Making, spec: InputSpec | VolumeSpec) -> tuple[nn.Module, str]:
    """The network with its weights, and what it is in words."""
    recipe = network_recipe(run / "network.json", making.own_code)
    own = getattr(recipe, "path", None)
    if own:
        OwnCode.read(run / OWN_CODE).load_again()
    network = build_network(recipe, load_weights=False)
    files = []
    for one in (run, *making.mean_with):
        if _read_spec(one) != spec:
            raise BundleError(
                f"{one}: another input than {run}'s",
                "runs of one network and one input",
                "leave it out of the mean",
            )
        files.append(_present(one / "weights" / f"{making.weights}.safetensors"))
        require_weights_of(run_signature(one), files[-1])
    load_mean_weights(network, files)
    millions = sum(p.numel() for p in network.parameters()) / 1e6
    encoder = getattr(recipe, "encoder", None)
    on = f" on {encoder}" if encoder else f" ({own})" if own else ""
    in_words = f"{recipe.title}{on}, {millions:.2f} million parameters"
    if making.even_brightness:
        network = _evened(network, making.even_brightness, spec)
        in_words += f", the brightness of each image brought to {making.even_brightness:g}"
    return network, in_words


def _evened(network: nn.Module, level: float, spec: InputSpec | VolumeSpec) -> nn.Module:
    darkest = {Intensity.UNIT: 0.0, Intensity.SYMMETRIC: -1.0}
    if isinstance(spec, VolumeSpec) or spec.channels > 1 or spec.intensity not in darkest:
        raise BundleError(
            "the brightness of this network's input cannot be evened",
            "grey images with the intensity 'unit' or 'symmetric'",
        )
    if not 0 < level < 1:
        raise BundleError(f"brightness evened to {level:g}", "a grey level between 0 and 1")
    return EvenBrightness(network, level, darkest[spec.intensity]).eval()


def network_recipe(path: Path, own_code: bool = False) -> NetworkRecipe:
    """Read the `NetworkRecipe` that a run folder holds; nothing is built.

    Args:
        path: the file.
        own_code: whether it may name a network that is not this program's.

    Raises:
        BundleError: missing, damaged, or of an architecture that there is not.
        OwnCodeError: it names code that `own_code` does not allow.
    """
    name = _read_json_object(path).get("name")
    if name == OwnNetworkRecipe.name:
        own = _read_json(path, OwnNetworkRecipe)
        if not own_code:
            refuse_own_code([own.path], str(path))
        return own
    if not isinstance(name, str) or name not in RECIPES:
        raise BundleError(f"{path}: network {name!r}", f"one of {', '.join(RECIPES)}")
    return _read_json(path, RECIPES[name])


def _read_json(path: Path, kind: type[T]) -> T:
    return cast(T, decode(_read_json_object(path), kind, str(path)))


def _read_json_object(path: Path) -> dict[str, object]:
    try:
        value = json.loads(_present(path).read_bytes())
    except ValueError as error:
        raise BundleError(f"{path}: not readable as JSON ({error})") from error
    if not isinstance(value, dict):
        raise BundleError(f"{path} holds no JSON object", "the file that training wrote")
    return value


def _present(path: Path) -> Path:
    if not path.is_file():
        raise BundleError(
            f"{path} is missing", "the folder of a finished training run", "train to the end first"
        )
    return path


@contextmanager
def _appearing(out: Path) -> Iterator[Path]:
    """A temporary folder beside `out`, which must not exist yet, that takes its name on success."""
    if out.exists():
        raise BundleError(f"{out} exists", "a new folder", "choose another, or remove it first")
    with appearing(out) as folder:
        yield folder
