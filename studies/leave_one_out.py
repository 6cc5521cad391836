"""A recipe trained once for every patient of a small data set, and scored on that patient alone.

    python studies/leave_one_out.py train RECIPE --data NAME=FOLDER --out RUNS \
        --modality histopathology [--min-iou 0.5] [--min-percentile 1]
    python studies/leave_one_out.py table RECIPE --data NAME=FOLDER --out RUNS

Every network is the last epoch's at threshold 0.5: nothing is chosen on the patient left out. With
``--min-percentile`` regions are dropped that are smaller than that percentile of the true ones
of the other patients. The recipe's own training selection is replaced by the other patients. The
table is over all pixels and all regions of a patient: Dice, the outlined area over the true area,
and regions against true ones: recall, precision and F1 where they match from ``--min-iou`` on
(see `breastseg.metrics.lesionwise`). Several processes may train side by side; each takes the next
patient that nobody has claimed. After a kill, remove the ``.claim`` files.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
from pathlib import Path

import numpy as np

from _study import breastseg, claimed, options_of, rows_of, train
from breastseg.core.regions import connected_regions
from breastseg.data.catalogue import open_data_set

COUNTS = (
    "true_positive",
    "false_positive",
    "false_negative",
    "true_lesions",
    "found",
    "regions",
    "false_positives",
)


def smallest_fraction(patients: list[str], options: argparse.Namespace) -> float:
    """The fraction of its image that a small true mask covers; 0 where none is asked."""
    if options.min_percentile is None:
        return 0.0
    name, _, folder = options.data.partition("=")
    fractions: list[float] = []
    for case in open_data_set(name, Path(folder)).cases():
        mask = case.load().mask
        if case.patient_id in patients and mask is not None:
            fractions += (connected_regions(mask.foreground).sizes / mask.labels.size).tolist()
    return float(np.percentile(fractions, options.min_percentile))


def train_without(patient: str, others: list[str], options: argparse.Namespace) -> None:
    """Train without a patient and score on that one, unless it is done or another is at it."""
    folder: Path = options.out / patient
    if (folder / "score" / "per_image.csv").exists():
        return
    with claimed(folder) as free:
        if not free:
            return
        run, bundle, data = folder / "run", folder / "bundle", ["--data", options.data]
        changes = [f"sources.0.train=patient:{','.join(others)}"]
        train(options.recipe, [options.data], run, changes, options.threads)
        shutil.rmtree(bundle, ignore_errors=True)
        words = ["export", run, "--out", bundle, "--precision", "float32"]
        words += ["--min-area-fraction", str(smallest_fraction(others, options))]
        breastseg(*words, "--modality", options.modality)
        words = ["evaluate", bundle, *data, "--split", f"patient:{patient}"]
        breastseg(*words, "--out", folder / "score", "--min-iou", str(options.min_iou))


def counts(patient: str, out: Path) -> dict[str, int]:
    """The sums over a patient's images."""
    rows = rows_of(out / patient / "score" / "per_image.csv")
    return {name: sum(int(row[name]) for row in rows) for name in COUNTS}


def table(patients: list[str], out: Path) -> None:
    """Print a line a patient and the mean over them."""
    print("| left out | Dice | area, outlined / true | recall | precision | F1 |")
    print("|---|---|---|---|---|---|")
    lines = []
    for patient in patients:
        of = counts(patient, out)
        both, extra, missed = (of[name] for name in COUNTS[:3])
        recall = of["found"] / max(1, of["true_lesions"])
        precision = 1 - of["false_positives"] / max(1, of["regions"])
        f1 = 2 * recall * precision / max(1e-9, recall + precision)
        dice = 2 * both / max(1, 2 * both + extra + missed)
        area = (both + extra) / max(1, both + missed)
        lines.append((dice, area, recall, precision, f1))
        print(f"| {patient} | " + " | ".join(f"{value:.3f}" for value in lines[-1]) + " |")
    means = (statistics.mean(column) for column in zip(*lines, strict=True))
    print("| mean | " + " | ".join(f"{value:.3f}" for value in means) + " |")


def main() -> None:
    """Train what is missing, or print the table."""
    parser = options_of(__doc__)
    parser.add_argument("what", choices=("train", "table"))
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--modality", default="histopathology")
    parser.add_argument("--min-iou", type=float, default=0.5, help="from which regions match")
    parser.add_argument("--min-percentile", type=float, help="of true regions; see above")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of a run")
    options = parser.parse_args()
    name, _, folder = options.data.partition("=")
    patients = sorted({case.patient_id for case in open_data_set(name, Path(folder)).cases()})
    if options.what == "table":
        table(patients, options.out)
        return
    for patient in patients:
        train_without(patient, [other for other in patients if other != patient], options)


if __name__ == "__main__":
    main()
