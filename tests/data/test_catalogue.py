"""Data sets by name."""

from pathlib import Path

import pytest

from breastseg.core.errors import DataSetError
from breastseg.data.catalogue import DATA_SETS, OWN, open_data_set


def test_every_entry_opens_and_introduces_itself(tmp_path: Path) -> None:
    for name in DATA_SETS:
        data_set = open_data_set(name, tmp_path)
        assert data_set.root == tmp_path
        assert data_set.info.title
        assert data_set.info.tree
        if name not in OWN:
            assert data_set.name == name
            assert data_set.info.doi.startswith("10.")
            assert data_set.info.licence


def test_case_of_the_name_is_ignored(busi_root: Path) -> None:
    assert len(open_data_set("busi", busi_root).cases()) == 4


def test_unknown_name_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(
        DataSetError, match=r"no data set 'BUSY'. Expected: one of BUSI, BUS-BRA, .*folder"
    ):
        open_data_set("BUSY", tmp_path)
