"""Contours on a slide as GeoJSON (RFC 7946), in the form that QuPath reads as annotations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.io.write import replacing


@dataclass(frozen=True, eq=False)
class Feature:
    """One polygon.

    Attributes:
        rings: (n, 2) corners as (row, column) each, the outer one first and then the holes; the
            last corner is joined to the first.
        measurements: what is shown beside it, by name.
    """

    rings: Sequence[NDArray[np.generic]]
    measurements: dict[str, float]


def write_geojson(
    path: Path,
    features: Iterable[Feature],
    name: str = "Tumor",
    rgb: tuple[int, int, int] = (240, 170, 0),
    scale: float = 1.0,
    size: tuple[int, int] | None = None,
) -> int:
    """Write polygons as annotations of one class, whole or not at all.

    Each is written as it comes. Coordinates are (x, y), column before row, in pixels of the slide's
    full resolution, whose first pixel reaches from 0 to 1; they have two decimals at most.

    Args:
        path: the file to write.
        features: the polygons.
        name: of the class; ``"Tumor"`` is one of QuPath's own.
        rgb: its colour.
        scale: what corners are multiplied with.
        size: (rows, columns) of the slide, to which corners are held.

    Returns:
        The number of polygons.

    Raises:
        InputError: the file cannot be written.
    """
    properties = {"objectType": "annotation", "classification": {"name": name, "color": list(rgb)}}
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for count, feature in enumerate(features, start=1):
            rings = [_coordinates(ring, scale, size) for ring in feature.rings]
            text = json.dumps(
                {
                    "type": "Feature",
                    "geometry": {"type": "Polygon", "coordinates": rings},
                    "properties": {**properties, "measurements": feature.measurements},
                },
                separators=(",", ":"),
                allow_nan=False,
            )
            file.write((",\n" if count > 1 else "\n") + text)
        file.write("\n]}\n")
    return count


def _coordinates(
    ring: NDArray[np.generic], scale: float, size: tuple[int, int] | None
) -> list[list[float]]:
    """Closed, (x, y); whole numbers without a point."""
    corners = ring.astype(np.float64) * scale
    if size is not None:
        corners = np.clip(corners, 0, size)
    corners = np.round(corners[:, ::-1], 2)
    closed = np.vstack((corners, corners[:1]))
    return [[_short(x), _short(y)] for x, y in closed.tolist()]


def _short(value: float) -> float:
    return int(value) if value == int(value) else value
