"""A result beside its prior through the API: a disc that has grown by a known amount."""

from __future__ import annotations

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.service.conftest import Json, Upload, disc, png_of


def drawn(client: TestClient, scan: Json, radius: int) -> Json:
    """A version with a disc, on an image of 0.2 mm a pixel."""
    place = f"/api/scans/{scan['id']}/images/0"
    client.put(f"{place}/spacing", json={"spacing_mm": [0.2, 0.2]})
    mask = png_of(disc(radius=radius).astype(np.uint8) * 255)
    answer = client.post(f"{place}/versions", files={"mask": mask})
    assert answer.status_code == 201, answer.text
    return {"scan": scan["id"], "version": answer.json()["number"]}


@pytest.fixture
def refs(client: TestClient, upload: Upload) -> tuple[Json, Json]:
    """The present disc of radius 24 and the prior one of radius 20."""
    now, prior = (
        upload(**{f"{radius}.png": png_of(np.where(disc(radius=radius), 40, 160).astype(np.uint8))})
        for radius in (24, 20)
    )
    return drawn(client, now, 24), drawn(client, prior, 20)


def test_growth_is_measured_in_mm_and_per_cent(client: TestClient, refs: tuple[Json, Json]) -> None:
    now, prior = refs
    answer = client.post("/api/comparisons", json={"now": now, "prior": prior})
    assert answer.status_code == 200, answer.text
    (pair,) = answer.json()["document"]["entries"][0]["prior"]["pairs"]
    assert (pair["number"], pair["prior_number"]) == (1, 1)
    assert pair["growth_mm"] == pytest.approx(8 * 0.2, abs=0.1)  # between corners of pixels
    assert pair["growth_percent"] == pytest.approx(100 * 8 / 41, abs=1)
    assert "of the prior" in answer.json()["sentences"][-1]
    stated = {"now": now, "prior": prior, "pairs": []}
    parted = client.post("/api/comparisons", json=stated).json()["document"]["entries"][0]["prior"]
    assert [sorted(one) for one in parted["pairs"]] == [["number"], ["prior_number"]]


def test_a_result_of_one_frame_is_not_taken_for_another(client: TestClient) -> None:
    scan = client.post("/api/examples/ultrasound-cine").json()["id"]
    asked = {"scan": scan, "frame": 2, "method": "otsu"}
    made = client.post("/api/segmentations", json=asked).json()["id"]

    def compared(**frame: int) -> int:
        one = {"segmentation": made, **frame}
        return client.post("/api/comparisons", json={"now": one, "prior": one}).status_code

    assert [compared(), compared(frame=2), compared(frame=0)] == [200, 200, 404]


def test_a_result_is_named_in_one_way(client: TestClient, refs: tuple[Json, Json]) -> None:
    both = {**refs[0], "segmentation": "0" * 32}
    answer = client.post("/api/comparisons", json={"now": both, "prior": refs[1]})
    assert answer.status_code == 422
    missing = {"now": {"segmentation": "0" * 32}, "prior": refs[1]}
    assert client.post("/api/comparisons", json=missing).status_code == 404
