"""Segmenting at once and as a job, and versions by hand."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image as Pillow

from breastseg.front_door import open_segmenter
from breastseg.inference.bundle_folder import DESCRIPTION
from breastseg.inference.catalogue import shipped_bundles
from breastseg.io.ruler import RULER_RGB
from breastseg.service.methods import Methods
from breastseg.service.segmenting import Outcome, identity, labels_of_png, segmented
from breastseg.service.wire import SegmentationRequest

from .conftest import Json, Upload, disc, png_of


def _segment(client: TestClient, **request: object) -> Json:
    answer = client.post("/api/segmentations", json=request)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def _mask(client: TestClient, place: str, **where: int) -> np.ndarray:
    return np.array(Pillow.open(io.BytesIO(client.get(f"{place}/mask.png", params=where).content)))


def _followed(client: TestClient, job: str) -> list[Json]:
    """All that a job's stream of events says, until it ends."""
    with client.stream("GET", f"/api/jobs/{job}/events") as stream:
        lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def test_methods_say_what_they_take(client: TestClient) -> None:
    methods = {one["name"]: one for one in client.get("/api/methods").json()}
    assert methods["ultrasound"]["digest"]
    assert methods["ultrasound"]["remarks"] == []
    assert "synthetic" in methods["mri-phantom"]["remarks"][0]
    assert "without a lesion" in methods["mammography"]["remarks"][0]
    mu = methods["chan-vese"]["parameters"]["properties"]["mu"]
    assert mu["type"] == "number"
    assert mu["minimum"] < mu["default"] < mu["maximum"]
    assert mu["description"]


def test_an_image_is_segmented_at_once_and_the_same_again(
    client: TestClient, upload: Upload
) -> None:
    scan = upload()
    request = {"scan": scan["id"], "method": "otsu", "prompt": {"inside": [[48, 64]]}}
    first = _segment(client, **request)
    assert first["state"] == "done"
    assert first["milliseconds"] is not None
    assert _segment(client, **request)["id"] == first["id"]
    (lesion,) = first["document"]["entries"][0]["lesions"]
    assert lesion["unit"] == "px"
    place = f"/api/segmentations/{first['id']}"
    mask = _mask(client, place) > 0
    assert np.count_nonzero(mask) == lesion["pixels"]
    assert np.count_nonzero(mask != disc()) < 100
    raw = client.get(f"{place}/probability")
    probability = np.frombuffer(raw.content, "<f4").reshape(96, 128)
    np.testing.assert_array_equal(probability >= 0.5, mask)


def test_a_stated_spacing_makes_another_result_in_millimetres(
    client: TestClient, upload: Upload
) -> None:
    scan = upload()
    request = {"scan": scan["id"], "method": "otsu", "prompt": {"box": [20, 30, 80, 100]}}
    before = _segment(client, **request)
    client.put(f"/api/scans/{scan['id']}/images/0/spacing", json={"spacing_mm": [0.1, 0.1]})
    after = _segment(client, **request)
    assert after["id"] != before["id"]
    one, other = (each["document"]["entries"][0]["lesions"][0] for each in (before, after))
    assert (one["unit"], other["unit"]) == ("px", "mm")
    assert np.isclose(other["longest_diameter"], one["longest_diameter"] / 10, rtol=1e-3)


def test_parameters_are_held_to_their_bounds(client: TestClient, upload: Upload) -> None:
    scan = upload()["id"]
    for wrong in (
        {"method": "chan-vese", "parameters": {"mu": -1}},
        {"method": "chan-vese", "parameters": {"nu": 1}},
        {"method": "ultrasound", "parameters": {"mu": 1}},
        {"method": "/etc"},
        {"method": "otsu", "prompt": {"inside": [[1000, 1]]}},
        {"method": "mri-phantom"},
        {"method": "otsu", "frame": 3},
    ):
        answer = client.post("/api/segmentations", json={"scan": scan, **wrong})
        assert answer.status_code == 422, wrong
        assert answer.json()["detail"]


def test_what_a_method_does_not_take_is_refused_before_a_job_is_begun(client: TestClient) -> None:
    loop = client.post("/api/examples/ultrasound-cine").json()["id"]
    volume = client.post("/api/examples/mri").json()["id"]
    for wrong, needle in (
        ({"method": "otsu", "parameters": {"shfit": 0.1}}, "one of lesion, context"),
        ({"method": "otsu", "parameters": {"shift": 1e9}}, "shift = 1000000000.0"),
        ({"method": "ultrasound", "parameters": {"mu": 1}}, "none: it is a network"),
        ({"method": "otsu", "margin": 0.9}, "calibrated margins"),
        ({"method": "grab-cut", "prompt": {"scribble": "?"}}, "base64"),
        ({"method": "mri-phantom", "scan": volume, "parameters": {"mu": 1}}, "it is a network"),
        ({"method": "mri-phantom", "scan": volume, "prompt": {"inside": [[9, 9]]}}, "a prompt"),
    ):
        answer = client.post("/api/segmentations", json={"scan": loop, **wrong})
        assert answer.status_code == 422, wrong
        assert needle in answer.json()["detail"]
    assert client.get("/api/jobs").json() == []


def test_a_scribble_is_a_prompt(client: TestClient, upload: Upload) -> None:
    import base64

    scribble = np.zeros((96, 128), np.uint8)
    scribble[48, 60:70] = 1
    scribble[5, 5:100] = 2
    text = base64.b64encode(png_of(scribble)).decode()
    made = _segment(client, scan=upload()["id"], method="random-walker", prompt={"scribble": text})
    assert made["document"]["entries"][0]["lesions"]


def test_a_cine_loop_is_a_job_whose_frames_are_those_of_the_method(client: TestClient) -> None:
    scan = client.post("/api/examples/ultrasound-cine").json()
    made = _segment(client, scan=scan["id"], method="ultrasound-fast")
    assert made["state"] in ("queued", "running")
    events = _followed(client, made["job"])
    assert events[-1]["state"] == "done"
    done = client.get(f"/api/segmentations/{made['id']}").json()
    assert [entry["frame"] for entry in done["document"]["entries"]] == [1, 2, 3, 4, 5, 6]
    frame = _segment(client, scan=scan["id"], method="ultrasound-fast", frame=4)
    np.testing.assert_array_equal(
        _mask(client, f"/api/segmentations/{made['id']}", frame=4),
        _mask(client, f"/api/segmentations/{frame['id']}"),
    )


def test_a_lost_map_is_computed_again(client: TestClient, upload: Upload) -> None:
    made = _segment(client, scan=upload()["id"], method="otsu", prompt={"inside": [[48, 64]]})
    place = f"/api/segmentations/{made['id']}"
    before = _mask(client, place)
    client.app.state.service.results.path(made["id"]).unlink()  # type: ignore[attr-defined]
    np.testing.assert_array_equal(_mask(client, place), before)


def test_a_lost_map_of_a_method_that_has_changed_is_not_another_map(
    client: TestClient, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = upload()["id"]
    service = client.app.state.service  # type: ignore[attr-defined]
    row = _segment(client, scan=scan, method="otsu", prompt={"inside": [[48, 64]]})
    place = f"/api/segmentations/{row['id']}"
    before = _mask(client, place)
    # The same lesions by another version of the software are the same result.
    monkeypatch.setattr("breastseg.service.segmenting.__version__", "9")
    service.results.path(row["id"]).unlink()
    np.testing.assert_array_equal(_mask(client, place), before)

    def larger(body: SegmentationRequest, *rest: Any) -> Outcome:  # noqa: ANN401
        return segmented(body.model_copy(update={"parameters": {"shift": 0.2}}), *rest)

    monkeypatch.setattr("breastseg.service.routes.segmentations.segmented", larger)
    service.results.path(row["id"]).unlink()
    refused = client.get(f"{place}/mask.png")
    assert refused.status_code == 409
    assert "a method that has changed since" in refused.json()["detail"]


def test_another_operating_point_makes_another_result(tmp_path: Path) -> None:
    source, names = shipped_bundles()["ultrasound-fast"], []
    for threshold in (0.2, 0.6):
        folder = tmp_path / str(threshold) / "mine"
        shutil.copytree(source, folder)
        description = json.loads((folder / DESCRIPTION).read_text())
        description["name"] = "mine"
        description["output"]["threshold"] = threshold
        (folder / DESCRIPTION).write_text(json.dumps(description))
        method = Methods(1, folder.parent).one("mine")
        assert method.digest == description["weights_sha256"]
        request = SegmentationRequest(scan="0" * 32, method="mine")
        names.append(identity(request, None, method))
        assert names[-1] == identity(request, None, Methods(1, folder.parent).one("mine"))
    assert names[0] != names[1]


def test_a_result_of_one_frame_answers_for_no_other(client: TestClient) -> None:
    scan = client.post("/api/examples/ultrasound-cine").json()["id"]
    made = _segment(client, scan=scan, frame=2, method="otsu", prompt={"inside": [[99, 99]]})
    for part in ("mask.png", "mask", "probability", "exports/overlay.png"):
        place = f"/api/segmentations/{made['id']}/{part}"
        asked = [{}, {"frame": 2}, {"frame": 0}, {"frame": 5}]
        answers = [client.get(place, params=one).status_code for one in asked]
        assert answers == [200, 200, 404, 404], part


def test_a_result_in_another_scale_than_holds_now_is_not_exported(
    client: TestClient, upload: Upload
) -> None:
    scan = upload()["id"]
    made = _segment(client, scan=scan, method="otsu")
    place = f"/api/segmentations/{made['id']}/exports/results.json"
    assert client.get(place).status_code == 200
    client.put(f"/api/scans/{scan}/images/0/spacing", json={"spacing_mm": [0.1, 0.2]})
    refused = client.get(place)
    assert refused.status_code == 409
    said = refused.json()["detail"]
    assert "measured in pixels" in said
    assert "at 0.1 x 0.2 mm a pixel" in said
    one = {"segmentation": made["id"]}
    assert client.post("/api/comparisons", json={"now": one, "prior": one}).status_code == 409
    again = _segment(client, scan=scan, method="otsu")
    assert client.get(place.replace(made["id"], again["id"])).status_code == 200


def test_a_skin_line_that_was_laid_is_kept_with_a_version(
    client: TestClient, upload: Upload
) -> None:
    scan = upload()["id"]
    place = f"/api/scans/{scan}/images/0/versions"
    mask = png_of(disc().astype(np.uint8) * 255)
    top = int(np.nonzero(disc().any(axis=1))[0][0])
    laid = {"skin_line": ["1", "0", "1", "9"]}
    first = client.post(place, files={"mask": mask}, data=laid).json()["document"]["entries"][0]
    assert first["skin_line"] == [[1, 0], [1, 9]]
    assert first["lesions"][0]["distance_to_skin"] == top - 1
    second = client.post(place, files={"mask": mask}).json()["document"]["entries"][0]
    assert "distance_to_skin" not in second["lesions"][0]
    page = client.get(f"{place}/1/exports/report.html").text
    assert f"<td>{top - 1} px</td>" in page
    assert "the shortest one to the skin line laid by hand, drawn here" in page
    for number, drawn in ((1, True), (2, False)):
        overlay = client.get(f"{place}/{number}/exports/overlay.png").content
        top_rows = np.array(Pillow.open(io.BytesIO(overlay)))[:3]
        assert (top_rows == RULER_RGB).all(axis=-1).any() is np.bool_(drawn)
    assert "not known: no skin line" in client.get(f"{place}/2/exports/report.html").text
    for wrong in (["1", "0", "1"], ["1", "0", "1", "0"], ["1", "0", "nan", "9"]):
        answer = client.post(place, files={"mask": mask}, data={"skin_line": wrong})
        assert answer.status_code == 422


def test_versions_are_kept_and_measured(client: TestClient, upload: Upload) -> None:
    scan = upload()["id"]
    place = f"/api/scans/{scan}/images/0/versions"
    for radius in (10, 15):
        drawn = png_of(np.where(disc(radius=radius), 255, 0).astype(np.uint8))
        answer = client.post(place, files={"mask": drawn}, data={"note": f"radius {radius}"})
        assert answer.status_code == 201, answer.text
    first, second = client.get(place).json()
    assert (first["number"], second["number"]) == (1, 2)
    assert (second["note"], second["created_by"]) == ("radius 15", "local")
    (lesion,) = second["document"]["entries"][0]["lesions"]
    assert lesion["pixels"] == np.count_nonzero(disc(radius=15))
    np.testing.assert_array_equal(_mask(client, f"{place}/1") > 0, disc(radius=10))
    assert client.get(f"{place}/2").json() == second
    assert client.get(f"{place}/3").status_code == 404
    small = client.post(place, files={"mask": png_of(np.zeros((4, 4), np.uint8))})
    assert small.status_code == 422


def test_a_kept_mask_started_from_no_result_of_another_frame(client: TestClient) -> None:
    loop = client.post("/api/examples/ultrasound-cine").json()["id"]
    still = client.post("/api/examples/ultrasound").json()["id"]
    first = _segment(client, scan=loop, frame=0, method="otsu")
    for scan, frame in ((loop, 1), (still, 0)):
        place = f"/api/scans/{scan}/images/0/versions"
        mask = client.get(f"/api/segmentations/{first['id']}/mask.png").content
        data = {"base": first["id"], "frame": str(frame)}
        refused = client.post(place, files={"mask": mask}, data=data)
        assert refused.status_code == 422
        said = refused.json()["detail"]
        assert "a base of image 0, frame 0" in said
        assert f"frame {frame} of scan {scan}" in said
        assert client.get(place).json() == []
    place = f"/api/scans/{loop}/images/0/versions"
    kept = client.post(place, files={"mask": mask}, data={"base": first["id"]})
    assert kept.status_code == 201


def test_a_kept_mask_names_the_network_that_it_started_from(client: TestClient) -> None:
    scan = client.post("/api/examples/ultrasound").json()["id"]
    made = _segment(client, scan=scan, method="ultrasound-fast")
    mask = client.get(f"/api/segmentations/{made['id']}/mask.png").content
    place = f"/api/scans/{scan}/images/0/versions"
    kept = client.post(place, files={"mask": mask}, data={"base": made["id"]}).json()
    exported = client.get(f"{place}/1/exports/results.json").json()
    network = made["document"]["provenance"]
    for document in (kept["document"], exported):
        assert document["provenance"]["segmenter"] == "by-hand"
        said = document["provenance"]["parameters"]
        assert said["base"] == "ultrasound-fast"
        assert said["base_version"] == network["version"]
        assert said["base_weights_sha256"] == network["weights_sha256"]
        assert said["changed_px"] == 0
    assert "ultrasound-fast" in kept["document"]["entries"][0]["steps"][0]
    page = client.get(f"{place}/1/exports/report.html").text
    assert f"ultrasound-fast {network['version']}, kept unchanged" in page

    drawn = np.array(labels_of_png(mask))
    drawn[:2, :3] = 255 - drawn[:2, :3]
    client.post(place, files={"mask": png_of(drawn)}, data={"base": made["id"]})
    page = client.get(f"{place}/2/exports/report.html").text
    assert f"ultrasound-fast {network['version']}, then 6 pixels changed by hand" in page


def test_a_slice_is_segmented_in_the_phase_that_is_asked_for(client: TestClient) -> None:
    scan = client.post("/api/examples/mri").json()
    (image,) = scan["images"]
    assert (len(image["phases"]), image["study_date"]) == (2, "2025-03-01")
    body = {"scan": scan["id"], "frame": 7, "method": "otsu", "prompt": {"box": [10, 20, 40, 50]}}
    masks = []
    for phase in (0, 1):
        made = _segment(client, **body, phase=phase)
        masks.append(client.get(f"/api/segmentations/{made['id']}/mask.png").content)
    assert masks[0] != masks[1]
    whole = {"scan": scan["id"], "method": "mri-phantom", "phase": 1}
    assert client.post("/api/segmentations", json=whole).status_code == 422
    assert client.post("/api/segmentations", json={**body, "phase": 2}).status_code == 422


def test_the_service_answers_as_python_does(client: TestClient) -> None:
    scan = client.post("/api/examples/ultrasound").json()
    made = _segment(client, scan=scan["id"], method="ultrasound-fast")
    pixels = client.get(f"/api/scans/{scan['id']}/images/0/pixels")
    from breastseg.core.grid import Grid
    from breastseg.core.image import Image

    shape = tuple(scan["images"][0]["shape"])
    array = np.frombuffer(pixels.content, np.uint8).reshape(1, *shape)
    expected = open_segmenter("ultrasound-fast").segment(Image(array, Grid(shape)))
    raw = client.get(f"/api/segmentations/{made['id']}/probability")
    np.testing.assert_array_equal(
        np.frombuffer(raw.content, "<f4").reshape(shape), expected.probability
    )
