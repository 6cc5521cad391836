"""A timer that no setting of the system's clock changes."""

from __future__ import annotations

import time

from pynetdicom.timer import Timer


class SteadyTimer(Timer):
    """pynetdicom's, which goes by the time of day: a clock set on would end every association."""

    @property
    def remaining(self) -> float:
        """Seconds until it has expired; 1 where it never does."""
        if self.timeout is None:
            return 1
        if self._start_time is None:
            return self.timeout
        end = time.monotonic() if self._end_time is None else self._end_time
        return self.timeout - (end - self._start_time)

    def start(self) -> None:
        """Start it, from the beginning."""
        self._start_time = time.monotonic()
        self._end_time = None

    def stop(self) -> None:
        """Stop it."""
        self._end_time = time.monotonic()
