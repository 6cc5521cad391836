"""GeoJSON as QuPath reads it."""

import json
from pathlib import Path

import numpy as np

from breastseg.io.geojson import Feature, write_geojson
from breastseg.measure.polygons import polygons


def test_features_are_annotations_in_pixels_of_the_slide(tmp_path: Path) -> None:
    mask = np.ones((5, 6), bool)
    mask[2, 3] = False
    path = tmp_path / "lesions.geojson"
    found = (Feature(p.rings, {"Area px": float(p.area_px)}) for p in polygons(mask))
    assert write_geojson(path, found, scale=2.5, size=(12, 15)) == 1
    document = json.loads(path.read_text())
    assert document["type"] == "FeatureCollection"
    (feature,) = document["features"]
    assert feature["type"] == "Feature"
    assert feature["properties"] == {
        "objectType": "annotation",
        "classification": {"name": "Tumor", "color": [240, 170, 0]},
        "measurements": {"Area px": 29.0},
    }
    assert feature["geometry"]["type"] == "Polygon"
    outer, hole = feature["geometry"]["coordinates"]
    # x before y, closed, held to the slide
    assert outer == [[0, 0], [15, 0], [15, 12], [0, 12], [0, 0]]
    assert hole[0] == hole[-1]
    assert {tuple(corner) for corner in hole} == {(7.5, 5), (10, 5), (10, 7.5), (7.5, 7.5)}

    def turns(ring: list[list[float]]) -> float:
        (x, y), (x2, y2) = np.transpose(ring[:-1]), np.transpose(ring[1:])
        return float((x * y2 - x2 * y).sum())

    assert turns(outer) > 0 > turns(hole)


def test_nothing_outlined(tmp_path: Path) -> None:
    assert write_geojson(tmp_path / "none.geojson", ()) == 0
    text = (tmp_path / "none.geojson").read_text()
    assert json.loads(text) == {"type": "FeatureCollection", "features": []}
