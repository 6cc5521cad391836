"""Who may do what, and from where."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from breastseg.core.errors import InputError
from breastseg.service.accounts import Accounts
from breastseg.service.guard import Allowance
from breastseg.service.run import check_reach, check_start
from breastseg.service.service import alone
from breastseg.service.settings import Settings
from breastseg.service.store import open_store

from .conftest import Upload, dark_disc

PASSWORD = "a long enough password"


@pytest.fixture
def accounts(client: TestClient) -> TestClient:
    """A client of a service with an account of each role; not logged in."""
    for role in ("admin", "annotator", "reader"):
        service = client.app.state.service  # type: ignore[attr-defined]
        service.accounts.add(role, role, PASSWORD)
    return client


def _log_in(client: TestClient, name: str) -> None:
    client.cookies.clear()
    answer = client.post("/api/session", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_this_machine_needs_no_password_and_another_name_of_it_is_refused(
    client: TestClient,
) -> None:
    about = client.get("/api/about").json()
    assert (about["account"], about["role"], about["has_accounts"]) == ("local", "admin", False)
    # a page elsewhere whose name was made to point here
    assert client.get("/api/about", headers={"host": "evil.example:8765"}).status_code == 421


def test_an_address_for_others_needs_an_account(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    check_reach(settings, "127.0.0.1")
    with pytest.raises(InputError, match="without an account"):
        check_reach(settings, "0.0.0.0")
    store = open_store(settings)
    Accounts(store).add("admin", "admin", PASSWORD)
    store.close()
    check_reach(settings, "0.0.0.0")


def test_a_request_of_another_site_is_refused(client: TestClient) -> None:
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert client.post("/api/examples/ultrasound", headers=headers).status_code == 403
    own = {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"}
    assert client.post("/api/examples/ultrasound", headers=own).status_code == 201


def test_every_answer_fences_the_page_in(client: TestClient) -> None:
    for path in ("/api/about", "/", "/api/nothing"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-embedder-policy"] == "require-corp"


def test_roles_allow_what_they_say(accounts: TestClient) -> None:
    assert accounts.get("/api/scans").status_code == 401
    assert accounts.get("/api/about").json()["account"] is None
    upload = {"files": [("files", ("disc.png", dark_disc()))]}
    for role, reads, writes, administers in (
        ("reader", 200, 403, 403),
        ("annotator", 200, 201, 403),
        ("admin", 200, 201, 200),
    ):
        _log_in(accounts, role)
        assert accounts.get("/api/scans").status_code == reads
        assert accounts.post("/api/scans", **upload).status_code == writes  # type: ignore[arg-type]
        assert accounts.get("/api/audit").status_code == administers
    assert accounts.delete("/api/accounts/admin").status_code == 409
    assert accounts.delete("/api/session").status_code == 204
    assert accounts.get("/api/scans").status_code == 401


def test_a_token_is_an_account_until_it_is_revoked(accounts: TestClient) -> None:
    _log_in(accounts, "annotator")
    secret = accounts.post("/api/tokens", json={"label": "script"}).json()["secret"]
    assert [one["label"] for one in accounts.get("/api/tokens").json()] == ["script"]
    bearer = {"authorization": f"Bearer {secret}"}
    accounts.cookies.clear()
    assert accounts.get("/api/about", headers=bearer).json()["account"] == "annotator"
    assert accounts.delete("/api/tokens/script", headers=bearer).status_code == 204
    assert accounts.get("/api/scans", headers=bearer).status_code == 401


def test_a_changed_password_ends_the_other_sessions_alone(accounts: TestClient) -> None:
    _log_in(accounts, "annotator")
    elsewhere = accounts.cookies["breastseg_session"]
    token = accounts.post("/api/tokens", json={"label": "script"}).json()["secret"]
    _log_in(accounts, "annotator")
    here = accounts.cookies["breastseg_session"]
    place, new = "/api/session/password", "another long password"
    wrong = accounts.put(place, json={"old": "no such password", "new": new})
    assert wrong.status_code == 403
    assert accounts.put(place, json={"old": PASSWORD, "new": "short"}).status_code == 422
    assert accounts.put(place, json={"old": PASSWORD, "new": new}).status_code == 204
    accounts.cookies.clear()
    for headers, status in (
        ({"cookie": f"breastseg_session={here}"}, 200),
        ({"cookie": f"breastseg_session={elsewhere}"}, 401),
        ({"authorization": f"Bearer {token}"}, 200),
    ):
        assert accounts.get("/api/scans", headers=headers).status_code == status
    body = {"name": "annotator", "password": PASSWORD}
    assert accounts.post("/api/session", json=body).status_code == 401


def test_a_session_ends_on_the_server_at_log_out(accounts: TestClient) -> None:
    _log_in(accounts, "reader")
    kept = {"cookie": f"breastseg_session={accounts.cookies['breastseg_session']}"}
    assert accounts.delete("/api/session").status_code == 204
    assert not accounts.cookies
    assert accounts.get("/api/scans", headers=kept).status_code == 401


def test_an_admin_resets_a_password_and_changes_roles_but_the_last_admin_stays(
    accounts: TestClient,
) -> None:
    _log_in(accounts, "reader")
    kept = {"cookie": f"breastseg_session={accounts.cookies['breastseg_session']}"}
    assert accounts.put("/api/accounts/admin/role", json={"role": "reader"}).status_code == 403
    _log_in(accounts, "admin")
    new = {"new": "a forgotten password"}
    assert accounts.put("/api/accounts/reader/password", json=new).status_code == 204
    assert accounts.put("/api/accounts/nobody/password", json=new).status_code == 404
    changed = accounts.put("/api/accounts/reader/role", json={"role": "annotator"}).json()
    assert changed["role"] == "annotator"
    last = accounts.put("/api/accounts/admin/role", json={"role": "reader"})
    assert (last.status_code, last.json()["found"]) == (409, "the last admin")
    assert accounts.delete("/api/tokens/none").status_code == 404
    accounts.cookies.clear()
    assert accounts.get("/api/scans", headers=kept).status_code == 401


def test_guessing_a_password_is_slow(accounts: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breastseg.service.guard.time", SimpleNamespace(monotonic=lambda: 0.0))
    answers = [
        accounts.post("/api/session", json={"name": "admin", "password": "wrong"}).status_code
        for _ in range(12)
    ]
    assert answers == [401] * 10 + [429] * 2


def test_an_allowance_comes_back_with_time() -> None:
    allowance = Allowance(2)
    assert [allowance.take("a", 0.0) for _ in range(3)] == [True, True, False]
    assert allowance.take("b", 0.0)
    assert allowance.take("a", 30.0)
    assert not allowance.take("a", 30.0)


def test_changes_and_exports_are_audited_and_no_name_is_logged(
    client: TestClient, upload: Upload, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scan = upload(**{"Erika_Mustermann.png": dark_disc()})
    lines = client.get("/api/audit").json()
    assert (lines[0]["account"], lines[0]["action"]) == ("local", "POST /api/scans")
    assert "Mustermann" not in caplog.text.replace(repr(scan), "")
    assert "Mustermann" not in str(lines)
    root = client.app.state.service.settings.root  # type: ignore[attr-defined]
    assert not [path for path in root.rglob("*") if "Mustermann" in path.name]


def test_a_service_that_cannot_start_says_why_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "scan.png"
    file.write_bytes(b"x")
    with pytest.raises(InputError, match="cannot hold a service"):
        check_start(Settings(file), "127.0.0.1", 0)
    settings = Settings(tmp_path / "service")
    taken = socket.create_server(("127.0.0.1", 0))
    with taken, pytest.raises(InputError, match="cannot be listened on"):
        check_start(settings, "127.0.0.1", taken.getsockname()[1])
    with pytest.raises(InputError, match="port 99999"):
        check_start(settings, "127.0.0.1", 99_999)
    assert check_start(settings, "127.0.0.1", 0) > 0
    held = alone(settings.root)
    with pytest.raises(InputError, match="another service"):
        check_start(settings, "127.0.0.1", 0)
    assert held is not None
    held.close()
