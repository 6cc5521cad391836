"""Where the program starts: a signal that comes while it still loads ends it in one line.

Loading takes a quarter of a second, on a busy machine several. Nothing is begun by then, so there
is nothing to put in order. Likewise at the end, where all that matters is done.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn


def main() -> int:
    """Load the commands and run the one that the words name; returns the exit code."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP"):
        numbers.append(signal.SIGHUP)
    heeded = [n for n in numbers if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _interrupted) for number in heeded}
    from breastseg.cli.main import main as run
    from breastseg.inference.time_limit import computing

    for number, handler in before.items():
        signal.signal(number, handler)
    code = run()
    for number in heeded:
        signal.signal(number, lambda _number, _frame: os._exit(code))
    if computing():  # a library that is taken down while it computes may abort the process
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
    return code


def _interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    os.write(2, b"breastseg: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
