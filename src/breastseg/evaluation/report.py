"""Writing an evaluation: a table of images, and its summary for programs and for people."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from breastseg.evaluation.protocol import Prompting, Protocol
from breastseg.evaluation.run import Evaluation, Row, unscored_lines
from breastseg.evaluation.score import ImageScore, VolumeScore
from breastseg.evaluation.statistics import RESAMPLES, bracketed
from breastseg.evaluation.summary import (
    LARGE,
    LARGE_CM3,
    SMALL,
    SMALL_CM3,
    Figure,
    Group,
    Summary,
    summarise,
)
from breastseg.io.write import write_texts
from breastseg.metrics.rules import EMPTY_RULE

_LAST = ("score", "milliseconds", "error", "unscored")
"""Fields of a row that are told after the others, or not at all."""

_TOLD = {
    Prompting.NONE: "The method was told nothing of where lesions are.",
    Prompting.BOX: "The method was given the tightest box around each true region (pixels that "
    "touch by a side or a corner are one), and its maps for the boxes of an image were joined by "
    "their maximum: finding a lesion is not measured, drawing its border is.",
}

_OF_IMAGES = (
    f"Small lesions cover less than {SMALL:.0%} of the image, large ones more than {LARGE:.0%}.",
)
_OF_VOLUMES = (
    "An image is here the volume of one study, its pixels are voxels; millimetres and cm3 go "
    "by the spacing of its voxels along each axis.",
    "The volume error is the absolute difference between the volume outlined and the true one, of "
    "all lesions of a study together.",
    f"Small lesions have less than {SMALL_CM3:g} cm3 in all (a sphere of 2 cm), large ones more "
    f"than {LARGE_CM3:g} cm3 (of 5 cm).",
)


def write_report(
    evaluation: Evaluation, folder: Path, resamples: int = RESAMPLES, seed: int = 0
) -> Summary:
    """Write ``per_image.csv``, ``summary.md`` and ``summary.json``, all of them or none.

    Args:
        evaluation: what to report.
        folder: made if it is missing; files of these names in it are replaced.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        The summary that was written.

    Raises:
        InputError: a file cannot be written.
    """
    summary = summarise(evaluation, resamples, seed)
    write_texts(
        {
            folder / "per_image.csv": per_image_csv(evaluation),
            folder / "summary.md": summary_markdown(evaluation, summary),
            folder / "summary.json": summary_json(evaluation, summary),
        }
    )
    return summary


def per_image_csv(evaluation: Evaluation) -> str:
    """One line a case, after a line of column names.

    A cell is empty where a value is not known (no spacing, no label), and ``nan`` where a
    distance is undefined because one of the masks is empty.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    own, scored = row_names(evaluation.of_volumes)
    table.writerow([*own, *scored, "milliseconds", "error"])
    for row in evaluation.rows:
        values = [getattr(row, name) for name in own]
        values += [getattr(row.score, name) for name in scored]
        table.writerow([csv_cell(v) for v in (*values, row.milliseconds, row.error)])
    return text.getvalue()


def row_names(of_volumes: bool) -> tuple[list[str], list[str]]:
    """What a table of images states of each case and of its score, in its order.

    Args:
        of_volumes: the images are volumes, which have volumes.
    """
    own = [f.name for f in fields(Row) if f.name not in _LAST]
    return own, [f.name for f in fields(VolumeScore if of_volumes else ImageScore)]


def summary_json(evaluation: Evaluation, summary: Summary) -> str:
    """The summary with its protocol and the method's provenance, as JSON; undefined is null."""
    made_by = evaluation.provenance
    content = {
        "segmenter": evaluation.segmenter,
        "provenance": None if made_by is None else made_by.as_dict(),
        "protocol": protocol(evaluation, summary),
        "size": evaluation.protocol.size,
        "min_iou": evaluation.protocol.min_iou,
        "prompting": evaluation.protocol.prompting.value,
        "resamples": summary.resamples,
        "seed": summary.seed,
        "groups": {name: asdict(group) for name, group in summary.groups.items()},
        "failures": {row.key: row.error for row in evaluation.failures},
        "unscored": dict(evaluation.unscored),
        "warnings": evaluation.warnings,
    }
    return json.dumps(json_plain(content), indent=2, allow_nan=False) + "\n"


def protocol(evaluation: Evaluation, summary: Summary) -> str:
    """What was done, in sentences: a figure counts only beside them."""
    rows = evaluation.rows
    with_lesion = sum(row.has_lesion for row in rows)
    normals = len(rows) - with_lesion
    sources = sorted({row.source for row in rows})
    counts = ", ".join(f"{name} {sum(r.source == name for r in rows)}" for name in sources)
    normals_say = (
        f"{normals} normal ones, which enter 'all images' and the rows named normal only"
        if normals
        else "no normal ones"
    )
    return " ".join(
        [
            f"{evaluation.segmenter} on {len(rows)} images of "
            f"{summary.groups['all images'].patients} patients ({counts}): {with_lesion} with a "
            f"lesion and {normals_say}.",
            rules(evaluation.protocol, summary.resamples, summary.seed, evaluation.of_volumes),
            "'Pooled' alone is over the pixels of all images together.",
        ]
    )


def rules(of: Protocol, resamples: int, seed: int, volumes: bool = False) -> str:
    """How images, or volumes, are segmented and scored, in sentences."""
    size = "Scored at each image's own size"
    if of.size is not None:
        size = (
            f"Scored at {of.size[0]}x{of.size[1]} pixels (probability resampled "
            "with a triangle filter and cut at the threshold, truth by nearest neighbour)"
        )
    return " ".join(
        [
            _TOLD[of.prompting],
            f"{size}, at the method's own threshold.",
            "Metrics are computed per image and averaged over images.",
            "In brackets: 95 % interval, bootstrap over patients (an image whose patient is not "
            f"stated counts as one), {resamples} resamples, percentile method, seed {seed}; none "
            "where all images are of one patient.",
            EMPTY_RULE,
            "HD95 is the larger of the two directed 95th percentiles between boundary pixels.",
            "A true lesion is found when a region reaches an intersection over union of "
            f"{of.min_iou:g} with it, one region for each lesion; a region that reaches it with "
            "no lesion is a false positive.",
            *(_OF_VOLUMES if volumes else _OF_IMAGES),
            "An image that fails has overlap 0, its lesions are missed, and a mask is assumed.",
        ]
    )


def summary_markdown(evaluation: Evaluation, summary: Summary) -> str:
    """The summary as Markdown: protocol, tables, failures."""
    groups = summary.groups.values()
    lesions = [g for g in groups if g.name != "all images" and "lesions_found" in g.figures]
    normals = [g for g in groups if g.name.endswith("normal images")]
    parts = [f"# {evaluation.segmenter}"]
    parts += [f"**Warning:** {warning}." for warning in evaluation.warnings]
    parts.append(protocol(evaluation, summary))
    if lesions:
        parts += ["## Images with a lesion", _lesion_table(lesions)]
    if normals:
        parts += ["## Normal images", _normal_table(normals)]
        parts += ["## All images, both empty counting as 1", _all_table(summary)]
    if evaluation.unscored:
        parts.append(f"## Not scored ({len(evaluation.unscored)})")
        parts.append("\n".join(f"- {line}" for line in unscored_lines(evaluation.unscored)))
    if evaluation.failures:
        parts.append(f"## Failures ({len(evaluation.failures)})")
        parts.append("\n".join(f"- {row.key}: {row.error}" for row in evaluation.failures))
    return "\n\n".join(parts) + "\n"


def _lesion_table(groups: Sequence[Group]) -> str:
    columns = {
        "Dice": "dice",
        "IoU": "iou",
        "Precision": "precision",
        "Recall": "recall",
    }
    volumes = any("true_volume_cm3" in group.figures for group in groups)
    if not volumes:  # whose voxels are longer along one axis than along another
        columns |= {"HD95 px": "hd95_px", "ASSD px": "assd_px"}
    if any("hd95_mm" in group.figures for group in groups):
        columns |= {"HD95 mm": "hd95_mm", "ASSD mm": "assd_mm"}
    if volumes:
        columns |= {
            "Volume cm3": "volume_cm3",
            "True volume cm3": "true_volume_cm3",
            "Volume error cm3": "volume_error_cm3",
        }
    columns |= {
        "Lesions found": "lesions_found",
        "False positives per image": "false_positives_per_image",
        "Pooled Dice": "pooled_dice",
    }
    heads = ["Images", "n", "Patients", *columns, "HD95 undefined", "Failed"]
    lines = [
        [group.name, group.images, group.patients]
        + [_shown(group.figures.get(figure)) for figure in columns.values()]
        + [group.undefined_surface, group.failures]
        for group in groups
    ]
    return _table(heads, lines)


def _normal_table(groups: Sequence[Group]) -> str:
    columns = {
        "With any mask": "fraction_outlined",
        "False positives per image": "false_positives_per_image",
        "Specificity": "specificity",
    }
    lines = [
        [group.name, group.images, group.patients]
        + [_shown(group.figures.get(figure)) for figure in columns.values()]
        + [group.failures]
        for group in groups
    ]
    return _table(["Images", "n", "Patients", *columns, "Failed"], lines)


def _all_table(summary: Summary) -> str:
    columns = {"Dice": "dice", "IoU": "iou", "Specificity": "specificity"}
    group = summary.groups["all images"]
    line = [group.name, group.images, group.patients]
    shown = [_shown(group.figures.get(figure)) for figure in columns.values()]
    return _table(
        ["Images", "n", "Patients", *columns, "Failed"], [[*line, *shown, group.failures]]
    )


def _table(heads: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)


def _shown(figure: Figure | None) -> str:
    """Value and interval: three decimals for what is 0 to 1 or so, one for lengths."""
    if figure is None:
        return "-"
    digits = 3 if max(figure.value, figure.high) < 3 else 1
    return f"{figure.value:.{digits}f}{bracketed(figure.low, figure.high, digits)}"


def csv_cell(value: object) -> object:
    """A value for a CSV file: six digits of a float, nothing for None."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else value


def json_plain(value: object) -> object:
    """The same with null for NaN, which JSON does not know."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): json_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_plain(item) for item in value]
    return value
