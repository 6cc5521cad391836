"""What stands before all routes: who asks, from where, how much and how often; and the audit."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers, MutableHeaders

from breastseg.service.caller import LOCAL, Caller
from breastseg.service.problem import answer
from breastseg.service.settings import MIB, Limits
from breastseg.service.wire import Problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from breastseg.service.accounts import Accounts

_log = logging.getLogger("uvicorn.error")
COOKIE = "breastseg_session"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")
_SAFE = ("GET", "HEAD", "OPTIONS")
_PASSWORDS = (
    *(("POST", "/api/session"), ("PUT", "/api/session/password")),
    *(("GET", "/api/session/oidc"), ("GET", "/api/session/oidc/callback")),
)
"""Requests that try a password, or ask the identity provider."""
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: data:; "
        "worker-src 'self' blob:; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'self'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Middleware around the whole application.

    Args:
        app: the application, whose ``state.service`` is open when requests come.
        limits: of requests.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._most_bytes = limits.upload_mib * MIB
        self._requests = Allowance(limits.requests_a_minute)
        self._logins = Allowance(limits.logins_a_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on to the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        accounts: Accounts = scope["app"].state.service.accounts
        caller = await to_thread.run_sync(_caller, accounts, headers)
        scope.setdefault("state", {})["caller"] = caller
        problem = self._refusal(scope, headers, caller)
        status = 0

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, scope["path"])
            await send(message)

        if problem is not None:
            await answer(problem, headers)(scope, receive, told)
        else:
            await self._app(scope, self._counted(receive), told)
        if _is_audited(scope):
            name = "" if caller is None else caller.name
            action = f"{scope['method']} {scope['path']}"[:500]
            try:
                await to_thread.run_sync(accounts.record, name, action, status)
            except SQLAlchemyError as error:
                # it was done and answered; the log has the line that the trail lacks
                _log.error("not in the audit trail: %s (%s)", action, type(error).__name__)

    def _refusal(self, scope: Scope, headers: Headers, caller: Caller | None) -> Problem | None:
        peer = scope["client"][0] if scope.get("client") else ""
        if caller is LOCAL and _host(headers.get("host", "")) not in LOOPBACK:
            return _problem(421, "Misdirected", "a request to another host than this machine")
        if scope["method"] not in _SAFE and _is_foreign(headers):
            return _problem(403, "Not allowed", "a request that another site has sent")
        tries_password = (scope["method"], scope["path"]) in _PASSWORDS
        if not self._requests.take(peer) or (tries_password and not self._logins.take(peer)):
            return _problem(429, "Too many requests", "too many requests in a minute")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._most_bytes:
            return _problem(413, "Too large", "a request of more bytes than are taken")
        return None

    def _counted(self, receive: Receive) -> Receive:
        """The body, cut off where it is longer than allowed, whatever its header says."""
        left = self._most_bytes

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            return {"type": "http.disconnect"} if left < 0 else message

        return counted


class Allowance:
    """So many a minute for each peer, which may come at once.

    Args:
        a_minute: how many.
    """

    _MOST_PEERS = 10_000

    def __init__(self, a_minute: int) -> None:
        self._most = float(a_minute)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, peer: str, moment: float | None = None) -> bool:
        """Take one; False where there is none left.

        Args:
            peer: whose.
            moment: in seconds; now by default.
        """
        at = time.monotonic() if moment is None else moment
        left, before = self._left.pop(peer, (self._most, at))
        left = min(self._most, left + (at - before) * self._most / 60)
        allowed = left >= 1
        self._left[peer] = (left - 1 if allowed else left, at)
        while len(self._left) > self._MOST_PEERS:
            self._left.popitem(last=False)
        return allowed


def _caller(accounts: Accounts, headers: Headers) -> Caller | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    secret = token if scheme.lower() == "bearer" else cookie.value if cookie else ""
    if secret:
        found = accounts.caller(secret)
        if found is not None:
            return found
    return None if accounts.exist else LOCAL


def _host(value: str) -> str:
    """A Host header without its port."""
    return value if value.endswith("]") else value.rpartition(":")[0] or value


def _is_foreign(headers: Headers) -> bool:
    """Whether a browser says that another site has caused the request."""
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc != headers.get("host")
    return headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def _is_audited(scope: Scope) -> bool:
    """What changes something, and what takes results out."""
    path = scope["path"]
    return path.startswith("/api/") and (scope["method"] not in _SAFE or "/exports/" in path)


def _add_headers(message: Message, path: str) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in _HEADERS.items():
        headers[name] = value
    if path.startswith("/api/"):
        headers.setdefault("Cache-Control", "no-store")


def _problem(status: int, title: str, found: str) -> Problem:
    return Problem(title=title, status=status, detail=found, found=found)
