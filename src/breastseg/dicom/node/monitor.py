"""Health and metrics of a node over HTTP, for a monitor: /health and, for Prometheus, /metrics."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import TCPServer
from typing import NamedTuple

from breastseg.dicom.node.config import MonitorAddress

_TIMEOUT_S = 5.0


class Sample(NamedTuple):
    """One figure.

    Attributes:
        name: of the metric.
        value: the figure.
        labels: what tells it from others of the metric; no data of a patient.
    """

    name: str
    value: float
    labels: Mapping[str, str] = {}


class Look(NamedTuple):
    """How a node does at a moment.

    Attributes:
        problems: why it does not do its work; none where it does.
        samples: its figures.
    """

    problems: tuple[str, ...]
    samples: tuple[Sample, ...]


METRICS = {
    "breastseg_items": ("gauge", "items by state"),
    "breastseg_deliveries": ("gauge", "results by destination and state"),
    "breastseg_answers_total": ("counter", "answers to C-STORE and takings of files, by status"),
    "breastseg_free_bytes": ("gauge", "free space where the node's folder lies"),
    "breastseg_healthy": ("gauge", "1 where nothing keeps the node from its work"),
}
"""Kind and meaning of each metric."""


class Monitor:
    """Answers on an address until it is stopped.

    Args:
        where: the address.
        look: asks the node how it does.

    Raises:
        OSError: the address is not free.
    """

    def __init__(self, where: MonitorAddress, look: Callable[[], Look]) -> None:
        def answer(path: str) -> tuple[int, str, str]:
            try:
                seen = look()
            except (OSError, sqlite3.Error) as error:
                seen = Look((f"the queue cannot be read ({type(error).__name__})",), ())
            if path == "/metrics":
                return 200, "text/plain; version=0.0.4; charset=utf-8", exposition(seen)
            if path == "/health":
                said = json.dumps({"healthy": not seen.problems, "problems": seen.problems})
                return 503 if seen.problems else 200, "application/json", said + "\n"
            return 404, "text/plain; charset=utf-8", "/health or /metrics\n"

        class Handler(BaseHTTPRequestHandler):
            timeout = _TIMEOUT_S  # of a client that asks for nothing

            def do_GET(self) -> None:
                status, kind, text = answer(self.path)
                data = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = _Server((where.host, where.port), Handler)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="monitor", daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class _Server(HTTPServer):
    """One request at a time; it looks up no name."""

    def server_bind(self) -> None:
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), 0


def exposition(seen: Look) -> str:
    """The figures in the text format of Prometheus, version 0.0.4."""
    samples = (*seen.samples, Sample("breastseg_healthy", float(not seen.problems)))
    lines = []
    for name, (kind, meaning) in METRICS.items():
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
        for one in samples:
            if one.name == name:
                labels = ",".join(f'{key}="{value}"' for key, value in one.labels.items())
                lines.append(f"{name}{f'{{{labels}}}' if labels else ''} {one.value:.15g}")
    return "\n".join(lines) + "\n"
