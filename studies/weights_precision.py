"""What it costs to store a bundle's weights in fewer bits: the same images, side by side.

    python studies/weights_precision.py BUNDLE --data BUSI=FOLDER --split SELECTION
        [--precision int8 float16] [--keep FOLDER]

The bundle as it is stored is the baseline; its weights are stored again at each precision. Every
image is prepared once and given to all of them at the bundle's operating point, on one thread.
Prints Markdown: file size, mean Dice over images with a lesion and its difference from the baseline
(95 % interval, bootstrap over patients), true lesions missed (from an intersection over union of .1
on a lesion is found), false positives per image and their difference, normal images with a mask
that is not empty, and the largest change of a probability. ``--keep`` leaves the bundles made.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
from numpy.typing import NDArray

from _study import add_cases, cases_of, options_of
from breastseg.core.case import Case
from breastseg.evaluation.protocol import DEFAULT_PROTOCOL
from breastseg.evaluation.statistics import Interval, mean_interval
from breastseg.inference.bundle_folder import MODEL, read_bundle, sha256_of, write_bundle_json
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
    """Score all bundles on the same cases and print a row each."""
    parser = options_of(__doc__)
    parser.add_argument("bundle", metavar="NAME_OR_FOLDER")
    add_cases(parser, "all")
    parser.add_argument("--precision", nargs="+", default=["int8"], choices=get_args(Precision))
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    folder = bundle_folder(options.bundle)
    refs = cases_of(options)
    with tempfile.TemporaryDirectory() as temporary:
        out = options.keep or Path(temporary)
        folders = [folder, *(stored(folder, out, precision) for precision in options.precision)]
        segmenters = [OnnxSegmenter(one, threads=1, force=True) for one in folders]
        scores = np.array([score(segmenters, ref.load()) for ref in refs])
        print("\n".join(table(folders, scores, [ref.patient_key for ref in refs])))


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
    folders: Sequence[Path], scores: NDArray[np.float64], patients: Sequence[str]
) -> list[str]:
    """Markdown of (cases, bundles, figures) scores."""
    dice, lesions, missed, false, outlined, change = np.moveaxis(scores, 2, 0)
    sick = lesions[:, 0] > 0
    lines = [
        f"{len(scores)} images of {len(set(patients))} patients: {sick.sum()} with "
        f"{lesions[:, 0].sum():.0f} lesions, {(~sick).sum()} normal.",
        *("", f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"),
    ]
    generator = np.random.default_rng(0)
    ill = [patient for patient, has in zip(patients, sick, strict=True) if has]
    for i, folder in enumerate(folders):
        cells = (
            folder.name,
            f"{(folder / MODEL).stat().st_size / 1e6:.2f}",
            f"{dice[sick, i].mean():.4f}",
            "" if i == 0 else signed(mean_interval(dice[sick, i] - dice[sick, 0], ill, generator)),
            f"{missed[:, i].sum():.0f} of {lesions[:, i].sum():.0f}",
            f"{false[:, i].mean():.3f}",
            "" if i == 0 else signed(mean_interval(false[:, i] - false[:, 0], patients, generator)),
            f"{outlined[~sick, i].sum():.0f} of {(~sick).sum()}",
            "" if i == 0 else f"{change[:, i].max():.3f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def signed(figure: Interval) -> str:
    """With its sign and interval."""
    return f"{figure.value:+.4f} [{figure.low:+.4f}, {figure.high:+.4f}]"


if __name__ == "__main__":
    main()
