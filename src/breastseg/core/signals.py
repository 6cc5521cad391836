"""Signals that are answered otherwise for a while."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

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
