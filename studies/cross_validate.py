"""The operating point of a recipe, chosen on its own training patients.

    python studies/cross_validate.py train RECIPE --data NAME=FOLDER --out RUNS \
        --modality mammography [--parts 3] [--only 0] [--set KEY=VALUE ...]
    python studies/cross_validate.py table RECIPE --data NAME=FOLDER --out RUNS [--only 0]

The patients of the recipe's training selection are dealt into parts; for each part a network learns
from the others, last epoch, and outlines that part. The table says what each threshold and each
minimum score of a region give over all images so outlined: Dice, the fraction of lesions found
and false positives per image (a match from an intersection over union of 0.1). It ends with the
point that a rule fixed beforehand chooses: the threshold with the highest mean Dice, and at it the
lowest minimum score with no more than one false positive an image. No image that is reported on is
seen.

Several processes may train side by side; each takes the next part that nobody has claimed. After a
kill, remove the ``.claim`` files.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from _study import breastseg, claimed, network_of, options_of, train
from breastseg.data.dataset import CaseRef
from breastseg.data.selection import select
from breastseg.data.sources import open_source
from breastseg.evaluation.calibration.operating_point import (
    Choice,
    Counts,
    counts_of_bundle,
    points_markdown,
    summed,
)
from breastseg.training.recipe_file import read_recipe


@dataclass(frozen=True)
class Part:
    """Some of the training patients.

    Attributes:
        number: from 0.
        held_out: the part's own cases, none of which its network learns from.
        trained_on: the patients of all other parts.
    """

    number: int
    held_out: tuple[CaseRef, ...]
    trained_on: tuple[str, ...]


def deal(recipe: Path, data: str, count: int) -> list[Part]:
    """Deal the patients of the recipe's first source, in the order of their names, in turn."""
    selection = read_recipe(recipe).sources[0].train
    cases = select(open_source(data).cases(), selection, recipe.parent)
    patients = sorted({case.patient_id for case in cases})
    parts = []
    for number in range(count):
        own = set(patients[number::count])
        held_out = tuple(case for case in cases if case.patient_id in own)
        parts.append(Part(number, held_out, tuple(p for p in patients if p not in own)))
    return parts


def train_part(part: Part, selection: str, options: argparse.Namespace) -> None:
    """Train without a part, unless that is done or another is at it."""
    folder: Path = options.out / f"part{part.number}"
    if (folder / "bundle" / "bundle.json").exists():
        return
    with claimed(folder) as free:
        if not free:
            return
        chosen = f"{selection} & patient:{','.join(part.trained_on)}"
        changes = [f"sources.0.train={chosen}", "sources.0.validation=none", *options.set]
        train(options.recipe, [options.data], folder / "run", changes, options.threads)
        words = ["export", folder / "run", "--out", folder / "bundle", "--precision", "float32"]
        breastseg(*words, "--modality", options.modality)


def table(parts: Sequence[Part], out: Path) -> None:
    """Print a Markdown row an operating point, and the one that the rule chooses."""
    every: list[Counts] = []
    for part in parts:
        network = network_of(str(out / f"part{part.number}" / "bundle"))
        every += counts_of_bundle(network, part.held_out)
    count = f"{len(parts)} part{'s' if len(parts) > 1 else ''}"
    print(
        f"{len(every)} images of {count}, each segmented by a network that has not seen its patient"
    )
    points = summed(every)
    print(points_markdown(points))
    point = points.choose(Choice("lowest-score", max_false_positives=1.0))
    print(f"The rule chooses {point or 'none of these'} (threshold, min score).")


def main() -> None:
    """Train what is missing, or print the table."""
    parser = options_of(__doc__)
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
        train_part(part, selection, options)


if __name__ == "__main__":
    main()
