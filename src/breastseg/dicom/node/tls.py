"""TLS in both directions; what cannot be read is told by its name."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from breastseg.core.errors import InputError
from breastseg.dicom.node.config import DicomDestination, Listen


def client_context(authorities: Path, certificate: Path | None) -> ssl.SSLContext:
    """For connections to a peer.

    Args:
        authorities: PEM file with those of its certificate.
        certificate: PEM file with the node's own certificate and key, where it asks for one.

    Raises:
        InputError: a file holds no such thing.
    """
    with _reading(authorities, "certificates"):
        context = ssl.create_default_context(cafile=authorities)
    if certificate is not None:
        with _reading(certificate, "a certificate and its key"):
            context.load_cert_chain(certificate)
    return context


def server_context(listen: Listen) -> ssl.SSLContext:
    """For peers that connect; `listen` names a certificate.

    Raises:
        InputError: a file holds no such thing.
    """
    assert listen.certificate is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with _reading(listen.certificate, f"a certificate, and {listen.key} with its key"):
        context.load_cert_chain(listen.certificate, listen.key)
    if listen.authorities is not None:
        with _reading(listen.authorities, "certificates"):
            context.load_verify_locations(listen.authorities)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def connection_trouble(to: DicomDestination, context: ssl.SSLContext | None) -> str:
    """Why there is no connection with a peer, which pynetdicom does not tell; empty where it is."""
    try:
        with socket.create_connection((to.host, to.port), timeout=to.timeout_s) as plain:
            if context is not None:
                context.wrap_socket(plain, server_hostname=to.host).close()
            return ""
    except ssl.SSLCertVerificationError as error:
        return f"the peer's certificate: {error.verify_message}"
    except ssl.SSLError as error:
        return f"the peer speaks no TLS that is understood ({error.reason})"
    except OSError as error:
        return f"no connection ({error.strerror or error})"


@contextmanager
def _reading(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # those of TLS are among them
        raise InputError(f"{path}: {error}", f"a PEM file with {what}") from error
