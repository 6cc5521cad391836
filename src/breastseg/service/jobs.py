"""Durable jobs: a queue in the store, and worker processes that empty it.

A job is claimed, and its result kept, in one transaction each: a service that is killed in the
middle takes up again what was running, and what was done is not done twice.
"""

from __future__ import annotations

import logging
import multiprocessing
import secrets
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from breastseg.core.errors import as_breastseg_error
from breastseg.service.kinds import Kinds
from breastseg.service.machine import Trouble, trouble_of
from breastseg.service.settings import Settings
from breastseg.service.store import Store
from breastseg.service.tables import Job, now
from breastseg.service.waiting import in_lane_of
from breastseg.service.worker import Done, Failed, Progress, Task, work

_log = logging.getLogger("uvicorn.error")
Asked = TypeVar("Asked")
MOST_ATTEMPTS = 3
"""A job that was running so often when the service stopped is not begun again."""
_PATIENCE_S = 0.5
"""How long a cancelled job may go on before it is noticed."""
_IDLE_S = 2.0


class Jobs:
    """Runs the jobs of a store.

    Trainings run one at a time beside the others, each in a process of its own, so that an outline
    does not wait hours for one.

    Args:
        store: holds the queue.
        settings: of the service.
        kinds: what each kind of job does.

    Attributes:
        trouble: what the machine lacks and the jobs wait for; None where they go on.
    """

    def __init__(self, store: Store, settings: Settings, kinds: Kinds) -> None:
        self._store = store
        self._settings = settings
        self._kinds = kinds
        self.trouble: Trouble | None = None
        self._stopping = threading.Event()
        self._wake = threading.Semaphore(0)
        lanes = [False] * settings.workers + [True]
        self._threads = [
            threading.Thread(target=self._serve, args=(heavy,), name=f"jobs-{n}", daemon=True)
            for n, heavy in enumerate(lanes)
        ]

    def start(self) -> None:
        """Take up what was running when the service stopped, and begin."""
        with self._store.session() as session:
            interrupted = update(Job).where(Job.state == "running")
            too_often = (Job.state == "running", Job.attempts >= MOST_ATTEMPTS)
            given_up = session.scalars(select(Job).where(*too_often)).all()
            session.execute(
                update(Job)
                .where(*too_often)
                .values(
                    state="failed",
                    message=f"the service stopped {MOST_ATTEMPTS} times while it ran",
                    finished_at=now(),
                )
            )
            session.execute(interrupted.values(state="queued", progress=0.0))
        for job in given_up:
            self._kinds.tidy(job)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the workers; what they were at is taken up at the next start."""
        self._stopping.set()
        self._wake.release(len(self._threads))
        for thread in self._threads:
            thread.join()

    def add(self, session: Session, kind: str, request: dict[str, Any], by: str) -> Job:
        """Queue a job; it begins once the session's transaction is kept."""
        job = Job(
            id=secrets.token_hex(16), kind=kind, request=request, state="queued", created_by=by
        )
        session.add(job)
        return job

    def wake(self) -> None:
        """Say that a job was queued."""
        self._wake.release(len(self._threads))

    def cancel(self, job_id: str) -> None:
        """Cancel a job that is not finished; one that runs ends shortly."""
        with self._store.session() as session:
            waiting = session.scalar(select(Job).where(Job.id == job_id, Job.state == "queued"))
            session.execute(
                update(Job)
                .where(Job.id == job_id, Job.state.in_(("queued", "running")))
                .values(state="cancelled", finished_at=now())
            )
        if waiting is not None:
            self._kinds.tidy(waiting)  # of an attempt that a restart has cut off

    def _serve(self, heavy: bool) -> None:
        hand = _Hand(self._settings)
        while not self._stopping.is_set():
            job = self._patiently(lambda: self._claim(heavy))
            if job is None:
                self._wake.acquire(timeout=_IDLE_S)
                continue
            self._run(hand, job)
            if heavy:
                hand.end()  # its memory is for the next one
        hand.end()

    def _patiently(self, ask: Callable[[], Asked]) -> Asked | None:
        """Ask the store until it answers: it may be full or gone for a while. None at the end."""
        waited = False
        while True:
            try:
                answer = ask()
            except (OperationalError, OSError) as error:
                trouble = trouble_of(error)
                if trouble is None:
                    raise
                self.trouble, waited = trouble, True
                _log.error("the jobs wait: %s", trouble.found)
            else:
                if waited:
                    self.trouble = None
                return answer
            if self._stopping.wait(_IDLE_S):
                return None

    def _claim(self, heavy: bool) -> Job | None:
        """The oldest queued job, marked as running by this service alone."""
        oldest = (
            select(Job)
            .where(Job.state == "queued", in_lane_of(heavy))
            .order_by(Job.created_at, Job.id)
        )
        with self._store.session() as session:
            job = session.scalar(oldest.limit(1).with_for_update(skip_locked=True))
            if job is None:
                return None
            claimed = session.execute(
                update(Job)
                .where(Job.id == job.id, Job.state == "queued")
                .values(state="running", started_at=now(), attempts=Job.attempts + 1)
            )
            return job if _count(claimed) else None

    def _run(self, hand: _Hand, job: Job) -> None:
        try:
            answer = hand.begin(self._kinds.task(job))
        except Exception as error:  # noqa: BLE001 -- it is the job's failure
            answer = Failed(str(trouble_of(error) or as_breastseg_error(error, "this job")))
        while answer is None:
            heard = hand.answer(_PATIENCE_S)
            if isinstance(heard, Progress):
                self._patiently(partial(self._progress, job.id, heard))
            else:
                answer = heard
            if answer is None and self._stopping.is_set():
                hand.end()
                return
            if answer is None and self._patiently(lambda: self._is_running(job.id)) is False:
                hand.end()
                self._kinds.tidy(job)
                return
        self._patiently(lambda: self._finish(job, answer))

    def _progress(self, job_id: str, heard: Progress) -> None:
        with self._store.session() as session:
            values = {"progress": heard.fraction, "step": heard.step}
            session.execute(update(Job).where(Job.id == job_id).values(values))

    def _is_running(self, job_id: str) -> bool:
        with self._store.session() as session:
            return session.scalar(select(Job.state).where(Job.id == job_id)) == "running"

    def _finish(self, job: Job, answer: Done | Failed) -> None:
        failed = isinstance(answer, Failed)
        with self._store.session() as session:
            finished = session.execute(
                update(Job)
                .where(Job.id == job.id, Job.state == "running")
                .values(
                    state="failed" if failed else "done",
                    message=answer.message if isinstance(answer, Failed) else "",
                    progress=0.0 if failed else 1.0,
                    finished_at=now(),
                )
            )
            if isinstance(answer, Done) and _count(finished):
                self._kinds.keep(session, job, answer.document)
        self._kinds.tidy(job)


class _Hand:
    """One worker process at a time, started when it is needed and again after a crash."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

    def begin(self, task: Task) -> Done | Failed | None:
        """Hand a task over; the failure where that cannot be."""
        if self._process is None or not self._process.is_alive():
            self.end()
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            process = context.Process(
                target=work, args=(theirs, self._settings), daemon=True, name="breastseg-job"
            )
            try:
                process.start()
            except OSError:  # no memory or no process is left; the next task may find some
                ours.close()
                raise
            finally:
                theirs.close()
            self._process, self._connection = process, ours
        assert self._connection is not None
        try:
            self._connection.send(task)
        except OSError:
            return self._crashed()
        return None

    def answer(self, patience_s: float) -> Progress | Done | Failed | None:
        """The next word of the worker; None where none comes in time."""
        assert self._connection is not None
        try:
            if not self._connection.poll(patience_s):
                return None
            heard: Progress | Done | Failed = self._connection.recv()
        except (EOFError, OSError):
            return self._crashed()
        return heard

    def end(self) -> None:
        """End the worker, whatever it is at."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _crashed(self) -> Failed:
        assert self._process is not None
        self._process.join(1)
        code = self._process.exitcode
        self.end()
        return Failed(f"the worker process ended with code {code}, as for a want of memory")


def _count(result: Any) -> int:  # noqa: ANN401 -- SQLAlchemy types an update as any result
    assert isinstance(result, CursorResult)
    return result.rowcount
