"""Networks on a scanner that they were not trained on: each source left out in turn.

    python studies/unseen_scanner.py --data BUSI=FOLDER BUS-BRA=FOLDER BUS-UCLM=FOLDER --out OUT \
        --model BUS-UCLM=BUNDLE_OR_RUN --model BUS-BRA=... --model BUSI=... \
        --choose BUSI=split:FILE#val BUS-BRA=fold:4 BUS-UCLM=list:FILE [--max-normals 0.1]

``--model C=...`` names a network that was trained without C: a bundle, or a run folder, which is
exported. The operating point is chosen on the validation parts (``--choose``) of the other
sources alone, by the highest Dice with at most ``--max-normals`` of the normals outlined, and then
all of C (or the part that ``--test`` names) is scored once: Dice of images with a lesion at their
own size, 0 for a missed one; missed: no pixel in common; normals with a mask; sensitivity at 0.1,
0.25, 0.5 and 1 false positive per image; the area under the curve of the image's score. Intervals:
bootstrap over patients.

Images with callipers, text or colour are scored apart from clean ones: by the tags of the data set,
and where it has none by looking for burned-in graphics (more than ``--marked`` of the pixels).

What a network makes of each image is kept in OUT/C/*.npz, so that another choice costs nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from _study import breastseg, image_auc, network_of, options_of
from breastseg.core.bundle import OutputSpec
from breastseg.data.dataset import CaseRef
from breastseg.data.sources import select_cases
from breastseg.evaluation.calibration.operating_point import (
    SCORES,
    THRESHOLDS,
    Choice,
    counts_of,
    summed,
)
from breastseg.evaluation.statistics import (
    Interval,
    drawn_patients,
    interval_of,
    mean_interval,
    ratio_intervals,
)
from breastseg.inference.onnx_segmenter import OnnxSegmenter, image_score
from breastseg.io.write import write_bytes
from breastseg.metrics.detection import ImageDetections, free_response_curve, lesion_ious
from breastseg.preprocess.burned_in import burned_in
from breastseg.preprocess.prepare import prepare

CURVES = 200
"""So many are drawn for the interval of a sensitivity."""
FALSE_POSITIVES = (0.1, 0.25, 0.5, 1.0)
GROUPS = ("all", "clean", "marked")


@dataclass(frozen=True, eq=False)
class Scored:
    """What a network makes of one image at every operating point.

    Attributes:
        patient: unique over all sources.
        lesion: the ground truth holds one.
        marked: callipers, text or colour are drawn on it.
        score: of the image, 0 to 1.
        counts: of `counts_of`.
        detections: the regions at the lowest threshold.
    """

    patient: str
    lesion: bool
    marked: bool
    score: float
    counts: NDArray[np.float64]
    detections: ImageDetections


def look(network: OnnxSegmenter, ref: CaseRef, marked: float) -> Scored:
    """Run a network over one image."""
    case = ref.load()
    assert case.mask is not None, ref.key
    image, truth = case.images[0], case.mask.foreground
    array, placement = prepare(image, network.bundle.input)
    maps = network.class_probabilities(array[None])[0]
    found = network.prediction_of(image, maps, placement)
    lesions = found.lesions()
    tagged = bool(ref.tags) or (
        ref.source != "BUS-UCLM" and float(burned_in(image).mean()) > marked
    )
    return Scored(
        ref.patient_key,
        bool(truth.any()),
        tagged,
        image_score(maps, placement),
        counts_of(found.probability, truth),
        ImageDetections(np.array([one.score for one in lesions]), lesion_ious(lesions, truth)),
    )


def looked(
    network: OnnxSegmenter, cases: Sequence[CaseRef], path: Path, marked: float
) -> list[Scored]:
    """All images, from the file where this network has been run over them before."""
    keys = [network.bundle.weights_sha256, str(network.output), str(marked)]
    keys += [ref.key for ref in cases]
    if path.exists():
        with np.load(path) as held:
            if held["keys"].tolist() == keys:
                return _read(held)
    found = [look(network, ref, marked) for ref in cases]
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, keys, found)
    return found


def _write(path: Path, keys: Sequence[str], found: Sequence[Scored]) -> None:
    import io

    stream = io.BytesIO()
    detections = {f"scores{i}": one.detections.scores for i, one in enumerate(found)}
    detections |= {f"ious{i}": one.detections.ious for i, one in enumerate(found)}
    np.savez_compressed(
        stream,
        keys=np.array(keys),
        patient=np.array([one.patient for one in found]),
        lesion=np.array([one.lesion for one in found]),
        marked=np.array([one.marked for one in found]),
        score=np.array([one.score for one in found]),
        counts=np.array([one.counts for one in found]),
        **detections,
    )
    write_bytes(path, stream.getvalue())


def _read(held: np.lib.npyio.NpzFile) -> list[Scored]:
    columns = [held[name] for name in ("patient", "lesion", "marked", "score", "counts")]
    return [
        Scored(
            str(patient),
            bool(lesion),
            bool(marked),
            float(score),
            counts,
            ImageDetections(held[f"scores{i}"], held[f"ious{i}"]),
        )
        for i, (patient, lesion, marked, score, counts) in enumerate(zip(*columns, strict=True))
    ]


def sensitivities(images: Sequence[Scored], generator: np.random.Generator) -> dict[str, Interval]:
    """The free-response curve at `FALSE_POSITIVES`, with intervals over patients."""
    patient, times = drawn_patients([one.patient for one in images], generator, CURVES)

    def read(chosen: Sequence[Scored]) -> list[float]:
        curve = free_response_curve([one.detections for one in chosen])
        return [curve.at(limit) for limit in FALSE_POSITIVES]

    drawn = np.array(
        [
            read(
                [one for one, often in zip(images, row[patient], strict=True) for _ in range(often)]
            )
            for row in times
        ]
    )
    return {
        f"sensitivity at {limit:g}": interval_of(value, drawn[:, i])
        for i, (limit, value) in enumerate(zip(FALSE_POSITIVES, read(images), strict=True))
    }


def figures_of(
    images: Sequence[Scored], point: tuple[float, float], generator: np.random.Generator
) -> dict[str, Interval | int | float]:
    """All figures of a group of images at one operating point."""
    at = THRESHOLDS.index(point[0]), SCORES.index(point[1])
    rows = np.array([one.counts[at] for one in images])
    lesion = np.array([one.lesion for one in images])
    patients = np.array([one.patient for one in images])
    nothing = np.full(len(images), np.nan)
    values: dict[str, NDArray[np.float64]] = {
        "Dice": np.where(lesion, rows[:, 0], nothing),
        "missed": np.where(lesion, rows[:, 0] == 0, nothing),
        "normals outlined": np.where(lesion, nothing, rows[:, 4]),
    }
    found: dict[str, Interval | int | float] = {
        "lesion images": int(lesion.sum()),
        "normals": int((~lesion).sum()),
    }
    for name, column in values.items():
        found[name] = mean_interval(column, patients.tolist(), generator)
    found["false positives per image"] = ratio_intervals(
        rows[:, 3:4], np.ones((len(rows), 1)), patients.tolist(), generator
    )[0]
    found |= sensitivities(images, generator)
    scores = np.array([one.score for one in images])
    found["AUC"] = image_auc(scores, lesion, patients.tolist(), generator)
    return found


def point_of(
    parts: Sequence[Sequence[Scored]], max_normals: float, max_false: float
) -> tuple[float, float]:
    """The operating point with the highest Dice within the limits, over the training sources."""
    points = summed([one.counts for part in parts for one in part])
    chosen = points.choose(Choice("highest-dice", max_normals, max_false))
    if chosen is None:
        raise SystemExit("no operating point within the limits: raise --max-normals")
    return chosen


def bundle_of(model: Path, out: Path) -> Path:
    """The bundle itself, or one made of a run folder."""
    if (model / "bundle.json").exists():
        return model
    out = out / f"bundle-{model.name}"
    if not out.exists():
        breastseg("export", model, "--out", out, "--precision", "float32", "--name", "left-out")
    return out


def opened(folder: Path, flip: bool) -> OnnxSegmenter:
    """The network without any rule, at the lowest threshold."""
    network = network_of(str(folder))
    output = OutputSpec(
        min(THRESHOLDS),
        flip_average=flip or network.output.flip_average,
        temperature=network.output.temperature,
    )
    return network.with_output(output)


def study(options: argparse.Namespace, left_out: str, model: Path) -> dict[str, object]:
    """Choose on the other sources, score the one left out."""
    folder = options.out / left_out
    network = opened(bundle_of(model, folder), options.flip_average)
    selections = dict(text.split("=", 1) for text in options.choose)
    tests = dict(text.split("=", 1) for text in options.test)
    data = {text.partition("=")[0]: text for text in options.data}

    def cases(name: str, selection: str) -> tuple[CaseRef, ...]:
        return select_cases([data[name]], [selection])

    parts = [
        looked(network, cases(name, spec), folder / f"choose-{name}.npz", options.marked)
        for name, spec in selections.items()
        if name != left_out
    ]
    point = point_of(parts, options.max_normals, options.max_false_positives)
    tested = cases(left_out, tests.get(left_out, "all"))
    images = looked(network, tested, folder / "test.npz", options.marked)
    groups: dict[str, Callable[[Scored], bool]] = {
        "all": lambda one: True,
        "clean": lambda one: not one.marked,
        "marked": lambda one: one.marked,
    }
    found = {}
    for name, belongs in groups.items():
        group = [one for one in images if belongs(one)]
        if any(one.lesion for one in group):
            found[name] = figures_of(group, point, np.random.default_rng(0))
    trained = [name for name in data if name != left_out]
    return {
        "trained on": trained,
        "tested on": left_out,
        "network": network.bundle.weights_sha256,
        "threshold": point[0],
        "min score": point[1],
        "groups": found,
    }


COLUMNS = (
    *("lesion images", "normals", "Dice", "missed", "normals outlined"),
    "false positives per image",
    *(f"sensitivity at {limit:g}" for limit in FALSE_POSITIVES),
    "AUC",
)


def table(results: Sequence[dict[str, object]]) -> str:
    """Markdown: a row a source and group."""
    heads = ("trained on", "tested on", "images", "threshold, min score", *COLUMNS)
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for one in results:
        groups = one["groups"]
        assert isinstance(groups, dict)
        for name in groups:
            cells = [
                ", ".join(map(str, one["trained on"])),  # type: ignore[call-overload]
                str(one["tested on"]),
                name,
                f"{one['threshold']}, {one['min score']}",
                *(said(groups[name][column]) for column in COLUMNS),
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def said(value: Interval | float) -> str:
    """A figure, with its interval where it has one."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "-" if np.isnan(value) else f"{value:.3f}"
    if np.isnan(value.value):
        return "-"
    ends = "" if np.isnan(value.low) else f" [{value.low:.3f}, {value.high:.3f}]"
    return f"{value.value:.3f}{ends}"


def main() -> None:
    """Score every source that a network is named for, and print the table."""
    parser = options_of(__doc__)
    parser.add_argument("--data", nargs="+", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--model", nargs="+", action="extend", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--choose", nargs="+", required=True, metavar="NAME=SELECTION")
    parser.add_argument("--test", nargs="+", default=[], metavar="NAME=SELECTION")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--max-normals", type=float, default=0.1, help="fraction outlined")
    parser.add_argument("--max-false-positives", type=float, default=1.0)
    parser.add_argument("--marked", type=float, default=0.0005, help="fraction of the pixels")
    parser.add_argument("--flip-average", action="store_true")
    options = parser.parse_args()
    results = []
    for text in options.model:
        name, _, folder = text.partition("=")
        results.append(study(options, name, Path(folder)))
    plain = json.loads(json.dumps(results, default=lambda one: one.__dict__))
    (options.out / "results.json").write_text(json.dumps(plain, indent=1))
    (options.out / "table.md").write_text(table(results))
    print(table(results), end="")


if __name__ == "__main__":
    main()
