"""``breastseg demo`` and its report: complete, self-contained, and true to the figures."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from breastseg.cli.main import main
from breastseg.core import Grid
from breastseg.core.provenance import Provenance
from breastseg.inference.bundle_folder import read_bundle
from breastseg.metrics.lesionwise import LesionMatch
from breastseg.results.report import Scan, Truth, render, tally

from ..scans import files

Capture = pytest.CaptureFixture[str]
NONE = LesionMatch(true_lesions=0, found=0, outlines=0, false_positives=0)
FALSE = LesionMatch(true_lesions=0, found=0, outlines=2, false_positives=2)
FOUND = LesionMatch(true_lesions=1, found=1, outlines=1, false_positives=0)
MISSED = LesionMatch(true_lesions=1, found=0, outlines=1, false_positives=1)
HALF = LesionMatch(true_lesions=2, found=1, outlines=1, false_positives=0)


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


def make_scan(name: str, truth: Truth | None, value: int = 7) -> Scan:
    picture = np.full((6, 8), value, np.uint8)
    return Scan(
        name=name,
        grid=Grid((6, 8)),
        original=picture,
        overlay=np.stack([picture] * 3, axis=2),
        lesions=(),
        milliseconds=12.3,
        truth=truth,
    )


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
    assert len([a for a in addresses if a.startswith("data:image/png;base64,")]) == 4
    assert all(a.startswith(("data:image/png;base64,", "#scan")) for a in addresses)

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


def test_report_needs_no_network_and_holds_the_pictures(bundle: Path) -> None:
    scans = [make_scan("first", None), make_scan("<script>alert(1)</script>", None, 200)]
    html = render(scans, read_bundle(bundle), Provenance("dark", "1"), "Made up.")
    assert "<script" not in html
    assert "Made up." in html
    assert "True longest" not in html
    assert not re.search(r"https?://", html)
    addresses = parse(html).addresses
    pictures = [a.partition(",")[2] for a in addresses if a.startswith("data:")]
    values = [
        np.unique(np.asarray(Pillow.open(io.BytesIO(base64.b64decode(text))))) for text in pictures
    ]
    assert [value.tolist() for value in values] == [[7], [7], [200], [200]]


@pytest.mark.parametrize(
    ("match", "words"),
    [
        (NONE, "none, none outlined"),
        (FALSE, "none, but 2 outlined"),
        (FOUND, "found"),
        (MISSED, "missed, 1 false"),
        (HALF, "1 of 2 found"),
    ],
)
def test_outcomes_in_words(match: LesionMatch, words: str) -> None:
    assert Truth(None, None, match).outcome == words


def test_tally() -> None:
    truths = [Truth(9.0, 0.8, FOUND), Truth(9.0, 0.2, MISSED), Truth(None, None, FALSE)]
    scans = [make_scan(str(number), truth) for number, truth in enumerate(truths)]
    assert tally(scans) == (
        "1 of 2 lesions found, mean Dice 0.500; an outline in 1 of 1 scans without a lesion."
    )
    assert tally([make_scan("x", None)]) == ""


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
