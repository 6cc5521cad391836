"""Calling a peer, which cannot hold the node without end."""

from __future__ import annotations

from ssl import SSLContext

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.transport import AddressInformation

from breastseg.dicom.node.bounded_socket import BoundedSocket, Limits
from breastseg.dicom.node.config import DicomDestination


class Caller(AE):
    """The node where it calls a destination."""

    def __init__(self, to: DicomDestination) -> None:
        super().__init__(to.calling)
        self.connection_timeout = self.acse_timeout = to.timeout_s
        self.dimse_timeout = self.network_timeout = to.timeout_s
        self._limits = Limits(to.timeout_s)

    def _create_socket(
        self,
        assoc: Association,
        address: AddressInformation,
        tls_args: tuple[SSLContext, str] | None,
    ) -> BoundedSocket:
        sock = BoundedSocket(assoc, self._limits, address=address)
        sock.tls_args = tls_args
        return sock
