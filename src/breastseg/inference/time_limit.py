"""How long a network may compute at a stretch, and how that is ended.

A library computes a network in one call, in which Python answers no signal, and a network may take
hours. So a thread of its own makes the call, and whoever waits for it can give up: at the limit, at
a signal, or because nobody wants the result any more. The limit belongs to the process, as that of
memory does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TypeVar

from breastseg.core.errors import BundleError, InputError

MAX_SECONDS = 600.0
"""The default limit: a thousand times what the bundled networks take for an image or a patch."""

T = TypeVar("T")

_PATIENCE_S = 5.0  # a library stops between two layers
_THREAD = "network"
_limit = MAX_SECONDS


def max_seconds() -> float:
    """The limit in seconds."""
    return _limit


def set_max_seconds(limit: float) -> None:
    """Change the limit of this process.

    Args:
        limit: in seconds, above 0.

    Raises:
        InputError: it is not.
    """
    global _limit  # noqa: PLW0603 -- the limit is the process's
    if not 0 < limit < threading.TIMEOUT_MAX:
        raise InputError(f"a time limit of {limit:g} seconds", "above 0")
    _limit = limit


def computing() -> bool:
    """Whether a network computes in this process, be it that nobody waits for it any more."""
    return any(thread.name == _THREAD for thread in threading.enumerate())


class Wanted:
    """Whether somebody still waits for what threads compute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stops: list[Callable[[], None]] | None = []

    @contextmanager
    def here(self) -> Iterator[None]:
        """Have what this thread computes meanwhile end when nobody wants it any more."""
        token = _wanted.set(self)
        try:
            yield
        finally:
            _wanted.reset(token)

    def no_more(self) -> None:
        """End what is being computed, and what is begun from now on."""
        with self._lock:
            stops, self._stops = self._stops or [], None
        for stop in stops:
            stop()

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Iterator[None]:
        """Have that called meanwhile, at the moment when nobody wants it any more."""
        with self._lock:
            wanted = self._stops is not None
            if self._stops is not None:
                self._stops.append(stop)
        if not wanted:
            stop()
        try:
            yield
        finally:
            with self._lock:
                if self._stops is not None:
                    self._stops.remove(stop)


_wanted: ContextVar[Wanted | None] = ContextVar("_wanted", default=None)


def within_limit(name: str, compute: Callable[[], T], stop: Callable[[], None]) -> T:
    """Compute in a thread of its own, and give up at the limit or at a signal.

    Args:
        name: of the network, for messages.
        compute: does it; should not hold Python's lock.
        stop: called from another thread, has `compute` end soon.

    Raises:
        BundleError: it took longer than the limit.
    """
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(compute())
        except BaseException as error:  # noqa: BLE001 -- raised where it is waited for
            future.set_exception(error)

    wanted = _wanted.get()
    with nullcontext() if wanted is None else wanted.stopping(stop):
        thread = threading.Thread(target=work, name=_THREAD, daemon=True)
        thread.start()
        done = False
        try:
            done = bool(wait([future], _limit).done)
        finally:
            if not done:
                stop()
                thread.join(_PATIENCE_S)  # to its end: what it made goes with it
    if not done:
        raise BundleError(
            f"{name}: the network took more than {_limit:g} seconds",
            "less",
            "take a smaller network or more cores, or raise the time limit",
        )
    return future.result()
