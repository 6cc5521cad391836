"""The audit trail: messages of DICOM PS3.15 A.5 to an audit repository, over syslog.

They name patients and studies by identifier, which the node's log does not. The transport is
RFC 5426 (UDP) or, with authorities, RFC 5425 (TLS), as of IHE's ATNA.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading
from collections import deque
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from breastseg.dicom.node.config import AuditRepository
from breastseg.dicom.node.tls import client_context

_log = logging.getLogger(__name__)
_PRIORITY = 10 * 8 + 5
"""Security and authorisation messages (10), notice (5)."""
_MAX_WAITING = 10_000
_TIMEOUT_S = 10.0

Code = tuple[str, str]
"""A code of DICOM's own and its meaning."""
_ACTIVITY: Code = ("110100", "Application Activity")
_START: Code = ("110120", "Application Start")
_STOP: Code = ("110121", "Application Stop")
_TRANSFERRED: Code = ("110104", "DICOM Instances Transferred")
_ALERT: Code = ("110113", "Security Alert")
_AUTHENTICATION: Code = ("110126", "Node Authentication")
_APPLICATION: Code = ("110150", "Application")
_SOURCE: Code = ("110153", "Source Role ID")
_DESTINATION: Code = ("110152", "Destination Role ID")
_STUDY: Code = ("110180", "Study Instance UID")


class AuditTrail:
    """Notes what happens and sends it on, in order; without a repository it does neither.

    Args:
        to: the repository.
        title: the node's AE title.
    """

    def __init__(self, to: AuditRepository | None, title: str) -> None:
        self._to = to
        self._title = title
        self._waiting: deque[bytes] = deque()
        self._lock = threading.Lock()
        self._stream: ssl.SSLSocket | None = None
        self._troubled = False

    def started(self) -> None:
        """Note that the node has started."""
        self._application(_START)

    def stopped(self) -> None:
        """Note that it stops."""
        self._application(_STOP)

    def received(self, sender: str, patient_id: str, study: str, sop_class: str) -> None:
        """Note that an instance is here.

        Args:
            sender: its AE title, an at-sign and its address, or what else it came from.
            patient_id: Patient ID.
            study: Study Instance UID.
            sop_class: SOP Class UID.
        """
        message = _message(_TRANSFERRED, "C")
        _participant(message, sender, _SOURCE, requestor=True)
        _participant(message, self._title, _DESTINATION)
        self._about(message, patient_id, study, sop_class)

    def sent(self, destination: str, patient_id: str, study: str, sop_class: str) -> None:
        """Note that a destination has a result; see `received`."""
        message = _message(_TRANSFERRED, "C")
        _participant(message, self._title, _SOURCE, requestor=True)
        _participant(message, destination, _DESTINATION)
        self._about(message, patient_id, study, sop_class)

    def rejected(self, sender: str) -> None:
        """Note that a peer was rejected that may not send, or that called another title."""
        message = _message(_ALERT, "E", _AUTHENTICATION, outcome=4)
        _participant(message, self._title)
        _participant(message, sender, requestor=True)
        self._add(message)

    def one(self) -> bool:
        """Send the message that has waited longest; False where none waits or none can be sent."""
        if not self._waiting or self._to is None:
            return False
        try:
            self._send(self._to, self._waiting[0])
        except OSError as error:
            self._hang_up()
            if not self._troubled:
                _log.error("audit trail: not sent, waiting (%s)", type(error).__name__)
            self._troubled = True
            return False
        self._troubled = False
        with self._lock:
            self._waiting.popleft()
        return True

    def close(self) -> None:
        """Send what waits, as far as that can be done, and end the connection."""
        while self.one():
            continue
        if self._waiting:
            _log.error("audit trail: messages lost, not sent: %d", len(self._waiting))
        self._hang_up()

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def _application(self, what: Code) -> None:
        message = _message(_ACTIVITY, "E", what)
        _participant(message, self._title, _APPLICATION)
        self._add(message)

    def _about(self, message: Element, patient_id: str, study: str, sop_class: str) -> None:
        thing = _object(message, study, "2", "3", _STUDY)
        described = SubElement(thing, "ParticipantObjectDescription")
        SubElement(described, "SOPClass", {"UID": sop_class, "NumberOfInstances": "1"})
        _object(message, patient_id, "1", "1", ("2", "Patient Number"), "RFC-3881")
        self._add(message)

    def _add(self, message: Element) -> None:
        if self._to is None:
            return
        source = Element("AuditSourceIdentification", {"AuditSourceID": self._title})
        SubElement(source, "AuditSourceTypeCode", _coded(("4", "Application Server"), "DCM"))
        # its place is after the participants and before the objects
        message.insert(1 + len(message.findall("ActiveParticipant")), source)
        head = f"<{_PRIORITY}>1 {_now()} {socket.gethostname()} breastseg {os.getpid()}"
        text = f"{head} DICOM+RFC3881 - \ufeff{tostring(message, 'unicode')}"
        with self._lock:
            if len(self._waiting) >= _MAX_WAITING:
                self._waiting.popleft()
                _log.error("audit trail: a message is lost, %d wait", _MAX_WAITING)
            self._waiting.append(text.encode())

    def _send(self, to: AuditRepository, data: bytes) -> None:
        if to.authorities is None:
            family = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family[0], socket.SOCK_DGRAM) as datagrams:
                datagrams.sendto(data, family[4])
            return
        if self._stream is not None and _ended(self._stream):
            self._hang_up()
        if self._stream is None:
            context = client_context(to.authorities, to.certificate)
            plain = socket.create_connection((to.host, to.port), _TIMEOUT_S)
            self._stream = context.wrap_socket(plain, server_hostname=to.host)
        self._stream.sendall(f"{len(data)} ".encode() + data)


def _ended(stream: ssl.SSLSocket) -> bool:
    """Whether the peer has closed a connection: what is written to it then goes nowhere."""
    stream.settimeout(0)
    try:
        return not stream.recv(1)
    except ssl.SSLWantReadError:
        return False
    finally:
        stream.settimeout(_TIMEOUT_S)


def _message(event: Code, action: str, kind: Code | None = None, outcome: int = 0) -> Element:
    message = Element("AuditMessage")
    said = {
        "EventActionCode": action,
        "EventDateTime": _now(),
        "EventOutcomeIndicator": str(outcome),
    }
    identification = SubElement(message, "EventIdentification", said)
    SubElement(identification, "EventID", _coded(event, "DCM"))
    if kind is not None:
        SubElement(identification, "EventTypeCode", _coded(kind, "DCM"))
    return message


def _participant(
    message: Element, who: str, role: Code | None = None, requestor: bool = False
) -> None:
    user, _, address = who.partition("@")
    said = {"UserID": user, "UserIsRequestor": str(requestor).lower()}
    if address:
        said |= {"NetworkAccessPointID": address, "NetworkAccessPointTypeCode": "2"}
    participant = SubElement(message, "ActiveParticipant", said)
    if role is not None:
        SubElement(participant, "RoleIDCode", _coded(role, "DCM"))


def _object(
    message: Element, identifier: str, kind: str, role: str, code: Code, system: str = "DCM"
) -> Element:
    said = {
        "ParticipantObjectID": _printable(identifier),
        "ParticipantObjectTypeCode": kind,
        "ParticipantObjectTypeCodeRole": role,
    }
    thing = SubElement(message, "ParticipantObjectIdentification", said)
    SubElement(thing, "ParticipantObjectIDTypeCode", _coded(code, system))
    return thing


def _coded(code: Code, system: str) -> dict[str, str]:
    return {"csd-code": code[0], "codeSystemName": system, "originalText": code[1]}


def _printable(text: str) -> str:
    """Text that XML can hold: a data set may hold any."""
    return "".join(c if c.isprintable() else " " for c in text)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
