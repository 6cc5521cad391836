"""The service's journey opens no connection, in its own process and in its workers'."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from breastseg.service.app import create_app
from breastseg.service.settings import Settings

from .test_store import _journey

GUARD = Path(__file__).parents[1] / "e2e" / "socket_guard"
_LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_SENDING = ("socket.connect", "socket.sendto", "socket.sendmsg")
_watched: list[list[str]] = []


def _note(event: str, args: tuple[object, ...]) -> None:
    if not _watched or event not in (*_LOOK_UPS, *_SENDING):
        return
    if event in _LOOK_UPS or not isinstance(args[1], str | bytes):  # a path: of this machine
        _watched[-1].append(f"{event} {args[1:]}")


sys.addaudithook(_note)  # it cannot be taken away again, and says nothing but during the test


def test_the_journey_reaches_no_other_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(GUARD))  # the workers are watched from their start
    monkeypatch.setenv("SOCKET_GUARD_LOG", str(tmp_path / "workers"))
    settings = Settings(tmp_path / "service")
    seen: list[str] = []
    _watched.append(seen)
    try:
        with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
            _journey(client)
            scan = client.get("/api/scans").json()[-1]["id"]
            for name in ("report.pdf", "report.html", "overlay.png", "coco.json", "sentence.txt"):
                place = f"/api/scans/{scan}/images/0/versions/1/exports/{name}"
                assert client.get(place).status_code == 200
    finally:
        _watched.pop()
    assert seen == []
    assert not (tmp_path / "workers").exists()
