"""Answers of servers that have no end, no pace or no sense."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("dicomweb_client", reason="needs the dicom extra")

from breastseg.dicom import bounded_http
from breastseg.dicom.web import WebError, WebServer, find_instances, find_studies
from breastseg.dicom.web_store import store

from .subjects import phantoms

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer) -> Iterator[WebServer]:
    """A server with one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with suppress(ConnectionError):  # the client may have ended it
                answer(self)

        do_POST = do_GET  # noqa: N815

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield WebServer(f"http://127.0.0.1:{server.server_address[1]}/dicom-web", timeout_s=20)
        server.shutdown()


def said(body: bytes, **headers: str) -> Answer:
    """Success, with such a body."""

    def answer(to: BaseHTTPRequestHandler) -> None:
        to.send_response(302 if "Location" in headers else 200)
        for name, value in headers.items():
            to.send_header(name.replace("_", "-"), value)
        to.end_headers()
        to.wfile.write(body)

    return answer


def endless(to: BaseHTTPRequestHandler) -> None:
    """A body without an end."""
    said(b"")(to)
    while True:
        to.wfile.write(b" " * 65536)


def endless_line(to: BaseHTTPRequestHandler) -> None:
    """A status line without an end."""
    while True:
        to.wfile.write(b"a" * 65536)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (endless, "more than 1 MiB"),
        (endless_line, ""),
        (said(b"{", Content_Length="500"), "ends too early"),
        (said(b"{}", Content_Encoding="gzip"), "compressed"),
        (said(b"", Location="http://127.0.0.1:9/"), "redirects"),
        (said(b"<html>log in</html>"), ""),
        (said(b"17"), ""),
        (said(b"[" * 10**5), ""),
        (said(b'[{"00081199": "x", "00080018": 3}]'), ""),
        (said(b'[{"00081198": {"vr": "SQ", "Value": [null]}, "00080018": {"Value": 3}}, 4]'), ""),
    ],
)
def test_no_such_answer_is_success_or_ends_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, words: str
) -> None:
    monkeypatch.setattr(bounded_http._Words, "max_mib", 1)
    file = tmp_path / "one.dcm"
    phantoms()["us-still"].objects[0].save_as(file, enforce_file_format=True)
    with serving(answer) as server:
        told = store(server.client(), file)
        assert not told.stored
        assert not told.final
        assert words in told.words
        with pytest.raises(WebError, match=words or None):
            [*find_instances(server.client(), {"StudyInstanceUID": "1.2"})]
        with pytest.raises(WebError, match=words or None):
            find_studies(server.client(), {"StudyInstanceUID": "1.2"}, 5)


def test_an_answer_is_read_whatever_its_media_type_adds(tmp_path: Path) -> None:
    file = tmp_path / "one.dcm"
    one = phantoms()["us-still"].objects[0]
    one.save_as(file, enforce_file_format=True)
    listed = {"00081155": {"vr": "UI", "Value": [str(one.SOPInstanceUID)]}}
    body = json.dumps({"00081199": {"vr": "SQ", "Value": [listed]}}).encode()
    asked: list[str | None] = []

    def answer(to: BaseHTTPRequestHandler) -> None:
        asked.append(to.headers["Accept"])
        said(body, Content_Type="application/dicom+json; charset=utf-8")(to)

    with serving(answer) as server:
        assert store(server.client(), file).stored
    assert asked == ["application/dicom+json"]


def test_a_page_to_log_in_is_told_from_an_answer(tmp_path: Path) -> None:
    file = tmp_path / "one.dcm"
    phantoms()["us-still"].objects[0].save_as(file, enforce_file_format=True)
    with serving(said(b"<html>log in</html>", Content_Type="text/html; charset=utf-8")) as server:
        told = store(server.client(), file)
    assert (told.stored, told.final) == (False, False)
    assert "it answers with text/html, not with DICOM JSON" in told.words


@pytest.mark.parametrize(("seconds_a_read", "whole"), [(5.0, False), (0.1, True)])
def test_an_answer_without_pace_is_ended(
    monkeypatch: pytest.MonkeyPatch, seconds_a_read: float, whole: bool
) -> None:
    clock = count(0.0, seconds_a_read)
    monkeypatch.setattr(bounded_http.time, "monotonic", lambda: next(clock))
    inner = io.BytesIO(bytes(10**6))
    stream = bounded_http._BoundedStream(inner, 10**8, 20.0)  # type: ignore[arg-type]
    if whole:
        assert len(stream.read()) == 10**6
        return
    with pytest.raises(OSError, match="slower than 16 KiB a second"):
        stream.read()
    assert inner.tell() < 10**5
