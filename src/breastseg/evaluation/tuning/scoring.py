"""The Dice of a method on cases, computed in several processes; the search calls nothing else."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from multiprocessing import connection, get_context, parent_process

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.finder import Candidate, Finder
from breastseg.classical.method import ClassicalMethod
from breastseg.core.case import Case
from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.one_thread import one_thread_each
from breastseg.evaluation.prompting import prompted
from breastseg.evaluation.protocol import Prompting
from breastseg.evaluation.run import FAILURES
from breastseg.metrics.overlap import dice


@dataclass(frozen=True)
class CaseDice:
    """How a method did on one case.

    Attributes:
        values: Dice under the empty-mask rule, 0 to 1, one for each prompting asked for; None where
            it does not apply, which is a box on an image without a lesion.
        failed: the case could not be read or segmented, and counts 0.
    """

    values: tuple[float | None, ...]
    failed: bool = False


Scorer = Callable[[ClassicalMethod, Sequence[CaseRef]], list[CaseDice]]
"""Scores a method on cases, in their order."""


@contextmanager
def scorer(
    promptings: Sequence[Prompting], workers: int, finder_is_fixed: bool
) -> Iterator[Scorer]:
    """Start the processes that score, and stop them at the end.

    Every process decodes an image once and keeps it as it came from the file.

    Args:
        promptings: what the methods are told.
        workers: processes; 0 for one a core, 1 for this one. The scores do not depend on it.
        finder_is_fixed: all methods will have the same finder, so that its candidates for an image
            may be remembered.
    """
    count = workers or os.cpu_count() or 1
    score = partial(score_case, tuple(promptings), finder_is_fixed)
    try:
        if count == 1:
            yield lambda method, refs: [score(method, ref) for ref in refs]
        else:
            with _pool(count) as pool:
                yield lambda method, refs: _gather(pool, partial(score, method), refs)
    finally:
        _opened.cache_clear()
        _found.cache_clear()


def score_case(
    promptings: tuple[Prompting, ...], finder_is_fixed: bool, method: ClassicalMethod, ref: CaseRef
) -> CaseDice:
    """Segment one case under each prompting and compare it with its ground truth.

    The box is drawn around each region of the ground truth, see `prompted`.
    """
    if finder_is_fixed:
        own = {one.name: getattr(method.finder, one.name) for one in fields(Finder)}
        method = replace(method, finder=_Remembering(**own))
    try:
        case = _opened(ref)
        return CaseDice(tuple(_dice(method, case, prompting) for prompting in promptings))
    except FAILURES:
        lesion = not ref.is_normal
        told_of_none = [prompting is Prompting.BOX and not lesion for prompting in promptings]
        return CaseDice(tuple(None if skipped else 0.0 for skipped in told_of_none), failed=True)


@cache
def _opened(ref: CaseRef) -> Case:
    return ref.load()


def _dice(method: ClassicalMethod, case: Case, prompting: Prompting) -> float | None:
    if case.mask is None:
        raise DataSetError(f"case {case.case_id} without ground truth", "a ground truth mask")
    if prompting is Prompting.BOX and case.mask.is_empty:
        return None
    prediction = prompted(method, case.images[0], case.mask, prompting)
    return dice(prediction.mask().foreground & ~case.mask.ignored, case.mask.foreground)


class _Remembering(Finder):
    """A finder that answers at once when it is asked about the same image again."""

    def find(self, dark: NDArray[np.float32]) -> Sequence[Candidate]:
        """As `Finder.find`."""
        return _found(self, _Looked(dark))


class _Looked:
    """Grey levels that are told apart by their contents, and not kept by who remembers them."""

    def __init__(self, dark: NDArray[np.float32]) -> None:
        self.dark = weakref.ref(dark)
        self.digest = hashlib.blake2b(dark.tobytes() + repr(dark.shape).encode()).digest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Looked) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@cache
def _found(finder: Finder, looked: _Looked) -> Sequence[Candidate]:
    dark = looked.dark()
    assert dark is not None, "the caller holds it"
    return Finder.find(finder, dark)


@contextmanager
def _pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes with one thread each, which end with this one even if it is killed."""
    with one_thread_each():  # the pool starts its processes when they are first needed
        pool = ProcessPoolExecutor(count, get_context("spawn"), _prepare_process)
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def _prepare_process() -> None:
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked
    parent = parent_process()
    if parent is not None:
        watch = partial(_end_with, parent.sentinel)
        threading.Thread(target=watch, daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _gather(
    pool: ProcessPoolExecutor, score: Callable[[CaseRef], CaseDice], refs: Sequence[CaseRef]
) -> list[CaseDice]:
    try:
        return list(pool.map(score, refs))
    except BrokenProcessPool as error:
        raise DataSetError(
            "a process that scores was killed, perhaps for want of memory",
            remedy="search again with fewer workers; what was scored is kept",
        ) from error
