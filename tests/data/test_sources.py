"""Texts that name data sets and choose cases of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from breastseg.core.errors import DataSetError
from breastseg.data.sources import open_data_sets, open_source
from breastseg.io.write import write_png

from .conftest import picture


def test_a_source_is_name_and_folder() -> None:
    assert open_source("BUSI=/a/b=c").root == Path("/a/b=c")
    assert open_source("folder=/a/scans").name == "scans"


def test_data_of_ones_own_may_have_a_name_that_stays(tmp_path: Path) -> None:
    write_png(tmp_path / "scans" / "images" / "a.png", picture(1))
    data_set = open_source(f"clinic=folder:{tmp_path / 'scans'}")
    (case,) = data_set.cases()
    assert (data_set.name, case.key) == ("clinic", "clinic/a")
    (tmp_path / "scans").rename(tmp_path / "renamed")
    assert open_source(f"clinic=FOLDER:{tmp_path / 'renamed'}").cases()[0].key == "clinic/a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("BUSI", "NAME=FOLDER"),
        ("=x", "NAME=FOLDER"),
        ("BUSI=", "NAME=FOLDER"),
        ("", "NAME=FOLDER"),
        ("mine=BUSI:/a", "BUSI has a name of its own. Expected: BUSI=FOLDER, without mine="),
        ("BUSI=folder:/a", "a name that no known data set has"),
        ("mine=folder:", "and a path"),
        ("a/b=folder:/a", "a name of letters"),
        ("mine=/a", "no data set 'mine'"),
    ],
)
def test_bad_source(text: str, message: str) -> None:
    with pytest.raises(DataSetError, match=message):
        open_source(text)


def test_two_of_one_name() -> None:
    with pytest.raises(
        DataSetError, match=r"data sets named a, a. Expected: each name once. Try: name them"
    ):
        open_data_sets(["folder=/x/a", "folder=/y/a"])
