"""Fit the weights by which the classical methods' finder ranks its candidates.

    python benchmarks/fit_finder.py ultrasound --data BUSI=FOLDER BUS-BRA=FOLDER \
        --split BUSI=split:recipes/splits/busi-classical.json#tune BUS-BRA=fold:1,2,3
    python benchmarks/fit_finder.py mammography --data CDD-CESM-DM=FOLDER --split fold:1

Every dark region of every image with a lesion is described by its features, and its Dice
coefficient with the truth is regressed on them (ridge, each image with the same weight in all).
Prints how good the best-ranked region is when the weights are fitted on other images (five parts by
patient), how good the best possible choice would be, and how well the score tells images with a
lesion from those without. Then fits on all and writes weights and record into the package.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.finder import WEIGHTS, Finder
from breastseg.classical.regions import FEATURES
from breastseg.data.dataset import CaseRef
from breastseg.data.sources import select_cases
from breastseg.io.write import write_text
from breastseg.preprocess.geometry import resize
from breastseg.preprocess.intensity import to_unit

RIDGE = 0.1
PARTS = 5
FINDERS = {
    "ultrasound": Finder(),
    "mammography": Finder(weights="mammography", tissue_only=True),
}


@dataclass(frozen=True)
class Described:
    """The candidates of one image: features (n, f), Dice with the truth (n,)."""

    patient: str
    normal: bool
    features: NDArray[np.float64]
    dice: NDArray[np.float64]


def describe(task: tuple[CaseRef, str]) -> Described:
    ref, name = task
    cv2.setNumThreads(1)
    case = ref.load()
    unit = to_unit(case.images[0].grey())
    regions, size = FINDERS[name].regions(unit if name == "ultrasound" else 1 - unit)
    assert case.mask is not None
    truth = resize(case.mask.foreground, size) >= 0.5
    dice = [
        2 * np.count_nonzero(truth & region.on(size)) / max(1, region.area + truth.sum())
        for region in regions
    ]
    features = np.array([region.features for region in regions]).reshape(len(regions), -1)
    return Described(ref.patient_key, case.mask.is_empty, features, np.array(dice))


def fit(images: list[Described]) -> NDArray[np.float64]:
    """(f + 1,): a weight a feature, and the offset."""
    images = [image for image in images if len(image.dice) and not image.normal]
    features = np.concatenate([image.features for image in images])
    weight = np.concatenate([np.full(len(i.dice), 1 / len(i.dice)) for i in images])
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    design = np.column_stack([(features - mean) / spread, np.ones(len(features))])
    weighted = design * weight[:, None]
    penalty = np.diag([RIDGE] * len(mean) + [0.0])
    target = np.concatenate([image.dice for image in images])
    solved = np.linalg.solve(weighted.T @ design + penalty, weighted.T @ target)
    slopes = solved[:-1] / spread
    return np.append(slopes, solved[-1] - slopes @ mean)


def best(image: Described, weights: NDArray[np.float64]) -> tuple[float, float]:
    """Score and Dice of the best-ranked candidate; zeros where there is none."""
    if not len(image.dice):
        return 0.0, 0.0
    scores = image.features @ weights[:-1] + weights[-1]
    first = int(np.argmax(scores))
    return float(scores[first]), float(image.dice[first])


def crossed(images: list[Described]) -> NDArray[np.float64]:
    """(n, 2): score and Dice of each image under weights fitted without its patient's part."""
    patients = sorted({image.patient for image in images})
    shuffled = np.random.default_rng(0).permutation(len(patients))
    part = dict(zip(patients, shuffled % PARTS, strict=True))
    fitted = [fit([i for i in images if part[i.patient] != p]) for p in range(PARTS)]
    return np.array([best(image, fitted[part[image.patient]]) for image in images])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(FINDERS))
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--split", nargs="+", default=["all"])
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    cases = select_cases(given.data, given.split)
    with ProcessPoolExecutor(given.workers) as pool:
        images = list(pool.map(describe, [(case, given.name) for case in cases], chunksize=8))
    normal = np.array([image.normal for image in images])
    result = crossed(images)
    possible = np.array([image.dice.max() if len(image.dice) else 0 for image in images])
    record: dict[str, object] = {
        "data": {source: sum(c.source == source for c in cases) for source in _sources(cases)},
        "split": " ".join(given.split),
        "normals": int(normal.sum()),
        "dice_of_the_first_crossed": round(float(result[~normal, 1].mean()), 4),
        "dice_of_the_best_possible": round(float(possible[~normal].mean()), 4),
    }
    if normal.any():
        higher = result[~normal, 0][:, None] > result[normal, 0]
        record["auc_lesion_or_none_crossed"] = round(float(higher.mean()), 4)
    for least in (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4):
        kept = result[:, 0] >= least
        print(
            f"min_score {least}: Dice of lesion images "
            f"{(result[:, 1] * kept)[~normal].mean():.3f}, "
            f"{np.count_nonzero(kept[normal])} of {normal.sum()} normals outlined"
        )
    weights = fit(images)
    named = dict(zip((*FEATURES, "offset"), (float(f"{w:.6g}") for w in weights), strict=True))
    content = json.loads(WEIGHTS.read_text(encoding="utf-8")) if WEIGHTS.is_file() else {}
    content[given.name] = {"weights": named, "record": record}
    write_text(WEIGHTS, json.dumps(content, indent=1) + "\n")
    print(json.dumps(content[given.name], indent=1))


def _sources(cases: tuple[CaseRef, ...]) -> list[str]:
    return sorted({case.source for case in cases})


if __name__ == "__main__":
    main()
