"""The node: receiving, segmenting and sending side by side, each in threads of its own."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from breastseg.core.errors import InputError
from breastseg.dicom.extra import require
from breastseg.dicom.node.audit import AuditTrail
from breastseg.dicom.node.checks import check_usable
from breastseg.dicom.node.config import NodeConfig
from breastseg.dicom.node.folder import NodeFolder
from breastseg.dicom.node.intake import Intake
from breastseg.dicom.node.monitor import Look, Monitor, Sample
from breastseg.dicom.node.queue import Queue
from breastseg.dicom.node.received import stated
from breastseg.dicom.node.rules import handlers
from breastseg.dicom.node.segmenting import Opener, Segmenting
from breastseg.dicom.node.sending import Sending
from breastseg.dicom.node.watching import Watching

if TYPE_CHECKING:
    from breastseg.dicom.node.receiving import Receiver

_log = logging.getLogger(__name__)
_CRASHES = 3
"""An item that was begun so often by processes that ended is not begun again."""
_LOOK_S = 0.5
"""Seconds between two looks into the queue, which another process may have changed."""
_KEEP_S = 60.0
_WATCH_S = 5.0
_END_S = 30.0


class Node:
    """A node that runs until it is left, as a context manager.

    Args:
        config: what it is told.
        opener: opens the method of a rule.
        watched: a folder whose DICOM files are taken too.

    Raises:
        BreastsegError: a rule, folder or address that cannot be used, or an extra is missing.
    """

    def __init__(self, config: NodeConfig, opener: Opener, watched: Path | None = None) -> None:
        needed = ["highdicom"]
        if config.listen is not None or config.dicom:
            needed.append("pynetdicom")
        if config.dicomweb:
            needed.append("dicomweb_client")
        for module in needed:
            require(module)
            # here, since pydicom is damaged where two threads are the first to import it at once
            import_module(module)
        if not config.destinations:
            raise InputError("no destination", "at least one of dicom, dicomweb and folders")
        if config.listen is None and watched is None:
            raise InputError("nothing to listen on", "a table listen in the configuration")
        check_usable(config)
        self._config = config
        self._opener = opener
        self._watched = watched
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        title = "BREASTSEG" if config.listen is None else config.listen.ae_title
        self._audit = AuditTrail(config.audit, title)
        self._monitor: Monitor | None = None
        self.port = 0

    def __enter__(self) -> Node:
        config = self._config
        known = handlers(config.rules, config.default_rules)
        self._folder = NodeFolder(config.folder)
        self._folder.check_room(config.min_free_mib)
        self._held = self._folder.lock()
        try:
            self._queue = Queue(self._folder.queue_file)
            again = self._queue.recover(_CRASHES)
            self._folder.clean(self._queue)
        except (OSError, sqlite3.OperationalError) as error:
            raise InputError(f"folder {config.folder}: {error}", "a disk with room") from error
        by_name = {one.name: one for one in known}
        segmenting = Segmenting(config, self._folder, self._queue, by_name, self._opener)
        intake = self._intake = Intake(config, self._folder, self._queue, known, self._audit)
        for number in range(config.workers or _cores()):
            self._start(f"segment-{number}", segmenting.one)
        for destination in config.destinations:
            sending = Sending(config, self._folder, self._queue, destination, self._audit)
            self._start(f"send-{destination.name}", sending.one)
        self._start("keep", self._keep, _KEEP_S)
        self._start("audit", self._audit.one)
        if self._watched is not None:
            watching = Watching(self._watched, config.quiet_s, intake, self._folder.incoming)
            self._start("watch", watching.one, _WATCH_S)
        self._audit.started()
        self._listen(intake)
        if self._watched is not None:
            _log.info("watching %s/ and the folders below it", self._watched)
        _log.info("results go to %s", ", ".join(map(str, config.destinations)))
        for one in known:
            note = ", trained on synthetic images" if one.synthetic else ""
            _log.info("rule: %s for %s%s", stated(one.rule) or "any", one.rule.method, note)
            if one.rule.body_part.upper() not in ("", "BREAST"):
                _log.warning("body part %r: DICOM's term is BREAST", one.rule.body_part)
        _log.info("%d items taken back that an earlier run had begun", again)
        if self._folder.free_mib() < config.min_free_mib:
            _log.error("less than %d MiB free: instances are refused", config.min_free_mib)
        return self

    def _listen(self, intake: Intake) -> None:
        """Answer peers and monitors from now on."""
        self._receiver: Receiver | None = None
        listen, monitor = self._config.listen, self._config.monitor
        if listen is not None:
            from breastseg.dicom.node.receiving import Receiver

            with self._address(listen.host, listen.port):
                self._receiver = Receiver(listen, intake, self._folder.incoming, self._audit)
            self.port = self._receiver.port
            _log.info("listening as %s on port %d", listen.ae_title, self.port)
        if monitor is not None:
            with self._address(monitor.host, monitor.port):
                self._monitor = Monitor(monitor, self._look)
            _log.info("health and metrics on port %d", self._monitor.port)

    @contextmanager
    def _address(self, host: str, port: int) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.__exit__(None, None, None)
            raise InputError(f"listening on {host}:{port}: {error}", "a free address") from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._receiver is not None:
            self._receiver.stop()
        self._close()

    def wait(self) -> None:
        """Wait until the process is told to end.

        A signal may reach any thread, and Python heeds it when the main one wakes.
        """
        while not self._stop.wait(_LOOK_S):
            pass

    def counts(self) -> dict[str, int]:
        """How many items are in each state."""
        return self._queue.counts()

    def _close(self) -> None:
        """Let what is in work come to its end, for a while; what does not is done again."""
        if self._monitor is not None:
            self._monitor.stop()
        self._stop.set()
        for thread in self._threads:
            thread.join(_END_S)
        self._audit.stopped()
        self._audit.close()
        if not any(thread.is_alive() for thread in self._threads):
            self._queue.close()
        self._held.close()

    def _start(self, name: str, step: Callable[[], bool], rest_s: float = _LOOK_S) -> None:
        thread = threading.Thread(target=self._loop, args=(name, step, rest_s), name=name)
        thread.daemon = True
        self._threads.append(thread)
        thread.start()

    def _loop(self, name: str, step: Callable[[], bool], rest_s: float) -> None:
        """Take one step after the other; where there is nothing to do, rest."""
        troubled = False
        while not self._stop.is_set():
            try:
                busy = step()
                troubled = False
            except (sqlite3.OperationalError, OSError) as error:
                if not troubled:
                    _log.error("%s: the disk cannot be used, waiting (%s)", name, error)
                troubled, busy = True, False
            except Exception as error:  # noqa: BLE001 -- or the node would stand still from now on
                # without its words, which may hold what a data set holds
                _log.error("%s: something unforeseen, going on (%s)", name, type(error).__name__)
                busy = False
            if not busy:
                self._stop.wait(rest_s)

    def _look(self) -> Look:
        """How the node does, for a monitor."""
        free = self._folder.free_mib()
        problems = [f"{one.name} has ended" for one in self._threads if not one.is_alive()]
        if free < self._config.min_free_mib:
            problems.append(f"{free} MiB free, instances are refused")
        samples = [Sample("breastseg_free_bytes", free << 20)]
        samples += [
            Sample("breastseg_items", count, {"state": state})
            for state, count in self._queue.counts().items()
        ]
        samples += [
            Sample("breastseg_deliveries", count, {"destination": where, "state": state})
            for (where, state), count in self._queue.delivery_counts().items()
        ]
        samples += [
            Sample("breastseg_answers_total", count, {"status": f"0x{status:04X}"})
            for status, count in sorted(self._intake.answers.items())
        ]
        return Look(tuple(problems), tuple(samples))

    def _keep(self) -> bool:
        """Remove what was sent long ago and, where room is short, what was sent at all."""
        short = self._folder.free_mib() < 2 * self._config.min_free_mib
        for item in self._queue.outdated(0 if short else self._config.keep_days * 86400):
            if short and self._folder.free_mib() >= 2 * self._config.min_free_mib:
                break
            self._queue.drop([item])
            self._folder.remove(item)
        return False


def _cores() -> int:
    from breastseg.inference.session import usable_cores

    return usable_cores()
