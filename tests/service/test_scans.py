"""Uploading, listing and looking at scans."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image as Pillow
from tests.dicom.subjects import phantoms, saved
from tests.golden.image_files import other_dicom_files

from breastseg.io.open import open_images
from breastseg.io.volume_series import read_series
from breastseg.service.app import create_app
from breastseg.service.settings import Limits, Settings

from .conftest import Upload, dark_disc, disc, png_of


def _zip(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_an_upload_is_a_scan_named_by_its_content(client: TestClient, upload: Upload) -> None:
    scan = upload()
    again = upload(**{"other name.png": dark_disc()})
    assert again["id"] == scan["id"]
    (image,) = scan["images"]
    assert (image["kind"], image["shape"], image["frames"]) == ("image", [96, 128], 1)
    assert (image["spacing_mm"], image["dtype"], image["low"], image["high"]) == (
        None,
        "uint8",
        40.0,
        160.0,
    )
    assert client.get("/api/scans").json() == [scan]
    assert client.get(f"/api/scans/{scan['id']}").json() == scan


def test_an_archive_gives_its_images_and_names_are_no_paths(upload: Upload) -> None:
    archive = _zip(**{"../../evil.png": dark_disc(), "a/.hidden": b"x", "notes.txt": b"hello"})
    scan = upload(**{"study.zip": archive})
    assert [image["name"] for image in scan["images"]] == ["evil.png"]


def test_what_cannot_be_read_is_told_beside_what_can(upload: Upload) -> None:
    scan = upload(**{"good.png": dark_disc(), "bad.png": dark_disc()[:200]})
    assert len(scan["images"]) == 1
    assert [problem["name"] for problem in scan["problems"]] == ["bad.png"]


def test_images_of_kinds_that_are_not_read_are_told_by_content_and_by_name(upload: Upload) -> None:
    members = {"loop.gif": b"GIF89a" + bytes(40), "IM2": b"RIFF\x24\0\0\0WEBP", "empty.heic": b""}
    scan = upload(**{"study.zip": _zip(**{"a.png": dark_disc(), "notes.txt": b"hello"}, **members)})
    assert {problem["name"] for problem in scan["problems"]} == {*members}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("notes.txt", b"hello", "no image"),
        ("bad.png", dark_disc()[:200], "bad.png"),
        ("bomb.zip", _zip(**{"bomb.png": bytes(2**24)}), "archive"),
        ("torn.zip", _zip(**{"a.png": dark_disc()})[:-30], "damaged"),
    ],
)
def test_an_upload_without_an_image_is_refused(
    client: TestClient, name: str, data: bytes, said: str
) -> None:
    answer = client.post("/api/scans", files=[("files", (name, data))])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert answer.json()["found"]


def test_what_is_too_much_is_refused_with_what_was_found(tmp_path: Path) -> None:
    limits = Limits(upload_mib=1, upload_files=2)
    settings = Settings(tmp_path, limits=limits)
    noise = np.random.default_rng(0).integers(0, 256, 2**20 + 9, np.uint8).tobytes()
    uploads = (
        ({"large.png": noise}, 413),
        ({"large.zip": _zip(**{"a.png": bytes(2**19), "b.png": bytes(2**19 + 1)})}, 422),
        ({"many.zip": _zip(**{f"{number}.png": dark_disc() for number in range(3)})}, 422),
        ({f"{number}.png": dark_disc() for number in range(3)}, 400),
    )
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        for files, status in uploads:
            parts = [("files", (name, data)) for name, data in files.items()]
            answer = client.post("/api/scans", files=parts)
            assert (answer.status_code, bool(answer.json()["found"])) == (status, True)


def test_pixels_are_those_of_the_file(client: TestClient, upload: Upload) -> None:
    grey = np.arange(96 * 128, dtype=np.uint16).reshape(96, 128)
    scan = upload(**{"deep.png": png_of(grey)})
    answer = client.get(f"/api/scans/{scan['id']}/images/0/pixels")
    assert answer.headers["x-shape"] == "96,128"
    assert answer.headers["x-spacing-mm"] == ""
    pixels = np.frombuffer(answer.content, np.dtype(answer.headers["x-dtype"]).newbyteorder("<"))
    np.testing.assert_array_equal(pixels.reshape(96, 128), grey)


def test_the_display_is_windowed(client: TestClient, upload: Upload) -> None:
    scan = upload()
    shown = client.get(
        f"/api/scans/{scan['id']}/images/0/display.png", params={"low": 40, "high": 100}
    )
    picture = np.array(Pillow.open(io.BytesIO(shown.content)))
    np.testing.assert_array_equal(picture, np.where(disc(), 0, 255))


def test_a_spacing_is_stated_where_the_file_has_none(client: TestClient, upload: Upload) -> None:
    scan = upload()
    place = f"/api/scans/{scan['id']}/images/0/spacing"
    (image,) = client.put(place, json={"spacing_mm": [0.1, 0.2]}).json()["images"]
    assert (image["spacing_mm"], image["spacing_from"]) == ([0.1, 0.2], "user")
    assert client.put(place, json={"spacing_mm": [0, 1]}).status_code == 422
    assert client.put(place, json={"spacing_mm": [1000, 1]}).status_code == 422

    stated = client.post("/api/examples/ultrasound").json()
    refused = client.put(f"/api/scans/{stated['id']}/images/0/spacing", json={"spacing_mm": [1, 1]})
    assert refused.status_code == 409


def test_slices_of_a_series_are_one_volume_with_its_phases(client: TestClient) -> None:
    scan = client.post("/api/examples/mri").json()
    (image,) = scan["images"]
    assert (image["kind"], image["channels"], image["frames"]) == ("volume", 2, image["shape"][0])
    place = f"/api/scans/{scan['id']}/images/0/pixels"
    whole = client.get(place)
    assert whole.headers["x-shape"] == ",".join(map(str, image["shape"]))
    volume = np.frombuffer(whole.content, whole.headers["x-dtype"]).reshape(image["shape"])
    part = client.get(place, params={"frame": 3})
    np.testing.assert_array_equal(
        np.frombuffer(part.content, part.headers["x-dtype"]).reshape(image["shape"][1:]), volume[3]
    )
    other = client.get(place, params={"frame": 3, "phase": 1})
    assert other.content != part.content
    assert client.get(place, params={"frame": 99}).status_code == 422
    assert client.get(place, params={"phase": 2}).status_code == 422


def test_an_enhanced_object_is_a_volume_as_its_slices_would_be(
    upload: Upload, client: TestClient, tmp_path: Path
) -> None:
    phantom = phantoms()["mr-enhanced"]
    sent = {
        "enhanced.dcm": saved(phantom.objects[0]),
        "tomosynthesis.dcm": saved(phantoms()["mg-tomo"].objects[0]),
    }
    scan = upload(**sent)
    volume, frames = scan["images"]
    assert phantom.grid is not None
    assert (volume["kind"], tuple(volume["shape"])) == ("volume", phantom.grid.shape)
    assert (volume["channels"], len(volume["phases"])) == (2, 2)
    # tomosynthesis is seen frame by frame
    assert (frames["kind"], frames["frames"]) == ("image", 9)
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "enhanced.dcm").write_bytes(sent["enhanced.dcm"])
    known = read_series(alone).array
    for phase in (0, 1):
        got = client.get(
            f"/api/scans/{scan['id']}/images/0/pixels", params={"frame": 3, "phase": phase}
        )
        pixels = np.frombuffer(got.content, got.headers["x-dtype"]).reshape(known.shape[2:])
        np.testing.assert_array_equal(pixels, known[phase, 3])


def test_frames_of_a_cine_loop_are_one_image(client: TestClient) -> None:
    scan = client.post("/api/examples/ultrasound-cine").json()
    (image,) = scan["images"]
    assert image["frames"] == 6
    place = f"/api/scans/{scan['id']}/images/0/display.png"
    assert (
        client.get(place, params={"frame": 0}).content
        != client.get(place, params={"frame": 5}).content
    )


def test_what_is_not_there_is_not_found(client: TestClient, upload: Upload) -> None:
    assert client.get(f"/api/scans/{'0' * 32}").status_code == 404
    assert client.get("/api/scans/../../etc/passwd").status_code == 404
    assert client.get(f"/api/scans/{upload()['id']}/images/1/pixels").status_code == 404
    assert client.post("/api/examples/none").status_code == 404


def test_parts_with_scales_of_their_own_are_told(client: TestClient, upload: Upload) -> None:
    # a lesion measured by the scale of another part would have wrong millimetres in silence
    file = dict(other_dicom_files())["regions.dcm"]
    (image,) = upload(**{"regions.dcm": file})["images"]
    (read,) = open_images(io.BytesIO(file), "regions.dcm")
    assert read.grid.regions
    assert [(part["box"], part["spacing_mm"]) for part in image["regions"]] == [
        ([*one.box.start, *one.box.stop], one.spacing_mm and list(one.spacing_mm))
        for one in read.grid.regions
    ]
