"""Every 2-D architecture under one protocol, and the table that compares them.

    python studies/families.py train --data BUSI --out runs/families [--only unet++ fcn]
    python studies/families.py table --data BUSI --out runs/families [--seeds 1 2 3]
    python studies/families.py paired --data BUSI --out runs/families --seeds 1 2 3 \
        --only attention-unet transunet unet++

recipes/families.toml is the protocol: BUSI's published list 1 (452 training images, 195
scored), 256x256, the same epochs, loss, schedule and augmentation for all, the last epoch, no
flipped image, Dice per image. Architectures on an encoder start it from ImageNet, the others from
nothing: there are no weights for theirs that need no network. A run that is there is kept, one that
was stopped is continued; several processes may train side by side, each takes the next run that
nobody has claimed (after a kill, remove the ``.claim`` files).

*Paired* holds rows against encoder-unet, each image by its mean Dice over the seeds: the mean
difference with its interval over images, Wilcoxon's signed-rank test with Holm's correction for the
number of rows, and beside them the difference of each seed with Student's interval over seeds. The
first speaks of these trained networks on other images, the second of other trainings.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from _study import (
    RECIPES,
    breastseg,
    claimed,
    lesion_figures,
    mean_and_half,
    options_of,
    rows_of,
    train,
)
from breastseg.evaluation.comparison.paired import holm
from breastseg.evaluation.statistics import mean_interval

RECIPE = RECIPES / "families.toml"
IMAGENET = "encoders/mobilenet_v2_imagenet.safetensors"
LIST = "list:splits/busi-tang/busi_val1.txt"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        label: of the run's folder and in the table.
        network: the recipe's table, as TOML.
        changes: to the recipe, where a row departs from the protocol.
        note: says so in the table.
    """

    label: str
    network: str
    changes: tuple[str, ...] = ()
    note: str = ""


def _on_encoder(name: str, more: str = "") -> str:
    return f'{{ name = "{name}", encoder_weights = "{IMAGENET}"{more} }}'


ROWS = (
    Row("encoder-unet", _on_encoder("encoder-unet"), note="ImageNet"),
    Row("encoder-decoder", _on_encoder("encoder-decoder"), note="ImageNet"),
    Row("attention-unet", _on_encoder("attention-unet"), note="ImageNet"),
    Row("unet++", _on_encoder("unet++"), note="ImageNet"),
    Row("transunet", _on_encoder("transunet"), note="ImageNet (stem)"),
    Row("fast-unet", _on_encoder("fast-unet"), note="ImageNet"),
    Row("unext", '{ name = "unext" }', ("optimiser.learning_rate=3e-3",), "rate 3e-3"),
    Row("cmunext", '{ name = "cmunext" }', ("optimiser.learning_rate=3e-3",), "rate 3e-3"),
    Row("segformer", '{ name = "segformer" }'),
    Row("unet2015", '{ name = "unet2015", base_width = 16 }', note="width 16"),
    Row("residual-unet", '{ name = "residual-unet", base_width = 16 }', note="width 16"),
    Row(
        "gan",
        _on_encoder("encoder-unet"),
        ("adversarial={}",),
        "encoder-unet as generator, ImageNet",
    ),
    Row("mask-rcnn", _on_encoder("mask-rcnn"), note="ImageNet"),
    Row("swin-unetr", '{ name = "swin-unetr" }'),
)


def folder_of(row: Row, seed: int, out: Path) -> Path:
    """Where a run lies."""
    return out / (row.label if seed == 1 else f"{row.label}-seed{seed}")


def train_row(row: Row, seed: int, options: argparse.Namespace) -> None:
    """Train, export and score one row, unless that is done or another process is at it."""
    folder = folder_of(row, seed, options.out)
    with claimed(folder) as free:
        if not free:
            return
        changes = [f"network={row.network}", f"seed={seed}", *row.changes]
        train(RECIPE, [f"BUSI={options.data}"], folder, changes, options.threads)
        if not (folder / "bundle").exists():
            name = row.label.replace("+", "p")  # a bundle's name takes no plus
            breastseg("export", folder, "--out", folder / "bundle", "--name", name)
        scores = folder / "scores"
        if not (scores / "summary.json").exists():
            words = ["evaluate", folder / "bundle", "--data", f"BUSI={options.data}", "--quiet"]
            breastseg(*words, "--size", "256", "--split", LIST, "--out", scores)


def line(row: Row, seeds: list[int], out: Path) -> str | None:
    """The table's line for a row; None where nothing is there yet."""
    folders = [folder_of(row, seed, out) for seed in seeds]
    done = [f for f in folders if (f / "scores" / "summary.json").exists()]
    if not done:
        return None
    figures = [lesion_figures(f / "scores") for f in done]
    each = {name: [figure[name] for figure in figures] for name in ("dice", "iou", "hd95_px")}
    mean = {name: sum(values) / len(values) for name, values in each.items()}
    seconds = sum(float(epoch["seconds"]) for epoch in rows_of(done[0] / "metrics.csv"))
    found = " / ".join(f"{value:.3f}" for value in each["dice"])
    return (
        f"| {row.label} | {mean['dice']:.3f} | {found} | {mean['iou']:.3f} "
        f"| {mean['hd95_px']:.1f} | {seconds / 60:.1f} | {row.note} |"
    )


def dice_of(folder: Path) -> dict[str, float]:
    """The Dice of each image with a lesion, by its key."""
    rows = rows_of(folder / "scores" / "per_image.csv")
    return {row["key"]: float(row["dice"]) for row in rows if row["dice"]}


def paired(rows: list[Row], seeds: list[int], out: Path) -> None:
    """Print each row against the plain U-Net."""
    plain, keys = by_seed(ROWS[0], seeds, out)
    p_values, lines = [], []
    for row in rows:
        values, same = by_seed(row, seeds, out)
        if same != keys:
            raise SystemExit(f"{row.label} was scored on other images than {ROWS[0].label}")
        each = (values - plain).mean(axis=1)
        images = (values - plain).mean(axis=0)
        found = mean_interval(images, keys, np.random.default_rng(0))
        p_values.append(float(wilcoxon(images).pvalue))
        mean, half = mean_and_half(each)
        lines.append(
            f"| {row.label} | {found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}] | {{:.3f}} "
            f"| {' / '.join(f'{d:+.3f}' for d in each)} | {mean:+.3f} +- {half:.3f} |"
        )
    print(f"| against {ROWS[0].label} | over images | p, Holm | of each seed | over seeds |")
    print("|---|---|---|---|---|")
    for text, p in zip(lines, holm(p_values), strict=True):
        print(text.format(p))


def by_seed(row: Row, seeds: list[int], out: Path) -> tuple[NDArray[np.float64], list[str]]:
    """(seeds, images) Dice and the images' keys."""
    found = [dice_of(folder_of(row, seed, out)) for seed in seeds]
    keys = sorted(found[0])
    return np.array([[one[key] for key in keys] for one in found]), keys


def main() -> None:
    """Train rows or print the table."""
    parser = options_of(__doc__)
    parser.add_argument("what", choices=("train", "table", "paired"))
    parser.add_argument("--data", type=Path, required=True, help="folder of BUSI")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--only", nargs="+", choices=[row.label for row in ROWS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of a run")
    options = parser.parse_args()
    rows = [row for row in ROWS if options.only is None or row.label in options.only]
    if options.what == "train":
        for seed in options.seeds:
            for row in rows:
                train_row(row, seed, options)
        return
    if options.what == "paired":
        paired([row for row in rows if row is not ROWS[0]], options.seeds, options.out)
        return
    print("| network | Dice | Dice of each seed | IoU | HD95 px | training, min | what differs |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        text = line(row, options.seeds, options.out)
        if text is not None:
            print(text)


if __name__ == "__main__":
    main()
