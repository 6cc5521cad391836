"""The model card: what a person should know before using a bundle.

The sections follow M. Mitchell et al.: Model Cards for Model Reporting, FAT* 2019,
https://doi.org/10.1145/3287560.3287596.
"""

from __future__ import annotations

from collections.abc import Iterator

from breastseg.core.bundle import Bundle, InputSpec, Region
from breastseg.core.measured import Figures, Measured
from breastseg.export.results import FIGURES
from breastseg.export.volume import volume_facts

_HEADINGS = {
    "dice": "Dice",
    "iou": "IoU",
    "precision": "Precision",
    "recall": "Recall",
    "pooled_dice": "Pooled Dice",
    "hd95_px": "HD95 (px)",
    "hd95_mm": "HD95 (mm)",
    "lesions_found": "Lesions found",
    "false_positives_per_image": "False positives per image",
    "fraction_outlined": "Images outlined",
}

_USE = """\
## Intended use

Research: outlining, measuring and pre-annotating breast lesions in {modality} images, with a
person who looks at every mask.

**Not a medical device.** It has not been cleared or certified by any authority. It must not be
used to diagnose, to rule out disease, or to decide on treatment."""

_LIMITS = """\
## Limitations

- The results hold for the data sets and protocols below; on other devices, hospitals or
  populations it may do worse without notice. Measure it on your own images first.
- It always looks for lesions. On a healthy breast it can draw one, and it can miss one; the
  tables say how often.
- {kinds}
- It works at {grain}: finer detail than that is not seen, and a lesion of a few
  {unit} at that size may be lost.
- {calibration}"""


def model_card(bundle: Bundle, measured: Measured) -> str:
    """``MODEL_CARD.md`` as Markdown."""
    parts = [
        f"# {bundle.name} {bundle.version}",
        bundle.summary,
        _facts(bundle),
        _USE.format(modality=bundle.modality),
        _LIMITS.format(**_grain(bundle), kinds=_kinds(bundle), calibration=_calibration(bundle)),
        "## Training data",
        "\n".join(f"- {line}" for line in bundle.training_data) or "Not stated.",
        "## Results",
        *(_results(name, figures) for name, figures in measured.results.items()),
    ]
    if not measured.results:
        parts.append("Not measured yet: do not rely on it.")
    parts += [_operating_point(bundle), *_certainty(bundle)]
    if bundle.remarks:
        parts += ["## Known failures and remarks", "\n".join(f"- {r}" for r in bundle.remarks)]
    parts.append(_files(bundle))
    return "\n\n".join(parts) + "\n"


def _grain(bundle: Bundle) -> dict[str, str]:
    """How fine it sees."""
    if bundle.volume is not None:
        sides = "x".join(f"{side:g}" for side in bundle.volume.spacing_mm)
        return {"grain": f"voxels of {sides} mm", "unit": "voxels"}
    rows, columns = bundle.input.size
    return {"grain": f"{rows}x{columns} pixels", "unit": "pixels"}


def _kinds(bundle: Bundle) -> str:
    """What a mask says of the kind of lesion."""
    if len(bundle.labels) == 1:
        return "A mask does not say benign or malignant."
    return "The kind of a lesion is the network's guess from the image alone, and no diagnosis."


def _certainty(bundle: Bundle) -> Iterator[str]:
    """What was calibrated, and what it promises; nothing where nothing was."""
    confidence, conformal = bundle.confidence, bundle.conformal
    if confidence is None and conformal is None:
        return
    yield "## How sure it is"
    if confidence is not None:
        yield (
            "The confidence of an image is the probability that it shows a lesion: Platt's line\n"
            f"(slope {confidence.slope:.3f}, intercept {confidence.intercept:.3f}) through the "
            "logit of the highest\nprobability in the map, fitted on "
            f"{confidence.calibrated_on or 'images that are not stated'}.\nIt holds for images "
            "among which lesions are as frequent as among those, on such scanners."
        )
    if conformal is None:
        return
    yield (
        f"Margins were calibrated on {conformal.calibrated_on}: one lesion of each of\n"
        f"{conformal.patients} patients. They hold for lesions that a region of the mask touches; "
        f"{conformal.missed:.1%} of the\nlesions were missed altogether. They hold for patients "
        "and scanners like those, at this operating\npoint alone; on other scanners they promise "
        "nothing. d is the diameter of the disc of\nthe same area as the region of the mask."
    )
    rows = [
        f"| {margin.coverage:.0%} | {margin.outer_threshold:g}, {margin.outer:.3f} d | "
        f"{margin.inner_threshold:g}, {margin.inner:.3f} d |"
        for margin in conformal.margins
    ]
    yield "\n".join(
        (
            "| each contour holds with probability | outer contour: joined at, widened by | inner "
            "contour: at least, narrowed by |",
            "|---|---|---|",
            *rows,
        )
    )
    if conformal.missed_area:
        yield "\n".join(
            f"- Expected fraction of lesion area missed, missed lesions included, at most "
            f"{area.expected:g}: threshold {area.threshold:g}."
            for area in conformal.missed_area
        )


def _calibration(bundle: Bundle) -> str:
    if bundle.output.temperature == 1 and bundle.confidence is not None:
        return (
            "The probabilities of pixels are scores that were not calibrated; the confidence\n"
            "  of an image was."
        )
    if bundle.output.temperature == 1:
        return "Probabilities are scores that were not calibrated."
    return (
        "Probabilities were calibrated by one temperature, which holds on average, for data like\n"
        "  that it was fitted on."
    )


def _facts(bundle: Bundle) -> str:
    spec, volume = bundle.input, bundle.volume
    facts = {
        "Modality": bundle.modality.value,
        "Network": bundle.network,
        "Input": volume_facts(volume) if volume is not None else _image_facts(spec),
        "Output": "probability of "
        + ", ".join(bundle.labels.values())
        + f" for every {'pixel of the image' if volume is None else 'voxel of the volume'}",
        "Licence of the weights": bundle.licence,
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {k} | {_cell(v)} |" for k, v in facts.items())])


def _image_facts(spec: InputSpec) -> str:
    parts = [
        f"{spec.size[0]}x{spec.size[1]} pixels",
        f"{spec.channels} channel{'s' if spec.channels > 1 else ''}",
        f"fit: {spec.fit}",
        f"intensity: {spec.intensity}",
    ]
    if spec.colour:
        parts[1] = "red, green and blue"
    if spec.um_per_px is not None:
        parts.append(f"{spec.um_per_px:g} micrometres a pixel")
    if spec.region is Region.BREAST:
        parts.append("of the box around the breast, chest wall to the left")
    return ", ".join(parts)


def _results(name: str, figures: Figures) -> str:
    groups = [key.removesuffix("/images") for key in figures if key.endswith("/images")]
    shown = [f for f in FIGURES if any(f"{group}/{f}" in figures for group in groups)]
    tabled = {key for key in figures if key.split("/")[0] in groups or key == "protocol"}
    parts = [f"### {name}"]
    if "protocol" in figures:
        parts.append(str(figures["protocol"]))
    if groups:
        table = [
            "| | Images | " + " | ".join(_HEADINGS[f] for f in shown) + " |",
            "|---|---" + "|---" * len(shown) + "|",
        ]
        for group in groups:
            cells = [group, f"{figures[f'{group}/images']:g}"]
            cells += [_figure(figures, f"{group}/{f}") for f in shown]
            table.append("| " + " | ".join(_cell(c) for c in cells) + " |")
        parts.append("\n".join(table))
    others = [f"- {key}: {value}" for key, value in figures.items() if key not in tabled]
    if others:
        parts.append("\n".join(others))
    return "\n\n".join(parts)


def _figure(figures: Figures, key: str) -> str:
    if key not in figures:
        return ""
    value = _number(figures[key])
    if f"{key}/low" not in figures or f"{key}/high" not in figures:
        return value
    return f"{value} [{_number(figures[f'{key}/low'])}, {_number(figures[f'{key}/high'])}]"


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _operating_point(bundle: Bundle) -> str:
    output = bundle.output
    lines = [f"- Pixels with a probability of at least {output.threshold:g} are lesion."]
    if output.min_score > output.threshold:
        lines.append(f"- A region whose score stays below {output.min_score:g} is dropped.")
    if output.min_area_fraction > 0:
        lines.append(
            f"- A region smaller than {output.min_area_fraction:.2%} of the image is dropped."
        )
    if bundle.volume is not None and bundle.volume.min_volume_mm3 > 0:
        lines.append(f"- A region below {bundle.volume.min_volume_mm3:g} mm3 is dropped.")
    if output.temperature != 1:
        lines.append(f"- The network's logits are divided by {output.temperature:g}.")
    if output.largest_only:
        lines.append("- Only the largest region is kept.")
    if output.flip_average:
        lines.append(
            "- The prediction is averaged with that of the flipped image (test-time augmentation)."
        )
    return "## Operating point\n\n" + "\n".join(lines)


def _files(bundle: Bundle) -> str:
    return (
        "## Files\n\n"
        f"- `model.onnx`: the network; SHA-256 `{bundle.weights_sha256}`\n"
        "- `bundle.json`: what a program needs to run it; `measured.json`: the results above\n"
        "- `recipe.toml`, `metrics.csv`: how it was trained, and how that went"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
