"""From an evaluation's ``summary.json`` to the results that a bundle carries."""

from __future__ import annotations

import json
from pathlib import Path

from breastseg.core.errors import BundleError

FIGURES = (
    "dice",
    "iou",
    "precision",
    "recall",
    "pooled_dice",
    "hd95_px",
    "hd95_mm",
    "lesions_found",
    "false_positives_per_image",
    "fraction_outlined",
)
"""What a bundle carries of each group of images, where the group has it."""


def read_results(summary: Path) -> dict[str, float | str]:
    """The figures of one evaluation, flat.

    Args:
        summary: ``summary.json`` as `breastseg.evaluation.write_report` wrote it.

    Returns:
        ``"protocol"``: what was done, in sentences. ``"GROUP/images"``: how many.
        ``"GROUP/FIGURE"``, ``"GROUP/FIGURE/low"``, ``"GROUP/FIGURE/high"``: a figure and its
        95 % interval. Rounded to 6 decimals.

    Raises:
        BundleError: not such a file.
    """
    try:
        content = json.loads(summary.read_bytes())
        results: dict[str, float | str] = {"protocol": str(content["protocol"])}
        for name, group in content["groups"].items():
            results[f"{name}/images"] = int(group["images"])
            for figure in FIGURES:
                found = group["figures"].get(figure)
                if found is None or found["value"] is None:
                    continue
                results[f"{name}/{figure}"] = round(float(found["value"]), 6)
                for end in ("low", "high"):
                    if found[end] is not None:
                        results[f"{name}/{figure}/{end}"] = round(float(found[end]), 6)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(
            f"{summary}: no summary of an evaluation ({type(error).__name__}: {error})",
            "the summary.json of an evaluation",
        ) from error
    return results
