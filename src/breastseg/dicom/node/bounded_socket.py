"""A socket of an association that nobody can fill or hold: with bytes or time.

pynetdicom reads a protocol data unit of any stated length into memory, waits for its last byte as
long as bytes keep coming, and waits without end for a called peer that reads nothing.
"""

from __future__ import annotations

import math
import select
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pynetdicom.transport import T_CONNECT, AddressInformation, AssociationSocket

from breastseg.dicom.node.steady_timer import SteadyTimer

if TYPE_CHECKING:
    from pynetdicom.association import Association

MAX_PDU = 2**17
"""Bytes of a protocol data unit, our own limit and with it what peers are told."""
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE")
"""What OpenSSL says of first bytes that are none of TLS."""
_SLACK = 2**16
"""More than a header, a command and an association request have."""


@dataclass(frozen=True)
class Limits:
    """What a peer may use.

    Attributes:
        idle_s: seconds for a whole protocol data unit, or for reading what it is sent.
        association_s: seconds for all.
        max_message_mib: size of what it sends before `BoundedSocket.message_done`.
    """

    idle_s: float
    association_s: float = math.inf
    max_message_mib: int = 16


class BoundedSocket(AssociationSocket):
    """A peer's socket; what goes past a limit ends the connection.

    Args:
        assoc: that it belongs to.
        limits: what the peer may use.
        client_socket: of a peer that has connected.
        address: to call from, where the peer is called.

    Attributes:
        why: it was ended; empty while it was not.
    """

    def __init__(
        self,
        assoc: Association,
        limits: Limits,
        client_socket: socket.socket | None = None,
        address: AddressInformation | None = None,
    ) -> None:
        super().__init__(assoc, client_socket, address)
        dul = assoc.dul
        dul.artim_timer = SteadyTimer(dul.artim_timer.timeout)
        dul._idle_timer = SteadyTimer(dul._idle_timer.timeout)
        self._limits = limits
        self._until = time.monotonic() + limits.association_s
        self._bytes = 0
        self.why = ""
        self._bound_writing()

    def connect(self, primitive: T_CONNECT) -> None:
        """Call the peer."""
        super().connect(primitive)
        self._bound_writing()

    def _bound_writing(self) -> None:
        if self.socket is not None:
            self.socket.settimeout(self._limits.idle_s)

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
            raise self.ended(f"a protocol data unit of {nr_bytes} bytes")
        if self._bytes > self._limits.max_message_mib << 20:
            raise self.ended(f"an object of more than {self._limits.max_message_mib} MiB")
        sock = cast("socket.socket", self.socket)
        until = min(self._until, time.monotonic() + self._limits.idle_s)
        read = bytearray()
        while len(read) < nr_bytes:
            pending = isinstance(sock, ssl.SSLSocket) and sock.pending()
            left = until - time.monotonic()
            if not pending and (left <= 0 or not select.select([sock], [], [], left)[0]):
                raise self.ended("too slow, or open for too long")
            try:  # the first one shakes hands
                more = sock.recv(min(nr_bytes - len(read), 2**16))
            except ssl.SSLError as error:
                raise self.ended(_without_tls(error)) from error
            if not more:
                break
            read += more
        return read

    def ended(self, why: str) -> OSError:
        """End the connection; returns what is to be raised."""
        self.why = why
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
