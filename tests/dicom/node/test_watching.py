"""A watched folder: files that came to rest are taken once, and left as they are."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest

from breastseg.dicom.node.config import FolderDestination, NodeConfig
from breastseg.dicom.node.node import Node
from breastseg.dicom.node.watching import Watching
from breastseg.io.write import write_png

from ...scans import scan
from ..subjects import phantoms, saved
from .nodes import Oracle, Parts, handler


def test_a_file_is_taken_once_it_rests_and_stays_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parts = Parts(tmp_path, [handler("us-still")])
    watched = tmp_path / "watched"
    watched.mkdir()
    now = [0.0]
    watching = Watching(watched, 10.0, parts.intake, parts.folder.incoming, lambda: now[0])
    data = saved(phantoms()["us-still"].objects[0])
    file = watched / "scan.dcm"
    file.write_bytes(data[: len(data) // 2])
    (watched / "notes.txt").write_text("no image")
    write_png(watched / "shot.png", scan())
    watching.one()
    file.write_bytes(data)  # it grew meanwhile
    now[0] = 10.0
    watching.one()
    assert parts.queue.counts() == {}
    now[0] = 20.0
    watching.one()
    watching.one()
    assert parts.queue.counts() == {"ready": 1}
    assert file.read_bytes() == data
    assert [r.message for r in caplog.records if r.levelname in ("WARNING", "ERROR")] == [
        "watched folder: a file that is no DICOM is passed over"
    ]
    again = Watching(watched, 0.0, parts.intake, parts.folder.incoming, lambda: now[0])
    again.one()  # as after a restart
    assert parts.queue.counts() == {"ready": 1}


def test_a_signal_that_reaches_another_thread_ends_the_node(tmp_path: Path) -> None:
    config = NodeConfig(tmp_path / "node", folders=(FolderDestination("out", tmp_path / "out"),))
    node = Node(config, lambda rule: Oracle(rule.method), tmp_path)

    def signalled() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    def wait() -> None:
        threading.Thread(target=signalled).start()
        node.wait()

    with pytest.raises(KeyboardInterrupt):
        wait()
