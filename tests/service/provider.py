"""An identity provider on the loopback: the code flow of OpenID Connect with PKCE."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT = "breastseg"
KEY = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"})


class Provider(BaseHTTPRequestHandler):
    """Gives a token for a code that was asked for with the challenge of the verifier."""

    url: str
    claims: dict[str, Any]
    key = KEY
    asked: dict[str, str]

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        if at.path == "/authorize":
            type(self).asked = {key: values[0] for key, values in parse_qs(at.query).items()}
            self._page()
        elif at.path == "/.well-known/openid-configuration":
            self._answer(
                {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "jwks_uri": f"{self.url}/keys",
                }
            )
        else:
            self._answer(KeySet([KEY]).as_dict(private=False))

    def _page(self) -> None:
        """Where a person agrees or not."""
        links = "".join(
            f'<p><a href="{self.asked["redirect_uri"]}?{urlencode(back)}">{text}</a></p>'
            for text, back in (
                ("I am Eva", {"code": "the code", "state": self.asked["state"]}),
                ("I am Eva, with another state", {"code": "the code", "state": "another"}),
                ("I am nobody", {"error": "access_denied", "state": self.asked["state"]}),
            )
        )
        self._send(f"<!doctype html><title>Provider</title>{links}".encode(), "text/html")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sent = {key: values[0] for key, values in parse_qs(body).items()}
        challenge = base64.urlsafe_b64encode(
            hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        ).rstrip(b"=")
        holds = (
            sent["code"] == "the code"
            and sent["redirect_uri"] == self.asked["redirect_uri"]
            and challenge.decode() == self.asked["code_challenge"]
        )
        if not holds:
            self._answer({"error": "invalid_grant"}, 400)
            return
        usual = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "4711",
            "nonce": self.asked["nonce"],
            "iat": int(time.time()),
            "exp": int(time.time()) + 300,
            "preferred_username": "Eva",
            "roles": ["staff", "imaging"],
        }
        claims = {k: v for k, v in {**usual, **self.claims}.items() if v is not None}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        self._answer({"access_token": "x", "token_type": "Bearer", "id_token": token})

    def _answer(self, content: object, status: int = 200) -> None:
        self._send(json.dumps(content).encode(), "application/json", status)

    def _send(self, data: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def provided(host: str = "127.0.0.1") -> Iterator[type[Provider]]:
    """Start one; its class says what its tokens claim."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    Provider.url = f"http://{host}:{server.server_port}"
    Provider.claims, Provider.key, Provider.asked = {}, KEY, {}
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
