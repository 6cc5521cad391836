"""Repeat the comparison on the three published lists of BUSI (Tang), and print its table.

    python studies/busi_tang.py --data BUSI --out runs/tang --pretrained runs/bus-bra

One recipe (recipes/busi-tang.toml) for every list. Rows differ in what the network saw before:
nothing, ImageNet, or ImageNet and then BUS-BRA's folds 1 to 3. Scored per image at 256x256, on the
last epoch and on the best validated one (best on the very list that is scored, as the published
figures are), with and without averaging over the flipped image. A run that is there is kept, and
one that was stopped is continued.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from _study import RECIPES, breastseg, lesion_figures, options_of, train

RECIPE = RECIPES / "busi-tang.toml"
STARTS = ("nothing", "imagenet", "bus-bra")


def train_list(number: int, start: str, folder: Path, options: argparse.Namespace) -> None:
    """Train a list from a starting point, unless that is done."""
    lists = "list:splits/busi-tang/busi_"
    changes = [
        f"sources.0.train={lists}train{number}.txt",
        f"sources.0.validation={lists}val{number}.txt",
    ]
    if start == "nothing":
        # TOML has no null: an empty path stands for none
        changes.append("network.encoder_weights=''")
    if start == "bus-bra":
        weights = options.pretrained.resolve() / "weights" / "last.safetensors"
        changes.append(f"initial_weights='{weights}'")
    train(RECIPE, [f"BUSI={options.data}"], folder, changes, options.threads)


def score(number: int, folder: Path, weights: str, flips: bool, data: Path) -> dict[str, float]:
    """Export and evaluate one set of weights; returns the means over the list's images."""
    bundle, scores = folder / f"bundle-{weights}", folder / f"scores-{weights}-{flips}"
    if not bundle.exists():
        breastseg("export", folder, "--out", bundle, "--name", "tang", "--weights", weights)
    words: list[str | Path] = ["evaluate", bundle, "--data", f"BUSI={data}", "--size", "256"]
    words += ["--split", f"list:splits/busi-tang/busi_val{number}.txt", "--out", scores, "--quiet"]
    if flips:
        words.append("--flip-average")
    breastseg(*words)
    return lesion_figures(scores)


def main() -> None:
    """Train what is missing, score everything, print one row a start, weights and averaging."""
    parser = options_of(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of BUSI")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--pretrained", type=Path, help="run of recipes/bus-bra.toml")
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=list(STARTS))
    parser.add_argument("--lists", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 for all")
    options = parser.parse_args()
    rows = []
    for start in options.starts:
        for number in options.lists:
            train_list(number, start, options.out / f"tang{number}-{start}", options)
        for weights in ("last", "best"):
            for flips in (False, True):
                found = [
                    score(n, options.out / f"tang{n}-{start}", weights, flips, options.data)
                    for n in options.lists
                ]
                means = [sum(f[k] for f in found) / len(found) for k in ("dice", "iou", "hd95_px")]
                each = " / ".join(f"{f['dice']:.4f}" for f in found)
                how = "flip" if flips else "plain"
                rows.append(
                    f"| {start} | {weights} | {how} | {means[0]:.4f} | {means[1]:.4f} "
                    f"| {means[2]:.1f} | {each} |"
                )
    lists = ", ".join(map(str, options.lists))
    print(f"\n| saw before | epoch | prediction | Dice | IoU | HD95 px | Dice of list {lists} |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
