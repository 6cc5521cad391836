"""Every 2-D architecture under one protocol, and the table that compares them.

    python benchmarks/families.py train --data BUSI --out runs/families [--only unet++ fcn]
    python benchmarks/families.py table --data BUSI --out runs/families

recipes/families.toml is the protocol: BUSI's published list 1 (452 images learnt from, 195
scored), 256x256, the same epochs, loss, schedule and augmentation for all, the last epoch, no
mirrored image, Dice per image. Architectures on an encoder start it from ImageNet, the others from
nothing: there are no weights for theirs that need no network. A run that is there is kept, one that
was stopped is continued; several processes may train side by side, each takes the next run that
nobody has claimed (after a kill, remove the ``.claim`` files).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

RECIPE = Path(__file__).parents[1] / "recipes" / "families.toml"
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


def breastseg(*words: str | Path) -> None:
    """Run a command; a failure ends the benchmark."""
    subprocess.run([sys.executable, "-m", "breastseg.cli.main", *map(str, words)], check=True)


def train(row: Row, seed: int, options: argparse.Namespace) -> None:
    """Train, export and score one row, unless that is done or another process is at it."""
    folder = folder_of(row, seed, options.out)
    options.out.mkdir(parents=True, exist_ok=True)
    claim = folder.with_suffix(".claim")
    try:
        os.close(os.open(claim, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    try:
        if not (folder / "weights" / "last.safetensors").exists():
            words = ["train", RECIPE, "--data", f"BUSI={options.data}", "--out", folder]
            words += ["--threads", str(options.threads)]
            words += ["--set", f"network={row.network}", f"seed={seed}", *row.changes]
            if (folder / "checkpoints" / "last.ckpt").exists():
                words.append("--resume")
            breastseg(*words)
        if not (folder / "bundle").exists():
            name = row.label.replace("+", "p")  # a bundle's name takes no plus
            breastseg("export", folder, "--out", folder / "bundle", "--name", name)
        scores = folder / "scores"
        if not (scores / "summary.json").exists():
            words = ["evaluate", folder / "bundle", "--data", f"BUSI={options.data}", "--quiet"]
            breastseg(*words, "--size", "256", "--split", LIST, "--out", scores)
    finally:
        claim.unlink()


def line(row: Row, seeds: list[int], out: Path) -> str | None:
    """The table's line for a row; None where nothing is there yet."""
    folders = [folder_of(row, seed, out) for seed in seeds]
    done = [f for f in folders if (f / "scores" / "summary.json").exists()]
    if not done:
        return None
    groups = [json.loads((f / "scores" / "summary.json").read_text())["groups"] for f in done]
    figures = [group["lesion images"]["figures"] for group in groups]
    each = {
        name: [figure[name]["value"] for figure in figures] for name in ("dice", "iou", "hd95_px")
    }
    mean = {name: sum(values) / len(values) for name, values in each.items()}
    with (done[0] / "metrics.csv").open() as file:
        seconds = sum(float(epoch["seconds"]) for epoch in csv.DictReader(file))
    found = " / ".join(f"{value:.3f}" for value in each["dice"])
    return (
        f"| {row.label} | {mean['dice']:.3f} | {found} | {mean['iou']:.3f} "
        f"| {mean['hd95_px']:.1f} | {seconds / 60:.1f} | {row.note} |"
    )


def main() -> None:
    """Train rows or print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("train", "table"))
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
                train(row, seed, options)
        return
    print("| network | Dice | Dice of each seed | IoU | HD95 px | training, min | what differs |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        text = line(row, options.seeds, options.out)
        if text is not None:
            print(text)


if __name__ == "__main__":
    main()
