"""The kinds of lesion on which methods are looked at apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from breastseg.evaluation.comparison.cell import Comparison, Traits
from breastseg.evaluation.run import Row
from breastseg.evaluation.summary import LARGE, LARGE_CM3, SMALL, SMALL_CM3, size_of

FEWEST = 10
"""A scanner with fewer images is no group."""

_Belongs = Callable[[Row, Traits], bool]


def subgroups(comparison: Comparison) -> Mapping[str, frozenset[str]]:
    """The keys of the images with a lesion in each group, by the group's name.

    Small, medium and large go by the fraction of the image that is lesion, those of volumes by
    cubic centimetres. Low contrast is the quarter of the images compared that is lowest in it, an
    irregular border the highest quarter; an image on the boundary of thirds or quarters is in the
    lower part. A group without an image is left out, and so is a source that all images are from.
    """
    cases = [
        (cell.row, comparison.traits[cell.row.key])
        for cell in comparison.cells[comparison.baseline]
        if cell.row.has_lesion
    ]
    of_volumes = comparison.of_volumes
    groups: dict[str, _Belongs] = {
        **_by_kind(of_volumes),
        **_by_part([traits for _, traits in cases], "voxels" if of_volumes else "pixels"),
        **_by_origin([row for row, _ in cases]),
    }
    members = {
        name: frozenset(row.key for row, traits in cases if belongs(row, traits))
        for name, belongs in groups.items()
    }
    return {name: keys for name, keys in members.items() if keys}


def _by_kind(of_volumes: bool) -> Mapping[str, _Belongs]:
    low, high = f"{SMALL:.0%}", f"{LARGE:.0%}"
    if of_volumes:
        low, high = f"{SMALL_CM3:g} cm3", f"{LARGE_CM3:g} cm3"
    return {
        "benign": lambda row, _: row.label == "benign",
        "malignant": lambda row, _: row.label == "malignant",
        f"small, below {low}": lambda row, _: size_of(row) == "small",
        f"medium, {low} to {high}": lambda row, _: size_of(row) == "medium",
        f"large, above {high}": lambda row, _: size_of(row) == "large",
    }


def _by_part(known: Sequence[Traits], unit: str) -> Mapping[str, _Belongs]:
    """Groups whose bounds are those of the images compared."""
    first, second = _cuts([t.area_px for t in known if t.area_px > 0], 1 / 3, 2 / 3)
    (faint,) = _cuts([t.contrast for t in known if t.contrast is not None], 1 / 4)
    (ragged,) = _cuts([t.irregularity for t in known if t.irregularity is not None], 3 / 4)
    return {
        f"smallest third by {unit}": lambda _, t: 0 < t.area_px <= first,
        f"middle third by {unit}": lambda _, t: first < t.area_px <= second,
        f"largest third by {unit}": lambda _, t: t.area_px > second,
        "low contrast": lambda _, t: t.contrast is not None and t.contrast <= faint,
        "contrast not low": lambda _, t: t.contrast is not None and t.contrast > faint,
        "irregular border": lambda _, t: t.irregularity is not None and t.irregularity > ragged,
        "border not irregular": lambda _, t: (
            t.irregularity is not None and t.irregularity <= ragged
        ),
    }


def _by_origin(rows: Sequence[Row]) -> Mapping[str, _Belongs]:
    sources = sorted({row.source for row in rows})
    scanners = Counter(row.scanner for row in rows if row.scanner)
    groups = {f"source {name}": _of_source(name) for name in sources if len(sources) > 1}
    for name, number in sorted(scanners.items()):
        if number >= FEWEST:
            groups[f"scanner {name}"] = _of_scanner(name)
    return groups


def _of_source(name: str) -> _Belongs:
    return lambda row, _: row.source == name


def _of_scanner(name: str) -> _Belongs:
    return lambda row, _: row.scanner == name


def _cuts(values: Sequence[float], *parts: float) -> list[float]:
    """The values below which these parts of all lie."""
    return np.quantile(values, parts).tolist() if values else [0.0] * len(parts)
