"""The node's log: a line an event on standard error, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal


class _Lines(logging.Formatter):
    """Text; what is not printable becomes a space, so that one event is one line."""

    def format(self, record: logging.LogRecord) -> str:
        words = "".join(c if c.isprintable() else " " for c in record.getMessage())
        return f"{_moment(record)} {record.levelname.lower()} {words}"


class _Json(logging.Formatter):
    """An object a line."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "part": record.name.rpartition(".")[2],
            "message": record.getMessage(),
        }
        return json.dumps(said)


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


@contextmanager
def logged(form: Literal["text", "json"]) -> Iterator[None]:
    """Write what the node logs to standard error, and nothing else.

    Warnings of libraries are left out: pydicom's repeat values of a data set.
    """
    logger = logging.getLogger(__package__)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Lines())
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    before = threading.excepthook
    threading.excepthook = lambda raised: _ended(logger, raised)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        threading.excepthook = before
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def _ended(logger: logging.Logger, raised: threading.ExceptHookArgs) -> None:
    """Of a thread of pynetdicom's that a peer in disorder has ended: a line, no traceback."""
    logger.warning("a connection ended in disorder (%s)", raised.exc_type.__name__)
