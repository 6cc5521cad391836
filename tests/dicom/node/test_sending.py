"""C-STORE to real peers that take, refuse, vanish or know nothing of the class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pynetdicom", reason="needs the dicom extra")

from pynetdicom import AE, evt

from breastseg.dicom.node.config import DicomDestination
from breastseg.dicom.node.send_dicom import DicomSender, outcome_of

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


def test_every_status_has_a_meaning() -> None:
    kinds = {status: outcome_of(status).kind for status in range(0x10000)}
    assert [status for status, kind in kinds.items() if kind == "sent" and status >> 12 != 0xB] == [
        *(0x0000, 0x0001, 0x0107, 0x0116)
    ]
    assert outcome_of(None).kind == "later"
