"""Signals that are answered otherwise for a while, or that nobody may swallow.

Python lets an interruption be raised anywhere. A library that is being loaded makes another error
of it, and a callback or a decoder may lose it. The work would then go on with the next file, and
this one would count as bad. So what keeps the outcome of one item asks whether a signal came.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

Answer = Callable[[int, FrameType | None], object] | signal.Handlers


@contextmanager
def answered(numbers: Sequence[signal.Signals], answer: Answer) -> Iterator[None]:
    """Answer signals so, and as before afterwards.

    In another thread than the main one nothing changes: Python allows no handler to be set there.

    Args:
        numbers: of the signals.
        answer: what to call with the number and the frame, or ``signal.SIG_IGN`` to heed none.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, answer)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


class _Interruption:
    """Ctrl-C, and SIGTERM and SIGHUP the same way."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, _number: int, _frame: FrameType | None) -> NoReturn:
        self.came = True
        raise KeyboardInterrupt


_INTERRUPTION = _Interruption()


@contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGINT, SIGTERM and SIGHUP end what is done here: finished work is kept.

    A scheduler sends the second, a terminal that is closed the third; under nohup it goes on.

    Raises:
        KeyboardInterrupt: one came, also where a library has made another error of it.
    """
    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        numbers.append(signal.SIGINT)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    with answered(numbers, _INTERRUPTION):
        try:
            yield
        except Exception as error:
            if _INTERRUPTION.came:
                raise KeyboardInterrupt from error
            raise
        finally:
            _INTERRUPTION.came = False


def heed_interruption() -> None:
    """End here what is done in `interruptible`, where the signal was lost on its way.

    To be called before the outcome of one of many items is kept. In another thread than the main
    one nothing happens: Python interrupts none.

    Raises:
        KeyboardInterrupt: a signal came.
    """
    if _INTERRUPTION.came and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt


@contextmanager
def noticed(numbers: Sequence[signal.Signals]) -> Iterator[None]:
    """Have signals end what is done here, even where somebody else's code swallows them.

    For a call into a library that sets handlers of its own, or loses what a handler raises, as a
    callback does that cannot pass an exception on. Python notes each signal before its handler
    runs; these notes are read at the end. The handlers are as before afterwards.

    In another thread than the main one nothing changes.

    Args:
        numbers: of the signals.

    Raises:
        KeyboardInterrupt: one of them came meanwhile, whatever else was raised.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # of a handler that was not set by Python nothing is known, so it cannot be set again
    found = ((number, signal.getsignal(number)) for number in numbers)
    handlers = [(number, handler) for number, handler in found if handler is not None]
    notes, written = socket.socketpair()
    with notes, written:
        notes.setblocking(False)
        written.setblocking(False)
        before = signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            for number, handler in handlers:
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)
            written.close()
            if {*notes.recv(2**16)} & {*numbers}:
                raise KeyboardInterrupt
