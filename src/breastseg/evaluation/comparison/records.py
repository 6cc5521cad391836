"""A comparison for programs: a line an image and method, and all figures as JSON."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, fields
from importlib.metadata import PackageNotFoundError, version

from breastseg import __version__
from breastseg.evaluation.comparison.cell import THRESHOLDS, Comparison, Traits
from breastseg.evaluation.comparison.results import Results, ScoredMethod
from breastseg.evaluation.report import csv_cell, json_plain, row_names
from breastseg.metrics.calibration import ReliabilityBins

_LIBRARIES = ("numpy", "scipy", "scikit-image", "opencv-python-headless", "onnxruntime")


def comparison_csv(comparison: Comparison) -> str:
    """One line a method and image, after a line of column names.

    A cell is empty where a value is not known (no spacing, no label), and ``nan`` where a distance
    is undefined because one of the masks is empty.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    own, scored = row_names(comparison.of_volumes)
    seen = [f.name for f in fields(Traits) if f.name not in ("key", "area_fraction")]
    table.writerow(["method", *own, *seen, *scored, "milliseconds", "error"])
    for label, cells in comparison.cells.items():
        for row in (cell.row for cell in cells):
            values = [getattr(row, name) for name in own]
            values += [getattr(comparison.traits[row.key], name) for name in seen]
            values += [getattr(row.score, name) for name in scored]
            line = (*values, row.milliseconds, row.error)
            table.writerow([label, *(csv_cell(value) for value in line)])
    return text.getvalue()


def comparison_json(results: Results, how: tuple[str, ...], command: str) -> str:
    """All figures with the protocol, the versions and the methods' parameters; undefined is null.

    Args:
        results: all figures.
        how: the protocol in sentences.
        command: how to repeat it.
    """
    comparison = results.comparison
    protocol = comparison.protocol
    content = {
        "versions": versions(),
        "command": command,
        "protocol": {
            "text": how,
            "size": protocol.size,
            "min_iou": protocol.min_iou,
            "prompting": protocol.prompting.value,
            "baseline": comparison.baseline,
            "patients_stated": results.patients_stated,
            "resamples": results.resamples,
            "seed": results.seed,
        },
        "unscored": dict(comparison.unscored),
        "warnings": comparison.warnings,
        "methods": {s.label: _method(results, s) for s in results.scored_methods},
        "ranking": None if results.ranking is None else asdict(results.ranking),
        "best_against_next": None if results.runner_up is None else asdict(results.runner_up),
        "thresholds": THRESHOLDS,
    }
    return json.dumps(json_plain(content), indent=1, allow_nan=False) + "\n"


def _method(results: Results, scored: ScoredMethod) -> dict[str, object]:
    label, info = scored.label, scored.info
    reliability = results.reliabilities.get(label)
    described = ("name", "kind", "summary", "source", "weakness")
    return {
        **{name: getattr(info, name) for name in described},
        "parameters": dict(results.comparison.parameters.get(label, {})),
        "groups": {name: asdict(group) for name, group in scored.groups.items()},
        "difference": None if scored.difference is None else asdict(scored.difference),
        "subgroups": {
            name: asdict(groups[label])
            for name, groups in results.subgroups.items()
            if label in groups
        },
        "free_response": results.curves.get(label),
        "reliability": None if reliability is None else _diagram(reliability),
        "failures": {cell.row.key: cell.row.error for cell in scored.cells if cell.row.error},
    }


def _diagram(bins: ReliabilityBins) -> dict[str, object]:
    return {
        "probability": bins.mean.tolist(),
        "observed": bins.observed.tolist(),
        "pixels": bins.counts.tolist(),
        "error": bins.expected_error,
    }


def versions() -> Mapping[str, str]:
    """The software that the figures depend on."""
    found = {"breastseg": __version__, "Python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # e.g. OpenCV under the name of another build
            continue
    return found | {"Machine": f"{platform.system()} {platform.machine()}"}
