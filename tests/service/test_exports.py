"""What other programs and people read."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image as Pillow

from breastseg.io.volume import read_volume

from .conftest import Json, Upload, disc, png_of

NOT_A_DEVICE = b"Research tool, not a medical device"


@pytest.fixture
def version(client: TestClient, upload: Upload) -> str:
    """The place of a version of the dark disc, a ring with a hole, in millimetres."""
    scan = upload()["id"]
    client.put(f"/api/scans/{scan}/images/0/spacing", json={"spacing_mm": [0.1, 0.2]})
    ring = disc(radius=15) & ~disc(radius=5)
    place = f"/api/scans/{scan}/images/0/versions"
    drawn = png_of(np.where(ring, 255, 0).astype(np.uint8))
    answer = client.post(place, files={"mask": drawn}, data={"note": "Größe prüfen ≥ 3"})
    assert answer.status_code == 201, answer.text
    return f"{place}/1/exports"


def test_a_mask_comes_back_in_every_format(
    client: TestClient, version: str, tmp_path: Path
) -> None:
    ring = disc(radius=15) & ~disc(radius=5)
    png = np.array(Pillow.open(io.BytesIO(client.get(f"{version}/mask.png").content)))
    np.testing.assert_array_equal(png > 0, ring)

    nifti = tmp_path / "mask.nii.gz"
    nifti.write_bytes(client.get(f"{version}/mask.nii.gz").content)
    volume = read_volume(nifti)
    np.testing.assert_array_equal(volume.array[0, 0], ring)
    assert volume.grid.spacing_mm == pytest.approx((1, 0.1, 0.2))

    coco = client.get(f"{version}/coco.json").json()
    (lesion,) = coco["annotations"]
    size, counts = lesion["segmentation"]["size"], lesion["segmentation"]["counts"]
    flat = np.repeat(np.arange(len(counts)) % 2, counts)
    np.testing.assert_array_equal(flat.reshape(size[::-1]).T, ring)
    assert lesion["bbox"] == [49, 33, 31, 31]


def test_a_region_without_holes_is_a_polygon(client: TestClient) -> None:
    example = client.post("/api/examples/ultrasound-dicom").json()
    scan, offered = example["id"], [one["dicom"] for one in example["images"]]
    assert offered == [True]
    body = {"scan": scan, "method": "ultrasound-fast"}
    made = client.post("/api/segmentations", json=body).json()
    exports = f"/api/segmentations/{made['id']}/exports"
    lesion = client.get(f"{exports}/coco.json").json()["annotations"][0]
    polygon = np.array(lesion["segmentation"][0]).reshape(-1, 2)
    x, y = polygon[:, 0], polygon[:, 1]
    assert abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2 == lesion["area"]
    _check_dicom(client, exports, made)
    place = f"/api/scans/{scan}/images/0/versions"
    mask = client.get(f"/api/segmentations/{made['id']}/mask.png").content
    kept = client.post(place, files={"mask": ("mask.png", mask)})
    assert kept.status_code == 201, kept.text
    exports = f"{place}/{kept.json()['number']}/exports"
    _check_dicom(client, exports, kept.json(), "SEMIAUTOMATIC")  # a person has kept it


def _check_dicom(client: TestClient, exports: str, made: Json, kind: str = "AUTOMATIC") -> None:
    from pydicom import dcmread

    for name, modality in (("seg.dcm", "SEG"), ("sr.dcm", "SR"), ("ps.dcm", "PR")):
        answer = client.get(f"{exports}/{name}")
        assert answer.status_code == 200, answer.text
        one = dcmread(io.BytesIO(answer.content))
        assert modality == one.Modality
        if name == "seg.dcm":
            kinds = {segment.SegmentAlgorithmType for segment in one.SegmentSequence}
            assert kinds == {kind}
            lesions = made["document"]["entries"][0]["lesions"]
            assert int(one.pixel_array.sum()) == sum(each["pixels"] for each in lesions)


@pytest.mark.parametrize("name", ["report.html", "report.pdf", "results.json", "results.csv"])
def test_files_for_people_and_tables_are_whole(client: TestClient, version: str, name: str) -> None:
    answer = client.get(f"{version}/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    content = answer.content
    if name == "report.pdf":
        assert content.startswith(b"%PDF")
    elif name == "report.html":
        assert NOT_A_DEVICE in content
        assert "Größe prüfen ≥ 3".encode() in content
        assert b"http" not in content
    elif name == "results.json":
        assert json.loads(content)["entries"][0]["lesions"][0]["unit"] == "mm"
    else:
        assert content.count(b"\n") == 2


def test_a_method_that_must_not_be_trusted_says_so_in_its_report(client: TestClient) -> None:
    scan = client.post("/api/examples/mammogram").json()["id"]
    body = {"scan": scan, "method": "mammography"}
    made = client.post("/api/segmentations", json=body).json()
    page = client.get(f"/api/segmentations/{made['id']}/exports/report.html").text
    assert "in an image without a lesion is unknown" in page


def test_what_cannot_be_made_says_why(client: TestClient, upload: Upload) -> None:
    uploaded = upload()
    scan, offered = uploaded["id"], [one["dicom"] for one in uploaded["images"]]
    assert offered == [False]
    body = {"scan": scan, "method": "otsu", "prompt": {"inside": [[48, 64]]}}
    made = client.post("/api/segmentations", json=body).json()
    exports = f"/api/segmentations/{made['id']}/exports"
    for name, said in (("mask.nii.gz", "spacing"), ("seg.dcm", "DICOM")):
        answer = client.get(f"{exports}/{name}")
        assert answer.status_code == 422
        assert said in answer.json()["detail"]
    assert client.get(f"{exports}/evil.exe").status_code == 422
    assert client.get(f"{exports}/sentence.txt").text.startswith("Lesion 1: ")
