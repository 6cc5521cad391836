"""Health and metrics as a monitor reads them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from http.client import HTTPConnection

from breastseg.dicom.node.config import MonitorAddress
from breastseg.dicom.node.monitor import METRICS, Look, Monitor, Sample


def asked(look: Callable[[], Look], path: str) -> tuple[int, str]:
    monitor = Monitor(MonitorAddress(port=0), look)
    try:
        connection = HTTPConnection("127.0.0.1", monitor.port, timeout=20)
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text
    finally:
        monitor.stop()


def fine() -> Look:
    samples = (
        Sample("breastseg_items", 3, {"state": "sent"}),
        Sample("breastseg_free_bytes", 2**40),
        Sample("breastseg_answers_total", 2, {"status": "0x0000"}),
    )
    return Look((), samples)


def test_a_node_that_works_is_healthy() -> None:
    status, text = asked(fine, "/health")
    assert (status, json.loads(text)) == (200, {"healthy": True, "problems": []})


def test_one_that_does_not_says_why() -> None:
    status, text = asked(lambda: Look(("send-pacs has ended",), ()), "/health")
    assert (status, json.loads(text)["problems"]) == (503, ["send-pacs has ended"])

    def broken() -> Look:
        raise sqlite3.OperationalError("disk I/O error")

    assert asked(broken, "/health")[0] == 503


def test_the_metrics_are_in_the_text_format() -> None:
    status, text = asked(fine, "/metrics")
    assert status == 200
    lines = text.splitlines()
    assert 'breastseg_items{state="sent"} 3' in lines
    assert f"breastseg_free_bytes {2**40}" in lines
    assert "breastseg_healthy 1" in lines
    for name, (kind, _) in METRICS.items():
        assert f"# TYPE {name} {kind}" in lines


def test_nothing_else_is_answered() -> None:
    assert asked(fine, "/")[0] == 404
