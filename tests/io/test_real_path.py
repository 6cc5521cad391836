"""Links that lead in a circle, and people without a home."""

from __future__ import annotations

from pathlib import Path

from breastseg.io.real_path import at_home, real_path


def test_links_are_followed_and_a_circle_is_left(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("scan.png")
    (tmp_path / "circle").symlink_to("circle")
    assert real_path(tmp_path / "link") == tmp_path.resolve() / "scan.png"
    assert real_path(tmp_path / "circle" / "x").name == "x"


def test_a_home_that_is_not_there() -> None:
    assert at_home("~/data") == Path.home() / "data"
    assert at_home("~nobody-of-that-name/data") == Path("~nobody-of-that-name/data")
