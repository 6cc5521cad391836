"""Results by STOW-RS, and what the answers of a server mean; DICOM PS3.18 10.5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from breastseg.dicom.node.config import WebDestination
from breastseg.dicom.node.sending import Outcome
from breastseg.dicom.web import WebServer
from breastseg.dicom.web_store import store


def server_of(destination: WebDestination) -> WebServer:
    """The server that results go to.

    Raises:
        InputError: its URL is none.
    """
    return WebServer(
        destination.url,
        destination.user,
        destination.secret_file,
        destination.authorities,
        destination.timeout_s,
    )


class WebSender:
    """Sends each object in a request of its own, so that each has an answer of its own."""

    def __init__(self, destination: WebDestination) -> None:
        self._server = server_of(destination)

    def __call__(self, files: Sequence[Path]) -> Iterator[Outcome]:
        """Send them; see the protocol."""
        client = self._server.client()
        for file in files:
            answer = store(client, file)
            if answer.stored:
                yield Outcome("sent", answer.words)
            else:
                yield Outcome("refused" if answer.final else "later", answer.words)
