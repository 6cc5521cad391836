"""What `replacing` is still writing is no file yet: not to those who list a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breastseg.io.write import replacing, written
from breastseg.service.results import Results


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    """A folder with a file, and another that is half written."""
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / ".b.0123456789ab.json").write_text("{")
    return tmp_path


def test_a_list_holds_finished_files_alone(unfinished: Path) -> None:
    assert written(unfinished, "*.json") == [unfinished / "a.json"]
    with replacing(unfinished / "c.json") as temporary:
        temporary.write_text("{")
        assert written(unfinished, "*.json") == [unfinished / "a.json"]
    assert written(unfinished, "*.json") == [unfinished / "a.json", unfinished / "c.json"]


def test_results_that_go_are_not_those_being_written(tmp_path: Path) -> None:
    results = Results(tmp_path, most=1)
    maps = np.zeros((4, 4), np.float32), np.zeros((4, 4), np.uint8)
    with replacing(results.path("slow")) as temporary:
        temporary.write_bytes(b"half")
        for name in ("first", "second"):
            results.write(name, *maps)
        temporary.write_bytes(b"whole")
    assert results.path("slow").read_bytes() == b"whole"
    assert results.read("first", "mask") is None


def test_results_that_another_pruned_are_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone.npz"
    monkeypatch.setattr("breastseg.service.results.written", lambda *_: [gone])
    Results(tmp_path, most=1).write("one", np.zeros((4, 4), np.float32), np.zeros((4, 4), np.uint8))
    assert (tmp_path / "one.npz").exists()
