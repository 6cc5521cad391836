"""A small Excel workbook, as Excel itself would write it."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_XMLNS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def write_workbook(path: Path, lines: Sequence[Sequence[str | float | None]]) -> None:
    """Write a first sheet that is empty, and a second one with the lines.

    Texts become shared strings; a cell that is None is left out.
    """
    texts: list[str] = []
    rows = []
    for number, line in enumerate(lines, 1):
        cells = []
        for letter, value in zip("ABCDEFGHIJ", line, strict=False):
            if isinstance(value, str):
                texts.append(value)
                cells.append(f'<c r="{letter}{number}" t="s"><v>{len(texts) - 1}</v></c>')
            elif value is not None:
                cells.append(f'<c r="{letter}{number}"><v>{value}</v></c>')
        rows.append(f'<row r="{number}">{"".join(cells)}</row>')
    with zipfile.ZipFile(path, "w") as book:
        for sheet, inside in ((1, ""), (2, "".join(rows))):
            book.writestr(
                f"xl/worksheets/sheet{sheet}.xml",
                f"<worksheet {_XMLNS}><sheetData>{inside}</sheetData></worksheet>",
            )
        items = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
        book.writestr("xl/sharedStrings.xml", f"<sst {_XMLNS}>{items}</sst>")
