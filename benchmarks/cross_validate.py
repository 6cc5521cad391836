"""The operating point of a recipe, chosen on its own training patients.

    python benchmarks/cross_validate.py train RECIPE --data NAME=FOLDER --out RUNS \
        --modality mammography [--parts 3] [--only 0] [--set KEY=VALUE ...]
    python benchmarks/cross_validate.py table RECIPE --data NAME=FOLDER --out RUNS [--only 0]

The patients of the recipe's training selection are dealt into parts; for each part a network learns
from the others, last epoch, and outlines that part. The table says what each threshold and each
least peak of an outline give over all images so outlined: Dice, the share of lesions found and
false outlines an image (a match from an intersection over union of 0.1). It ends with the point
that a rule fixed beforehand chooses: the threshold with the highest mean Dice, and at it the lowest
least peak with no more than one false outline an image. No image that is reported on is seen.

Several processes may train side by side; each takes the next part that nobody has claimed. After a
kill, remove the ``.claim`` files.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from leave_one_out import breastseg
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.core import OutputSpec
from breastseg.data.catalogue import open_data_set
from breastseg.data.dataset import CaseRef
from breastseg.data.selection import select
from breastseg.data.sources import parse_source
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.metrics import confusion
from breastseg.metrics.lesionwise import match_lesions
from breastseg.training.recipe import read_recipe

THRESHOLDS = tuple(round(0.05 * i, 2) for i in range(3, 15))
PEAKS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
MOST_FALSE = 1.0


@dataclass(frozen=True)
class Part:
    """Some of the training patients.

    Attributes:
        number: from 0.
        held_out: the part's own cases, none of which its network learns from.
        learnt_from: the patients of all other parts.
    """

    number: int
    held_out: tuple[CaseRef, ...]
    learnt_from: tuple[str, ...]


def deal(recipe: Path, data: str, count: int) -> list[Part]:
    """Deal the patients of the recipe's first source, in the order of their names, in turn."""
    selection = read_recipe(recipe).sources[0].train
    cases = select(open_data_set(*parse_source(data)).cases(), selection, recipe.parent)
    patients = sorted({case.patient_id for case in cases})
    parts = []
    for number in range(count):
        own = set(patients[number::count])
        held_out = tuple(case for case in cases if case.patient_id in own)
        parts.append(Part(number, held_out, tuple(p for p in patients if p not in own)))
    return parts


def train(part: Part, selection: str, options: argparse.Namespace) -> None:
    """Train without a part, unless that is done or another is at it."""
    folder: Path = options.out / f"part{part.number}"
    if (folder / "bundle" / "bundle.json").exists():
        return
    options.out.mkdir(parents=True, exist_ok=True)
    claim = options.out / f"part{part.number}.claim"
    try:
        os.close(os.open(claim, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    try:
        run = folder / "run"
        if not (run / "weights" / "last.safetensors").exists():
            shutil.rmtree(run, ignore_errors=True)  # what a kill has left
            words = ["train", options.recipe, "--data", options.data, "--out", run]
            words += ["--threads", str(options.threads), "--set"]
            chosen = f"{selection} & patient:{','.join(part.learnt_from)}"
            changes = (f"sources.0.train={chosen}", "sources.0.validation=none", *options.set)
            breastseg(*words, *changes)
        words = ["export", run, "--out", folder / "bundle", "--precision", "float32"]
        breastseg(*words, "--modality", options.modality)
    finally:
        claim.unlink()


Scores = NDArray[np.float64]
"""(thresholds, peaks, 4): Dice, lesions found, lesions, false outlines."""


def scores(probability: NDArray[np.float32], truth: NDArray[np.bool_]) -> Scores:
    """One image at every operating point."""
    found = np.zeros((len(THRESHOLDS), len(PEAKS), 4))
    for i, threshold in enumerate(THRESHOLDS):
        numbers, count = ndimage.label(probability >= threshold, np.ones((3, 3)))
        peaks = ndimage.maximum(probability, numbers, np.arange(1, count + 1)) if count else []
        for j, least in enumerate(PEAKS):
            kept = np.concatenate([[False], np.asarray(peaks) >= least])
            outline = kept[numbers]
            match = match_lesions(outline, truth)
            dice = confusion(outline, truth).dice
            found[i, j] = dice, match.found, match.true_lesions, match.false_outlines
    return found


def table(parts: Sequence[Part], out: Path) -> None:
    """Print a Markdown row an operating point, and the one that the rule chooses."""
    every = []
    for part in parts:
        everything = OutputSpec(threshold=min(THRESHOLDS))
        network = OnnxSegmenter(out / f"part{part.number}" / "bundle", output=everything)
        for ref in part.held_out:
            case = ref.load()
            assert case.mask is not None
            prediction = network.segment(case.images[0])
            every.append(scores(prediction.probability, case.mask.foreground))
    sums = np.sum(every, axis=0)
    dice, sensitivity = sums[..., 0] / len(every), sums[..., 1] / sums[..., 2]
    false = sums[..., 3] / len(every)
    count = f"{len(parts)} part{'s' if len(parts) > 1 else ''}"
    print(
        f"{len(every)} images of {count}, each outlined by a network that has not seen its patient"
    )
    print("\n| threshold | least peak | Dice | lesions found | false outlines an image |")
    print("|---|---|---|---|---|")
    for i, threshold in enumerate(THRESHOLDS):
        for j, least in enumerate(PEAKS):
            values = f"{dice[i, j]:.4f} | {sensitivity[i, j]:.3f} | {false[i, j]:.2f}"
            print(f"| {threshold} | {least} | {values} |")
    best = int(dice[:, 0].argmax())
    allowed = np.flatnonzero(false[best] <= MOST_FALSE)
    peak = PEAKS[allowed[0]] if allowed.size else "none of these"
    print(f"\nThe rule chooses threshold {THRESHOLDS[best]}, least peak {peak}.")


def main() -> None:
    """Train what is missing, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("train", "table"))
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--modality", default="mammography")
    parser.add_argument("--parts", type=int, default=3)
    parser.add_argument("--only", type=int, nargs="+", help="these parts, from 0; all by default")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="of the recipe")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of a run")
    options = parser.parse_args()
    selection = read_recipe(options.recipe).sources[0].train
    parts = deal(options.recipe, options.data, options.parts)
    parts = [part for part in parts if options.only is None or part.number in options.only]
    if options.what == "table":
        table(parts, options.out)
        return
    for part in parts:
        train(part, selection, options)


if __name__ == "__main__":
    main()
