"""HTTP with servers that nobody needs to trust: an answer has a size and a pace, or it is ended.

requests waits anew after every byte, so that a server may take for ever over one line, and reads
an answer of any length into memory.
"""

from __future__ import annotations

import io
import re
import time
from http import HTTPStatus
from http.client import HTTPResponse
from typing import TYPE_CHECKING, ClassVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from socket import socket

    from _typeshed import WriteableBuffer

_KINDS = tuple(f"application/{kind}" for kind in ("dicom+json", "json", "dicom+xml", "xml"))
_KIND = re.compile(r"[a-z]+/[a-z0-9.+-]{1,40}")

MIN_PACE = 2**14
"""Bytes a second, on average, that an answer comes at."""


class _BoundedStream(io.RawIOBase):
    """What a server answers, headers and all, while it keeps to the limits."""

    def __init__(self, inner: io.RawIOBase, max_bytes: int, patience_s: float) -> None:
        self._inner = inner
        self._max_bytes = max_bytes
        self._patience_s = patience_s
        self._since: float | None = None
        self._bytes = 0

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._inner.fileno()

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        read = self._inner.readinto(buffer)
        now = time.monotonic()
        if self._since is None:  # a server may think for a while first
            self._since = now
        self._bytes += read or 0
        if self._bytes > self._max_bytes:
            raise OSError(f"an answer of more than {self._max_bytes >> 20} MiB")
        if now - self._since > self._patience_s + self._bytes / MIN_PACE:
            raise OSError(f"an answer slower than {MIN_PACE >> 10} KiB a second")
        return int(read or 0)

    def close(self) -> None:
        self._inner.close()
        super().close()


class _Words(HTTPResponse):
    max_mib: ClassVar[int] = 64  # 500 instances have 1 MiB of JSON

    def __init__(
        self, sock: socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        inner = self.fp.detach()
        patience_s = sock.gettimeout() or 0.0
        self.fp = io.BufferedReader(_BoundedStream(inner, self.max_mib << 20, patience_s))


class _Object(_Words):
    max_mib = 4096


class _Plain(HTTPConnection):
    response_class = _Words

    def putheader(self, header: str | bytes, *values: object) -> None:
        """Note what is asked for: how long the answer may be depends on it."""
        if header == "Accept":
            asks_for_object = any("multipart/related" in str(value) for value in values)
            self.response_class = _Object if asks_for_object else _Words
        super().putheader(header, *values)  # type: ignore[arg-type]


class _Tls(_Plain, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


def bounded_session() -> requests.Session:
    """A session that asks the named server alone, and bounds what it answers."""
    session = requests.Session()
    session.trust_env = False  # no proxy or password that nobody named here
    session.max_redirects = 0  # nor an address that the server names
    for scheme in ("http://", "https://"):
        adapter = HTTPAdapter()
        adapter.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        session.mount(scheme, adapter)
    session.headers["Accept-Encoding"] = "identity"  # or a little could become a lot
    session.headers["Accept"] = "application/dicom+json"  # where nothing else is asked for
    session.hooks["response"] += [_refuse_packed, _plain_kind]
    return session


def trouble(error: Exception) -> str:
    """Why there is no answer; without words that may be a data set's."""
    if isinstance(error, requests.TooManyRedirects):
        return "it redirects to another address"
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return "its answer is compressed, which was not asked for"
    if isinstance(error, OtherKindError):
        return f"it answers with {error}, not with DICOM JSON"
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    said, one = type(error).__name__, error
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        said = "its answer ends too early"
    seen: set[int] = set()
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        if isinstance(one, OSError) and not isinstance(one, requests.RequestException):
            said = getattr(one, "verify_message", "") or str(one.strerror or one)
        inner = getattr(one, "reason", None)
        held = [a for a in (*one.args, inner) if isinstance(a, Exception)]
        one = held[0] if held else one.__cause__ or one.__context__  # type: ignore[assignment]
    return said


def _refuse_packed(response: requests.Response, *_args: object, **_more: object) -> None:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        response.close()
        raise requests.exceptions.ContentDecodingError(response=response)


def status_words(code: int) -> str:
    """An HTTP status as messages name it."""
    try:
        return f"HTTP status {code}, {HTTPStatus(code).phrase.lower()}"
    except ValueError:
        return f"HTTP status {code}"


class OtherKindError(requests.RequestException):
    """An answer of another media type than an archive's, such as a proxy's page to log in."""


def _plain_kind(response: requests.Response, *_args: object, **_more: object) -> None:
    """Take ``; charset=utf-8`` off a media type, with which dicomweb-client knows none.

    Raises:
        OtherKindError: what was stored is answered in a type that says nothing of it.
    """
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        return
    response.headers["Content-Type"] = kind
    if response.request.method == "POST" and response.ok and kind and kind not in _KINDS:
        response.close()
        raise OtherKindError(kind if _KIND.fullmatch(kind) else "another media type")
