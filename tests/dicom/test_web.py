"""DICOMweb against a real Orthanc, and what answers of other servers mean."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("dicomweb_client", reason="needs the dicom extra")
requests = pytest.importorskip("requests")

from pydicom import Dataset, dcmread

from breastseg.cli.main import main
from breastseg.core.errors import InputError
from breastseg.dicom.node.config import WebDestination
from breastseg.dicom.node.send_web import WebSender
from breastseg.dicom.web import Found, WebError, WebServer, fetch, find_instances
from breastseg.dicom.web_store import store

from .orthanc import Orthanc, free_port, orthanc_in
from .subjects import phantoms


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with orthanc_in(tmp_path_factory.mktemp("orthanc")) as one:
        yield one


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder with the objects of one study."""
    folder = tmp_path / "study"
    folder.mkdir()
    for number, one in enumerate(phantoms()["mr"].objects[:3]):
        one.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    return folder


def test_what_was_pushed_is_pulled_again_with_the_same_content(
    orthanc: Orthanc, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uid = phantoms()["mr"].objects[0].StudyInstanceUID
    assert main(["dicomweb", "push", str(study), "--url", orthanc.web]) == 0
    assert "3 of 3 objects stored" in capsys.readouterr().out
    pull = ["dicomweb", "pull", "--url", orthanc.web, "--out", str(tmp_path / "got")]
    assert main([*pull, "--study", uid]) == 0
    got = {f.stem: dcmread(f) for f in (tmp_path / "got" / uid).rglob("*.dcm")}
    assert set(got) == {str(dcmread(file).SOPInstanceUID) for file in study.iterdir()}
    for file in study.iterdir():
        sent = dcmread(file)
        assert got[sent.SOPInstanceUID] == sent
    assert main([*pull, "--study", "1.2.3"]) == 2
    assert "no such instance" in capsys.readouterr().err
    assert main(pull) == 2  # not the whole archive by a slip


def test_a_destination_is_told_what_the_server_said(orthanc: Orthanc, study: Path) -> None:
    files = sorted(study.iterdir())
    said = [*WebSender(WebDestination("pacs", orthanc.web))(files)]
    assert [one.kind for one in said] == ["sent"] * 3
    (study / "not.dcm").write_bytes(b"no DICOM")
    with pytest.raises(InputError, match="damaged"):
        store(WebServer(orthanc.web).client(), study / "not.dcm")


def test_a_server_that_is_not_there_is_tried_later(study: Path) -> None:
    server = WebServer(f"http://127.0.0.1:{free_port()}/dicom-web")
    answer = store(server.client(), study / "0.dcm")
    assert (answer.stored, answer.final) == (False, False)
    with pytest.raises(WebError, match="Connection refused"):
        next(find_instances(server.client(), {"PatientID": "1"}))


def _answer(code: int, failed: int | None, listed: bool = False) -> tuple[int, bytes]:
    uid = str(phantoms()["mr"].objects[0].SOPInstanceUID)
    said = Dataset()
    item = Dataset()
    item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    item.ReferencedSOPInstanceUID = uid
    if failed is not None:
        item.FailureReason = failed
        said.FailedSOPSequence = [item]
    elif listed:
        said.ReferencedSOPSequence = [item]
    return code, json.dumps(said.to_json_dict()).encode()


@pytest.mark.parametrize(
    ("code", "failed", "listed", "stored", "final", "words"),
    [
        (200, None, True, True, False, ""),
        (200, None, False, False, False, "does not list"),  # success that says nothing of it
        (202, 0x0122, False, False, True, "0x0122"),
        (202, 0xA700, False, False, False, "out of resources"),
        (409, 0x0124, False, False, True, "not authorised"),
        (503, None, False, False, False, "503"),
        (401, None, False, False, False, "401, unauthorized"),
        (403, None, False, False, True, "403, forbidden"),
        (413, None, False, False, True, "413"),
    ],
)
def test_answers_are_told_apart(
    study: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    failed: int | None,
    listed: bool,
    stored: bool,
    final: bool,
    words: str,
) -> None:
    def post(_self: object, url: str, **_more: object) -> object:
        answer = requests.Response()
        answer.status_code, answer._content = _answer(code, failed, listed)
        answer.headers["Content-Type"] = "application/dicom+json"
        answer.url = url
        return answer

    monkeypatch.setattr(requests.Session, "post", post)
    answer = store(WebServer("http://127.0.0.1/dicom-web").client(), study / "0.dcm")
    assert (answer.stored, answer.final) == (stored, final)
    assert words in answer.words


def test_a_uid_from_a_server_names_no_other_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WebError, match="digits"):
        fetch(WebServer("http://127.0.0.1").client(), Found("../up", "1", "1", "US"), tmp_path)


@pytest.mark.parametrize("changed", ["PatientID", "SOPInstanceUID"])
def test_another_instance_than_was_asked_for_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    given = copy.deepcopy(phantoms()["us-still"].objects[0])
    asked = str(given.SOPInstanceUID)
    setattr(given, changed, "1.2.3")
    row = {
        f"{given[tag].tag:08X}": {"Value": [str(given[tag].value)]}
        for tag in ("StudyInstanceUID", "SeriesInstanceUID", "PatientID", "Modality")
    } | {"00080018": {"Value": [asked]}}
    client = WebServer("http://127.0.0.1").client()
    monkeypatch.setattr(client, "search_for_instances", lambda **_: [row])
    monkeypatch.setattr(client, "retrieve_instance", lambda *_, **__: given)
    filters = {"PatientID": str(phantoms()["us-still"].objects[0].PatientID)}
    with pytest.raises(WebError, match="another"):
        fetch(client, next(find_instances(client, filters)), tmp_path)
    assert not [*tmp_path.rglob("*.dcm")]


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("word\n")
    client = WebServer("http://127.0.0.1", secret_file=tmp_path / "token").client()
    assert client._session.headers["Authorization"] == "Bearer word"
    with pytest.raises(InputError, match="without a secret"):
        WebServer("http://127.0.0.1", user="me")
