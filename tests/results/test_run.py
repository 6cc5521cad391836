"""A run that is stopped, killed or out of disk keeps what it has done, and goes on from there."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from breastseg.cli.main import main
from breastseg.core.errors import InputError
from breastseg.core.provenance import Provenance
from breastseg.core.reference import FrameReference
from breastseg.io.write import write_png
from breastseg.results.document import read_document
from breastseg.results.run import OccupiedError, Run
from breastseg.results.schema import Entry, Files, SourceReference

from ..scans import cine, files, scan

MADE_BY = Provenance("net", "1.0", {"threshold": 0.5})
OPTIONS = {"method": "net"}
INPUTS = {name: Path(name) for name in ("a.png", "b.dcm", "c.png")}
KILLED = """
import os, signal, sys
from breastseg.results import run
from breastseg.cli.main import main
method, left = sys.argv[1], [int(sys.argv[2])]
real = getattr(run.Run, method)
def counted(*args, **kwargs):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)
setattr(run.Run, method, counted)
sys.exit(main(sys.argv[3:]))
"""


def run_in(folder: Path, inputs: Mapping[str, Path] = INPUTS, **options: bool) -> Run:
    return Run(OPTIONS, folder, inputs, **options)


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    killed = run_in(tmp_path)
    killed.add(Entry("a.png", "image", files=Files(mask="a_mask.png")), MADE_BY)
    killed.add(Entry("b.dcm", "frame", frame=1, files=Files(mask="b_f0001_mask.png")), MADE_BY)
    assert killed.claim("b_f0002_mask.png") is None
    (tmp_path / "b_f0002_mask.png").write_text("half of its files")
    (tmp_path / ".b_f0002_mask.0123456789ab.png").write_text("half of a file")
    with (tmp_path / "results.partial.jsonl").open("a") as journal:
        journal.write('{"entry": {"inp')

    resumed = run_in(tmp_path, resume=True)
    assert resumed.done == {"a.png"}, "the loop may have more frames, which go together"
    left = ["results.csv", "results.json", "results.partial.jsonl"]
    assert files(tmp_path) == [".results.reserve", *left]
    for name in ("b.dcm", "c.png"):
        resumed.add(Entry(name, "image"), MADE_BY)
    resumed.close(complete=True)
    assert files(tmp_path) == ["results.csv", "results.json"]
    written = read_document(tmp_path / "results.json")
    assert [entry.input for entry in written.entries] == ["a.png", "b.dcm", "c.png"]
    assert run_in(tmp_path, resume=True).done == set(INPUTS), "nothing is left to do"


def test_two_files_that_state_one_instance_uid_are_told(tmp_path: Path) -> None:
    def entry(name: str, number: int | None = None) -> Entry:
        frame = FrameReference("1.2", "1.2.3", "1.2.4", number)
        return Entry(name, "image", reference=SourceReference("1", "", "", (frame,)))

    run = run_in(tmp_path)
    assert not run.add(entry("a.png", 1), MADE_BY).remarks
    assert not run.add(entry("a.png", 2), MADE_BY).remarks
    resumed = run_in(tmp_path, resume=True)
    (remark,) = resumed.add(entry("b.dcm"), MADE_BY).remarks
    assert "a.png states the same SOP Instance UID" in remark


def test_what_failed_is_tried_again_and_comes_in_its_place(tmp_path: Path) -> None:
    run = run_in(tmp_path)
    run.add(Entry("a.png", "image", "error", "no"))
    run.add(Entry("b.dcm", "image"), MADE_BY)
    run.close(complete=True)
    again = run_in(tmp_path, resume=True)
    assert again.done == {"b.dcm"}
    again.add(Entry("a.png", "image"), MADE_BY)
    assert [entry.input for entry in again.entries] == ["a.png", "b.dcm"]


@pytest.mark.parametrize(
    ("options", "inputs", "said"),
    [
        ({"method": "otsu"}, INPUTS, "method = net, now it is otsu"),
        (OPTIONS, {"b.dcm": Path("b.dcm")}, "a.png, which is not among the inputs"),
    ],
)
def test_another_run_is_not_resumed(
    tmp_path: Path, options: dict[str, str], inputs: Mapping[str, Path], said: str
) -> None:
    run_in(tmp_path).add(Entry("a.png", "image"), MADE_BY)
    with pytest.raises(InputError, match=said):
        Run(options, tmp_path, inputs, resume=True)


def test_other_weights_are_not_mixed_in(tmp_path: Path) -> None:
    run_in(tmp_path).add(Entry("a.png", "image"), MADE_BY)
    resumed = run_in(tmp_path, resume=True)
    with pytest.raises(InputError, match="another method"):
        resumed.add(Entry("b.dcm", "image"), Provenance("net", "1.0", {}, "ab" * 32))


def test_resuming_replaces_only_what_the_run_has_written(tmp_path: Path) -> None:
    (tmp_path / "a_mask.png").write_text("the ground truth of a data set")
    run = run_in(tmp_path)
    assert run.claim("a_mask.png") is not None
    run.add(Entry("a.png", "image", "error", "a_mask.png: is there already"))
    assert run_in(tmp_path, resume=True).claim("a_mask.png") is not None
    assert run_in(tmp_path, overwrite=True).claim("a_mask.png") is None


def test_earlier_results_are_in_the_way_unless_they_hold_nothing(tmp_path: Path) -> None:
    run = run_in(tmp_path)
    run.add(Entry("a.png", "image", "error", "no"))
    run_in(tmp_path).add(Entry("a.png", "image"), MADE_BY)
    with pytest.raises(OccupiedError, match=r"results\.json: is there already"):
        run_in(tmp_path)


def test_overwriting_clears_what_the_earlier_run_alone_has_written(tmp_path: Path) -> None:
    for names in (("a_mask.png", "b_mask.png"), ("a_mask.png",)):
        run = run_in(tmp_path, overwrite=True)
        for name in names:
            assert run.claim(name) is None
            (tmp_path / name).write_text("")
            run.add(Entry(name, "image", files=Files(mask=name)), MADE_BY)
        run.close(complete=True)
    assert files(tmp_path) == ["a_mask.png", "results.csv", "results.json"]


def test_killed_twice_and_resumed_it_equals_an_unbroken_run(bundle: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    for number in range(4):
        write_png(images / f"{number}.png", scan(radius=10 + number))
    (images / "loop.dcm").write_bytes(cine(scan(), scan(radius=9), scan(radius=12)))
    given = ["segment", str(images), "--method", str(bundle), "--quiet", "--out"]
    assert main([*given, str(tmp_path / "whole")]) == 0
    out = [*given, str(tmp_path / "out"), "--resume"]
    for method, after in (("add", "2"), ("claim", "3"), ("close", "0")):
        words = [sys.executable, "-c", KILLED, method, after, *out]
        killed = subprocess.run(words, capture_output=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert main(out) == 0
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    for name in files(tmp_path / "whole"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_full_disk_keeps_what_was_done(
    bundle: Path,
    pictures: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from breastseg.io import write

    real, left = write.write_png, [3]

    def full(path: Path, *rest: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            with write.replacing(path) as temporary:
                temporary.write_text("cut")
                raise OSError(errno.ENOSPC, "No space left on device")
        real(path, *rest)  # type: ignore[arg-type]

    out = tmp_path / "out"
    given = ["segment", str(pictures), "--method", str(bundle), "--quiet", "--out", str(out)]
    with monkeypatch.context() as patch:
        patch.setattr(write, "write_png", full)
        assert main(given) == 1
    assert "No space left on device" in capsys.readouterr().err
    written = read_document(out / "results.json")
    assert not written.complete
    assert [Path(entry.input).name for entry in written.entries] == ["none.png"]
    left_over = ["none_mask.png", "none_overlay.png", "results.csv", "results.json"]
    assert files(out) == [*left_over, "results.partial.jsonl"]
    assert main([*given, "--resume"]) == 0
    assert len(read_document(out / "results.json").entries) == 3
