"""BUS-BRA in its official layout, whole or in part."""

from collections import Counter
from pathlib import Path

import pytest

from breastseg.core.errors import DataSetError
from breastseg.data.sets.bus_bra import BusBra
from breastseg.io.write import write_text


def test_cases_carry_what_the_tables_say(bus_bra_root: Path) -> None:
    cases = BusBra(bus_bra_root).cases()
    assert [case.case_id for case in cases] == ["bus_0001-l", "bus_0001-r", "bus_0007-s"]
    assert [case.patient_id for case in cases] == ["1", "1", "7"]
    assert [case.label for case in cases] == ["benign", "malignant", "benign"]
    assert [case.fold for case in cases] == [3, 3, 1]
    assert [case.scanner for case in cases] == ["GE Logiq 7", "GE Logiq 7", "Toshiba"]
    mask = cases[0].load().mask
    assert mask is not None
    assert mask.foreground.sum() == 16


def test_partial_copy_is_counted(bus_bra_root: Path) -> None:
    (bus_bra_root / "Images" / "bus_0001-r.png").rename(bus_bra_root / "Images" / "bus_0500-l.png")
    (bus_bra_root / "Masks" / "mask_0007-s.png").unlink()
    data_set = BusBra(bus_bra_root)
    assert [case.case_id for case in data_set.cases()] == ["bus_0001-l", "bus_0007-s"]
    assert data_set.cases()[1].mask_paths is None
    assert data_set.remarks() == (
        "2 rows of bus_data.csv without an image: bus_0001-r, bus_0009-s",
        "1 images without a row in bus_data.csv, left out: bus_0500-l",
        "1 images without a row in 5-fold-cv.csv: bus_0500-l",
        "2 images without a mask: bus_0007-s, bus_0500-l",
        "1 masks without an image: mask_0001-r",
    )


@pytest.mark.parametrize("name", ["bus_data.csv", "5-fold-cv.csv"])
def test_missing_table_is_named(bus_bra_root: Path, name: str) -> None:
    (bus_bra_root / name).unlink()
    with pytest.raises(DataSetError, match=f"no {name} in"):
        BusBra(bus_bra_root).cases()


def test_missing_folders_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="no Images and no Masks and no bus_data"):
        BusBra(tmp_path).cases()


def test_missing_column_is_named(bus_bra_root: Path) -> None:
    write_text(bus_bra_root / "bus_data.csv", "ID,Case\nbus_0001-l,1\n")
    with pytest.raises(DataSetError, match="no column Pathology, Device"):
        BusBra(bus_bra_root).cases()


def test_tables_that_are_no_text(bus_bra_root: Path) -> None:
    (bus_bra_root / "bus_data.csv").write_bytes(b"\xff\xfe\x00\x81ID")
    with pytest.raises(DataSetError, match=r"bus_data.csv cannot be read"):
        BusBra(bus_bra_root).cases()


def test_bad_fold_is_named(bus_bra_root: Path) -> None:
    write_text(bus_bra_root / "5-fold-cv.csv", "ID,kFold\nbus_0001-l,x\n")
    with pytest.raises(DataSetError, match="kFold 'x' of bus_0001-l"):
        BusBra(bus_bra_root).cases()


def test_no_picture_in_the_table(bus_bra_root: Path) -> None:
    write_text(bus_bra_root / "bus_data.csv", "ID,Case,Pathology,Device\n")
    with pytest.raises(DataSetError, match=r"no image in .* stands in bus_data\.csv"):
        BusBra(bus_bra_root).cases()


@pytest.mark.data
def test_counts_of_the_published_data(data_root: Path) -> None:
    cases = BusBra(data_root).cases()
    assert len(cases) == 1492
    assert Counter(case.label for case in cases) == {"benign": 1006, "malignant": 486}
    assert Counter(case.fold for case in cases) == {1: 376, 2: 385, 3: 366, 4: 365}
    assert len({case.patient_id for case in cases}) == 852
    folds: dict[str, set[int | None]] = {}
    for case in cases:
        folds.setdefault(case.patient_id, set()).add(case.fold)
    assert all(len(fold) == 1 for fold in folds.values())
