"""Texts that name data sets and choose cases of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from breastseg.core.errors import DataSetError
from breastseg.data.sources import parse_source, portable_words


def test_options_are_told_without_folders() -> None:
    data = ("BUSI=/a/b", "folder=c", "BUS-BRA=d")
    splits = ("BUSI=lesions & split:/x/y/s.json#test", "list:names.txt")
    assert portable_words(data, splits) == [
        "--data",
        "BUSI=FOLDER",
        "folder=FOLDER",
        "BUS-BRA=FOLDER",
        "--split",
        "BUSI=lesions & split:s.json#test",
        "list:names.txt",
    ]
    assert portable_words(data[:2], ()) == ["--data", "BUSI=FOLDER", "folder=FOLDER"]


def test_source_is_name_and_folder() -> None:
    assert parse_source("BUSI=/a/b=c") == ("BUSI", Path("/a/b=c"))


@pytest.mark.parametrize("text", ["BUSI", "=x", "BUSI=", ""])
def test_bad_source(text: str) -> None:
    with pytest.raises(DataSetError, match="NAME=FOLDER"):
        parse_source(text)
