"""Tables that come with data sets: CSV files, and sheets of Excel workbooks.

Of a workbook (Office Open XML, ECMA-376 part 1, 18) the cells' texts and numbers are read, and no
formats, dates or formulas.
"""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from breastseg.core.errors import DataSetError

Row = Mapping[str, str]
"""Stripped texts by column; "" where a cell is empty."""

_MAX_BYTES = 2**28  # of a sheet, unpacked
_BAD_BOOK = (
    zipfile.BadZipFile,
    KeyError,
    ElementTree.ParseError,
    ValueError,
    RuntimeError,  # encrypted, or of a kind of compression that is not known
    zlib.error,
    EOFError,
)
_ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # of OLE, in which Excel wraps what it encrypts
_SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")
_STRINGS = "xl/sharedStrings.xml"


def read_table(path: Path, columns: Sequence[str]) -> tuple[Row, ...]:
    """Read a table whose first row names the columns.

    Of a workbook that sheet is read which has the columns.

    Args:
        path: ``.csv`` in UTF-8, with commas or semicolons, or ``.xlsx``.
        columns: those that must be there.

    Returns:
        The rows that are not empty.

    Raises:
        DataSetError: the file cannot be read, lacks a column, has one twice, or a row has more
            cells than the first, as one with a comma outside quotes has.
    """
    try:
        book = path.suffix.lower() == ".xlsx"
        head, *lines = _sheet(path, columns) if book else _csv(path) or [[]]
        head = [name.strip() for name in head]
        missing = [name for name in columns if name not in head]
        if missing:
            raise DataSetError(
                f"{path} has no column {', '.join(missing)}",
                f"the columns {', '.join(columns)} in the first row",
            )
        twice = {name for name in head if name and head.count(name) > 1}
        if twice:
            raise DataSetError(
                f"{path} has the columns {', '.join(sorted(twice))} twice", "each column once"
            )
        cells = [[cell.strip() for cell in line] for line in lines]
        for number, line in enumerate(cells, 2):
            if any(line[len(head) :]):
                raise DataSetError(
                    f"row {number} of {path} has {len(line)} cells, the first row {len(head)}",
                    "a cell for each column",
                    "put cells with a comma in them into quotes",
                )
        return tuple(
            {name: line[at] if at < len(line) else "" for at, name in enumerate(head) if name}
            for line in cells
            if any(line)
        )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataSetError(f"{path} cannot be read: {error}", "a CSV file in UTF-8") from error
    except _BAD_BOOK as error:
        raise DataSetError(
            f"{path} cannot be read: {error}",
            "an Excel workbook (.xlsx) without a password",
            "save its first sheet as CSV",
        ) from error


def find_table(root: Path, stem: str) -> Path | None:
    """``stem.csv`` or ``stem.xlsx`` in a folder, in capitals or not; None without one."""
    wanted = (f"{stem}.csv".lower(), f"{stem}.xlsx".lower())
    found = {path.name.lower(): path for path in root.glob("*.*") if path.name.lower() in wanted}
    return next((found[name] for name in wanted if name in found), None)


def _csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        semicolons = first.count(";") > first.count(",")
        return list(csv.reader(file, delimiter=";" if semicolons else ","))


def _sheet(path: Path, columns: Sequence[str]) -> list[list[str]]:
    """The first sheet that has the columns, else the first."""
    with path.open("rb") as file:
        if file.read(8) == _ENCRYPTED:
            raise ValueError("it is encrypted, or of a version of Excel before 2007")
    with zipfile.ZipFile(path) as book:
        texts: list[str] = []
        if _STRINGS in book.namelist():
            texts = ["".join(_texts(item)) for item in _parse(book, _STRINGS)]
        sheets = sorted(filter(_SHEET.fullmatch, book.namelist()), key=lambda at: (len(at), at))
        first: list[list[str]] = []
        for name in sheets:
            lines = list(_lines(_parse(book, name), texts)) or [[]]
            if set(columns) <= {cell.strip() for cell in lines[0]}:
                return lines
            first = first or lines
        if not first:
            raise ValueError("it has no sheet")
        return first


def _lines(sheet: ElementTree.Element, texts: Sequence[str]) -> Iterator[list[str]]:
    for row in sheet.iter(_tag("row")):
        line: list[str] = []
        for cell in row.iter(_tag("c")):
            at = _column(cell.get("r", ""), len(line))
            line += [""] * (at - len(line)) + [_cell(cell, texts)]
        yield line


def _parse(book: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if book.getinfo(name).file_size > _MAX_BYTES:
        raise ValueError(f"{name} is larger than {_MAX_BYTES} bytes")
    data = book.read(name)
    if b"<!DOCTYPE" in data[:1000]:  # which a workbook never has, and which can expand without end
        raise ValueError(f"{name} declares a document type")
    return ElementTree.fromstring(data)


def _cell(cell: ElementTree.Element, texts: Sequence[str]) -> str:
    if cell.get("t") == "inlineStr":
        return "".join(_texts(cell))
    value = cell.findtext(_tag("v")) or ""
    return texts[int(value)] if cell.get("t") == "s" and value else value


def _texts(element: ElementTree.Element) -> Iterable[str]:
    return (part.text or "" for part in element.iter(_tag("t")))


def _tag(name: str) -> str:
    return f"{{http://schemas.openxmlformats.org/spreadsheetml/2006/main}}{name}"


def _column(reference: str, following: int) -> int:
    """The index of a cell such as ``"AB12"``; one without a reference follows the last."""
    letters = re.match(r"[A-Z]{1,3}", reference)
    if letters is None:
        return following
    number = 0
    for letter in letters[0]:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
