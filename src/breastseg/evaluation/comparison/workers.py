"""Processes that work through the tasks of a comparison and survive the death of one of them.

Each process holds one task at a time and reports every result at once. So when one dies (a fault in
a library, want of memory), it is known over which method on which case: that is tried once more in
a fresh process and else recorded as failed, and nothing else is lost. The standard pool of
processes breaks as a whole when one dies, and does not say over what.
"""

from __future__ import annotations

import signal
import traceback
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from enum import Enum, auto
from itertools import islice
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait

import cv2

from breastseg.core.errors import BreastsegError
from breastseg.evaluation.comparison.cell import Cell, Traits
from breastseg.evaluation.comparison.cell_worker import Bench, Rules, Task, failed_cell
from breastseg.evaluation.comparison.traits import unknown_traits
from breastseg.evaluation.one_thread import one_thread_each
from breastseg.evaluation.run import OpenedCase, Row

Results = Generator[Cell | Traits, None, None]


class _Message(Enum):
    """What a process says besides results."""

    READY = auto()  # its methods are open
    DONE = auto()  # with its task


class _Stage(Enum):
    """What a process may be at in a task besides a method."""

    READING = auto()
    MEASURING = auto()


def in_this_process(bench: Bench, tasks: Iterable[Task]) -> Results:
    """Work through tasks one after the other, on one core.

    Raises:
        InputError: a mask cannot be written.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for task in tasks:
            for result in bench.results(task):
                if not isinstance(result, Row):
                    yield result
    finally:
        cv2.setNumThreads(threads)


def in_processes(rules: Rules, tasks: Iterable[Task], count: int) -> Results:
    """Work through tasks in several processes of one core each.

    The processes end when the iterator is closed, whatever they are at.

    Args:
        rules: what all tasks share.
        tasks: drawn one by one, as a process becomes free.
        count: processes, at least 1.

    Yields:
        The results as they come.

    Raises:
        BreastsegError: a process does not start, or a mask cannot be written.
    """
    waiting = iter(tasks)
    pool: list[_Worker] = []
    try:
        for task in islice(waiting, count):
            pool.append(_Worker(rules, task))
        while busy := [worker for worker in pool if worker.task is not None]:
            heard = wait([worker.connection for worker in busy])
            for worker in busy:
                if worker.connection not in heard:
                    continue
                try:
                    result = worker.receive()
                except (EOFError, ConnectionError):
                    pool.remove(worker)
                    lost, left = worker.after_death()
                    following = left or next(waiting, None)
                    if following is not None:
                        pool.append(_Worker(rules, following, worker.at if left else None))
                    yield from lost
                    continue
                if worker.task is None:
                    worker.give(next(waiting, None))
                if result is not None:
                    yield result
    finally:
        for worker in pool:
            worker.stop()


class _Worker:
    """A process, and what it is at.

    Args:
        rules: what all tasks share.
        task: what it does first.
        suspect: what another process was at when it died over this task.

    Attributes:
        connection: to the process.
        task: what is left of what it was given; None where it has nothing to do.
    """

    def __init__(self, rules: Rules, task: Task, suspect: _Stage | str | None = None) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.task: Task | None = None
        self._min_iou = rules.protocol.min_iou
        self._suspect = suspect
        self._ready = False
        self._row: Row | None = None
        self._process = context.Process(target=_serve, args=(theirs, rules), daemon=True)
        with _starting():
            self._process.start()
        theirs.close()  # so that the end of the process is the end of the connection
        self.give(task)

    def give(self, task: Task | None) -> None:
        """Let it do a task, or nothing."""
        self.task, self._row = task, None
        if task is not None:
            with suppress(ConnectionError):  # it has died; that shows when it is listened to
                self.connection.send(task)

    @property
    def at(self) -> _Stage | str | None:
        """Where it is in its task: a stage, or a method by its label; None at the end."""
        if self._row is None:
            return _Stage.READING
        if self.task is not None and self.task.traits:
            return _Stage.MEASURING
        return self.task.labels[0] if self.task is not None and self.task.labels else None

    def receive(self) -> Cell | Traits | None:
        """Listen to it once.

        Returns:
            What it said, if that is a result.

        Raises:
            EOFError: it has died.
            ConnectionError: it has died.
            Exception: what it raised.
        """
        said = self.connection.recv()
        if isinstance(said, BaseException):
            raise said
        before = self.at
        if said is _Message.READY:
            self._ready = True
        elif said is _Message.DONE:
            self.task = None
        elif isinstance(said, Row):
            self._row = said
        elif self.task is not None and isinstance(said, Traits):
            self.task = replace(self.task, traits=False)
        elif self.task is not None and isinstance(said, Cell):
            self.task = replace(self.task, labels=self.task.labels[1:])
        if self.at != before == self._suspect:
            self._suspect = None  # cleared: it has got over it
        return said if isinstance(said, Cell | Traits) else None

    def after_death(self) -> tuple[list[Cell | Traits], Task | None]:
        """What to make of its death.

        Returns:
            What it is to blame for: nothing at first, and then what it has died over twice; and
            what is left of its task, if anything is.

        Raises:
            BreastsegError: it never came up.
        """
        self._process.join()
        self.connection.close()
        manner = _manner(self._process.exitcode)
        if not self._ready:
            raise BreastsegError(
                f"a worker process did not start ({manner})",
                remedy="run again with fewer workers, and in a script under __name__ == '__main__'",
            )
        task, at = self.task, self.at
        if task is None or at is None:
            return [], None
        if at != self._suspect:
            return [], task
        says = f"the process died over it, twice ({manner})"
        row = self._row or OpenedCase(task.ref).missed(says, self._min_iou)
        row = replace(row, error=says)
        lost: list[Cell | Traits] = []
        if task.traits and isinstance(at, _Stage):
            lost.append(unknown_traits(task.ref.key))
            task = replace(task, traits=False)
        if at is _Stage.MEASURING:
            return lost, task if task.labels else None
        over = task.labels if at is _Stage.READING else task.labels[:1]
        lost += [failed_cell(label, row) for label in over]
        task = replace(task, labels=task.labels[len(over) :])
        return lost, task if task.labels else None

    def stop(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def _manner(exit_code: int | None) -> str:
    """How a process ended, in words."""
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    name = signal.Signals(-exit_code).name
    return f"{name}, perhaps for want of memory" if name == "SIGKILL" else name


@contextmanager
def _starting() -> Iterator[None]:
    """A process started in here has one thread for each library, and no ear for Ctrl-C."""
    resource_tracker.ensure_running()  # starting it would undo the mask
    maskable = hasattr(signal, "pthread_sigmask")  # not on Windows
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if maskable else set()
    try:
        with one_thread_each():
            yield
    finally:
        if maskable:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _serve(connection: Connection, rules: Rules) -> None:
    """What a process does: tasks, until the process that asks for them has gone."""
    cv2.setNumThreads(1)
    try:
        bench = Bench(rules)
        connection.send(_Message.READY)
        while True:
            for result in bench.results(connection.recv()):
                connection.send(result)
            connection.send(_Message.DONE)
    except (EOFError, ConnectionError):
        return
    except Exception as error:  # noqa: BLE001 -- it is raised in the process that asked
        error.add_note("".join(traceback.format_exception(error)))
        connection.send(error)
