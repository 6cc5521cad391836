"""Fitting the weights by which the finder of the classical methods ranks its candidates.

Every dark region of every image is described by its features, and its Dice coefficient with the
ground truth is regressed on them (ridge, each image with the same weight in all).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.finder import WEIGHTS, Finder
from breastseg.classical.regions import FEATURES
from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.one_thread import one_thread_each
from breastseg.io.write import write_text
from breastseg.metrics.overlap import dice
from breastseg.preprocess.geometry import resize
from breastseg.preprocess.intensity import to_unit

RIDGE = 0.1
PARTS = 5
MIN_SCORES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
FINDERS: Mapping[str, Finder] = {
    "ultrasound": Finder(),
    "mammography": Finder(weights="mammography", tissue_only=True),
}

Record = Mapping[str, str | float | Mapping[str, int]]


@dataclass(frozen=True, eq=False)
class Described:
    """The candidates of one image.

    Attributes:
        patient: ``"source/patient_id"``.
        normal: whether it has no lesion.
        features: (n, features) float64.
        dice: (n,) float64, of each candidate with the ground truth, 0 to 1.
    """

    patient: str
    normal: bool
    features: NDArray[np.float64]
    dice: NDArray[np.float64]


@dataclass(frozen=True)
class MinScore:
    """What a smallest score costs.

    Attributes:
        min_score: below it nothing is outlined.
        dice: mean over the images with a lesion.
        normals_outlined: how many images without a lesion get a mask.
    """

    min_score: float
    dice: float
    normals_outlined: int


@dataclass(frozen=True)
class FittedFinder:
    """The weights and how good they are.

    Attributes:
        weights: by feature, and the offset.
        record: on what they were fitted and what they reach, cross-validated by patient.
        costs: of smallest scores, cross-validated too.
    """

    weights: Mapping[str, float]
    record: Record
    costs: tuple[MinScore, ...]

    def write(self, name: str, path: Path = WEIGHTS) -> None:
        """Put them beside those of the other finders.

        Args:
            name: of the finder.
            path: a file of weights; the package's own by default.
        """
        content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        content[name] = {"weights": dict(self.weights), "record": dict(self.record)}
        write_text(path, json.dumps(content, indent=1) + "\n")


def fit_finder(
    name: str,
    cases: Sequence[CaseRef],
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> FittedFinder:
    """Describe all images, see how well the ranking does on other patients, then fit on all.

    Args:
        name: a key of `FINDERS`.
        cases: with ground truth.
        workers: processes side by side, at least 1.
        progress: called with (done, total).

    Raises:
        DataSetError: fewer patients with candidates than parts, or no lesion.
    """
    images = _described(name, cases, workers, progress)
    normal = np.array([image.normal for image in images], bool)
    patients = {i.patient for i in images if len(i.dice) and not i.normal}
    if len(patients) < PARTS:
        raise DataSetError(
            f"{len(patients)} patients with a lesion to find", f"{PARTS} or more, for {PARTS} parts"
        )
    result = _cross_validated(images)
    possible = np.array([image.dice.max() if len(image.dice) else 0 for image in images])
    record: dict[str, str | float | Mapping[str, int]] = {
        "data": {
            source: sum(case.source == source for case in cases)
            for source in sorted({case.source for case in cases})
        },
        "normals": int(normal.sum()),
        "dice_of_the_first_crossed": round(float(result[~normal, 1].mean()), 4),
        "dice_of_the_best_possible": round(float(possible[~normal].mean()), 4),
    }
    if normal.any():
        higher = result[~normal, 0][:, None] > result[normal, 0]
        record["auc_lesion_or_none_crossed"] = round(float(higher.mean()), 4)
    fitted = _fit(images)
    named = dict(zip((*FEATURES, "offset"), (float(f"{w:.6g}") for w in fitted), strict=True))
    return FittedFinder(named, record, tuple(_cost(result, normal, least) for least in MIN_SCORES))


def _described(
    name: str, cases: Sequence[CaseRef], workers: int, progress: Callable[[int, int], None]
) -> list[Described]:
    tasks = [(case, name) for case in cases]
    if workers == 1:
        images = []
        for task in tasks:
            images.append(describe(task))
            progress(len(images), len(tasks))
        return images
    with one_thread_each(), ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        images = []
        for image in pool.map(describe, tasks, chunksize=8):
            images.append(image)
            progress(len(images), len(tasks))
        return images


def describe(task: tuple[CaseRef, str]) -> Described:
    """The candidates of one image.

    Args:
        task: the case and the name of the finder.

    Raises:
        DataSetError: the case has no ground truth.
    """
    ref, name = task
    cv2.setNumThreads(1)
    case = ref.load()
    if case.mask is None:
        raise DataSetError(f"case {ref.key} without ground truth", "a mask")
    unit = to_unit(case.images[0].grey())
    regions, size = FINDERS[name].regions(unit if name == "ultrasound" else 1 - unit)
    truth, known = resize(case.mask.foreground, size) >= 0.5, resize(case.mask.ignored, size) < 0.5
    regions = [region for region in regions if known[region.on(size)].any()]
    values = [dice(region.on(size) & known, truth) for region in regions]
    features = np.array([region.features for region in regions]).reshape(len(regions), -1)
    return Described(ref.patient_key, case.mask.is_empty, features, np.array(values))


def _fit(images: Sequence[Described]) -> NDArray[np.float64]:
    """(features + 1,): a weight a feature, and the offset."""
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


def _best(image: Described, weights: NDArray[np.float64]) -> tuple[float, float]:
    """Score and Dice of the best-ranked candidate; zeros where there is none."""
    if not len(image.dice):
        return 0.0, 0.0
    scores = image.features @ weights[:-1] + weights[-1]
    first = int(np.argmax(scores))
    return float(scores[first]), float(image.dice[first])


def _cross_validated(images: Sequence[Described]) -> NDArray[np.float64]:
    """(n, 2): score and Dice of each image under weights fitted without its patient's part."""
    patients = sorted({image.patient for image in images})
    shuffled = np.random.default_rng(0).permutation(len(patients))
    part = dict(zip(patients, shuffled % PARTS, strict=True))
    fitted = [_fit([i for i in images if part[i.patient] != p]) for p in range(PARTS)]
    return np.array([_best(image, fitted[part[image.patient]]) for image in images])


def _cost(result: NDArray[np.float64], normal: NDArray[np.bool_], least: float) -> MinScore:
    kept = result[:, 0] >= least
    dice = float((result[:, 1] * kept)[~normal].mean())
    return MinScore(least, dice, int(np.count_nonzero(kept[normal])))
