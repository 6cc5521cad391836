"""Logging in at an identity provider of our own on the loopback: the code flow with PKCE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

pytest.importorskip("authlib", reason="needs the oidc extra")

from joserfc.jwk import RSAKey

from breastseg.service.app import create_app
from breastseg.service.connections import Connections, Oidc
from breastseg.service.settings import Settings

from .provider import CLIENT, Provider, provided


@pytest.fixture
def provider() -> Iterator[type[Provider]]:
    with provided() as one:
        yield one


@pytest.fixture
def client(tmp_path: Path, provider: type[Provider]) -> Iterator[TestClient]:
    oidc = Oidc(
        issuer=provider.url,
        client_id=CLIENT,
        public_url="http://127.0.0.1",
        roles={"imaging": "annotator", "staff": "reader"},
    )
    settings = Settings(tmp_path / "service", connections=Connections(oidc=oidc))
    app = create_app(settings)
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        yield client


def begun(client: TestClient, provider: type[Provider]) -> str:
    """Go to the provider; returns the state that it gives back."""
    answer = client.get("/api/session/oidc")
    assert answer.status_code == 303, answer.text
    target = urlsplit(answer.headers["location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == f"{provider.url}/authorize"
    provider.asked = {key: values[0] for key, values in parse_qs(target.query).items()}
    assert provider.asked["response_type"] == "code"
    assert provider.asked["code_challenge_method"] == "S256"
    assert "samesite=lax" in answer.headers["set-cookie"].lower()
    return provider.asked["state"]


def come_back(client: TestClient, state: str, code: str = "the code") -> Any:  # noqa: ANN401
    return client.get("/api/session/oidc/callback", params={"state": state, "code": code})


def test_a_person_logs_in_with_the_role_of_the_claim(
    client: TestClient, provider: type[Provider]
) -> None:
    about = client.get("/api/about").json()
    assert (about["account"], about["has_accounts"], about["has_provider"]) == (None, True, True)
    state = begun(client, provider)
    answer = come_back(client, state)
    assert answer.status_code == 200, answer.text
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    about = client.get("/api/about").json()
    assert (about["account"], about["role"]) == ("eva", "annotator")
    assert come_back(client, state).status_code == 401  # a code and a state count once
    client.cookies.clear()
    provider.claims = {"roles": "staff", "preferred_username": "eva.new"}
    come_back(client, begun(client, provider))
    about = client.get("/api/about").json()
    assert (about["account"], about["role"]) == ("eva", "reader")  # the same person
    wrong = client.post("/api/session", json={"name": "eva", "password": ""})
    assert wrong.status_code == 401


def test_a_login_that_this_browser_has_not_begun_is_refused(
    client: TestClient, provider: type[Provider]
) -> None:
    state = begun(client, provider)
    client.cookies.clear()
    assert come_back(client, state).status_code == 401
    assert come_back(client, "").status_code == 422
    begun(client, provider)
    assert come_back(client, state).status_code == 401


def test_a_browser_gets_a_page_that_says_why_and_leads_back(
    client: TestClient, provider: type[Provider]
) -> None:
    state = begun(client, provider)
    back = {"state": state, "error": "access_denied"}
    place = "/api/session/oidc/callback"
    answer = client.get(place, params=back, headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "did not grant (access_denied)" in answer.text
    assert '<a href="/">' in answer.text
    assert client.get(place, params=back).json()["status"] == 403
    scripted = client.get(
        place, params=back | {"error": "<script>"}, headers={"Accept": "text/html"}
    )
    assert scripted.status_code == 422
    assert "<script" not in scripted.text


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"iss": "https://another.example"},
        {"nonce": "another"},
        {"exp": 1},
        {"sub": None},
        {"azp": "another"},
        {"roles": ["visitor"]},
        {"roles": None},
        {"preferred_username": None},
        {"preferred_username": "no name of an account"},
    ],
    ids=lambda claims: "-".join(f"{k}-{v}" for k, v in claims.items()),
)
def test_a_token_that_does_not_hold_is_refused(
    client: TestClient, provider: type[Provider], claims: dict[str, Any]
) -> None:
    provider.claims = claims
    assert come_back(client, begun(client, provider)).status_code == 403
    assert client.get("/api/about").json()["account"] is None


def test_a_token_of_another_key_or_for_another_code_is_refused(
    client: TestClient, provider: type[Provider]
) -> None:
    assert come_back(client, begun(client, provider), "another code").status_code == 403
    provider.key = RSAKey.generate_key(2048, {"kid": "one"})
    assert come_back(client, begun(client, provider)).status_code == 403


def test_the_name_of_another_account_is_not_taken_over(
    client: TestClient, provider: type[Provider]
) -> None:
    service = client.app.state.service  # type: ignore[attr-defined]
    service.accounts.add("eva", "admin", "a long enough password")
    answer = come_back(client, begun(client, provider))
    assert answer.status_code == 403
    assert "another's" in answer.json()["found"]


def test_without_a_provider_there_is_no_such_login(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(tmp_path)), base_url="http://127.0.0.1") as client:
        assert client.get("/api/session/oidc").status_code == 404
