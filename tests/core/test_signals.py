"""Signals that somebody else's code swallows."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from breastseg.core.signals import noticed


def _call(handler: Callable[[int, object], None]) -> None:
    """A library that sets a handler of its own, when a signal comes."""
    with noticed((signal.SIGTERM,)):
        signal.signal(signal.SIGTERM, handler)
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_that_a_library_swallows_ends_the_call_all_the_same() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        _call(lambda _number, _frame: None)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_counts_for_more_than_what_a_library_makes_of_it() -> None:
    def leave(number: int, _frame: object) -> None:
        raise SystemExit(number)

    with pytest.raises(KeyboardInterrupt):
        _call(leave)


def test_without_a_signal_nothing_changes() -> None:
    with noticed((signal.SIGTERM,)):
        pass
    with pytest.raises(ValueError, match="own"), noticed((signal.SIGTERM,)):
        raise ValueError("own")
