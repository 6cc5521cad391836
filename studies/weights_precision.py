"""What it costs to store or compute a network in fewer bits: the same images, side by side.

    python studies/weights_precision.py BUNDLE --data BUSI=FOLDER --split BUSI=SELECTION
        [--precision int8 float16] [--engine openvino openvino-bf16] [--keep FOLDER]
        [--calibrate BUSI=SELECTION]

The bundle as it is, in float32 by ONNX Runtime, is the baseline. Beside it: its weights stored
again at each ``--precision``; each ``--engine``; and with ``--calibrate`` a network that computes
in 8 bits, as ``quantise`` makes it of ``--images`` of those, every scanner alike, by ONNX Runtime
and by OpenVINO where it is installed. Every image is prepared once and given to all of them at the
bundle's operating point, on one thread.

Prints Markdown, a table a source: file size, mean Dice over images with a lesion and its difference
from the baseline (95 % interval, bootstrap over patients), true lesions missed (from an
intersection over union of .1 on a lesion is found), false positives per image and their difference,
normal images with a mask that is not empty, and the largest change of a probability. ``--keep``
leaves the bundles made.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
from numpy.typing import NDArray

from _study import add_cases, cases_of, options_of
from breastseg.core.case import Case
from breastseg.data.balanced import balanced_draw
from breastseg.data.dataset import CaseRef
from breastseg.data.sources import select_cases
from breastseg.evaluation.calibration.confidence import check_apart
from breastseg.evaluation.protocol import DEFAULT_PROTOCOL
from breastseg.evaluation.statistics import mean_interval
from breastseg.export.quantise import Sample, quantise_bundle
from breastseg.inference.bundle_folder import MODEL, read_bundle, sha256_of, write_bundle_json
from breastseg.inference.engine import Engine
from breastseg.inference.methods import bundle_folder
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.metrics.lesionwise import match_lesions
from breastseg.metrics.overlap import confusion
from breastseg.networks.onnx_storage import Precision, store_weights, widen_weights
from breastseg.preprocess.prepare import prepare

FIGURES = ("dice", "lesions", "missed", "false", "outlined", "change")
HEADS = (
    *("bundle", "MB", "Dice", "difference", "lesions missed", "false positives per image"),
    *("difference", "normals outlined", "largest change of a probability"),
)


def main() -> None:
    """Score all ways on the same cases and print a table a source."""
    parser = options_of(__doc__)
    parser.add_argument("bundle", metavar="NAME_OR_FOLDER")
    add_cases(parser, "all")
    parser.add_argument("--precision", nargs="*", default=["int8"], choices=get_args(Precision))
    parser.add_argument("--engine", nargs="*", default=[], choices=get_args(Engine))
    parser.add_argument("--calibrate", nargs="+", default=[], metavar="[NAME=]SELECTION")
    parser.add_argument("--images", type=int, default=50, help="to calibrate with")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    refs = cases_of(options)
    calibration = select_cases(options.data, options.calibrate) if options.calibrate else ()
    check_apart(calibration, refs)
    with tempfile.TemporaryDirectory() as temporary:
        segmenters = ways(options, calibration, options.keep or Path(temporary))
        scores = np.array([score(list(segmenters.values()), ref.load()) for ref in refs])
        for source in dict.fromkeys(ref.source for ref in refs):
            chosen = [i for i, ref in enumerate(refs) if ref.source == source]
            patients = [refs[i].patient_key for i in chosen]
            print(f"## {source}\n")
            print("\n".join(table(segmenters, scores[chosen], patients)), "\n")


def ways(
    options: argparse.Namespace, calibration: Sequence[CaseRef], out: Path
) -> dict[str, OnnxSegmenter]:
    """The baseline first."""
    folder = bundle_folder(options.bundle)

    def opened(one: Path, engine: Engine = "onnxruntime") -> OnnxSegmenter:
        return OnnxSegmenter(one, threads=1, force=True, engine=engine)

    found = {folder.name: opened(folder)}
    for precision in options.precision:
        made = stored(folder, out, precision)
        found[made.name] = opened(made)
    for engine in options.engine:
        found[f"{folder.name}, {engine}"] = opened(folder, engine)
    if calibration:
        made = out / f"{folder.name}-8-bit"
        drawn = balanced_draw(calibration, options.images, seed=0)
        words = (
            f"{len(drawn)} images, drawn from {len(calibration)} with seed 0, every scanner alike"
        )
        quantise_bundle(folder, made, Sample(words, (case.load() for case in drawn)))
        found[made.name] = opened(made)
        if find_spec("openvino") is not None:
            found[f"{made.name}, openvino"] = opened(made, "openvino")
    return found


def stored(folder: Path, out: Path, precision: Precision) -> Path:
    """The bundle with its weights at another precision, in a folder of its own."""
    made = out / f"{folder.name}-{precision}"
    made.mkdir(parents=True)
    model = onnx.load(folder / MODEL)
    widen_weights(model.graph)
    store_weights(model.graph, precision)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, made / MODEL)
    bundle = read_bundle(folder, verify=False)
    write_bundle_json(made, replace(bundle, weights_sha256=sha256_of(made / MODEL)))
    return made


def score(segmenters: Sequence[OnnxSegmenter], case: Case) -> NDArray[np.float64]:
    """`FIGURES` of each bundle on one case with a ground truth, (bundles, figures) float64."""
    image, truth = case.images[0], case.mask
    assert truth is not None
    array, placement = prepare(image, segmenters[0].bundle.input)
    rows, baseline = [], None
    for segmenter in segmenters:
        maps = segmenter.class_probabilities(array[None])[0]
        baseline = maps if baseline is None else baseline
        mask = segmenter.prediction_of(image, maps, placement).mask().foreground
        lesions = match_lesions(mask, truth.foreground, DEFAULT_PROTOCOL.min_iou)
        rows.append(
            (
                confusion(mask, truth.foreground).dice,
                lesions.true_lesions,
                lesions.true_lesions - lesions.found,
                lesions.false_positives,
                mask.any(),
                np.abs(maps - baseline).max(),
            )
        )
    return np.array(rows, np.float64)


def table(
    segmenters: Mapping[str, OnnxSegmenter], scores: NDArray[np.float64], patients: Sequence[str]
) -> list[str]:
    """Markdown of (cases, bundles, figures) scores."""
    dice, lesions, missed, false, outlined, change = np.moveaxis(scores, 2, 0)
    sick = lesions[:, 0] > 0
    lines = [
        f"{len(scores)} images of {len(set(patients))} patients: {sick.sum()} with "
        f"{lesions[:, 0].sum():.0f} lesions, {(~sick).sum()} normal.",
        *("", f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"),
    ]
    ill = [patient for patient, has in zip(patients, sick, strict=True) if has]
    for i, (name, segmenter) in enumerate(segmenters.items()):
        cells = (
            name,
            f"{(segmenter.folder / MODEL).stat().st_size / 1e6:.2f}",
            f"{dice[sick, i].mean():.4f}" if ill else "-",
            "" if i == 0 or not ill else change_of(dice[sick, i] - dice[sick, 0], ill),
            f"{missed[:, i].sum():.0f} of {lesions[:, i].sum():.0f}",
            f"{false[:, i].mean():.3f}",
            "" if i == 0 else change_of(false[:, i] - false[:, 0], patients),
            f"{outlined[~sick, i].sum():.0f} of {(~sick).sum()}",
            "" if i == 0 else f"{change[:, i].max():.3f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def change_of(difference: NDArray[np.float64], patients: Sequence[str]) -> str:
    """The mean of a difference with its sign and interval."""
    found = mean_interval(difference, patients, np.random.default_rng(0))
    return f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


if __name__ == "__main__":
    main()
