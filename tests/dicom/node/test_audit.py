"""The audit trail: what a repository is told, and what the node's log is not."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from breastseg.dicom.node.audit import AuditTrail
from breastseg.dicom.node.config import AuditRepository, FolderDestination, NodeConfig

from ..subjects import phantoms
from .conftest import Keys
from .nodes import Parts, handler


@contextmanager
def repository() -> Iterator[tuple[AuditRepository, socket.socket]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        heard.settimeout(20)
        yield AuditRepository("127.0.0.1", heard.getsockname()[1]), heard


def read(heard: socket.socket) -> Element:
    """One message; its head is that of RFC 5424."""
    return parsed(heard.recv(2**16))


def parsed(data: bytes) -> Element:
    head, _, text = data.decode().partition("\ufeff")
    priority, _, host, name, _, kind, structured = head.split()
    assert (priority, host, name) == ("<85>1", socket.gethostname(), "breastseg")
    assert (kind, structured) == ("DICOM+RFC3881", "-")
    message = fromstring(text)
    parts = [one.tag for one in message]
    order = ["EventIdentification", "ActiveParticipant", "AuditSourceIdentification"]
    order.append("ParticipantObjectIdentification")
    assert parts == sorted(parts, key=order.index)  # the order of the schema
    return message


def coded(message: Element, path: str) -> list[str]:
    return [one.attrib["csd-code"] for one in message.findall(path)]


def test_what_comes_and_goes_is_told_by_identifiers_and_without_names(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    one = phantoms()["us-still"].objects[0]
    with repository() as (to, heard):
        files = FolderDestination("files", tmp_path / "out")
        config = NodeConfig(tmp_path / "node", folders=(files,), min_free_mib=1, audit=to)
        parts = Parts(tmp_path, [handler("us-still")], config)
        parts.take(one)
        assert parts.segmenting.one()
        assert parts.sending().one()
        told = []
        while parts.audit.one():
            told.append(read(heard))
    assert len(told) == 3  # the image, its segmentation and its report
    for message in told:
        assert coded(message, "EventIdentification/EventID") == ["110104"]
        assert message[0].attrib["EventOutcomeIndicator"] == "0"
        assert coded(message, "ActiveParticipant/RoleIDCode") == ["110153", "110152"]
        study, patient = message.findall("ParticipantObjectIdentification")
        assert study.attrib["ParticipantObjectID"] == one.StudyInstanceUID
        assert patient.attrib["ParticipantObjectID"] == one.PatientID
        assert patient.attrib["ParticipantObjectTypeCode"] == "1"
        assert str(one.PatientName) not in "".join(str(part.attrib) for part in message.iter())
    who = [[part.attrib["UserID"] for part in m.findall("ActiveParticipant")] for m in told]
    assert who == [["TEST", "BREASTSEG"], ["BREASTSEG", "files"], ["BREASTSEG", "files"]]
    classes = [m.find(".//SOPClass").attrib["UID"] for m in told]  # type: ignore[union-attr]
    assert classes[0] == one.SOPClassUID
    assert len(set(classes)) == 3
    assert caplog.records
    for word in (str(one.PatientName), one.PatientID, one.StudyInstanceUID):
        assert word not in caplog.text


def test_the_start_the_end_and_a_rejected_peer_are_told() -> None:
    with repository() as (to, heard):
        trail = AuditTrail(to, "NODE")
        trail.started()
        trail.rejected("STRANGER@10.0.0.9")
        trail.stopped()
        trail.close()
        start, alert, stop = (read(heard) for _ in range(3))
    assert coded(start, "EventIdentification/*") == ["110100", "110120"]
    assert coded(stop, "EventIdentification/*") == ["110100", "110121"]
    assert coded(alert, "EventIdentification/*") == ["110113", "110126"]
    stranger = alert.findall("ActiveParticipant")[1].attrib
    assert stranger["UserID"] == "STRANGER"
    assert stranger["NetworkAccessPointID"] == "10.0.0.9"


def test_what_cannot_be_sent_waits_and_is_told_in_the_log_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with repository() as (to, heard):
        trail = AuditTrail(replace(to, host="255.255.255.255"), "NODE")
        trail.started()
        assert not trail.one()
        assert not trail.one()
        trail._to = to  # it is there again
        trail.close()
        assert coded(read(heard), "EventIdentification/EventID") == ["110100"]
    assert caplog.text.count("audit trail: not sent, waiting") == 1


def test_without_a_repository_nothing_is_kept(tmp_path: Path) -> None:
    trail = AuditTrail(None, "NODE")
    trail.started()
    assert not trail.one()
    trail.close()


class SecureRepository:
    """A syslog server over TLS that asks for certificates; RFC 5425."""

    def __init__(self, keys: Keys) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(keys.certificate("room"), keys.key("room"))
        self._context.load_verify_locations(keys.certificate("authority"))
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._socket.settimeout(20)

    def accepted(self) -> ssl.SSLSocket:
        plain, _ = self._socket.accept()
        plain.settimeout(20)
        return self._context.wrap_socket(plain, server_side=True)

    def close(self) -> None:
        self._socket.close()


def framed(stream: ssl.SSLSocket) -> Element:
    """The next message: its length, a space, itself."""
    length = b""
    while not length.endswith(b" "):
        length += stream.recv(1)
    data = b""
    while len(data) < int(length):
        data += stream.recv(int(length) - len(data))
    return parsed(data)


def test_a_repository_over_tls_is_told_also_after_it_was_away(keys: Keys, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(keys.certificate("node").read_bytes() + keys.key("node").read_bytes())
    server = SecureRepository(keys)
    to = AuditRepository("127.0.0.1", server.port, keys.certificate("authority"), both)
    trail = AuditTrail(to, "NODE")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(server.accepted)
        trail.started()
        trail.rejected("STRANGER@10.0.0.9")
        assert trail.one()
        assert trail.one()
        stream = first.result()
        assert coded(framed(stream), "EventIdentification/EventID") == ["110100"]
        assert coded(framed(stream), "EventIdentification/EventID") == ["110113"]
        stream.close()  # the repository starts again
        second = pool.submit(server.accepted)
        trail.stopped()
        trail.close()
        stream = second.result()
        assert coded(framed(stream), "EventIdentification/*") == ["110100", "110121"]
        stream.close()
    server.close()


def test_a_repository_of_another_authority_is_told_nothing(
    keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    server = SecureRepository(keys)
    trail = AuditTrail(
        AuditRepository("127.0.0.1", server.port, keys.certificate("stranger")), "NODE"
    )
    with ThreadPoolExecutor(1) as pool:
        refused = pool.submit(server.accepted)
        trail.started()
        assert not trail.one()
        with pytest.raises(ssl.SSLError):
            refused.result()
    trail._to = replace(trail._to, port=1)  # type: ignore[type-var]
    trail.close()
    server.close()
    assert "SSLCertVerificationError" in caplog.text
    assert "messages lost, not sent: 1" in caplog.text
