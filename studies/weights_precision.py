"""What it costs to store a bundle's weights in fewer bits: the same images, side by side.

    python studies/weights_precision.py FOLDER FOLDER ... --data BUSI=FOLDER --split SELECTION

The first bundle is the baseline. Every image is prepared once and given to all of them at its own
operating point, on one thread. Prints Markdown: file size, mean Dice over images with a lesion and
its difference from the baseline (95 % interval, bootstrap over patients), true lesions missed (from
an intersection over union of .1 on a lesion is found), false positives per image and their
difference, normal images with an outline, and the largest change of a probability.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.case import Case
from breastseg.data.sources import select_cases
from breastseg.evaluation.protocol import DEFAULT_PROTOCOL
from breastseg.evaluation.statistics import Interval, mean_interval
from breastseg.inference.bundle_folder import MODEL
from breastseg.inference.methods import bundle_folder
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.metrics.lesionwise import match_lesions
from breastseg.metrics.overlap import confusion
from breastseg.preprocess.prepare import prepare

FIGURES = ("dice", "lesions", "missed", "false", "outlined", "change")
HEADS = (
    *("bundle", "MB", "Dice", "difference", "lesions missed", "false positives per image"),
    *("difference", "normals outlined", "largest change of a probability"),
)


def main() -> None:
    """Score all bundles on the same cases and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("bundles", nargs="+", metavar="NAME_OR_FOLDER")
    parser.add_argument("--data", nargs="+", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--split", nargs="+", default=["all"], metavar="SELECTION")
    options = parser.parse_args()
    folders = [bundle_folder(name) for name in options.bundles]
    segmenters = [OnnxSegmenter(folder, threads=1, force=True) for folder in folders]
    refs = select_cases(options.data, options.split)
    scores = np.array([score(segmenters, ref.load()) for ref in refs])
    print("\n".join(table(folders, scores, [ref.patient_key for ref in refs])))


def score(segmenters: Sequence[OnnxSegmenter], case: Case) -> NDArray[np.float64]:
    """`FIGURES` of each bundle on one case with a truth, (bundles, figures) float64."""
    image, truth = case.images[0], case.mask
    assert truth is not None
    array, placement = prepare(image, segmenters[0].bundle.input)
    rows, baseline = [], None
    for segmenter in segmenters:
        maps = segmenter.class_probabilities(array[None])[0]
        baseline = maps if baseline is None else baseline
        outline = segmenter.prediction_of(image, maps, placement).mask().foreground
        lesions = match_lesions(outline, truth.foreground, DEFAULT_PROTOCOL.min_iou)
        rows.append(
            (
                confusion(outline, truth.foreground).dice,
                lesions.true_lesions,
                lesions.true_lesions - lesions.found,
                lesions.false_outlines,
                outline.any(),
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
