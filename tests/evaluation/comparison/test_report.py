import csv
import itertools
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from breastseg.evaluation.comparison.cell import Comparison
from breastseg.evaluation.comparison.report import write_comparison

from .made import HABITS, made_cases, made_comparison
from .tabled import tabled

COMMAND = "breastseg compare otsu net snake --data made=FOLDER --out FOLDER"
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Checks that tags are closed, and keeps what a reader without eyes or network needs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "new"
    cases = made_cases()
    comparison = made_comparison(cases, folder=out / "masks", draw=True)
    write_comparison(comparison, out, cases, COMMAND, resamples=50, seed=2)
    return out


def written(comparison: Comparison, out: Path, images: bool = False) -> str:
    write_comparison(comparison, out, (), COMMAND, images, resamples=20)
    return (out / "report.html").read_text()


def test_files(folder: Path) -> None:
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.[chjms]*")} == {
        "report.html",
        "report.md",
        "comparison.csv",
        "comparison.json",
        "figures/dice.svg",
        "figures/difference.svg",
        "figures/found.svg",
        "figures/reliability.svg",
        "figures/subgroups.svg",
    }


def test_the_page_is_whole_and_needs_no_network(folder: Path) -> None:
    text = (folder / "report.html").read_text()
    page = Page(text)
    addresses = [
        value or ""
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("href", "src", "xlink:href")
    ]
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in addresses)
    assert not re.search(r"url\((?!#)|@import|<script|<link", text)
    names = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(names) == len(set(names))
    assert {a[1:] for a in addresses if a.startswith("#")} <= set(names)


def test_the_page_can_be_heard(folder: Path) -> None:
    page = Page((folder / "report.html").read_text())
    assert page.all("html")[0]["lang"] == "en"
    assert all(head.get("scope") in ("col", "row") for head in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    for picture in page.all("svg"):
        assert picture.get("aria-hidden") == "true" or picture.get("aria-label")
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert headings[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(headings))


def test_the_page_tells_what_a_reader_asks(folder: Path) -> None:
    text = (folder / "report.html").read_text()
    for words in (
        "Research tool, not a medical device.",
        "Of 3 methods, net had the highest mean Dice",
        "50 resamples, percentile method, seed 2",
        "Per image F1 is the same number as Dice",
        "(baseline)",
        "UnsupportedError: no such image",
        "1 of 42 masks failed",
        "a made-up method (doi:10.1000/182)",
        "it looks at no image at all",
        "shift = 0.1",
        "flip_average = True",
        COMMAND,
        "among the worst of net",
    ):
        assert words in text, words


def test_the_same_comparison_is_the_same_report(folder: Path, tmp_path: Path) -> None:
    cases = made_cases()
    comparison = made_comparison(cases, folder=folder / "masks")
    write_comparison(comparison, tmp_path, cases, COMMAND, resamples=50, seed=2)
    for name in ("report.html", "report.md", "comparison.csv", "comparison.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_one_line_a_method_and_image(folder: Path) -> None:
    with (folder / "comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 14
    assert [row["method"] for row in rows[::14]] == list(HABITS)
    first = rows[0]
    assert "unscored" not in first  # such a case has no line
    assert (first["key"], first["patient"], first["label"]) == ("made/c000", "made/p0", "benign")
    assert float(first["area_px"]) / (48 * 64) == pytest.approx(
        float(first["lesion_fraction"]), rel=1e-4
    )
    failed = [row for row in rows if row["error"]]
    assert [(row["method"], row["key"]) for row in failed] == [("snake", "made/c001")]
    assert (failed[0]["dice"], failed[0]["milliseconds"]) == ("0", "")
    assert math.isnan(float(failed[0]["hd95_px"]))


def test_all_figures_for_programs(folder: Path) -> None:
    content = json.loads((folder / "comparison.json").read_text())
    assert next(iter(content["methods"])) == "net"
    assert content["protocol"]["baseline"] == "net"
    assert content["protocol"]["seed"] == 2
    assert content["protocol"]["patients_stated"] is True
    assert content["command"] == COMMAND
    assert {"breastseg", "numpy", "Python"} <= set(content["versions"])
    net, otsu = content["methods"]["net"], content["methods"]["otsu"]
    assert net["difference"] is None
    assert otsu["difference"]["images"] == 12
    assert net["parameters"] == {"threshold": 0.4, "flip_average": True}
    assert len(net["free_response"]) == len(content["thresholds"]) == 19
    assert otsu["free_response"] is otsu["reliability"] is None
    assert len(net["reliability"]["pixels"]) == 10
    assert set(net["groups"]) == {"all images", "lesion images", "normal images"}
    assert net["subgroups"]["benign"]["images"] == 6
    assert content["methods"]["snake"]["failures"] == {
        "made/c001": "UnsupportedError: no such image"
    }


def test_markdown_holds_the_tables(folder: Path) -> None:
    text = (folder / "report.md").read_text()
    for words in (
        "# Comparison of breast lesion",
        "## Overlap with the ground truth",
        "| Method | Dice, mean |",
        "## Dice against net, image by image",
        "- snake, made/c001: UnsupportedError: no such image",
        f"```bash\n{COMMAND}\n```",
    ):
        assert words in text
    assert "<" not in text.replace("<0.001", "").replace("< 0.001", "")


def test_a_report_without_pictures_holds_no_image(folder: Path, tmp_path: Path) -> None:
    cases = made_cases()
    comparison = made_comparison(cases, folder=folder / "masks")
    write_comparison(comparison, tmp_path, cases, COMMAND, images=False, resamples=20)
    text = (tmp_path / "report.html").read_text()
    assert "data:image" not in text
    assert 'href="#images"' not in text
    Page(text)


def test_a_report_names_no_folder(tmp_path: Path) -> None:
    cases = tuple(
        replace(case, image_path=Path("/home/someone/scans") / case.image_path)
        for case in made_cases()
    )
    comparison = made_comparison(cases)
    bad = comparison.cells["snake"][1]
    told = replace(bad, row=replace(bad.row, error="/home/someone/scans/c001.png: truncated"))
    cells = {**comparison.cells, "snake": (comparison.cells["snake"][0], told)}
    cells["snake"] += comparison.cells["snake"][2:]
    write_comparison(replace(comparison, cells=cells), tmp_path, cases, COMMAND, False, 20)
    for path in tmp_path.glob("*.*"):
        text = path.read_text()
        assert "someone" not in text
        assert "c001.png: truncated" in text


def test_labels_and_errors_cannot_become_markup(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'&"
    text = written(tabled({"base": [0.4, 0.6], evil: [0.5, 0.9]}), tmp_path)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    Page(text)


def test_reports_of_one_method_of_normals_and_of_failures(tmp_path: Path) -> None:
    Page(written(tabled({"only": [0.5, 0.7]}), tmp_path / "one", images=True))
    text = written(made_comparison(made_cases(0, 3)), tmp_path / "normals", images=True)
    Page(text)
    assert "Normal images outlined" in text
    assert 'id="agreement"' not in text
    habit = replace(HABITS["snake"], fails=(0, 1, 2))
    failed = made_comparison(made_cases(3, 0), {"snake": habit}, "snake")
    text = written(failed, tmp_path / "failed", images=True)
    Page(text)
    assert "3 of 3 masks failed" in text
