"""Signals that somebody else's code swallows, each in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from breastseg.core.signals import noticed

SCRIPT = """
import signal
from breastseg.core.signals import noticed

def swallow(number, frame):
    pass

def leave(number, frame):
    raise SystemExit(number)

before = signal.getsignal(signal.SIGTERM)
try:
    with noticed((signal.SIGTERM,)):
        signal.signal(signal.SIGTERM, HANDLER)  # as a library does
        signal.raise_signal(signal.SIGTERM)
except KeyboardInterrupt:
    assert signal.getsignal(signal.SIGTERM) is before
    print("ended")
"""


@pytest.mark.parametrize("handler", ["swallow", "leave"])
def test_a_signal_ends_the_call_whatever_a_library_makes_of_it(handler: str) -> None:
    words = [sys.executable, "-c", SCRIPT.replace("HANDLER", handler)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr


def test_without_a_signal_nothing_changes() -> None:
    with noticed((signal.SIGTERM,)):
        pass
    with pytest.raises(ValueError, match="own"), noticed((signal.SIGTERM,)):
        raise ValueError("own")
