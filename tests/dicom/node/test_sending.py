"""C-STORE to real peers that take, refuse, vanish or know nothing of the class."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("pynetdicom", reason="needs the dicom extra")

from pynetdicom import AE, build_context, evt
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ

from breastseg.dicom.node.config import DicomDestination
from breastseg.dicom.node.send_dicom import DicomSender, outcome_of
from breastseg.dicom.node.send_folder import FolderSender

from ..orthanc import free_port
from ..subjects import phantoms
from .nodes import Parts, handler

# pynetdicom leaves the socket of a connection that failed to the collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SEG = "1.2.840.10008.5.1.4.1.1.66.4"
SR = "1.2.840.10008.5.1.4.1.1.88.33"


@contextmanager
def peer(*classes: str, answer: Callable[[evt.Event], int]) -> Iterator[DicomDestination]:
    """A storage peer that takes some classes and gives one answer."""
    entity = AE("PEER")
    entity.require_called_aet = True
    for uid in classes:
        entity.add_supported_context(uid)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, answer)]
    )
    try:
        yield DicomDestination("pacs", "PEER", "127.0.0.1", server.server_address[1], timeout_s=20)
    finally:
        server.shutdown()


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """A node with the results of one image, to be sent."""
    return Parts(tmp_path, [handler("us-still")])


def sent_to(parts: Parts, to: DicomDestination) -> Parts:
    """The same with one destination, once its results were made and sent there."""
    config = replace(parts.config, dicom=(to,), folders=())
    again = Parts(parts.config.folder.parent, [handler("us-still")], config)
    again.take(phantoms()["us-still"].objects[0])
    assert again.segmenting.one()
    assert again.sending().one()
    return again


def test_a_result_is_sent_when_the_peer_says_so(parts: Parts) -> None:
    got = []

    def store(event: evt.Event) -> int:
        got.append(str(event.dataset.SOPClassUID))
        return 0x0000

    with peer(SEG, SR, answer=store) as to:
        again = sent_to(parts, to)
        assert not again.sending().one()  # nothing is sent twice
    assert sorted(got) == [SEG, SR]
    assert again.queue.counts() == {"sent": 1}


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (0xB000, "sent", "warning"),
        (0xA700, "sending", "out of resources"),
        (0xA900, "failed", "0xA900"),
        (0x0124, "failed", "not authorised"),
    ],
)
def test_warnings_refusals_and_want_of_room_are_told_apart(
    parts: Parts, status: int, state: str, words: str
) -> None:
    with peer(SEG, SR, answer=lambda _event: status) as to:
        again = sent_to(parts, to)
    assert again.queue.counts() == {state: 1}
    assert words in again.queue.rows()[0].problem


def test_a_class_that_is_not_accepted_is_told_by_object(parts: Parts) -> None:
    with peer(SR, answer=lambda _event: 0) as to:
        again = sent_to(parts, to)
    (row,) = again.queue.rows("failed")
    assert "presentation context" in row.problem
    assert len(again.queue.due("pacs", 5)) == 0


def test_no_class_at_all_is_told_from_a_peer_that_is_away(parts: Parts) -> None:
    with peer("1.2.840.10008.5.1.4.1.1.2", answer=lambda _event: 0) as to:
        again = sent_to(parts, to)
    assert "presentation context" in again.queue.rows("failed")[0].problem


def test_a_peer_that_is_away_or_rejects_is_tried_again_later(parts: Parts) -> None:
    away = DicomDestination("pacs", "PEER", "127.0.0.1", free_port(), timeout_s=20)
    again = sent_to(parts, away)
    assert again.queue.counts() == {"sending": 1}
    assert "no association" in again.queue.rows()[0].problem
    assert not again.sending().one()  # it waits
    with peer(SEG, SR, answer=lambda _event: 0) as to:
        (file,) = again.folder.results(1).glob("sr.dcm")
        (outcome,) = DicomSender(replace(to, ae_title="OTHER"))([file])
    assert outcome.kind == "later"
    assert "Called AE title not recognised" in outcome.words


def test_a_connection_lost_without_an_answer_is_no_success(parts: Parts) -> None:
    def vanish(event: evt.Event) -> int:
        event.assoc.abort()
        return 0

    with peer(SEG, SR, answer=vanish) as to:
        again = sent_to(parts, to)
    assert again.queue.counts() == {"sending": 1}


def test_an_object_that_ends_the_connection_holds_up_no_other(parts: Parts) -> None:
    got = []

    def store(event: evt.Event) -> int:
        if event.request.AffectedSOPClassUID == SEG:
            event.assoc.abort()
        got.append(str(event.request.AffectedSOPClassUID))
        return 0

    with peer(SEG, SR, answer=store) as to:
        again = sent_to(parts, to)
        again.sending().one()
    assert got[-1] == SR
    (left,) = again.queue._all("SELECT file, attempts FROM deliveries WHERE state='waiting'")
    assert tuple(left) == ("seg.dcm", 1)


def _accept_with_jpeg(peer: socket.socket) -> None:
    asked = A_ASSOCIATE_RQ()
    asked.decode(peer.recv(65536))
    answer = asked.to_primitive()
    contexts = [build_context(SEG, "1.2.840.10008.1.2.4.50") for _ in range(2)]
    for number, one in enumerate(contexts):
        one.context_id, one.result = 2 * number + 1, 0
    answer.presentation_context_definition_results_list = contexts
    answer.result, answer.result_source = 0, 1
    accepted = A_ASSOCIATE_AC()
    accepted.from_primitive(answer)
    peer.sendall(accepted.encode())


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (lambda peer: peer.sendall(b"\2\0\0\0\0\xff"), "later", "ended it"),
        (lambda peer: peer.sendall(b"\2\0\x7f\xff\xff\xff"), "later", "unit of 2147483647 bytes"),
        (lambda peer: peer.sendall(b"HTTP/1.1 400\r\n\r\n"), "later", "ended it"),
        (_accept_with_jpeg, "refused", "none of the transfer syntaxes"),
    ],
)
def test_a_peer_that_speaks_no_sense_is_told(
    parts: Parts, answer: Callable[[socket.socket], None], kind: str, words: str
) -> None:
    again = sent_to(parts, DicomDestination("pacs", "PEER", "127.0.0.1", free_port()))
    files = sorted(again.folder.results(1).glob("*.dcm"))

    def serve() -> None:
        with listening.accept()[0] as one:
            answer(one)
            one.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=serve, daemon=True).start()
        to = DicomDestination("pacs", "PEER", "127.0.0.1", listening.getsockname()[1], timeout_s=20)
        outcomes = [*DicomSender(to)(files)]
    assert [(one.kind, words in one.words) for one in outcomes] == [(kind, True)] * 2


def test_a_name_that_is_not_known_is_told(parts: Parts) -> None:
    again = sent_to(parts, DicomDestination("pacs", "PEER", "no.such.host.invalid", 104))
    assert "no connection" in again.queue.rows()[0].problem


def test_what_nobody_foresaw_counts_as_an_attempt(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Iterator[object]:
        yield from ()
        raise RecursionError("PAT^NAME")

    monkeypatch.setattr(FolderSender, "__call__", fail)
    parts.take(phantoms()["us-still"].objects[0])
    assert parts.segmenting.one()
    for _ in range(2 * parts.config.attempts):  # of two results
        parts.queue._all("UPDATE deliveries SET not_before=0")
        assert parts.sending().one()
    (row,) = parts.queue.rows("failed")
    assert "unforeseen (RecursionError)" in row.problem
    assert "PAT" not in row.problem


def test_every_status_has_a_meaning() -> None:
    kinds = {status: outcome_of(status).kind for status in range(0x10000)}
    assert [status for status, kind in kinds.items() if kind == "sent" and status >> 12 != 0xB] == [
        *(0x0000, 0x0001, 0x0107, 0x0116)
    ]
    assert outcome_of(None).kind == "later"
