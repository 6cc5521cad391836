"""A server of associations that nobody can fill: with connections, bytes or time.

pynetdicom counts associations only once they are requested, reads a protocol data unit of any
stated length into memory, and waits for its last byte as long as bytes keep coming.
"""

from __future__ import annotations

import logging
import select
import socket
import ssl
import time
from socketserver import BaseServer
from typing import TYPE_CHECKING, cast

from pynetdicom.transport import (
    AssociationSocket,
    RequestHandler,
    ThreadedAssociationServer,
)

from breastseg.dicom.node.config import Listen

if TYPE_CHECKING:
    from pynetdicom.association import Association

_log = logging.getLogger(__name__)
MAX_PDU = 2**17
"""Bytes of a protocol data unit, our own limit and with it what peers are told."""
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE")
"""What OpenSSL says of first bytes that are none of TLS."""
_SLACK = 2**16
"""More than a header, a command and an association request have."""


class BoundedSocket(AssociationSocket):
    """A peer's socket; what goes past a limit is told in the log and ends the connection.

    Args:
        assoc: that it belongs to.
        client_socket: the peer's.
        listen: the limits.

    Attributes:
        told: why it was ended stands in the log.
    """

    def __init__(self, assoc: Association, client_socket: socket.socket, listen: Listen) -> None:
        super().__init__(assoc, client_socket=client_socket)
        client_socket.settimeout(listen.idle_s)  # also of a peer that reads no answer
        self._listen = listen
        self._until = time.monotonic() + listen.association_s
        self._bytes = 0
        self.told = False

    def message_done(self) -> None:
        """Count anew: a whole object was taken."""
        self._bytes = 0

    def recv(self, nr_bytes: int) -> bytearray:
        """Read so many bytes, within the limits.

        Raises:
            OSError: past a limit; the caller takes the connection for lost.
        """
        self._bytes += nr_bytes
        if nr_bytes > MAX_PDU + _SLACK:
            raise self._ended(f"a protocol data unit of {nr_bytes} bytes")
        if self._bytes > self._listen.max_object_mib << 20:
            raise self._ended(f"an object of more than {self._listen.max_object_mib} MiB")
        sock = cast("socket.socket", self.socket)
        until = min(self._until, time.monotonic() + self._listen.idle_s)
        read = bytearray()
        while len(read) < nr_bytes:
            pending = isinstance(sock, ssl.SSLSocket) and sock.pending()
            left = until - time.monotonic()
            if not pending and (left <= 0 or not select.select([sock], [], [], left)[0]):
                raise self._ended("too slow, or open for too long")
            try:  # the first one shakes hands
                more = sock.recv(min(nr_bytes - len(read), 2**16))
            except ssl.SSLError as error:
                raise self._ended(_without_tls(error)) from error
            if not more:
                break
            read += more
        return read

    def _ended(self, why: str) -> OSError:
        host = self.assoc.requestor.address
        _log.error("%s: association ended: %s", host, why)
        self.told = True
        self.close()
        return TimeoutError(why)

    def _shutdown_socket(self) -> None:
        """Close the connection, also where the peer has gone already."""
        super()._shutdown_socket()
        if self.socket is not None:
            self.socket.close()


def _without_tls(error: ssl.SSLError) -> str:
    """Why there is no TLS with a peer, in words."""
    reason = str(error.reason or "")
    if reason in _NO_TLS:
        return "no TLS: it does not speak it"
    if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return "no TLS: it shows no certificate"
    if reason == "CERTIFICATE_VERIFY_FAILED":
        return "no TLS: its certificate is not of the configured authorities, or has expired"
    if "ALERT" in reason:
        return f"no TLS: it refuses the node's certificate or version ({reason})"
    return f"no TLS ({reason})"


class BoundedHandler(RequestHandler):
    """Makes associations with a bounded socket."""

    def _create_association(self) -> Association:
        association = super()._create_association()
        server = cast("BoundedServer", self.server)
        # in place of the plain one, which has announced the connection already as this one does
        association.dul.event_queue.get_nowait()
        association.dul.socket = BoundedSocket(association, self.request, server.listen)
        return association


class BoundedServer(ThreadedAssociationServer):
    """Closes a connection at once where as many are open as may be."""

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
