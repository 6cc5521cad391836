"""``breastseg demo`` and its report: complete, self-contained, and true to the figures."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from breastseg.cli.main import main

from ..scans import files

Capture = pytest.CaptureFixture[str]


class Elements(HTMLParser):
    """Collects addresses and checks that elements are closed in order."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.addresses += [value or "" for key, value in attrs if key in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parse(html: str) -> Elements:
    elements = Elements()
    elements.feed(html)
    assert not elements.open
    return elements


def test_demo(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "demo"
    given = ["demo", "--method", str(bundle), "--out", str(out), "--count", "2"]
    assert main(given) == 0
    text = capsys.readouterr().out
    assert str(out / "report.html") in text
    assert "Next:" in text
    assert all(word in text for word in ("Dice", "Longest mm", "True mm", "Time ms"))

    names = [entry["input"] for entry in json.loads((out / "results.json").read_text())["entries"]]
    assert len(names) == 2
    stems = [Path(name).stem for name in names]
    assert {f"{stem}_overlay.png" for stem in stems} <= set(files(out))

    html = (out / "report.html").read_text(encoding="utf-8")
    assert all(word in html for word in ("not a medical device", "SHA-256", *stems))
    addresses = parse(html).addresses
    assert len([a for a in addresses if a.startswith("data:image/jpeg;base64,")]) == 4
    assert all(a.startswith(("data:image/jpeg;base64,", "#image")) for a in addresses)

    assert main([*given[:-1], "1"]) == 0, "a second demo replaces the first"
    assert len(json.loads((out / "results.json").read_text())["entries"]) == 1


@pytest.mark.parametrize("extra", [["--count", "0"], ["--seed", "-1"], ["--method", "nosuch"]])
def test_demo_that_cannot_be_is_one_line(
    bundle: Path, tmp_path: Path, capsys: Capture, extra: list[str]
) -> None:
    given = {"--method": str(bundle), "--out": str(tmp_path / "demo")} | {extra[0]: extra[1]}
    assert main(["demo", *(word for pair in given.items() for word in pair)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "demo").exists()


def test_phantoms_can_be_made_and_used_as_a_data_set(
    bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "phantoms"
    assert main(["data", "phantom", str(folder), "--count", "2", "--seed", "5"]) == 0
    assert main(["data", "info", f"folder={folder}"]) == 0
    assert "2 cases" in capsys.readouterr().out
    scores = ["--data", f"folder={folder}", "--out", str(tmp_path / "scores")]
    assert main(["evaluate", str(bundle), *scores]) == 0
    assert main(["data", "phantom", str(folder), "--count", "0"]) == 2
