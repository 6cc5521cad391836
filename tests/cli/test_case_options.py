"""The options that name data sets."""

from __future__ import annotations

from breastseg.cli.case_options import portable_words


def test_options_are_told_without_folders() -> None:
    data = ("BUSI=/a/b", "folder=c", "BUS-BRA=d", "mine=nnunet:/x/y")
    splits = ("BUSI=lesions & split:/x/y/s.json#test", "list:names.txt")
    assert portable_words(data, splits) == [
        "--data",
        "BUSI=FOLDER",
        "folder=FOLDER",
        "BUS-BRA=FOLDER",
        "mine=nnunet:FOLDER",
        "--split",
        "BUSI=lesions & split:s.json#test",
        "list:names.txt",
    ]
    assert portable_words(data[:2], ()) == ["--data", "BUSI=FOLDER", "folder=FOLDER"]
