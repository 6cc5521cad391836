"""An entry of the results in words, for a terminal, a report or a log."""

from __future__ import annotations

from collections.abc import Sequence

from breastseg.core.mask import LESION
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
    return ", ".join(parts)


def size(lesion: LesionRecord) -> str:
    """Its two diameters, else its volume, else its area."""
    if lesion.longest_diameter is not None and lesion.perpendicular_diameter is not None:
        digits, said = (1, "mm") if lesion.unit == "mm" else (0, "px (pixel spacing unknown)")
        longest, across = lesion.longest_diameter, lesion.perpendicular_diameter
        return f"{longest:.{digits}f} x {across:.{digits}f} {said}"
    if lesion.volume is not None:
        return (
            f"{lesion.volume / 1000:.2f} cm3" if lesion.unit == "mm" else f"{lesion.pixels} voxels"
        )
    return f"{lesion.area:.3g} {lesion.unit}2" if lesion.area is not None else f"{lesion.pixels} px"


def plural(noun: str) -> str:
    """Several of them: lesions, nuclei."""
    return f"{noun[:-2]}i" if noun.endswith("us") else f"{noun}s"
