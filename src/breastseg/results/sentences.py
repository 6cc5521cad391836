"""An entry of the results in words, for a terminal, a report or a log."""

from __future__ import annotations

from collections.abc import Sequence

from breastseg.core.mask import LESION
from breastseg.measure.descriptors import TITLES
from breastseg.results.schema import Entry, LesionRecord


def lines(entry: Entry) -> tuple[str, ...]:
    """What came of an entry: one line, and one more for each remark."""
    name = entry.input if entry.frame is None else f"{entry.input} frame {entry.frame}"
    if entry.error is not None:
        message = entry.error
        return (message if message.startswith(entry.input) else f"{name}: {message}",)
    found = describe(entry.lesions, entry.label or LESION)
    return (f"{name}: {found}", *(f"{name}: warning: {remark}" for remark in entry.remarks))


def describe(lesions: Sequence[LesionRecord], label: str = LESION) -> str:
    """The lesions in words: how many, the size of the largest, its mean probability."""
    if not lesions:
        return f"no {label} found"
    largest = lesions[0]
    count = f"1 {label}" if len(lesions) == 1 else f"{len(lesions)} {plural(label)}, the largest"
    parts = [f"{count} {size(largest)}"]
    if largest.mean_probability is not None:
        parts.append(f"mean probability {largest.mean_probability:.2f}")
    if largest.margin is not None:
        low, high = largest.margin.longest_diameter
        digits = 1 if largest.unit == "mm" else 0
        parts.append(
            f"longest diameter {low:.{digits}f} to {high:.{digits}f} {largest.unit} "
            f"({largest.margin.coverage:.0%} margins)"
        )
    return ", ".join(parts)


def to_paste(entry: Entry) -> tuple[str, ...]:
    """A line a lesion for a letter or a record, such as ``Lesion 1: 24.7 x 16.4 mm``."""
    noun = (entry.label or LESION).capitalize()
    return tuple(
        f"{noun} {lesion.number}: {size(lesion)}"
        + (f", {lesion.class_name}" if lesion.class_name else "")
        for lesion in entry.lesions
    )


def described(lesion: LesionRecord) -> str:
    """The computed descriptors in words; empty where there are none.

    A shape and an orientation stand alone, the others with their name.
    """
    words = []
    for one in lesion.descriptors or ():
        title = TITLES[one.kind]
        if one.value is None:
            words.append(f"{title} not computed ({one.detail})")
        elif one.kind in ("shape", "orientation"):
            words.append(one.value)
        else:
            words.append(f"{title} {one.value}" + (f" ({one.detail})" if one.detail else ""))
    return ", ".join(words)


def distance_to_skin(entry: Entry) -> str:
    """How the distance of lesions to the skin is defined, or that it is not known; empty in 3-D."""
    if not entry.lesions or entry.lesions[0].longest_diameter is None:
        return ""
    if all(lesion.distance_to_skin is None for lesion in entry.lesions):
        return "not known: no skin line is seen in the image, and none was laid"
    laid = entry.skin_line is not None
    line = "the skin line laid by hand, drawn here" if laid else "the edge of the breast as seen"
    return (
        f"the shortest one to {line}, in the plane of the image, between centres of pixels; "
        "an upper bound where the nearest skin may lie beyond the image"
    )


def size(lesion: LesionRecord) -> str:
    """Its two diameters, else its volume, else its area, with the unit."""
    if lesion.longest_diameter is not None and lesion.perpendicular_diameter is not None:
        longest = length(lesion.longest_diameter, lesion.unit).split()[0]
        unknown = " (pixel spacing unknown)" if lesion.unit == "px" else ""
        return f"{longest} x {length(lesion.perpendicular_diameter, lesion.unit)}{unknown}"
    return extent(lesion)


def length(value: float, unit: str) -> str:
    """A length with its unit: tenths of millimetres, whole pixels."""
    return f"{value:.{1 if unit == 'mm' else 0}f} {unit}"


def extent(lesion: LesionRecord) -> str:
    """Its volume or area, rounded, with the unit."""
    if lesion.volume is not None:
        cm3 = f"{lesion.volume / 1000:.2f} cm3"
        return cm3 if lesion.unit == "mm" else f"{lesion.pixels} voxels"
    if lesion.area is None or lesion.unit == "px":
        return f"{lesion.pixels} px"
    if lesion.area < 0.01:
        return f"{1e6 * lesion.area:.0f} um2"
    digits = 0 if lesion.area >= 100 else 1 if lesion.area >= 1 else 3
    return f"{lesion.area:.{digits}f} mm2"


def plural(noun: str) -> str:
    """Several of them: lesions, nuclei."""
    return f"{noun[:-2]}i" if noun.endswith("us") else f"{noun}s"
