"""What the studies share: commands, runs that several processes divide among them, and figures."""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.data.dataset import CaseRef
from breastseg.data.sources import select_cases
from breastseg.evaluation.statistics import Interval, drawn_patients, interval_of
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.open import image_network, open_segmenter

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
DRAWS = 1000
"""Of patients, for an interval."""
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
"""The 97.5 % quantile of Student's distribution, by the number of values."""


def options_of(doc: str | None) -> argparse.ArgumentParser:
    """A parser that says what the study's first line says."""
    return argparse.ArgumentParser(description=(doc or "").split("\n\n")[0])


def add_cases(parser: argparse.ArgumentParser, split: str) -> None:
    """Options for the data sets and the selection; `split` is the default of the latter."""
    parser.add_argument("--data", nargs="+", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--split", nargs="+", default=[split], metavar="[NAME=]SELECTION")


def cases_of(options: argparse.Namespace) -> tuple[CaseRef, ...]:
    """The cases that these options name."""
    return select_cases(options.data, options.split)


def network_of(name: str) -> OnnxSegmenter:
    """A bundled model by its name, or the folder of a bundle; one thread."""
    return image_network(open_segmenter(name, threads=1))


def breastseg(*words: str | Path) -> None:
    """Run a command; a failure ends the study."""
    subprocess.run([sys.executable, "-m", "breastseg.cli.main", *map(str, words)], check=True)


@contextmanager
def claimed(folder: Path) -> Iterator[bool]:
    """Keep other processes of the study from a folder's work; gives False where one is at it.

    After a kill, remove the ``.claim`` file.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    claim = folder.with_name(f"{folder.name}.claim")
    try:
        os.close(os.open(claim, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        yield False
        return
    try:
        yield True
    finally:
        claim.unlink()


def is_trained(run: Path) -> bool:
    """Whether a run came to its end."""
    return (run / "weights" / "last.safetensors").exists()


def train(
    recipe: Path, data: Sequence[str], run: Path, changes: Sequence[str], threads: int = 1
) -> None:
    """Train a recipe, continue a run that was stopped, or leave one alone that is done."""
    if is_trained(run):
        return
    words: list[str | Path] = ["--data", *data, "--threads", str(threads)]
    if (run / "checkpoints" / "last.ckpt").exists():
        breastseg("train", "--resume", run, *words)
        return
    shutil.rmtree(run, ignore_errors=True)  # killed before the first epoch was done
    breastseg("train", recipe, *words, "--out", run, *(("--set", *changes) if changes else ()))


def lesion_figures(scores: Path) -> dict[str, float]:
    """The means over images with a lesion that ``breastseg evaluate`` wrote."""
    figures = json.loads((scores / "summary.json").read_text())["groups"]["lesion images"]
    return {name: figure["value"] for name, figure in figures["figures"].items()}


def rows_of(table: Path) -> list[dict[str, str]]:
    """The lines of a CSV file."""
    with table.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def weighted_auc(
    score: NDArray[np.float64], truth: NDArray[np.bool_], weight: NDArray[np.integer]
) -> float:
    """The area under the ROC curve with so many of each image; NaN where one kind is lacking."""
    _, place = np.unique(score, return_inverse=True)
    there, others = (np.bincount(place, weight * side) for side in (truth, ~truth))
    below = np.cumsum(others) - others
    total = there.sum() * others.sum()
    return float((there * (below + others / 2)).sum() / total) if total else float("nan")


def image_auc(
    score: NDArray[np.float64],
    truth: NDArray[np.bool_],
    patients: Sequence[str],
    generator: np.random.Generator,
) -> Interval:
    """The area under the curve of an image's score, lesion against normal, over patients."""
    patient, times = drawn_patients(patients, generator, DRAWS)
    drawn = np.array([weighted_auc(score, truth, one[patient]) for one in times])
    return interval_of(weighted_auc(score, truth, np.ones(len(score), int)), drawn)


def mean_and_half(values: Collection[float]) -> tuple[float, float]:
    """The mean over seeds and half of its 95 % interval (Student); two to five values."""
    half = STUDENT[len(values)] * statistics.stdev(values) / len(values) ** 0.5
    return statistics.mean(values), half
