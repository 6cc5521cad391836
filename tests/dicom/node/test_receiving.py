"""The storage service against real peers, polite and hostile."""

from __future__ import annotations

import errno
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import pytest

pytest.importorskip("pynetdicom", reason="needs the dicom extra")

from pydicom import Dataset
from pynetdicom import AE
from pynetdicom.association import Association

from breastseg.dicom.node.config import Listen
from breastseg.dicom.node.folder import NodeFolder
from breastseg.dicom.node.incoming import IncomingFile
from breastseg.dicom.node.intake import Status
from breastseg.dicom.node.receiving import STORAGE_CLASSES, TRANSFER_SYNTAXES, Receiver

from ..subjects import phantoms
from .nodes import Parts, handler

_ECHO = "1.2.840.10008.1.1"


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path, [handler("us-still")])


@contextmanager
def receiving(parts: Parts, **limits: float) -> Iterator[int]:
    """A receiver on a free port."""
    listen = Listen(peers=("US1",), port=0, **{"idle_s": 20.0, **limits})  # type: ignore[arg-type]
    receiver = Receiver(listen, parts.intake, parts.folder.incoming, parts.audit)
    try:
        yield receiver.port
    finally:
        receiver.stop()


def associated(port: int, calling: str = "US1", called: str = "BREASTSEG") -> Association:
    entity = AE(calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 20
    entity.add_requested_context(_ECHO)
    entity.add_requested_context(phantoms()["us-still"].objects[0].SOPClassUID)
    return entity.associate("127.0.0.1", port, ae_title=called)


def still(uid: str = "", size: int = 0) -> Dataset:
    one = deepcopy(phantoms()["us-still"].objects[0])
    if uid:
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = uid
    if size:
        one.PixelData = bytes(size)
    return one


def test_it_echoes_and_has_each_instance_in_the_queue_before_it_says_so(parts: Parts) -> None:
    with receiving(parts) as port:
        association = associated(port)
        assert association.is_established
        assert association.send_c_echo().Status == Status.SUCCESS
        assert association.send_c_store(still()).Status == Status.SUCCESS
        assert parts.queue.counts() == {"ready": 1}
        assert association.send_c_store(still()).Status == Status.SUCCESS  # the same again
        assert association.send_c_store(still(size=999)).Status == Status.DUPLICATE
        association.release()
    assert parts.queue.counts() == {"ready": 1}
    assert [*parts.folder.incoming.iterdir()] == []


def test_many_may_wait_to_be_accepted(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine: the system forgets those above the limit, and they wait for ever."""
    limits: list[int] = []
    listen = socket.socket.listen

    def noted(self: socket.socket, limit: int) -> None:
        limits.append(limit)
        listen(self, limit)

    monkeypatch.setattr(socket.socket, "listen", noted)
    with receiving(parts):
        assert limits == [128]


@pytest.mark.parametrize("ahead_s", [-86400.0, 86400.0])
def test_a_clock_that_is_set_neither_ends_nor_prolongs_an_association(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, ahead_s: float
) -> None:
    with receiving(parts) as port:
        association = associated(port)
        association.network_timeout = None  # the other end's, which goes by the clock
        (other_end,) = (
            one
            for one in threading.enumerate()
            if isinstance(one, Association) and one.is_acceptor and one.acceptor.port == port
        )
        moved = time.time() + ahead_s
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda: moved)
            assert 0 < other_end.dul._idle_timer.remaining <= 20
            assert association.send_c_echo().Status == Status.SUCCESS
        association.release()


class _Full:
    """A file on a disk that takes so many bytes more."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, data: bytes) -> None:
        self.room -= len(data)
        self.flush()

    def flush(self) -> None:
        if self.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    def close(self) -> None:
        pass


@pytest.mark.parametrize("room", [0, 200, 10**5])
def test_a_disk_that_fills_up_while_it_receives_is_told_the_sender(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    large = still("1.2.3", size=10**6)
    with receiving(parts) as port:
        association = associated(port)
        with monkeypatch.context() as patch:
            patch.setattr(IncomingFile, "_open", lambda self: setattr(self, "_stream", _Full(room)))
            assert association.send_c_store(large).Status == Status.NO_ROOM
        assert parts.intake.answers == {Status.NO_ROOM: 1}
        assert association.send_c_store(still()).Status == Status.SUCCESS  # on the same association
        association.release()
    assert parts.queue.counts() == {"ready": 1}
    assert [*parts.folder.incoming.iterdir()] == []


def test_all_classes_and_syntaxes_are_accepted_and_no_other(parts: Parts) -> None:
    with receiving(parts) as port:
        entity = AE("US1")
        for uid in STORAGE_CLASSES:
            entity.add_requested_context(uid, TRANSFER_SYNTAXES[-1])
        entity.add_requested_context("1.2.840.10008.5.1.4.1.1.2")  # CT
        association = entity.associate("127.0.0.1", port, ae_title="BREASTSEG")
        accepted = {str(one.abstract_syntax) for one in association.accepted_contexts}
        association.release()
    assert accepted == set(STORAGE_CLASSES)


@pytest.mark.parametrize(("calling", "called"), [("WHO", "BREASTSEG"), ("US1", "OTHER")])
def test_other_titles_are_rejected_with_a_line(
    parts: Parts, caplog: pytest.LogCaptureFixture, calling: str, called: str
) -> None:
    with receiving(parts) as port:
        assert associated(port, calling, called).is_rejected
    assert f"{calling}@127.0.0.1: association rejected, it called '{called}'" in caplog.text


def test_little_room_refuses_before_it_harms(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NodeFolder, "free_mib", lambda _self: 0)
    with receiving(parts) as port:
        association = associated(port)
        assert association.send_c_store(still()).Status == Status.NO_ROOM
        association.release()
    assert parts.queue.counts() == {}
    assert [*parts.folder.incoming.iterdir()] == []


def test_a_uid_that_differs_from_the_command_is_refused(parts: Parts) -> None:
    file = parts.folder.incoming / "one"
    still().save_as(file, enforce_file_format=True)
    assert parts.intake.take(file, "US1", "1.2.3") == Status.MISMATCH
    assert parts.intake.take(file, "US1", "", "1.2.840.10008.5.1.4.1.1.7") == Status.MISMATCH


@pytest.mark.parametrize("cut", [0, 100, 140, 300])
def test_a_damaged_instance_is_refused(parts: Parts, cut: int) -> None:
    file = parts.folder.incoming / "one"
    still().save_as(file, enforce_file_format=True)
    file.write_bytes(file.read_bytes()[:cut])
    assert parts.intake.take(file, "US1") == Status.UNREADABLE


def test_an_oversized_object_ends_its_association_and_leaves_nothing(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    with receiving(parts, max_object_mib=1) as port:
        association = associated(port)
        answer = association.send_c_store(still(size=2 << 20))
        assert "Status" not in answer
        association.join(20)
        if association.dul.socket.socket is not None:  # the library leaves it to the collector
            association.dul.socket.socket.close()
        assert associated_and_released(port)
    assert "an object of more than 1 MiB" in caplog.text
    assert parts.queue.counts() == {}
    assert [*parts.folder.incoming.iterdir()] == []


def test_many_objects_may_be_larger_together(parts: Parts) -> None:
    with receiving(parts, max_object_mib=1) as port:
        association = associated(port)
        for number in range(3):
            answer = association.send_c_store(still(f"1.2.{number}", 400_000))
            assert answer.Status == Status.SUCCESS
        association.release()


def associated_and_released(port: int) -> bool:
    association = associated(port)
    if not association.is_established:
        return False
    association.release()
    return True


_HOSTILE = {
    "nothing": b"",
    "half a header": b"\x01\x00\x00",
    "a header alone": b"\x01\x00\x00\x00\x10\x00",
    "HTTP": b"GET / HTTP/1.1\r\nHost: node\r\n\r\n",
    "noise": bytes(range(256)),
    "four gigabytes": b"\x01\x00\xff\xff\xff\xff",
    "an empty request": b"\x01\x00\x00\x00\x00\x00",
    "a request of zeros": b"\x01\x00\x00\x00\x00\x44" + bytes(68),
    "data before a request": b"\x04\x00\x00\x00\x00\x06\x00\x00\x00\x02\x01\x03",
}


def test_hostile_connections_are_ended_and_others_go_on(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with receiving(parts, idle_s=1.0) as port:
        assert associated_and_released(port)  # what the first association loads takes its time
        peers = [socket.create_connection(("127.0.0.1", port), 20) for _ in _HOSTILE]
        for peer, data in zip(peers, _HOSTILE.values(), strict=True):
            peer.sendall(data)
        assert associated_and_released(port)
        for peer in peers:  # each connection is ended by the node, after its answer if any
            with peer:
                try:
                    while peer.recv(1000):
                        pass
                except ConnectionResetError:
                    pass
        assert associated_and_released(port)
    assert "too slow" in caplog.text
    assert "a protocol data unit of 4294967295 bytes" in caplog.text


def test_more_connections_than_may_be_open_are_closed(parts: Parts) -> None:
    with receiving(parts, associations=2) as port:
        kept = [associated(port) for _ in range(2)]
        assert all(one.is_established for one in kept)
        assert associated(port).is_rejected
        for one in kept:
            one.release()
