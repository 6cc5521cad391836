"""What runs in a worker process: one task after the other, within a bound of memory."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import asdict, dataclass
from importlib import import_module
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from breastseg.core.errors import as_breastseg_error
from breastseg.core.image import Image
from breastseg.retraining.task import Retraining
from breastseg.service.machine import trouble_of
from breastseg.service.proposing import Proposals, Waiting, renew
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


Task = SegmentTask | Retraining | Proposals


@dataclass(frozen=True)
class Progress:
    """How far a task has come.

    Attributes:
        fraction: 0 to 1.
        step: of a training, as the store keeps it.
    """

    fraction: float
    step: dict[str, Any] | None = None


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
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    _bound_memory(settings.limits.job_memory_mib * MIB)
    worker = _Worker(settings)
    while True:
        try:
            task = connection.recv()
            connection.send(worker.answer(task, connection))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


def _end_with_the_service() -> None:
    """Do not outlive a service that was killed: the next one takes up this work."""
    service = parent_process()
    if service is not None:
        wait([service.sentinel])
        os._exit(1)


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
        self._methods = Methods(settings.threads, files.trained)
        self._pictures = Pictures(files, limits.cache_mib * MIB)
        self._results = Results(files.results, limits.results_mib * MIB)

    def answer(self, task: Task, connection: Connection) -> Done | Failed:
        """Do a task; whatever goes wrong is its failure alone."""
        try:
            if isinstance(task, Retraining):
                return _retrained(task, connection)
            if isinstance(task, Proposals):
                return self._proposed(task, connection)
            return self._segmented(task, connection)
        except (BrokenPipeError, ConnectionResetError):
            raise  # nobody listens any more
        except Exception as error:  # noqa: BLE001 -- it is the job's failure
            return Failed(str(trouble_of(error) or as_breastseg_error(error, "this job")))

    def _segmented(self, task: SegmentTask, connection: Connection) -> Done:
        from breastseg.results.schema import plain
        from breastseg.service.pictures import Held
        from breastseg.service.segmenting import segmented
        from breastseg.service.wire import SegmentationRequest

        outcome = segmented(
            SegmentationRequest.model_validate(task.request),
            Held.from_row(task.held),
            self._pictures,
            self._methods,
            task.spacing_mm,
            lambda fraction: connection.send(Progress(fraction)),
        )
        self._results.write(task.name, outcome.probability, outcome.mask)
        document = plain(outcome.document)
        assert isinstance(document, dict)
        return Done(document)

    def _proposed(self, task: Proposals, connection: Connection) -> Done:
        from breastseg.inference.options import MethodOptions
        from breastseg.service.labelling import place_of
        from breastseg.service.pictures import Held

        def read(waiting: Waiting) -> Image:
            held = Held.from_row(waiting.held)
            return self._pictures.image(held, place_of(waiting.case).frame, waiting.spacing_mm)

        segmenter = self._methods.open(task.method, {}, MethodOptions(force=True))
        count = renew(task, read, segmenter, lambda part: connection.send(Progress(part)))
        return Done({"proposed": count})


def _retrained(task: Retraining, connection: Connection) -> Done:
    """Train; the name of the room is looked up here, since a light install has no torch."""
    room = import_module("breastseg.retraining.run")
    outcome = room.retrain(
        task, lambda step: connection.send(Progress(step.fraction, asdict(step)))
    )
    return Done(asdict(outcome))
