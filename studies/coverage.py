"""Do margins and thresholds hold on other patients, and on another scanner? And what do they cost?

    python studies/coverage.py --bundle BUNDLE --data BUS-BRA=FOLDER BUS-UCLM=FOLDER --out OUT \
        --calibrate BUS-BRA=fold:4 --test BUS-BRA=fold:5 BUS-UCLM=lesions

The margins of ``segment --margin`` are fitted on the cases of ``--calibrate`` and checked on those
of ``--test``, a table row a source. Patients of one must not be in the other. Beside them stands
one distance from the mask for all lesions, fitted on the same cases: a margin that is not tighter
is of no use.
"Holds": fraction of lesions that lie within the outer contour, and whose inner contour holds lesion
alone, of those that a region of the mask touches; "missed": the others. Distances and areas are
medians; areas are over that of the mask. Intervals: bootstrap over patients.

The next table is of the confidence, the probability that an image shows a lesion: by the bundle's
own line, or else by one that is fitted on ``--calibrate`` where lesions and normals are in it. It
has the area under the curve of the image's score, and the expected calibration error in ten bins of
equal mass. The last table keeps the surest images of ``--test``: by the confidence that the answer,
lesion or none, is right, and by the mean probability of the mask.

What a network makes of each image is kept in OUT, so that a second run costs nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from _study import image_auc, network_of, options_of
from breastseg.core.calibrated import Confidence, PlattScaling
from breastseg.core.errors import InputError
from breastseg.data.dataset import CaseRef
from breastseg.data.sources import select_cases
from breastseg.evaluation.calibration.confidence import check_apart
from breastseg.evaluation.calibration.coverage import (
    Coverage,
    constant_coverage,
    coverage_of,
    missed_area,
    missed_lesions,
)
from breastseg.evaluation.calibration.margins import (
    LesionImage,
    contour_thresholds,
    fit_conformal,
    look,
)
from breastseg.evaluation.calibration.reliability import reliability
from breastseg.evaluation.statistics import Interval, mean_interval
from breastseg.inference.onnx_segmenter import OnnxSegmenter, image_score
from breastseg.io.write import write_text
from breastseg.metrics.calibration import fit_platt
from breastseg.metrics.overlap import dice
from breastseg.preprocess.prepare import prepare

KEPT = (1.0, 0.9, 0.8, 0.6)


@dataclass(frozen=True)
class Seen:
    """One image.

    Attributes:
        source: the data set.
        patient: unique over all sources.
        lesion: the ground truth holds one.
        score: of the image, 0 to 1.
        dice: of the mask, 0 to 1.
        outlined: there is a mask.
        mean: probability over the mask, 0 to 1; of an image without a mask 1 less the score.
        margins: None of an image without a lesion.
    """

    source: str
    patient: str
    lesion: bool
    score: float
    dice: float
    outlined: bool
    mean: float
    margins: LesionImage | None


def seen_of(network: OnnxSegmenter, ref: CaseRef) -> Seen:
    """Run a network over one image."""
    case = ref.load()
    assert case.mask is not None, ref.key
    image, truth = case.images[0], case.mask.foreground
    array, placement = prepare(image, network.bundle.input)
    maps = network.class_probabilities(array[None])[0]
    found = network.prediction_of(image, maps, placement)
    mask, score = found.mask().foreground, image_score(maps, placement)
    inside = found.probability[mask]
    return Seen(
        ref.source,
        ref.patient_key,
        bool(truth.any()),
        score,
        dice(mask, truth),
        bool(mask.any()),
        float(inside.mean()) if inside.size else 1 - score,
        look(network, ref),
    )


def looked(network: OnnxSegmenter, cases: Sequence[CaseRef], path: Path) -> list[Seen]:
    """All images, from the file where this network has been run over them before."""
    keys = [network.bundle.weights_sha256, str(network.output), *Seen.__dataclass_fields__]
    keys += [ref.key for ref in cases]
    if path.exists():
        held = json.loads(path.read_text())
        if held["keys"] == keys:
            return [_again(one) for one in held["seen"]]
    seen = [seen_of(network, ref) for ref in cases]
    write_text(path, json.dumps({"keys": keys, "seen": [asdict(one) for one in seen]}))
    return seen


def _again(held: dict[str, object]) -> Seen:
    margins = held.pop("margins")
    return Seen(**held, margins=margins and LesionImage.of(margins))  # type: ignore[arg-type]


def margins_table(
    calibration: Sequence[LesionImage],
    tests: dict[str, list[LesionImage]],
    start: tuple[float, float],
    seed: int,
) -> str:
    """A row a coverage, source and kind of margin; then the thresholds."""
    generator = np.random.default_rng(seed)
    conformal = fit_conformal(calibration, "", start, generator)
    heads = (
        *("promised", "margin", "source", "lesions", "outer holds", "inner holds", "both hold"),
        *("outer distance", "inner distance", "outer area", "inner area"),
    )
    lines = [
        f"calibrated on {conformal.patients} patients\n",
        _row(heads),
        "|---" * len(heads) + "|",
    ]
    for margin in conformal.margins:
        for source, images in tests.items():
            lesions = sum(len(image.touched) for image in images)
            scaled = coverage_of(margin, images, generator)
            constant = constant_coverage(margin.coverage, calibration, images, generator)
            for name, one in (("by probability", scaled), ("one distance", constant)):
                start = (f"{margin.coverage:.0%}", name, source, str(lesions))
                lines.append(_row((*start, *_cells(one))))
    lines += ["", _row(("source", "lesions missed")), "|---|---|"]
    lines += [_row((s, _said(missed_lesions(one, generator)))) for s, one in tests.items()]
    heads = ("missed area at most", "threshold", "source", "missed area")
    lines += ["", _row(heads), "|---" * len(heads) + "|"]
    for area in conformal.missed_area:
        for source, images in tests.items():
            found = _said(missed_area(area.threshold, images, generator))
            lines.append(_row((f"{area.expected:g}", f"{area.threshold:g}", source, found)))
    return "\n".join(lines)


def confidence_table(line: PlattScaling, tests: Sequence[Seen], seed: int) -> str:
    """A row a source: how well the score ranks images, and how true the confidence is."""
    heads = ("source", "lesion images", "normals", "patients", "AUC", "calibration error")
    lines = [
        f"confidence by slope {line.slope:g}, intercept {line.intercept:g}\n",
        _row(heads),
        "|---" * len(heads) + "|",
    ]
    generator = np.random.default_rng(seed)
    for source, images in _by_source(tests).items():
        score, lesion = _columns(images)
        patients = [one.patient for one in images]
        told = np.array([line(value) for value in score])
        found = reliability(told, lesion, patients, generator)
        area = image_auc(score, lesion, patients, generator)
        counts = (str(int(lesion.sum())), str(int((~lesion).sum())), str(found.patients))
        lines.append(_row((source, *counts, _said(area), _said(found.error))))
    return "\n".join(lines)


def kept_table(line: PlattScaling, tests: Sequence[Seen], seed: int) -> str:
    """The surest images: a row a measure, source and fraction."""
    heads = ("surest by", "source", "kept", "lesion images", "Dice", "missed", "normals outlined")
    lines = [_row(heads), "|---" * len(heads) + "|"]
    generator = np.random.default_rng(seed)
    for name in ("confidence", "mean probability"):
        for source, images in _by_source(tests).items():
            order = sorted(images, key=lambda one: -sureness(one, name, line))
            for fraction in KEPT:
                kept = order[: max(1, round(fraction * len(order)))]
                lines.append(_row((name, source, f"{fraction:.0%}", *_of_kept(kept, generator))))
    return "\n".join(lines)


def line_of(network: OnnxSegmenter, images: Sequence[Seen]) -> PlattScaling:
    """The bundle's own; else one through these scores, none where all are of one kind."""
    if network.bundle.confidence is not None:
        return network.bundle.confidence
    try:
        return fit_platt(*_columns(images))
    except InputError:
        return Confidence()


def sureness(one: Seen, name: str, line: PlattScaling) -> float:
    """From 0 to 1."""
    if name == "mean probability":
        return one.mean
    return line(one.score) if one.outlined else 1 - line(one.score)


def _columns(images: Sequence[Seen]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return np.array([one.score for one in images]), np.array([one.lesion for one in images])


def _by_source(images: Sequence[Seen]) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = {}
    for one in images:
        found.setdefault(one.source, []).append(one)
    return found


def _of_kept(kept: Sequence[Seen], generator: np.random.Generator) -> tuple[str, ...]:
    _, lesion = _columns(kept)
    overlap = np.array([one.dice for one in kept])
    outlined = np.array([one.outlined for one in kept], np.float64)
    patients = [one.patient for one in kept]
    columns = (
        np.where(lesion, overlap, np.nan),
        np.where(lesion, overlap == 0, np.nan),
        np.where(lesion, np.nan, outlined),
    )
    means = (mean_interval(column, patients, generator) for column in columns)
    return (str(int(lesion.sum())), *(_said(mean) for mean in means))


def _cells(one: Coverage) -> tuple[str, ...]:
    return (
        *(_said(value) for value in (one.outer, one.inner, one.both)),
        *(f"{value:.3g} {one.unit}" for value in (one.outer_distance, one.inner_distance)),
        *(f"{value:.2f}" for value in (one.outer_area, one.inner_area)),
    )


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _said(one: Interval) -> str:
    if np.isnan(one.value):
        return "-"
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"


def main() -> None:
    """Print all tables, and write them to OUT/coverage.md."""
    parser = options_of(__doc__)
    parser.add_argument("--bundle", default="ultrasound")
    parser.add_argument("--data", nargs="+", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--calibrate", nargs="+", required=True, metavar="NAME=SELECTION")
    parser.add_argument("--test", nargs="+", required=True, metavar="NAME=SELECTION")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(report(options))


def report(options: argparse.Namespace) -> str:
    """Everything, as Markdown."""
    network = network_of(options.bundle)
    parts = [_cases(options.data, chosen) for chosen in (options.calibrate, options.test)]
    check_apart(*parts)
    options.out.mkdir(parents=True, exist_ok=True)
    calibration, test = (
        looked(network, cases, options.out / f"{name}.json")
        for name, cases in zip(("calibrate", "test"), parts, strict=True)
    )
    tests: dict[str, list[LesionImage]] = {}
    for one in test:
        if one.margins is not None:
            tests.setdefault(one.source, []).append(one.margins)
    fitted = [one.margins for one in calibration if one.margins is not None]
    line = line_of(network, calibration)
    tables = (
        margins_table(fitted, tests, contour_thresholds(network.output.threshold), options.seed),
        confidence_table(line, test, options.seed),
        kept_table(line, test, options.seed),
    )
    text = "\n\n".join(tables) + "\n"
    write_text(options.out / "coverage.md", text)
    return text


def _cases(data: Sequence[str], selections: Sequence[str]) -> tuple[CaseRef, ...]:
    """The cases of the sources that a selection names."""
    folders = {text.partition("=")[0]: text for text in data}
    chosen = dict(text.split("=", 1) for text in selections)
    return tuple(
        case for name, spec in chosen.items() for case in select_cases([folders[name]], [spec])
    )


if __name__ == "__main__":
    main()
