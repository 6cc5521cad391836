"""BUSI in its official layout."""

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.sets.busi import Busi
from breastseg.io.write import write_png


def test_cases_by_name_with_all_their_masks(busi_root: Path) -> None:
    cases = {case.case_id: case for case in Busi(busi_root).cases()}
    assert list(cases) == ["benign (1)", "benign (2)", "malignant (1)", "normal (1)"]
    two = cases["benign (2)"]
    assert [path.name for path in two.mask_paths or ()] == [
        "benign (2)_mask.png",
        "benign (2)_mask_1.png",
    ]
    assert (two.key, two.label, two.patient_id) == ("BUSI/benign (2)", "benign", "benign (2)")
    assert cases["normal (1)"].mask_paths == ()
    assert cases["normal (1)"].is_normal
    assert not two.is_normal


def test_masks_of_one_image_are_merged(busi_root: Path) -> None:
    case = Busi(busi_root).cases()[1].load()
    assert case.mask is not None
    assert case.mask.foreground.sum() == 2 * 16
    assert case.mask.foreground[2, 3]
    assert case.mask.foreground[12, 20]
    assert case.images[0].array.shape == (1, 24, 32)
    assert case.images[0].modality is Modality.ULTRASOUND


def test_normal_case_has_an_empty_mask(busi_root: Path) -> None:
    case = Busi(busi_root).cases()[3].load()
    assert case.mask is not None
    assert case.mask.is_empty


def test_cases_travel_to_other_processes(busi_root: Path) -> None:
    cases = Busi(busi_root).cases()
    assert pickle.loads(pickle.dumps(cases)) == cases


@pytest.mark.parametrize("up", [0, 1])
def test_root_may_be_the_folder_above(busi_root: Path, up: int) -> None:
    root = (busi_root, busi_root.parent)[up]
    assert len(Busi(root).cases()) == 4


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"no folder .*absent.*Breast Ultrasound.*get it from"):
        Busi(tmp_path / "absent").cases()


def test_missing_class_is_named(busi_root: Path) -> None:
    for path in (busi_root / "normal").iterdir():
        path.unlink()
    (busi_root / "normal").rmdir()
    with pytest.raises(DataSetError, match="no normal in"):
        Busi(busi_root).cases()


def test_empty_folders_are_an_error(tmp_path: Path) -> None:
    for label in ("benign", "malignant", "normal"):
        (tmp_path / label).mkdir()
    with pytest.raises(DataSetError, match="no image in"):
        Busi(tmp_path).cases()


def test_image_without_mask_has_no_known_truth(busi_root: Path) -> None:
    (busi_root / "benign" / "benign (1)_mask.png").unlink()
    write_png(busi_root / "malignant" / "malignant (9)_mask.png", np.ones((4, 4), bool))
    busi = Busi(busi_root)
    assert busi.cases()[0].mask_paths is None
    assert busi.cases()[0].load().mask is None
    assert busi.remarks() == (
        "1 benign images without a mask: benign (1)",
        "masks of 1 malignant images not there: malignant (9)",
    )


def test_mask_of_another_size_is_named(busi_root: Path) -> None:
    write_png(busi_root / "benign" / "benign (1)_mask.png", np.ones((5, 6), bool))
    with pytest.raises(DataSetError, match=r"BUSI/benign \(1\).*\(5, 6\).*\(24, 32\)"):
        Busi(busi_root).cases()[0].load()


@pytest.mark.data
def test_counts_of_the_published_data(data_root: Path) -> None:
    busi = Busi(data_root)
    cases = busi.cases()
    assert Counter(case.label for case in cases) == {"benign": 437, "malignant": 210, "normal": 133}
    # 798 mask files, of which the 133 of the normals are not listed.
    assert sum(len(case.mask_paths or ()) for case in cases) == 798 - 133
    assert len(list(busi.folder.glob("*/*_mask*.png"))) == 798
    assert sum(len(case.mask_paths or ()) > 1 for case in cases) == 17
    assert busi.remarks() == ()
