"""``breastseg segment`` on the frames of cine loops and on images of whole screens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breastseg.cli.main import main
from breastseg.io.write import write_png

from ..scans import cine, scan
from .results import entries, pixels

Capture = pytest.CaptureFixture[str]


def test_each_frame_of_a_cine_is_an_entry(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "cine.dcm").write_bytes(cine(scan(radius=25), scan(radius=0), scan(radius=15)))
    out = tmp_path / "out"
    assert (
        main(["segment", str(tmp_path / "cine.dcm"), "--method", str(bundle), "--out", str(out)])
        == 0
    )
    found = entries(out)
    assert [entry["frame"] for entry in found] == [1, 2, 3]
    masks = [entry["files"]["mask"] for entry in found]  # type: ignore[index]
    assert masks == [f"cine_f000{n}_mask.png" for n in (1, 2, 3)]
    assert [len(entry["lesions"]) for entry in found] == [1, 0, 1]  # type: ignore[arg-type]
    assert pixels(out / "cine_f0001_mask.png").sum() > pixels(out / "cine_f0003_mask.png").sum()


def test_the_scan_on_a_screen(bundle: Path, tmp_path: Path) -> None:
    write_png(tmp_path / "screen.png", np.pad(scan(radius=25), 60))
    given = ["segment", str(tmp_path / "screen.png"), "--method", str(bundle), "--screenshot"]
    assert main([*given, "--out", str(tmp_path / "out")]) == 0
    (entry,) = entries(tmp_path / "out")
    assert "cut out" in str(entry["steps"])
    assert pixels(tmp_path / "out" / "screen_mask.png").shape == np.pad(scan(), 60).shape


def test_the_overlay_shows_what_was_looked_at_and_no_name(bundle: Path, tmp_path: Path) -> None:
    screen = np.pad(scan(radius=25), 60)
    screen[20:30, 10:60:3] = 255  # a name
    write_png(tmp_path / "screen.png", screen)
    given = ["segment", str(tmp_path / "screen.png"), "--method", str(bundle)]
    for words, shown in ((["--screenshot"], False), ([], True)):
        out = tmp_path / f"out{shown}"
        assert main([*given, *words, "--out", str(out)]) == 0
        overlay = pixels(out / "screen_overlay.png")
        assert overlay[20:30].any() == shown
        assert (overlay[90:150, 90:190] > 0).all(axis=2).any()


def test_a_screen_takes_no_hint(tmp_path: Path, capsys: Capture) -> None:
    write_png(tmp_path / "screen.png", scan())
    given = ["segment", str(tmp_path / "screen.png"), "--method", "otsu", "--screenshot"]
    assert main([*given, "--inside", "5", "5", "--out", str(tmp_path / "out")]) == 2
    assert "a prompt for a screenshot. Expected: one or" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_frames_of_a_cine_can_be_averaged_with_their_neighbours(
    bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "cine.dcm").write_bytes(cine(*(scan(radius=r) for r in (25, 0, 25))))
    given = ["segment", str(tmp_path / "cine.dcm"), "--method", str(bundle)]
    assert main([*given, "--smooth-frames", "1", "--out", str(tmp_path / "out")]) == 0
    found = entries(tmp_path / "out")
    assert [len(entry["lesions"]) for entry in found] == [1, 1, 1]  # type: ignore[arg-type]
    assert "before and after" in str(found[1]["steps"])
    assert main([*given, "--smooth-frames", "-1", "--out", str(tmp_path / "no")]) == 2
    assert "smooth_frames = -1. Expected: a number from 0 to 50" in capsys.readouterr().err
