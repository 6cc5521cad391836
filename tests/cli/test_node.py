"""What 'breastseg node' has to tell of its queue, and what is got out of one that is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from breastseg.cli.main import main
from breastseg.dicom.node.folder import NodeFolder
from breastseg.dicom.node.queue import Queue
from breastseg.dicom.node.queued import Arrival


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Of a node with two items that failed and three that no rule takes."""
    path = tmp_path / "node.toml"
    path.write_text('folder = "node"\n[[folders]]\nname = "out"\npath = "out"\n')
    queue = Queue(NodeFolder(tmp_path / "node").queue_file)
    for number in (1, 2):
        uid = f"1.{number}"
        queue.add(Arrival(uid, "1", "aa", f"image {uid}", "otsu [none]"), lambda _item: None)
        item = queue.claim()
        assert item is not None
        queue.not_segmented(item, "no pixels", None)
    for number in (3, 4, 5):
        why = "no rule takes modality 'MR', series 'scout'"
        ignored = Arrival(f"1.{number}", "1", "aa", f"ignored {number}", "", problem=why)
        queue.add(ignored, lambda _item: None)
    queue.close()
    return path


def test_the_status_says_what_failed_and_sums_up_what_no_rule_takes(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["node", "status", "--config", str(config)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "2 failed, 3 ignored",
        "item 1, failed, otsu [none]: no pixels",
        "    1.1",
        "item 2, failed, otsu [none]: no pixels",
        "    1.2",
        "3 ignored: no rule takes modality 'MR', series 'scout'",
    ]
    main(["node", "status", "--folder", str(config.parent / "node"), "--all"])
    assert "item 5, ignored: no rule takes" in capsys.readouterr().out


def test_items_that_are_not_tried_again_or_dropped_are_named(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["node", "retry", "1", "3", "--config", str(config)]) == 1
    assert main(["node", "drop", "2", "99", "--config", str(config)]) == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == ["1 tried again", "1 dropped"]
    assert "since they have not failed: 3\n" in said.err
    assert "since they are not there or in work: 99\n" in said.err
    assert main(["node", "status", "--config", str(config)]) == 0


@pytest.fixture
def folder(tmp_path: Path) -> NodeFolder:
    """With an item that was sent, one that failed, one that is ignored, and a volume that waits."""
    folder = NodeFolder(tmp_path / "node")
    queue = Queue(folder.queue_file)

    def add(uid: str, key: str, quiet_s: float = 0.0, method: str = "otsu [none]") -> None:
        file = folder.incoming / "one"
        file.write_text(uid)
        arrival = Arrival(uid, "1", "aa", key, method, quiet_s)
        queue.add(arrival, lambda item: folder.place(file, uid, item))

    for uid in ("sent", "failed"):
        add(uid, f"image {uid}")
        item = queue.claim()
        assert item is not None
        if uid == "sent":
            queue.segmented(item, [], [])
        else:
            queue.not_segmented(item, "no pixels", None)
    add("ignored", "ignored", method="")
    for slice_ in ("slice 1", "slice 2"):
        add(slice_, "volume", quiet_s=9.0)
    queue.close()
    return folder


def rescued(folder: NodeFolder) -> set[str]:
    out = folder.root.parent / "left"
    assert main(["node", "rescue", str(folder.root), "--out", str(out)]) == 0
    return {file.read_text() for file in out.rglob("*.dcm")}


def test_what_is_owed_is_got_out_of_a_queue_of_another_version(
    folder: NodeFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(folder.queue_file)) as db:
        db.execute("ALTER TABLE items RENAME COLUMN problem TO trouble")
    assert rescued(folder) == {"failed", "slice 1", "slice 2"}
    assert "3 instances are in" in capsys.readouterr().out


def test_all_is_got_out_of_a_damaged_queue(
    folder: NodeFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.queue_file.write_bytes(b"no database, but long enough to be read as one" * 99)
    assert rescued(folder) == {"sent", "failed", "slice 1", "slice 2"}
    assert "also what was sent" in capsys.readouterr().err


def test_nothing_is_got_out_from_under_a_node_that_runs(
    folder: NodeFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(folder.lock()):
        command = ["node", "rescue", str(folder.root), "--out", str(folder.root.parent / "left")]
        assert main(command) == 2
    assert "a node runs on it already" in capsys.readouterr().err
