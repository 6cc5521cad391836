"""The documentation is run: its commands and its Python on generated scans, and its links.

Each page is a story of its own: its blocks run in order in one empty folder. A comment before a
block says what a reader does not see:

    <!-- setup
    breastseg data phantom scans --count 2
    -->                      commands that prepare the folder
    <!-- not run: why -->    the next block is only shown
    <!-- needs: train -->    the next block is run only by the tests that need torch
    <!-- train setup ... --> commands that prepare the folder for these
"""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RUN_LANGUAGES = ("bash", "python")
SHOWN_LANGUAGES = ("text", "toml", "json", "csv", "console")

_COMMENT = re.compile(r"<!--\s*(setup|train setup|not run:|needs: train)\s*(.*?)-->", re.DOTALL)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One code block of a page.

    Attributes:
        page: the page's path below the root.
        line: where it starts, from 1.
        language: as the fence says.
        code: its text.
        mode: "run", "shown" or "train".
    """

    page: str
    line: int
    language: str
    code: str
    mode: str


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(ROOT).as_posix()
    found = sorted([*_COMMENT.finditer(text), *_FENCE.finditer(text)], key=lambda m: m.start())
    mode = "run"
    for match in found:
        line = text.count("\n", 0, match.start()) + 1
        if match.re is _FENCE:
            yield Block(name, line, match[1], match[2], mode)
            mode = "run"
        elif match[1].endswith("setup"):
            mode = "train" if match[1] == "train setup" else "run"
            yield Block(name, line, "bash", match[2], mode)
            mode = "run"
        elif match[1] == "not run:":
            assert match[2].strip(), f"{name}:{line}: say why the block is not run"
            mode = "shown"
        else:
            mode = "train"


def _runnable(page: Path, modes: tuple[str, ...]) -> list[Block]:
    return [b for b in _blocks(page) if b.mode in modes and b.language in RUN_LANGUAGES]


def _run(block: Block, folder: Path) -> None:
    command = (
        ["bash", "-euo", "pipefail", "-c", block.code]
        if block.language == "bash"
        else [sys.executable, "-W", "error", "-c", block.code]
    )
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    output = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, f"{block.page}:{block.line}\n{block.code}\n{output}"
    assert "Traceback" not in output, f"{block.page}:{block.line}\n{output}"


def _named(pages: list[Path]) -> list[object]:
    return [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in pages]


@pytest.mark.parametrize("page", _named([p for p in PAGES if _runnable(p, ("run",))]))
def test_code_blocks_run(page: Path, tmp_path: Path) -> None:
    for block in _runnable(page, ("run",)):
        _run(block, tmp_path)


@pytest.mark.train
@pytest.mark.parametrize(
    "page", _named([p for p in PAGES if any(b.mode == "train" for b in _blocks(p))])
)
def test_code_blocks_that_train_run(page: Path, tmp_path: Path) -> None:
    for block in _runnable(page, ("run", "train")):
        _run(block, tmp_path)


@pytest.mark.parametrize("page", _named(PAGES))
def test_every_block_is_of_a_known_kind(page: Path) -> None:
    for block in _blocks(page):
        assert block.language in RUN_LANGUAGES + SHOWN_LANGUAGES, f"{block.page}:{block.line}"


def _anchors(page: Path) -> set[str]:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    words = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in _HEADING.findall(text))
    return {word.strip().replace(" ", "-") for word in words}


@pytest.mark.parametrize("page", _named(PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in _LINK.findall(text):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), f"{page.name} links to {target}, which is not there"
        assert goal.is_relative_to(ROOT), f"{page.name} links out of the repository: {target}"
        if anchor:
            assert anchor in _anchors(goal), f"{page.name} links to {target}: no such heading"


def test_every_page_is_linked_from_another() -> None:
    linked = set()
    for page in PAGES:
        for target in _LINK.findall(page.read_text(encoding="utf-8")):
            linked.add((page.parent / target.partition("#")[0]).resolve())
    entrances = {ROOT / "README.md"}
    lost = [p.relative_to(ROOT).as_posix() for p in PAGES if p not in linked | entrances]
    assert not lost


@pytest.mark.train
@pytest.mark.parametrize("page", _named(sorted((ROOT / "docs" / "reference").glob("*.md"))))
def test_reference_tables_are_those_of_the_code(page: Path) -> None:
    rendered = runpy.run_path(str(ROOT / "docs" / "tables.py"))["rendered"]
    assert rendered(page) == page.read_text(encoding="utf-8"), "run make docs"


def test_schemas_are_those_of_the_code() -> None:
    schemas = runpy.run_path(str(ROOT / "docs" / "schemas.py"))
    for name in schemas["SCHEMAS"]:
        text = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
        assert schemas["text_of"](name) == text, "run make docs"


def _names(content: object) -> Iterator[str]:
    """The keys of nested JSON objects; those of the method's own parameters are its affair."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield key
            if key not in ("parameters", "options"):
                yield from _names(value)
    elif isinstance(content, list):
        for item in content:
            yield from _names(item)


def test_every_field_of_the_results_is_explained(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "reference" / "results.md").read_text(encoding="utf-8")
    commands = (
        "breastseg data phantom scans --count 4 && echo x > broken.png && "
        "! breastseg segment scans/images broken.png --out out --quiet"
    )
    _run(Block("results.md", 0, "bash", commands, "run"), tmp_path)
    content = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    columns = (tmp_path / "out" / "results.csv").read_text(encoding="utf-8").splitlines()[0]
    unexplained = {n for n in [*_names(content), *columns.split(",")] if f"`{n}`" not in text}
    assert not unexplained
    assert any(entry.get("lesions") for entry in content["entries"])


def test_exit_codes_are_explained() -> None:
    from breastseg.cli import main

    text = (ROOT / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| (\d+) \|", text, re.MULTILINE))
    assert explained == set(re.findall(r"\b(\d+) ", (main.__doc__ or "").partition("codes:")[2]))
