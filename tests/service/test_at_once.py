"""Several windows and people at once, and a machine that has no room."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from breastseg.service.app import create_app
from breastseg.service.files import Files
from breastseg.service.jobs import Jobs
from breastseg.service.settings import Settings

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
