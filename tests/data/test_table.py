"""CSV files and workbooks give the same rows."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from breastseg.core.errors import DataSetError
from breastseg.data.table import find_table, read_table
from breastseg.io.write import write_text

from .workbook import write_workbook


def test_csv_and_workbook_agree(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "\ufeffPatient, Row\nA & B,1\n,\nC,\n")
    write_text(tmp_path / "b.csv", "Patient;Row\nA & B;1\nC\n")
    write_workbook(
        tmp_path / "c.xlsx", [["Patient", "Row"], ["A & B", 1], [None, None], ["C", None]]
    )
    wanted = ({"Patient": "A & B", "Row": "1"}, {"Patient": "C", "Row": ""})
    for name in ("a.csv", "b.csv", "c.xlsx"):
        assert read_table(tmp_path / name, ("Patient", "Row")) == wanted


def test_cells_left_out_keep_the_others_in_their_columns(tmp_path: Path) -> None:
    write_workbook(tmp_path / "c.xlsx", [["A", "B", "C"], [None, None, 3.5]])
    assert read_table(tmp_path / "c.xlsx", ("C",)) == ({"A": "", "B": "", "C": "3.5"},)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "x,y\n1,2\n")
    with pytest.raises(
        DataSetError, match=r"no column patient, z. Expected: the columns patient, x, z"
    ):
        read_table(tmp_path / "a.csv", ("patient", "x", "z"))


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_what_is_no_table(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe\x00\x81 no table")
    with pytest.raises(DataSetError, match=r"cannot be read"):
        read_table(tmp_path / name, ())


def test_workbooks_with_a_document_type_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as book:
        book.writestr("xl/worksheets/sheet1.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")
    with pytest.raises(DataSetError, match="declares a document type"):
        read_table(tmp_path / "a.xlsx", ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,patient_id,patient_id\na,P1,P9\n", "has the columns patient_id twice"),
        ("file,label\na,cyst, simple\n", "row 2 of .* has 3 cells, the first row 2"),
    ],
)
def test_cells_that_belong_to_no_column_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataSetError, match=said):
        read_table(tmp_path / "t.csv", ("file",))


def test_blank_cells_beyond_the_last_column_are_none(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("file,label\na,cyst,,\n")
    assert read_table(tmp_path / "t.csv", ("file",)) == ({"file": "a", "label": "cyst"},)


def test_tables_are_found_by_their_stem(tmp_path: Path) -> None:
    assert find_table(tmp_path, "boxes") is None
    write_workbook(tmp_path / "Boxes.xlsx", [["A"]])
    assert find_table(tmp_path, "boxes") == tmp_path / "Boxes.xlsx"
    write_text(tmp_path / "boxes.csv", "A\n")
    assert find_table(tmp_path, "Boxes") == tmp_path / "boxes.csv"


@pytest.mark.parametrize(
    "head", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"PK\3\4nothing"]
)
def test_a_workbook_that_is_encrypted_or_damaged(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "t.xlsx").write_bytes(head)
    with pytest.raises(DataSetError, match=r"t.xlsx cannot be read: .*without a password"):
        read_table(tmp_path / "t.xlsx", ("A",))


def test_a_workbook_with_a_password_on_its_parts(tmp_path: Path) -> None:
    write_workbook(tmp_path / "t.xlsx", [["A"], ["1"]])
    data = bytearray((tmp_path / "t.xlsx").read_bytes())
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # the flag of encryption of each entry
        start = 0
        while (start := data.find(mark, start)) >= 0:
            data[start + at] |= 1
            start += 4
    (tmp_path / "t.xlsx").write_bytes(data)
    with pytest.raises(DataSetError, match=r"t.xlsx cannot be read: .*encrypted"):
        read_table(tmp_path / "t.xlsx", ("A",))
