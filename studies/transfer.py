"""What a trained start is worth, and how many images it saves.

    python studies/transfer.py train --data BUSI --out runs/transfer \
        --pretrained runs/bus-bra [--starts nothing imagenet] [--seeds 1 2 3]
    python studies/transfer.py table --data BUSI --out runs/transfer
    python studies/transfer.py curve --data BUSI --out runs/transfer --figure transfer.svg

recipes/transfer.toml is the protocol: BUSI's published list 1, a fraction of its 452 training
images (nested fractions; another seed draws others), the same 240 steps of 8 images whatever the
fraction, all 195 images of the list scored at 128x128 on the last epoch, per-image Dice. The
interval is Student's over the seeds. Starts:

- nothing: random weights;
- imagenet: the encoder's;
- masked: ImageNet, then two passes of filling in masked squares over BUS-BRA's folds 1 to 3,
  without their masks;
- bus-bra: ImageNet, then BUS-BRA with its masks (recipes/bus-bra.toml);
- frozen, unfreezing, layer-decay: as imagenet, with the encoder kept for the whole run, its layers
  let go one after another over the run, or the rate of a layer .8 of that of the next deeper one.

Several processes may train side by side; each takes the next run that nobody has claimed. After a
kill, remove the ``.claim`` files: a run continues from its last checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.figure import Figure

from _study import RECIPES, claimed, is_trained, mean_and_half, options_of, rows_of, train
from breastseg.data.catalogue import open_data_set
from breastseg.data.selection import select

RECIPE = RECIPES / "transfer.toml"
IMAGENET = "network.encoder_weights=encoders/mobilenet_v2_imagenet.safetensors"
TRAIN = "list:splits/busi-tang/busi_train1.txt"
STARTS = ("nothing", "imagenet", "masked", "bus-bra", "frozen", "unfreezing", "layer-decay")
FRACTIONS = (0.1, 0.25, 0.5, 1.0)
STEPS, BATCH, PARTS = 240, 8, 8
IMAGES = 452


def changes_of(start: str, options: argparse.Namespace) -> list[str]:
    """What a start changes in the recipe."""
    if start == "nothing":
        return []
    found = [IMAGENET]
    if start == "masked":
        found.append(f"initial_weights='{(options.out / 'masked-pretraining').resolve()}'")
    if start == "bus-bra":
        found.append(f"initial_weights='{options.pretrained.resolve()}'")
    # the run is cut into PARTS epochs where layers are let go by epochs
    if start == "frozen":
        found.append(f"transfer.frozen_epochs={PARTS}")
    if start == "unfreezing":
        found.append(f"transfer.unfreezing_epochs={PARTS // 2}")
    if start == "layer-decay":
        found.append("transfer.layer_decay=0.8")
    return found


def pretrain(options: argparse.Namespace) -> None:
    """Fill in masks on BUS-BRA's training folds, once."""
    changes = [
        IMAGENET,
        "masking={}",
        "sources.0.name=BUS-BRA",
        "sources.0.train=fold:1,2,3",
        "sources.0.validation=none",
        "epochs=2",
        "optimiser.warmup_epochs=0.1",
    ]
    data = [f"BUS-BRA={options.unlabelled}"]
    train(RECIPE, data, options.out / "masked-pretraining", changes, options.threads)


def train_one(start: str, fraction: float, seed: int, options: argparse.Namespace) -> None:
    """Train and score one run, unless that is done or another process is at it."""
    folder = options.out / f"{start}-{fraction:g}-{seed}"
    with claimed(folder) as free:
        if not free:
            return
        selection = f"{TRAIN} & fraction:{fraction:g}#{seed}"
        images = len(select(open_data_set("BUSI", options.data).cases(), selection, RECIPES))
        changes = [
            f"seed={seed}",
            f"sources.0.train={selection}",
            f"epochs={PARTS}",
            f"validate_every={PARTS}",
            f"sources.0.repeat={STEPS * BATCH / PARTS / images}",
            *changes_of(start, options),
        ]
        train(RECIPE, [f"BUSI={options.data}"], folder, changes, options.threads)


def dice(start: str, fraction: float, out: Path) -> dict[int, float]:
    """Mean Dice over the list's images by seed."""
    found = {}
    for folder in out.glob(f"{start}-{fraction:g}-*"):
        if is_trained(folder):
            last = rows_of(folder / "metrics.csv")[-1]
            found[int(folder.name.rpartition("-")[2])] = float(last["val_dice"])
    return found


def table(options: argparse.Namespace) -> None:
    """Print a line a start, a column a fraction."""
    columns = " | ".join(f"{fraction:.0%} of the images" for fraction in FRACTIONS)
    print(f"| start | {columns} |\n|---|{'---|' * len(FRACTIONS)}")
    for start in options.starts:
        cells = []
        for fraction in FRACTIONS:
            values = list(dice(start, fraction, options.out).values())
            if len(values) < 2:
                cells.append(f"{values[0]:.3f} (one seed)" if values else "")
                continue
            mean, half = mean_and_half(values)
            cells.append(f"{mean:.3f} +- {half:.3f}")
        print(f"| {start} | {' | '.join(cells)} |")


def curve(options: argparse.Namespace) -> None:
    """Draw Dice over the number of training images, a line a start, each seed as a dot."""
    figure = Figure(figsize=(7.6, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for place, start in enumerate(options.starts):
        found = [
            (fraction, list(dice(start, fraction, options.out).values())) for fraction in FRACTIONS
        ]
        found = [(fraction, values) for fraction, values in found if len(values) > 1]
        if not found:
            continue
        # a little aside, so that the bars of two starts do not hide one another
        aside = 1.015 ** (place - (len(options.starts) - 1) / 2)
        images = [IMAGES * fraction * aside for fraction, _ in found]
        mean, half = zip(*(mean_and_half(values) for _, values in found), strict=True)
        drawn = axes.errorbar(images, mean, yerr=half, capsize=3, label=start)
        for x, (_, values) in zip(images, found, strict=True):
            axes.plot([x] * len(values), values, ".", color=drawn.lines[0].get_color())
    axes.set_xscale("log")
    axes.set_xticks([IMAGES * fraction for fraction in FRACTIONS])
    axes.set_xticklabels([f"{round(IMAGES * s)}\n{s:.0%}" for s in FRACTIONS])
    axes.minorticks_off()
    axes.set_xlabel("training images")
    axes.set_ylabel("Dice, 195 images of BUSI's list 1, 128x128")
    axes.grid(alpha=0.3)
    figure.legend(title="start", loc="outside right upper")
    figure.savefig(options.figure, metadata={"Date": None})


def main() -> None:
    """Train what is missing or print the table."""
    parser = options_of(__doc__)
    parser.add_argument("what", choices=("train", "table", "curve"))
    parser.add_argument("--data", type=Path, required=True, help="folder of BUSI")
    parser.add_argument("--unlabelled", type=Path, help="folder of BUS-BRA, for start 'masked'")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--pretrained", type=Path, help="run of recipes/bus-bra.toml")
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=list(STARTS))
    parser.add_argument("--fractions", nargs="+", type=float, default=list(FRACTIONS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of a run")
    parser.add_argument("--figure", type=Path, default=Path("transfer.svg"), help="of the curve")
    options = parser.parse_args()
    if options.what == "table":
        table(options)
        return
    if options.what == "curve":
        curve(options)
        return
    if "masked" in options.starts:
        pretrain(options)
    for seed in options.seeds:
        for fraction in options.fractions:
            for start in options.starts:
                train_one(start, fraction, seed, options)


if __name__ == "__main__":
    main()
