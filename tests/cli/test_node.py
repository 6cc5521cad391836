"""What 'breastseg node' has to tell of its queue."""

from __future__ import annotations

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
    main(["node", "status", "--config", str(config), "--all"])
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
