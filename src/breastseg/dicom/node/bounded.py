"""A server of associations that nobody can fill with connections.

pynetdicom counts associations only once they are requested.
"""

from __future__ import annotations

import logging
import socket
from socketserver import BaseServer
from typing import TYPE_CHECKING, cast

from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from breastseg.dicom.node.bounded_socket import BoundedSocket, Limits
from breastseg.dicom.node.config import Listen

if TYPE_CHECKING:
    from pynetdicom.association import Association

_log = logging.getLogger(__name__)


class ReceivingSocket(BoundedSocket):
    """That of a peer that has connected; why it is ended is told in the log."""

    def ended(self, why: str) -> OSError:
        """End the connection; returns what is to be raised."""
        _log.error("%s: association ended: %s", self.assoc.requestor.address, why)
        return super().ended(why)


class BoundedHandler(RequestHandler):
    """Makes associations with a bounded socket."""

    def _create_association(self) -> Association:
        association = super()._create_association()
        listen = cast("BoundedServer", self.server).listen
        limits = Limits(listen.idle_s, listen.association_s, listen.max_object_mib)
        # in place of the plain one, which has announced the connection already as this one does
        association.dul.event_queue.get_nowait()
        association.dul.socket = ReceivingSocket(association, limits, self.request)
        return association


class BoundedServer(ThreadedAssociationServer):
    """Closes a connection at once where as many are open as may be."""

    request_queue_size = 128
    """Connections that wait to be accepted: the system forgets more than these without a word."""
    listen: Listen
    """Set before the server is started."""

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether a connection may have a thread."""
        # as many again may wait to be rejected politely
        open_now = len(self.active_associations)
        if open_now < 2 * self.listen.associations:
            return True
        _log.error("a connection closed: %d are open", open_now)
        return False

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Accept a connection; a TLS handshake is left to its own thread, in the first read."""
        sock = cast("socket.socket", self.socket)
        client, address = sock.accept()
        if self.ssl_context is not None:
            client = self.ssl_context.wrap_socket(
                client, server_side=True, do_handshake_on_connect=False
            )
        return client, address

    def stop(self) -> None:
        """Take no more connections; those that are open go on."""
        BaseServer.shutdown(self)
        self.server_close()
