"""Several windows and people at once, and a machine that has no room."""

from __future__ import annotations

import errno
import io
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from breastseg.core.errors import InputError
from breastseg.service.accounts import Accounts
from breastseg.service.app import create_app
from breastseg.service.files import Files
from breastseg.service.jobs import Jobs
from breastseg.service.labelling import Labelling
from breastseg.service.receiving import Receiver
from breastseg.service.routes import scans
from breastseg.service.settings import Limits, Settings

from .conftest import Upload, dark_disc, disc, png_of

COUNT = 8


def at_once(ask: Callable[[], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(COUNT) as pool:
        return [one.result() for one in [pool.submit(ask) for _ in range(COUNT)]]


def test_versions_kept_at_once_are_all_kept(client: TestClient, upload: Upload) -> None:
    place = f"/api/scans/{upload()['id']}/images/0/versions"
    mask = png_of(np.where(disc(radius=5), 255, 0).astype(np.uint8))
    answers = at_once(lambda: client.post(place, files={"mask": mask}))
    assert sorted(one.json()["number"] for one in answers) == list(range(1, COUNT + 1))
    assert len(client.get(place).json()) == COUNT


def test_the_same_request_at_once_is_one_result(client: TestClient) -> None:
    data = dark_disc()
    scans = at_once(lambda: client.post("/api/scans", files=[("files", ("disc.png", data))]))
    (scan,) = {one.json()["id"] for one in scans}
    body = {"scan": scan, "method": "otsu", "prompt": {"inside": [[48, 64]]}}
    made = at_once(lambda: client.post("/api/segmentations", json=body))
    assert {one.status_code for one in made} == {201}
    assert len({one.json()["id"] for one in made}) == 1


def test_a_loop_asked_for_at_once_is_one_job(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Jobs, "_claim", lambda *_: None)  # nobody begins it
    scan = client.post("/api/examples/ultrasound-cine").json()["id"]
    made = at_once(lambda: client.post("/api/segmentations", json={"scan": scan, "method": "otsu"}))
    assert len({one.json()["job"] for one in made}) == 1


def test_an_upload_that_a_killed_service_was_receiving_is_forgotten(tmp_path: Path) -> None:
    files = Files(tmp_path)
    kept = files.keep_bytes(b"kept")
    (files.temporary / "upload").mkdir()
    (files.temporary / "upload" / "000000").write_bytes(b"half of a scan")
    with TestClient(create_app(Settings(tmp_path)), base_url="http://127.0.0.1"):
        pass
    assert list(files.temporary.iterdir()) == []
    assert files.blob(kept).read_bytes() == b"kept"


def test_a_stream_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    files = Files(tmp_path)

    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        files.keep_stream(Broken())
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


def test_a_full_disk_is_told_and_nothing_is_half_kept(
    client: TestClient, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"/api/scans/{upload()['id']}/images/0/versions"
    mask = png_of(np.zeros(disc(radius=5).shape, np.uint8))

    def full(_self: Files, _path: Path | bytes) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Files, "keep_bytes", full)
        answer = client.post(place, files={"mask": mask})
    assert answer.status_code == 507
    assert "disk: it is full" in answer.json()["detail"]
    assert client.get(place).json() == []
    assert client.post(place, files={"mask": mask}).json()["number"] == 1


def test_a_full_disk_behind_any_error_is_told_without_a_path(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise InputError("/srv/store/project.json: cannot be written") from error

    monkeypatch.setattr(Labelling, "create", full)
    answer = client.post("/api/projects", json={"name": "one"})
    assert answer.status_code == 507
    assert "/srv" not in answer.text


def test_what_cannot_be_named_in_the_store_is_not_kept(
    client: TestClient, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: Files = client.app.state.service.files  # type: ignore[attr-defined]
    scan = upload()["id"]
    kept = {one for one in files.blobs.rglob("*") if one.is_file()}
    full = OperationalError("COMMIT", None, Exception("database or disk is full"))

    def refuse(*_: object) -> None:
        raise full

    with monkeypatch.context() as patched:
        patched.setattr(scans, "_info", refuse)
        again = client.post("/api/scans", files=[("files", ("disc.png", dark_disc()))])
        new = client.post(
            "/api/scans", files=[("files", ("new.png", png_of(disc() * np.uint8(9))))]
        )
    assert (again.status_code, new.status_code) == (507, 507)
    assert {one for one in files.blobs.rglob("*") if one.is_file()} == kept
    assert client.get(f"/api/scans/{scan}").status_code == 200


def test_a_disk_that_is_full_while_an_archive_is_unpacked_is_no_damaged_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("disc.png", dark_disc())
    packed.seek(0)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Receiver, "_unpack", full)
    with pytest.raises(OSError, match="No space"):
        Receiver(tmp_path, Limits()).take(packed, "scans.zip")


def test_an_audit_trail_without_room_breaks_no_answer(
    client: TestClient, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OperationalError("INSERT", None, Exception("database or disk is full"))

    monkeypatch.setattr(Accounts, "record", full)
    assert upload()["images"]


def test_jobs_outlast_a_store_that_is_full_for_a_while(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, failures = Jobs._claim, [0]

    def sometimes(jobs: Jobs, heavy: bool) -> object:
        failures[0] += 1
        if failures[0] < 4:
            raise OperationalError("UPDATE", None, Exception("database or disk is full"))
        return claim(jobs, heavy)

    monkeypatch.setattr("breastseg.service.jobs._IDLE_S", 0.01)
    monkeypatch.setattr(Jobs, "_claim", sometimes)
    scan = client.post("/api/examples/ultrasound-cine").json()["id"]
    made = client.post("/api/segmentations", json={"scan": scan, "method": "otsu"}).json()
    with client.stream("GET", f"/api/jobs/{made['job']}/events") as events:
        last = [line for line in events.iter_lines() if line.startswith("data:")][-1]
    assert json.loads(last.removeprefix("data:"))["state"] == "done"
    assert failures[0] >= 4
    assert client.app.state.service.jobs.trouble is None  # type: ignore[attr-defined]
