"""Taking studies from the configured DICOMweb server, and from nowhere else."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

pytest.importorskip("dicomweb_client", reason="needs the dicom extra")

from tests.dicom.orthanc import orthanc_in
from tests.dicom.subjects import phantoms

from breastseg.core.errors import InputError
from breastseg.dicom.web import WebServer
from breastseg.dicom.web_store import store
from breastseg.service.app import create_app
from breastseg.service.connections import Connections, read_connections
from breastseg.service.settings import Limits, Settings


@contextmanager
def service_of(folder: Path, url: str, limits: Limits | None = None) -> Iterator[TestClient]:
    """A service whose configuration names an archive."""
    connections = Connections(WebServer(url))
    settings = Settings(folder, limits=limits or Limits(), connections=connections)
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        yield client


def test_a_study_of_an_orthanc_is_found_and_taken(tmp_path: Path) -> None:
    (tmp_path / "orthanc").mkdir()
    objects = phantoms()["mr"].objects[:3]
    with orthanc_in(tmp_path / "orthanc") as orthanc:
        for number, one in enumerate(objects):
            path = tmp_path / f"{number}.dcm"
            one.save_as(path, enforce_file_format=True)
            assert store(WebServer(orthanc.web).client(), path).stored
        with service_of(tmp_path / "service", orthanc.web) as client:
            assert client.get("/api/about").json()["has_archive"] is True
            patient = {"patient_id": str(objects[0].PatientID)}
            (study,) = client.post("/api/archive/search", json=patient).json()
            assert study["study"] == objects[0].StudyInstanceUID
            assert client.post("/api/archive/search", json={"patient_id": "nobody"}).json() == []
            body = {"study": study["study"]}
            found = client.post("/api/archive/series", json=body)
            assert found.status_code == 200, found.text
            counts = Counter(str(one.SeriesInstanceUID) for one in objects)
            assert {one["series"]: int(one["instances"]) for one in found.json()} == counts
            assert {one["modality"] for one in found.json()} == {"MR"}
            taken = client.post("/api/archive/take", json=body)
            assert taken.status_code == 201, taken.text
            assert sum(one["frames"] for one in taken.json()["images"]) == len(objects)
            body["series"] = found.json()[0]["series"]
            alone = client.post("/api/archive/take", json=body).json()["images"]
            assert sum(one["frames"] for one in alone) == counts[body["series"]]
            assert all(one["name"].startswith("MR") for one in alone), "no file has named them"
            trail = client.get("/api/audit").json()
            assert {line["action"] for line in trail if "archive" in line["action"]} == {
                f"POST /api/archive/{what}" for what in ("search", "series", "take")
            }
        with service_of(tmp_path / "other", orthanc.web, Limits(upload_files=2)) as client:
            refused = client.post("/api/archive/take", json={"study": study["study"]})
            assert refused.json()["found"] == "a study of 3 objects"


def test_a_service_reaches_no_archive_by_default(client: TestClient) -> None:
    assert client.get("/api/about").json()["has_archive"] is False
    answer = client.post("/api/archive/search", json={"patient_id": "1"})
    assert answer.status_code == 409
    assert "without an archive" in answer.json()["found"]


class _Elsewhere(BaseHTTPRequestHandler):
    """Sends every question on to another address, and counts what arrives there."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_no_address_of_a_client_or_of_the_server_is_followed(tmp_path: Path) -> None:
    _Elsewhere.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        with service_of(tmp_path / "service", f"{url}/dicom-web") as client:
            answer = client.post("/api/archive/search", json={"patient_id": "1"})
            assert answer.status_code == 422
            assert "redirects to another address" in answer.json()["detail"]
            assert [path.partition("?")[0] for path in _Elsewhere.asked] == ["/dicom-web/studies"]
            for body in (
                {"patient_id": "1", "url": url},
                {"study": "../../elsewhere"},
                {"study": "1.2/../../elsewhere"},
                {},
            ):
                assert client.post("/api/archive/search", json=body).status_code == 422
            assert client.post("/api/archive/take", json={"study": "1.2#"}).status_code == 422
            assert len(_Elsewhere.asked) == 1
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_configuration_is_read_with_its_paths_beside_it(tmp_path: Path) -> None:
    (tmp_path / "serve.toml").write_text(
        '[dicomweb]\nurl = "http://127.0.0.1/dicom-web"\nuser = "eva"\nsecret_file = "word"\n'
        '[oidc]\nissuer = "https://id.example"\nclient_id = "breastseg"\n'
        'public_url = "https://here.example"\nroles = { readers = "reader" }\n'
    )
    read = read_connections(tmp_path / "serve.toml")
    assert read.dicomweb is not None
    assert read.dicomweb.secret_file == tmp_path / "word"
    assert read.oidc is not None
    assert read.oidc.roles == {"readers": "reader"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[archive]\nurl = "x"', "archive"),
        ('[dicomweb]\nurl = "http://x"\nproxy = "y"', "proxy"),
        (
            '[oidc]\nissuer = "http://id.example"\nclient_id = "b"\npublic_url = "https://b"\n'
            'roles = { a = "reader" }',
            "https",
        ),
        (
            '[oidc]\nissuer = "https://id.example"\nclient_id = "b"\npublic_url = "https://b"\n'
            "roles = {}",
            "without roles",
        ),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "serve.toml").write_text(text)
    with pytest.raises(InputError, match=said):
        read_connections(tmp_path / "serve.toml")
