"""The node's folder: nobody else on the machine can read what is in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..subjects import phantoms
from .nodes import Parts, handler


@pytest.mark.skipif(os.name != "posix", reason="modes of files are a matter of POSIX")
def test_others_can_read_nothing_though_the_folder_was_made_for_all(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        (tmp_path / "node").mkdir(mode=0o777)
        (tmp_path / "node" / "queue.sqlite").touch(mode=0o666)  # of an earlier version
        parts = Parts(tmp_path, [handler("us-still")])
        parts.take(phantoms()["us-still"].objects[0])
        held = parts.folder.lock()
        names = {path.name for path in parts.folder.root.iterdir()}
        assert {"queue.sqlite", "queue.sqlite-wal", "lock.sqlite", "incoming", "items"} <= names
        for path in parts.folder.root.iterdir():
            assert path.stat().st_mode & 0o077 == 0, path.name
        held.close()
        parts.queue.close()
    finally:
        os.umask(before)
