"""Taking an instance: to its place and into the queue, before anybody is told that it is here."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from breastseg.core.errors import BreastsegError, InputError, as_breastseg_error
from breastseg.dicom.node.audit import AuditTrail
from breastseg.dicom.node.config import NodeConfig
from breastseg.dicom.node.folder import NodeFolder, file_digest, out_of_room
from breastseg.dicom.node.queue import Queue
from breastseg.dicom.node.queued import Arrival
from breastseg.dicom.node.received import stated
from breastseg.dicom.node.rules import Handler, Header, choose, read_facts

_log = logging.getLogger(__name__)


class Status(IntEnum):
    """What a sender is answered; DICOM PS3.4 B.2.3 and PS3.7 C."""

    SUCCESS = 0x0000
    DUPLICATE = 0x0111
    NO_ROOM = 0xA700
    MISMATCH = 0xA900
    UNREADABLE = 0xC000


class Intake:
    """Takes instances, from peers and from a watched folder alike.

    Args:
        config: of the node.
        folder: of the node.
        queue: takes the instances.
        handlers: who takes which.
        audit: is told of what was taken.

    Attributes:
        answers: how often each status was answered.
    """

    def __init__(
        self,
        config: NodeConfig,
        folder: NodeFolder,
        queue: Queue,
        handlers: Sequence[Handler],
        audit: AuditTrail,
    ) -> None:
        self._config = config
        self._folder = folder
        self._queue = queue
        self._handlers = handlers
        self._audit = audit
        self.answers: Counter[Status] = Counter()
        self._counting = threading.Lock()

    def take(self, file: Path, sender: str, uid: str = "", sop_class: str = "") -> Status:
        """Take an instance; on success it is on the disk and in the queue.

        Args:
            file: a DICOM file in the node's folder for what comes in; moved away on success.
            sender: what the log calls whom it came from.
            uid: the SOP Instance UID that the sender stated, where it did.
            sop_class: the SOP Class UID that it stated.
        """
        return self._counted(self._status(file, sender, (uid, sop_class)))

    def refuse(self, sender: str, error: OSError) -> Status:
        """Refuse what could not be written while it came."""
        _log.error("%s: refused: it cannot be stored (%s)", sender, error.strerror)
        return self._counted(Status.NO_ROOM)

    def _counted(self, status: Status) -> Status:
        with self._counting:
            self.answers[status] += 1
        return status

    def _status(self, file: Path, sender: str, command: tuple[str, str]) -> Status:
        try:
            return self._answered(file, sender, command)
        except BreastsegError as error:
            # without its words, which may hold what the data set holds
            cause = error.__cause__ or error
            if out_of_room(error) or (isinstance(cause, OSError) and type(error) is InputError):
                _log.error("%s: refused: it cannot be stored (%s)", sender, type(cause).__name__)
                return Status.NO_ROOM
            _log.error("%s: refused: damaged (%s)", sender, type(cause).__name__)
            return Status.UNREADABLE

    def _answered(self, file: Path, sender: str, command: tuple[str, str]) -> Status:
        try:
            if self._folder.free_mib() < self._config.min_free_mib:
                _log.error("%s: refused: less than %d MiB free", sender, self._config.min_free_mib)
                return Status.NO_ROOM
            header = read_facts(file, "an instance")
            for what, said, found in zip(
                ("UID", "class"), command, (header.uid, header.sop_class), strict=True
            ):
                if said and said != found:
                    _log.error(
                        "%s: refused: its data set has another %s than its command", sender, what
                    )
                    return Status.MISMATCH
            return self._queued(file, header, sender)
        except BreastsegError:
            raise
        except Exception as error:
            raise as_breastseg_error(error, "an instance") from error

    def _queued(self, file: Path, header: Header, sender: str) -> Status:
        handler = choose(self._handlers, header)
        arrival = self._arrival(header, handler, file_digest(file))
        placed: list[int] = []

        def place(item: int) -> None:
            self._folder.place(file, header.uid, item)
            placed.append(item)

        stored = self._queue.add(arrival, place)
        if stored == "other":
            _log.error("%s: refused: it is here already, with other content", sender)
            return Status.DUPLICATE
        modality = header.modality if header.modality.isalnum() else "an instance"
        if stored == "known":
            _log.info("%s: %s, here already", sender, modality)
        elif handler is None:
            _log.warning("%s: %s, ignored: no rule takes it", sender, modality)
        else:
            _log.info("%s: %s, item %d for %s", sender, modality, placed[0], handler.rule.method)
        if stored == "new":
            self._audit.received(sender, header.patient, header.study, header.sop_class)
        return Status.SUCCESS

    def _arrival(self, header: Header, handler: Handler | None, digest: str) -> Arrival:
        uid, study = header.uid, header.study
        if handler is None:
            problem = f"no rule takes {header.asked()}"
            return Arrival(uid, study, digest, f"ignored {uid}", "", problem=problem)
        if handler.dimensions == 2 or not study:
            return Arrival(uid, study, digest, f"image {uid}", handler.name)
        key = f"volume {handler.name} {stated(handler.rule)} {study}"
        quiet_s = self._config.quiet_s
        return Arrival(uid, study, digest, key, handler.name, quiet_s, header.expected)
