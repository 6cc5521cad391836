"""Inner and outer contours through the API, for a bundle that was calibrated for them."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image as Pillow

import breastseg
from breastseg.core.errors import InputError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.inference.catalogue import shipped_bundles
from breastseg.service.app import create_app
from breastseg.service.settings import Settings

from .conftest import dark_disc, disc

ID = "ab" * 16
NAME = "trained-discs-2026-11-30"


@pytest.fixture
def calibrated(tmp_path: Path) -> Path:
    """The fast bundle with a margin of 0.9, as a bundle that was trained in the service."""
    folder = tmp_path / "service" / "trained" / ID
    shutil.copytree(shipped_bundles()["ultrasound-fast"], folder)
    described = json.loads((folder / "bundle.json").read_text())
    described["name"] = NAME
    described["conformal"] = {
        "calibrated_on": "discs",
        "patients": 40,
        "missed": 0.0,
        "margins": [{"coverage": 0.9, "outer": 0.1, "inner": 0.1}],
        "missed_area": [],
    }
    (folder / "bundle.json").write_text(json.dumps(described))
    return folder


@pytest.fixture
def client(tmp_path: Path, calibrated: Path) -> Iterator[TestClient]:
    assert calibrated.is_dir()
    settings = Settings(tmp_path / "service", threads=1)
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        yield client


def test_the_contours_of_a_calibrated_bundle(client: TestClient) -> None:
    scan = client.post("/api/scans", files=[("files", ("disc.png", dark_disc()))]).json()["id"]
    methods = {one["name"]: one["margins"] for one in client.get("/api/methods").json()}
    assert methods[NAME] == [0.9]
    assert methods["otsu"] == methods["ultrasound-fast"] == []
    assert methods["ultrasound"] == [0.8, 0.9, 0.95]
    body = {"scan": scan, "method": NAME, "margin": 0.9}
    made = client.post("/api/segmentations", json=body).json()
    lesion = made["document"]["entries"][0]["lesions"][0]
    assert lesion["margin"]["coverage"] == 0.9
    place = f"/api/segmentations/{made['id']}"
    levels = np.asarray(Pillow.open(io.BytesIO(client.get(f"{place}/margin.png").content)))
    mask = np.asarray(Pillow.open(io.BytesIO(client.get(f"{place}/mask.png").content))) > 0
    assert set(np.unique(levels)) == {0, 128, 255}
    assert mask[levels == 255].all()
    assert not mask[levels == 0].any()
    assert client.get(f"{place}/exports/overlay.png").status_code == 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"margin": 0.5}, "no margin of coverage 0.5"),
        ({"method": "otsu"}, "without calibrated margins"),
        ({"threshold": 0.7}, "without calibrated margins"),
        ({"prompt": {"inside": [[48, 64]]}}, "a margin with a prompt"),
    ],
)
def test_a_margin_that_does_not_hold_is_refused(
    client: TestClient, change: dict[str, object], said: str
) -> None:
    scan = client.post("/api/scans", files=[("files", ("disc.png", dark_disc()))]).json()["id"]
    body = {"scan": scan, "method": NAME, "margin": 0.9, **change}
    answer = client.post("/api/segmentations", json=body)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_the_front_door_gives_the_same_contours(calibrated: Path) -> None:
    image = Image(np.where(disc(), 40, 160).astype(np.uint8)[None], Grid((96, 128)))
    (margin,) = breastseg.lesion_margins(breastseg.segment(image, calibrated, margin=0.9))
    outer, inner = margin.masks((96, 128))
    assert outer.sum() > inner.sum() > 0
    with pytest.raises(InputError, match="without a margin"):
        breastseg.lesion_margins(breastseg.segment(image, calibrated))
    with pytest.raises(InputError, match="without calibrated margins"):
        breastseg.segment(image, "otsu", margin=0.9)
