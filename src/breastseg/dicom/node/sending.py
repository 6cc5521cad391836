"""Results to a destination; each is marked as sent only when the peer has said that it has it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from breastseg.dicom.node.audit import AuditTrail
from breastseg.dicom.node.config import (
    Destination,
    DicomDestination,
    FolderDestination,
    NodeConfig,
    WebDestination,
)
from breastseg.dicom.node.folder import NodeFolder
from breastseg.dicom.node.queue import Queue
from breastseg.dicom.node.queued import Delivery
from breastseg.dicom.node.rules import read_facts

_log = logging.getLogger(__name__)
_BATCH = 50


@dataclass(frozen=True)
class Outcome:
    """What came of sending one object.

    Attributes:
        kind: the peer has it; it refused it for good; or it may take it later.
        words: what the peer said, or why nothing is known; empty where all is well.
    """

    kind: Literal["sent", "refused", "later"]
    words: str = ""


class Sender(Protocol):
    """Sends files to one peer."""

    def __call__(self, files: Sequence[Path]) -> Iterator[Outcome]:
        """Send them in order.

        Yields:
            What came of each, as soon as it is known; nothing for those that were not tried.
        """


def sender_for(destination: Destination) -> Sender:
    """What sends to a destination."""
    if isinstance(destination, DicomDestination):
        from breastseg.dicom.node.send_dicom import DicomSender

        return DicomSender(destination)
    if isinstance(destination, WebDestination):
        from breastseg.dicom.node.send_web import WebSender

        return WebSender(destination)
    assert isinstance(destination, FolderDestination)
    from breastseg.dicom.node.send_folder import FolderSender

    return FolderSender(destination)


class Sending:
    """Sends what is due to one destination.

    Args:
        config: of the node.
        folder: of the node.
        queue: gives what is due.
        destination: where to.
        audit: is told of what was sent.
    """

    def __init__(
        self,
        config: NodeConfig,
        folder: NodeFolder,
        queue: Queue,
        destination: Destination,
        audit: AuditTrail,
    ) -> None:
        self._config = config
        self._folder = folder
        self._queue = queue
        self._name = destination.name
        self._audit = audit
        self._send = sender_for(destination)

    def one(self) -> bool:
        """Send what is due now, some objects at most; False where nothing is.

        Raises:
            sqlite3.OperationalError: an outcome cannot be noted, as when the disk is full; the
                object will be sent again, under the same UID.
        """
        due = []
        for one in self._queue.due(self._name, _BATCH):
            if self._file(one).is_file():
                due.append(one)
            else:
                self._queue.not_sent(one, "its file is gone", None)
        outcomes = iter(self._send([self._file(one) for one in due])) if due else iter(())
        for one in due:
            try:
                outcome = next(outcomes, None)
            except Exception as error:  # noqa: BLE001 -- or it would be tried without end
                # without its words, which may hold what a data set holds
                outcome = Outcome("later", f"something unforeseen ({type(error).__name__})")
            if outcome is None:
                break
            self._note(one, outcome)
        return bool(due)

    def _file(self, one: Delivery) -> Path:
        return self._folder.results(one.item) / one.file

    def _note(self, one: Delivery, outcome: Outcome) -> None:
        words = f": {outcome.words}" if outcome.words else ""
        if outcome.kind == "sent":
            self._queue.sent(one, outcome.words)
            said = read_facts(self._file(one), one.file)
            self._audit.sent(self._name, said.patient, said.study, said.sop_class)
            _log.info("item %d: %s sent to %s%s", one.item, one.file, self._name, words)
            return
        tried = one.attempts + 1
        given_up = outcome.kind == "refused" or tried >= self._config.attempts
        wait = None if given_up else self._config.wait_s(tried)
        self._queue.not_sent(one, outcome.words, wait)
        then = "given up" if wait is None else f"again in {wait:.0f} s"
        _log.error("item %d: %s not sent to %s%s; %s", one.item, one.file, self._name, words, then)
