"""What runs in a worker process: one task after the other, within a bound of memory."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from breastseg.core.errors import as_breastseg_error
from breastseg.service.settings import MIB, Settings


@dataclass(frozen=True)
class SegmentTask:
    """A segmentation to be computed.

    Attributes:
        name: of the result.
        request: as `SegmentationRequest` has it.
        held: the image, as the store has it.
        spacing_mm: (row, column) as a person has stated it.
    """

    name: str
    request: dict[str, Any]
    held: dict[str, Any]
    spacing_mm: tuple[float, float] | None


@dataclass(frozen=True)
class Progress:
    """How far a task has come, 0 to 1."""

    fraction: float


@dataclass(frozen=True)
class Done:
    """A task's result, as the store keeps it."""

    document: dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """Why nothing came of a task, in one line."""

    message: str


def work(connection: Connection, settings: Settings) -> None:
    """Take tasks from a connection until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service that started it decides
    _bound_memory(settings.limits.job_memory_mib * MIB)
    worker = _Worker(settings)
    while True:
        try:
            task = connection.recv()
            connection.send(worker.answer(task, connection))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


def _bound_memory(most: int) -> None:
    """Let what takes more fail with a want of memory, where the system can do that."""
    from breastseg.io.memory import set_max_memory

    set_max_memory(most // 2)
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


class _Worker:
    def __init__(self, settings: Settings) -> None:
        from breastseg.service.files import Files
        from breastseg.service.methods import Methods
        from breastseg.service.pictures import Pictures
        from breastseg.service.results import Results

        limits = settings.limits
        files = Files(settings.root)
        self._methods = Methods(settings.threads)
        self._pictures = Pictures(files, limits.cache_mib * MIB)
        self._results = Results(files.results, limits.results_mib * MIB)

    def answer(self, task: SegmentTask, connection: Connection) -> Done | Failed:
        """Do a task; whatever goes wrong is its failure alone."""
        from breastseg.results.schema import plain
        from breastseg.service.pictures import Held
        from breastseg.service.segmenting import segmented
        from breastseg.service.wire import SegmentationRequest

        try:
            outcome = segmented(
                SegmentationRequest.model_validate(task.request),
                Held.from_row(task.held),
                self._pictures,
                self._methods,
                task.spacing_mm,
                lambda fraction: connection.send(Progress(fraction)),
            )
            self._results.write(task.name, outcome.probability, outcome.mask)
        except Exception as error:  # noqa: BLE001 -- it is the job's failure
            return Failed(str(as_breastseg_error(error, "this job")))
        document = plain(outcome.document)
        assert isinstance(document, dict)
        return Done(document)
