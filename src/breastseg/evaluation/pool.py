"""Evaluations read back and joined, such as those of the folds of a cross-validation."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from breastseg.core.errors import DataSetError
from breastseg.evaluation.protocol import Prompting, Protocol
from breastseg.evaluation.run import Evaluation, Row
from breastseg.evaluation.score import ImageScore, VolumeScore

_ALLOWED = "a folder that an evaluation wrote, with per_image.csv and summary.json"


def read_evaluation(folder: Path) -> Evaluation:
    """The rows and the protocol of an evaluation that was written; without its provenance.

    Raises:
        DataSetError: the folder holds none.
    """
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        with (folder / "per_image.csv").open(encoding="utf-8", newline="") as file:
            rows = tuple(_row(cells) for cells in csv.DictReader(file))
        size = summary["size"]
        protocol = Protocol(
            None if size is None else (size[0], size[1]),
            summary["min_iou"],
            prompting=Prompting(summary["prompting"]),
        )
        _check_one_writing(rows, summary["groups"]["all images"])
        return Evaluation(
            summary["segmenter"],
            rows,
            protocol,
            unscored=dict(summary.get("unscored", {})),
            warnings=tuple(summary.get("warnings", ())),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataSetError(f"{folder}: no evaluation ({error})", _ALLOWED) from error


def _check_one_writing(rows: Sequence[Row], told: Mapping[str, Any]) -> None:
    """Hold the rows against the summary that lies beside them.

    Raises:
        ValueError: they are of another evaluation.
    """
    dice = sum(row.score.dice for row in rows) / max(1, len(rows))
    if len(rows) != told["images"] or abs(dice - told["figures"]["dice"]["value"]) > 1e-4:
        raise ValueError("per_image.csv and summary.json are of different evaluations")


def pool(evaluations: Sequence[Evaluation]) -> Evaluation:
    """All rows together, so that every figure and its interval is over all images.

    What was not scored, and what speaks against the figures, stays told.

    Args:
        evaluations: at least one; of different cases under one protocol.

    Raises:
        DataSetError: none, a case in two of them, or protocols that differ.
    """
    if not evaluations:
        raise DataSetError("no evaluation", "at least one")
    if len({one.protocol for one in evaluations}) > 1:
        raise DataSetError("evaluations under different protocols", "one protocol for all")
    rows = tuple(row for one in evaluations for row in one.rows)
    twice = sorted(key for key, n in Counter(row.key for row in rows).items() if n > 1)
    if twice:
        raise DataSetError(
            f"{len(twice)} cases in several evaluations, such as {twice[0]}",
            "each case once",
            "evaluate every fold on its own held-out cases",
        )
    if len({one.of_volumes for one in evaluations}) > 1:
        raise DataSetError("evaluations of images and of volumes", "one kind")
    names = dict.fromkeys(one.segmenter for one in evaluations)
    return Evaluation(
        f"pooled: {', '.join(names)}",
        rows,
        evaluations[0].protocol,
        unscored={key: why for one in evaluations for key, why in one.unscored.items()},
        warnings=tuple(dict.fromkeys(told for one in evaluations for told in one.warnings)),
    )


def _row(cells: Mapping[str, str]) -> Row:
    kind = VolumeScore if "volume_cm3" in cells else ImageScore
    score = kind(**{f.name: _number(cells[f.name], str(f.type)) for f in fields(kind)})  # type: ignore[arg-type]
    return Row(
        key=cells["key"],
        patient=cells["patient"],
        source=cells["source"],
        label=cells["label"] or None,
        scanner=cells["scanner"] or None,
        has_lesion=cells["has_lesion"] == "True",
        lesion_fraction=_number(cells["lesion_fraction"], "float"),
        score=score,
        milliseconds=_number(cells["milliseconds"], "float"),
        error=cells["error"] or None,
    )


def _number(text: str, kind: str) -> float | None:
    if not text:
        return None
    if text == "nan":
        return math.nan
    return int(text) if kind == "int" else float(text)
