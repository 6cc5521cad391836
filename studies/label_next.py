"""Whether the labelling queue's choice of images saves labels, against a random choice.

    python studies/label_next.py train --data BUS-BRA=FOLDER --pool fold:1,2 --test fold:4 \
        --out OUT [--seeds 1 2 3] [--sizes 20 40 80 160] [--choices queue random]
    python studies/label_next.py table --out OUT [--seeds 1 2 3] [--sizes 20 40 80 160]

The ground truth of the pool answers in place of a reader. A seed draws the first images, on which
one network is trained from ImageNet's encoder. Then each choice goes on by itself: the network
proposes a mask of every open image, images are chosen up to the next size, and a network is trained
anew on all that are labelled, from the same start, with the same number of steps at every size
(recipes/transfer.toml). All images are first made small, to the network's size. The choices:

- queue: `breastseg.annotation.priority`, as in the app;
- unsure: its uncertainty alone;
- spread: its distance alone;
- random.

The networks are scored on the test part: Dice of images with a lesion at that size, 0 for a missed
one. Intervals: patients drawn with replacement, of the mean over seeds; patients and seeds
both drawn; and Student's over the seeds. A cell is a folder of OUT; what is there is not done
again, so that a study that was stopped goes on.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from _study import RECIPES, claimed, is_trained, mean_and_half, options_of
from breastseg.annotation.priority import order_by_gain, proposed_case
from breastseg.annotation.project import ProjectCase
from breastseg.core.bundle import InputSpec
from breastseg.core.image import Image
from breastseg.data.dataset import CaseRef
from breastseg.data.sets.folder import TABLE, Folder
from breastseg.data.sources import select_cases
from breastseg.evaluation.statistics import drawn_patients, interval_of
from breastseg.export.bundle import network_recipe
from breastseg.export.onnx import as_probability
from breastseg.inference.strict_json import decode
from breastseg.io.write import appearing, write_png, write_text
from breastseg.metrics.overlap import dice
from breastseg.networks.catalogue import build_network
from breastseg.networks.weights import load_network_weights
from breastseg.preprocess.intensity import to_unit
from breastseg.preprocess.prepare import prepare
from breastseg.training.fit import Hardware
from breastseg.training.start import start

RECIPE = RECIPES / "transfer.toml"
IMAGENET = "encoders/mobilenet_v2_imagenet.safetensors"
CHOICES = ("queue", "unsure", "spread", "random")
BATCH, PARTS = 8, 4
DRAWS = 2000
THRESHOLD = 0.5


def made_small(refs: Sequence[CaseRef], folder: Path, side: int) -> tuple[CaseRef, ...]:
    """A copy of images and masks, of side x side pixels each."""
    if not folder.exists():
        table = io.StringIO()
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(("file", "patient_id", "label", "modality"))
        with appearing(folder) as temporary:
            for number, ref in enumerate(refs):
                case = ref.load()
                assert case.mask is not None, ref.key
                grey = np.rint(to_unit(case.images[0].grey()) * 255).astype(np.uint8)
                small = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
                truth = case.mask.foreground.astype(np.float32)
                mask = cv2.resize(truth, (side, side), interpolation=cv2.INTER_AREA) >= 0.5
                write_png(temporary / "images" / f"{number}.png", small)
                write_png(temporary / "masks" / f"{number}.png", mask)
                rows.writerow((f"{number}.png", ref.patient_key, ref.label or "", "ultrasound"))
            write_text(temporary / TABLE, table.getvalue())
    return tuple(sorted(Folder(folder).cases(), key=lambda ref: int(ref.case_id)))


def folder_of(choice: str, size: int, seed: int, options: argparse.Namespace) -> Path:
    """Where a cell lies; the first size is the same for all choices."""
    first = size == options.sizes[0]
    return Path(options.out) / f"{'first' if first else choice}-{size}-{seed}"


@dataclass(frozen=True)
class Part:
    """Cases with their images and masks, read once.

    Attributes:
        refs: where they lie.
        images: of one size, that of the networks.
        truths: (n, rows, columns) bool.
    """

    refs: tuple[CaseRef, ...]
    images: tuple[Image, ...]
    truths: NDArray[np.bool_]

    @classmethod
    def read(cls, refs: tuple[CaseRef, ...]) -> Part:
        """Open all."""
        cases = [ref.load() for ref in refs]
        truths = [case.mask.foreground for case in cases if case.mask is not None]
        return cls(refs, tuple(case.images[0] for case in cases), np.stack(truths))

    def maps(self, run: Path) -> NDArray[np.float32]:
        """(n, rows, columns) float32, 0 to 1, of a trained network."""
        stored = json.loads((run / "input.json").read_text())
        spec = cast(InputSpec, decode(stored, InputSpec, "input.json"))
        network = build_network(network_recipe(run / "network.json"), load_weights=False)
        load_network_weights(network, run / "weights" / "last.safetensors")
        network.eval()
        found = []
        with torch.inference_mode():
            for first in range(0, len(self.images), 32):
                batch = [prepare(image, spec)[0] for image in self.images[first : first + 32]]
                maps = as_probability(network(torch.from_numpy(np.stack(batch))))
                found.append(maps[:, 0].numpy())
        return np.concatenate(found)


def chosen_next(
    choice: str, cases: Sequence[ProjectCase], labelled: Sequence[int], count: int
) -> list[int]:
    """The numbers of the images to label next.

    Args:
        choice: of `CHOICES`, but random.
        cases: the pool, each case named by its number.
        labelled: numbers of those that are.
        count: how many to choose.
    """
    still = [case for case in cases if int(case.name) not in labelled]
    if choice == "unsure":
        still.sort(key=lambda case: case.uncertainty or 0.0, reverse=True)
        return [int(case.name) for case in still[:count]]
    if choice == "spread":
        still = [replace(case, uncertainty=1.0) for case in still]
    chosen = order_by_gain(still, [cases[number] for number in labelled], count)
    return [int(case.name) for case in chosen]


def images_of(
    choice: str, size: int, seed: int, pool: Part, options: argparse.Namespace
) -> list[int]:
    """The numbers of the images that a cell is trained on."""
    place = options.sizes.index(size)
    if choice == "random" or place == 0:
        drawn = np.random.default_rng(seed).permutation(len(pool.refs))
        return [int(number) for number in drawn[:size]]
    before = folder_of(choice, options.sizes[place - 1], seed, options)
    labelled = json.loads((before / "images.json").read_text())
    cases = [
        proposed_case(f"{number}", ref.patient_id, image, probability)
        for number, (ref, image, probability) in enumerate(
            zip(pool.refs, pool.images, pool.maps(before / "run"), strict=True)
        )
    ]
    return [*labelled, *chosen_next(choice, cases, labelled, size - len(labelled))]


def cell(
    choice: str, size: int, seed: int, parts: tuple[Part, Part], options: argparse.Namespace
) -> None:
    """Choose, train and score, unless that is done or another process is at it."""
    pool, test = parts
    folder = folder_of(choice, size, seed, options)
    run, listed = folder / "run", folder / "images.json"
    with claimed(folder) as free:
        if not free or (folder / "scores.json").exists():
            return
        if not listed.exists():
            write_text(listed, json.dumps(images_of(choice, size, seed, pool, options)))
        keys = [pool.refs[number].key for number in json.loads(listed.read_text())]
        write_text(folder / "images.txt", "\n".join(keys))
        if not is_trained(run):
            shutil.rmtree(run, ignore_errors=True)  # killed before it was done
            changes = {
                "seed": f"{seed}",
                "network": f'{{ name = "{options.network}", encoder_weights = "{IMAGENET}" }}',
                "input.size": f"[{options.side}, {options.side}]",
                "sources.0.name": "pool",
                "sources.0.train": f"list:{(folder / 'images.txt').resolve()}",
                "sources.0.validation": "none",
                "sources.0.repeat": f"{options.steps * BATCH / PARTS / size}",
                "epochs": f"{PARTS}",
                "validate_every": f"{PARTS}",
            }
            source = f"folder={options.out / 'pool'}"
            start(RECIPE, [source], run, changes, Hardware(threads=1))
        found = [
            {"patient": ref.patient_id, "dice": dice(probability >= THRESHOLD, truth)}
            for ref, probability, truth in zip(test.refs, test.maps(run), test.truths, strict=True)
        ]
        write_text(folder / "scores.json", json.dumps(found))


def scores_of(
    choice: str, options: argparse.Namespace
) -> tuple[NDArray[np.float64], Sequence[str]] | None:
    """(sizes, seeds, images) Dice and the images' patients; None where a cell is missing."""
    rows: list[list[dict[str, float]]] = []
    patients: list[str] = []
    for size in options.sizes:
        for seed in options.seeds:
            path = folder_of(choice, size, seed, options) / "scores.json"
            if not path.exists():
                return None
            rows.append(json.loads(path.read_text()))
            patients = [str(row["patient"]) for row in rows[-1]]
    values = np.array([[row["dice"] for row in one] for one in rows])
    return values.reshape(len(options.sizes), len(options.seeds), -1), patients


def intervals(difference: NDArray[np.float64], patients: Sequence[str]) -> str:
    """The difference (seeds, images) with its intervals, as cells of a table."""
    generator = np.random.default_rng(0)
    patient, times = drawn_patients(patients, generator, DRAWS)
    of_patient = np.stack([np.bincount(patient, row) for row in difference])
    images = np.bincount(patient)
    by_seed = (times @ of_patient.T) / (times @ images)[:, None]  # (draws, seeds)
    value = float(difference.mean())
    drawn = generator.integers(len(difference), size=by_seed.shape)
    both = by_seed[np.arange(DRAWS)[:, None], drawn].mean(axis=1)
    found = [interval_of(value, column) for column in (by_seed.mean(axis=1), both)]
    mean, half = mean_and_half([float(row.mean()) for row in difference])
    spans = " | ".join(f"[{one.low:+.3f}, {one.high:+.3f}]" for one in found)
    return f"{value:+.3f} | {spans} | {mean:+.3f} +- {half:.3f}"


def table(options: argparse.Namespace) -> None:
    """Print Dice by size and choice, and the differences from the random choice."""
    known = {choice: scores_of(choice, options) for choice in CHOICES}
    found = {choice: one for choice, one in known.items() if one is not None}
    print(f"| labelled | {' | '.join(found)} |\n|---|{'---|' * len(found)}")
    for place, size in enumerate(options.sizes):
        cells = []
        for values, _ in found.values():
            each = " / ".join(f"{value:.3f}" for value in values[place].mean(axis=1))
            missed = float((values[place] == 0).mean())
            cells.append(f"{values[place].mean():.3f} ({each}; missed {missed:.3f})")
        print(f"| {size} | {' | '.join(cells)} |")
    if "random" not in found:
        return
    print("\n| labelled | against random | difference | patients | patients and seeds | seeds |")
    print("|---|---|---|---|---|---|")
    plain, patients = found.pop("random")
    for choice, (values, _) in found.items():
        apart = values - plain
        lines = [(str(size), apart[place]) for place, size in enumerate(options.sizes) if place]
        lines.append(("mean of these", apart[1:].mean(axis=0)))
        for label, difference in lines:
            print(f"| {label} | {choice} | {intervals(difference, patients)} |")


def before(
    choice: str, size: int, seed: int, pool: Part, options: argparse.Namespace
) -> NDArray[np.float64]:
    """Dice, before they were labelled, of the images that a size adds, by the network until then.

    Returns:
        Of each image that the size adds to the one before it.
    """
    sizes = [options.sizes[options.sizes.index(size) - 1], size]
    earlier, folder = (folder_of(choice, one, seed, options) for one in sizes)
    added = json.loads((folder / "images.json").read_text())[sizes[0] :]
    masks = pool.maps(earlier / "run")[added] >= THRESHOLD
    return np.array([dice(*pair) for pair in zip(masks, pool.truths[added], strict=True)])


def what_was_chosen(options: argparse.Namespace, pool: Part) -> None:
    """Print what the images of each choice are like, and how well they were segmented before."""
    print("| choice | labelled | patients | malignant | lesion, fraction of the image, median |")
    print("|---|---|---|---|---|")
    patients = np.array([ref.patient_id for ref in pool.refs])
    malignant = np.array([ref.label == "malignant" for ref in pool.refs])
    fraction = pool.truths.mean(axis=(1, 2))
    for choice in options.choices:
        for size in options.sizes:
            rows = []
            for seed in options.seeds:
                listed = folder_of(choice, size, seed, options) / "images.json"
                own = json.loads(listed.read_text())
                numbers = (malignant[own].mean(), np.median(fraction[own]))
                rows.append((len(set(patients[own])), *numbers))
            cells = " | ".join(f"{value:.3g}" for value in np.mean(rows, axis=0))
            print(f"| {choice} | {size} | {cells} |")
    print("\n| choice | added up to | Dice before, a seed each | missed before, a seed each |")
    print("|---|---|---|---|")
    for choice in options.choices:
        for size in options.sizes[1:]:
            found = [before(choice, size, seed, pool, options) for seed in options.seeds]
            dices = " / ".join(f"{one.mean():.3f}" for one in found)
            missed = " / ".join(f"{(one == 0).mean():.3f}" for one in found)
            print(f"| {choice} | {size} | {dices} | {missed} |")


def main() -> None:
    """Train what is missing, or print the tables."""
    parser = options_of(__doc__)
    parser.add_argument("what", choices=("train", "table", "chosen"))
    parser.add_argument("--data", nargs=1, metavar="NAME=FOLDER", help="one data set")
    parser.add_argument("--pool", default="fold:1,2", help="what may be labelled")
    parser.add_argument("--test", default="fold:4", help="of other patients, with lesions")
    parser.add_argument("--out", type=Path, required=True, help="folder of the cells")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--sizes", nargs="+", type=int, default=[20, 40, 80, 160])
    parser.add_argument("--choices", nargs="+", choices=CHOICES, default=["queue", "random"])
    parser.add_argument("--network", default="fast-unet", help="one with an ImageNet encoder")
    parser.add_argument("--steps", type=int, default=200, help="of 8 images, at every size")
    parser.add_argument("--side", type=int, default=96, help="of all images, in pixels")
    options = parser.parse_args()
    if options.what == "table":
        table(options)
        return
    chosen = select_cases(options.data, [options.pool])
    pool = Part.read(made_small(chosen, options.out / "pool", options.side))
    if options.what == "chosen":
        what_was_chosen(options, pool)
        return
    chosen = select_cases(options.data, [options.test])
    test = Part.read(made_small(chosen, options.out / "test", options.side))
    both = {ref.patient_id for ref in (*pool.refs, *test.refs)}
    alone = sum(len({ref.patient_id for ref in part.refs}) for part in (pool, test))
    if len(both) != alone:
        raise SystemExit(f"{alone - len(both)} patients are in the pool and in the test part")
    torch.set_num_threads(1)
    for seed in options.seeds:
        for size in options.sizes:
            for choice in options.choices:
                cell(choice, size, seed, (pool, test), options)


if __name__ == "__main__":
    main()
