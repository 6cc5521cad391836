"""Receiving by C-STORE, and answering C-ECHO; DICOM PS3.4 B, PS3.7 9.1."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

from breastseg.dicom.node.audit import AuditTrail
from breastseg.dicom.node.config import ANY, Listen
from breastseg.dicom.node.incoming import IncomingFile, receive_into
from breastseg.dicom.node.intake import Intake, Status
from breastseg.dicom.node.received import STORAGE_CLASSES
from breastseg.dicom.node.tls import server_context
from breastseg.io.dicom_pixels import DECODERS

if TYPE_CHECKING:
    from pynetdicom.events import Event, EventHandlerType

    from breastseg.dicom.node.bounded_socket import BoundedSocket

_log = logging.getLogger(__name__)

TRANSFER_SYNTAXES = tuple(DECODERS)
"""In which it is received: all that is decoded. A deflated object could grow without bound."""

_ECHO = "1.2.840.10008.1.1"


class Receiver:
    """The storage service.

    Args:
        listen: where and from whom.
        intake: takes what comes.
        incoming: folder for what is being received.
        audit: is told of peers that were rejected.

    Raises:
        OSError: the address is not free.
        InputError: a certificate cannot be read.
    """

    def __init__(self, listen: Listen, intake: Intake, incoming: Path, audit: AuditTrail) -> None:
        from pynetdicom import AE, _config, build_context

        from breastseg.dicom.node.bounded import BoundedHandler, BoundedServer
        from breastseg.dicom.node.bounded_socket import MAX_PDU

        receive_into(incoming)
        # the library's own lines and tracebacks may hold what a data set holds
        _config.LOG_HANDLER_LEVEL = "none"
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
        self._intake = intake
        self._audit = audit
        entity = AE(listen.ae_title)
        entity.maximum_pdu_size = MAX_PDU
        entity.maximum_associations = listen.associations
        entity.require_called_aet = True
        entity.require_calling_aet = [] if ANY in listen.peers else list(listen.peers)
        # later than our own limit, which is told in the log
        entity.acse_timeout = 2 * min(listen.idle_s, 30.0)
        entity.network_timeout = entity.dimse_timeout = listen.idle_s
        contexts = [build_context(uid, list(TRANSFER_SYNTAXES)) for uid in STORAGE_CLASSES]
        self._server = BoundedServer(
            entity,
            (listen.host, listen.port),
            listen.ae_title,
            [*contexts, build_context(_ECHO)],
            None if listen.certificate is None else server_context(listen),
            self._handlers(),
            BoundedHandler,
        )
        self._server.listen = listen
        thread = threading.Thread(target=self._server.serve_forever, name="receive", daemon=True)
        thread.start()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """Take no more connections, and end those that are open."""
        self._server.stop()
        for association in self._server.active_associations:
            if association.is_established:
                association.abort()
            association.join(5.0)

    def _handlers(self) -> list[EventHandlerType]:
        from pynetdicom import evt

        return [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_C_ECHO, self._echo),
            (evt.EVT_REJECTED, self._rejected),
            (evt.EVT_ABORTED, self._aborted),
            (evt.EVT_CONN_CLOSE, self._closed),
        ]

    def _store(self, event: Event) -> int:
        file = event.dataset_path
        incoming = cast("IncomingFile", event.request._dataset_file)
        request = event.request
        uid, sop_class = (
            str(getattr(request, f"AffectedSOP{part}UID", "") or "")
            for part in ("Instance", "Class")
        )
        try:
            if incoming.failure is not None:
                return self._intake.refuse(_sender(event), incoming.failure)
            return self._intake.take(file, _sender(event), uid, sop_class)
        finally:
            file.unlink(missing_ok=True)
            cast("BoundedSocket", event.assoc.dul.socket).message_done()

    def _echo(self, event: Event) -> int:
        _log.info("%s: C-ECHO", _sender(event))
        cast("BoundedSocket", event.assoc.dul.socket).message_done()
        return Status.SUCCESS

    def _rejected(self, event: Event) -> None:
        asked = event.assoc.requestor.primitive
        called = "" if asked is None else printable_title(asked.called_ae_title)
        _log.error("%s: association rejected, it called %r", _sender(event), called)
        self._audit.rejected(_sender(event))

    def _aborted(self, event: Event) -> None:
        _log.warning("%s: association aborted", _sender(event))

    def _closed(self, event: Event) -> None:
        """Remove what was being received when the connection ended."""
        assoc = event.assoc
        if assoc.requestor.primitive is None and not getattr(assoc.dul.socket, "why", ""):
            _log.info("%s: connection closed, it asked for nothing", assoc.requestor.address)
        stream = getattr(event.assoc.dimse.message, "_data_set_file", None)
        if stream is not None:
            stream.close()
            Path(stream.name).unlink(missing_ok=True)


def _sender(event: Event) -> str:
    """Calling AE title and address."""
    requestor = event.assoc.requestor
    return f"{printable_title(requestor.ae_title)}@{requestor.address}"


def printable_title(title: str) -> str:
    """An AE title as it may stand in a log: a peer can send anything."""
    return "".join(c if c.isalnum() or c in "-_." else "?" for c in title.strip())[:16]
