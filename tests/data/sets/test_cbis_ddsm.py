"""CBIS-DDSM in each of the layouts in which it is passed on."""

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.catalogue import open_data_set
from breastseg.data.sets.cbis_ddsm import CbisDdsm, CbisDdsmCalcifications
from breastseg.io.write import write_png, write_text

from ..mammograms import write_dicom

SHAPE = (40, 30)
ONE, TWO, TEST = (
    "Mass-Training_P_00001_LEFT_CC",
    "Mass-Training_P_00001_LEFT_MLO",
    "Mass-Test_P_00016_RIGHT_CC",
)
# mammogram, number of the abnormality, pathology, where the mask is, its shape
REGIONS = (
    (ONE, 1, "BENIGN", (slice(2, 8), slice(4, 9)), SHAPE),
    (ONE, 2, "MALIGNANT", (slice(20, 30), slice(4, 9)), SHAPE),
    (TWO, 1, "BENIGN_WITHOUT_CALLBACK", (slice(4, 16), slice(8, 18)), (80, 60)),
    (TEST, 1, "BENIGN", (slice(0, 5), slice(0, 5)), SHAPE),
)
AREAS = {ONE: 6 * 5 + 10 * 5, TWO: 6 * 5, TEST: 25}


def picture(seed: int, shape: tuple[int, int] = SHAPE) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def mask(number: int) -> NDArray[np.uint8]:
    *_, where, shape = REGIONS[number]
    values = np.zeros(shape, np.uint8)
    values[where] = 255
    return values


def write_tables(folder: Path, kind: str = "mass") -> None:
    """As released, with the line end that some paths have."""
    density = "breast_density" if kind == "mass" else "breast density"
    header = (
        f"patient_id,{density},left or right breast,image view,abnormality id,abnormality type,"
        "assessment,pathology,subtlety,image file path,cropped image file path,ROI mask file path"
    )
    for part, word in (("train", "Training"), ("test", "Test")):
        rows = [header]
        for mammogram, number, pathology, *_ in REGIONS:
            kind_of, patient, side, view = mammogram.replace("P_", "P-").split("_")
            if word not in kind_of:
                continue
            name = mammogram.replace("Mass", kind.capitalize())
            roi = f"{name}_{number}/1.3.6.2/1.3.6.3"
            rows.append(
                f"{patient.replace('-', '_')},3,{side},{view},{number},{kind},4,{pathology},4,"
                f'{name}/1.3.6.1/1.3.6.4/000000.dcm,"{roi}/000001.dcm\n",{roi}/000000.dcm'
            )
        write_text(folder / f"{kind}_case_description_{part}_set.csv", "\n".join(rows) + "\n")


@pytest.fixture(params=["uid", "nbia"])
def tree(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The archive's tree: both files of a region in one series, or each in its own."""
    root = tmp_path / "CBIS-DDSM"
    write_tables(root)
    inside = root / "CBIS-DDSM" if request.param == "nbia" else root
    for seed, name in enumerate((ONE, TWO, TEST)):
        pixels = picture(seed).astype(np.uint16) * 256
        where = (
            "1.3.6.1/1.3.6.4/000000" if request.param == "uid" else "07-20-2016-DDSM-1/1.0-f/1-1"
        )
        write_dicom(inside / name / f"{where}.dcm", pixels)
    for index, (name, number, *_) in enumerate(REGIONS):
        folder = inside / f"{name}_{number}"
        if request.param == "uid":
            files = "1.3.6.2/1.3.6.3/000000", "1.3.6.2/1.3.6.3/000001"
        else:
            files = "07-20-2016-DDSM-2/1.0-c/1-1", "07-20-2016-DDSM-3/1.0-r/1-2"
        # which of the two is the mask changes from region to region
        close_up, whole = files if index % 2 else files[::-1]
        write_dicom(folder / f"{close_up}.dcm", picture(index, (6, 7)).astype(np.uint16) * 256)
        write_dicom(folder / f"{whole}.dcm", mask(index))
    return root


def write_jpeg(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path, quality=95)


@pytest.fixture
def jpegs(tmp_path: Path) -> Path:
    """The copy as JPEG, with what its table says and leaves out."""
    root = tmp_path / "copy"
    write_tables(root / "csv")
    rows = ["file_path,image_path,Columns,PatientID,Rows,SeriesDescription,SeriesInstanceUID"]

    def add(uid: str, file: str, pixels: NDArray[np.uint8], name: str, what: str) -> None:
        write_jpeg(root / "jpeg" / uid / f"{file}.jpg", pixels)
        size = f"{pixels.shape[1]},{name},{pixels.shape[0]}"
        at = f"{uid}/{file}"
        rows.append(f"CBIS-DDSM/dicom/{at}.dcm,CBIS-DDSM/jpeg/{at}.jpg,{size},{what},{uid}")

    for seed, name in enumerate((ONE, TWO, TEST)):
        add(f"1.3.{seed}", "1-263", picture(seed), name, "full mammogram images")
    for index, (name, number, *_) in enumerate(REGIONS):
        known = index != 1
        what = "cropped images" if known else ""
        add(f"1.4.{index}", "1-1", picture(index, (8, 8)), f"{name}_{number}", what)
        what = "ROI mask images" if known else ""
        add(f"1.4.{index}", "2-1", mask(index), f"{name}_{number}", what)
    write_text(root / "csv" / "dicom_info.csv", "\n".join(rows) + "\n")
    return root


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Images, each with one merged mask; the last mammogram is absent."""
    root = tmp_path / "mammography" / "CBIS-DDSM"
    write_tables(root / "csv")
    for seed, name in enumerate((ONE, TWO)):
        write_png(root / "images" / f"{name}.png", picture(seed))
    write_png(root / "masks" / f"{ONE}.png", mask(0) | mask(1))
    write_png(root / "masks" / f"{TWO}.png", mask(2))
    return tmp_path


def areas(data_set: CbisDdsm) -> dict[str, int]:
    return {case.case_id: int(case.read_mask_array(SHAPE).sum()) for case in data_set.cases()}


def test_archive_tree(tree: Path) -> None:
    data_set = CbisDdsm(tree.parent)
    cases = {case.case_id: case for case in data_set.cases()}
    assert list(cases) == sorted((ONE, TWO, TEST))
    assert [cases[name].patient_id for name in (ONE, TWO, TEST)] == ["P_00001"] * 2 + ["P_00016"]
    assert [cases[name].label for name in (ONE, TWO, TEST)] == ["malignant", "benign", "benign"]
    assert [cases[name].fold for name in (ONE, TWO, TEST)] == [1, 1, 2]
    assert areas(data_set) == AREAS
    loaded = cases[ONE].load()
    assert loaded.images[0].array.dtype == np.uint16
    assert loaded.images[0].modality is Modality.MAMMOGRAPHY
    assert loaded.mask is not None
    np.testing.assert_array_equal(loaded.mask.foreground, (mask(0) | mask(1)) > 0)
    assert data_set.remarks() == ()
    assert pickle.loads(pickle.dumps(cases[ONE])) == cases[ONE]


def test_copy_as_jpeg(jpegs: Path) -> None:
    data_set = open_data_set("cbis-ddsm", jpegs)
    assert isinstance(data_set, CbisDdsm)
    cases = data_set.cases()
    assert all(case.mask_paths for case in cases)
    for name, area in areas(data_set).items():
        assert abs(area - AREAS[name]) <= 8  # JPEG softens the corners
    assert cases[0].load().images[0].array.shape == (1, *SHAPE)
    assert data_set.remarks() == ()


def test_pictures_with_merged_masks(pictures: Path) -> None:
    data_set = CbisDdsm(pictures)
    assert areas(data_set) == {name: AREAS[name] for name in (ONE, TWO)}
    assert data_set.remarks() == (f"1 described mammograms without an image: {TEST}",)


def test_mask_of_another_size_is_resampled(tree: Path) -> None:
    case = next(case for case in CbisDdsm(tree).cases() if case.case_id == TWO)
    expected = np.zeros(SHAPE, bool)
    expected[2:8, 4:9] = True
    np.testing.assert_array_equal(case.read_mask_array(SHAPE), expected)


def test_region_that_is_absent_leaves_the_truth_unknown(tree: Path) -> None:
    for path in tree.rglob(f"{ONE}_2/**/*.dcm"):
        path.unlink()
    data_set = CbisDdsm(tree)
    (case,) = (case for case in data_set.cases() if case.case_id == ONE)
    assert case.mask_paths is None
    assert case.load().mask is None
    assert data_set.remarks() == (f"1 images of which a mask is missing: {ONE}",)


def test_close_up_is_no_mask(tree: Path) -> None:
    folder = next(tree.rglob(f"{TEST}_1"))
    paths = sorted(folder.rglob("*.dcm"), key=lambda path: path.stat().st_size)
    paths[-1].unlink()
    (case,) = (case for case in CbisDdsm(tree).cases() if case.case_id == TEST)
    with pytest.raises(DataSetError, match=r"holds .* get the mask's own file"):
        case.load()


def test_calcifications_have_tables_of_their_own(tree: Path) -> None:
    with pytest.raises(DataSetError, match=r"no calc_case_description_train_set\.csv and no calc"):
        CbisDdsmCalcifications(tree).cases()
    write_tables(tree, "calc")
    for path in list(tree.rglob("Mass-*")):
        path.rename(path.with_name(path.name.replace("Mass-", "Calc-")))
    cases = CbisDdsmCalcifications(tree).cases()
    assert [case.case_id[:5] for case in cases] == ["Calc-"] * 3
    assert [case.source for case in cases] == ["CBIS-DDSM-calc"] * 3


def test_one_table_is_enough(tree: Path) -> None:
    (tree / "mass_case_description_test_set.csv").unlink()
    data_set = CbisDdsm(tree)
    assert [case.fold for case in data_set.cases()] == [1, 1]
    assert data_set.remarks() == ("1 tables that are absent: mass_case_description_test_set.csv",)


def test_bad_tables_are_named(pictures: Path, jpegs: Path) -> None:
    (jpegs / "csv" / "dicom_info.csv").unlink()
    with pytest.raises(DataSetError, match=r"no csv/dicom_info\.csv in"):
        CbisDdsm(jpegs).cases()
    table = jpegs / "csv" / "mass_case_description_train_set.csv"
    table.write_text(table.read_text().replace("MALIGNANT", "ODD"))
    with pytest.raises(DataSetError, match=f"pathology 'ODD' of {ONE} in .*one of MALIGNANT"):
        CbisDdsm(jpegs).cases()
    write_text(table, "patient_id,pathology\n")
    with pytest.raises(DataSetError, match="has no column image file path, ROI mask file path"):
        CbisDdsm(jpegs).cases()
    table.write_bytes(b"\xff\xfe\x81")
    with pytest.raises(DataSetError, match="cannot be read"):
        CbisDdsm(jpegs).cases()


def test_no_picture(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="no mass_case_description_train_set"):
        CbisDdsm(tmp_path).cases()
    write_tables(tmp_path)
    with pytest.raises(DataSetError, match="no mammogram of a mass is in"):
        CbisDdsm(tmp_path).cases()


@pytest.mark.data
def test_published_sample(data_root: Path) -> None:
    data_set = CbisDdsm(data_root)
    cases = data_set.cases()
    assert [case.case_id for case in cases] == [
        "Mass-Training_P_00001_LEFT_CC",
        "Mass-Training_P_00001_LEFT_MLO",
        "Mass-Training_P_00092_LEFT_CC",
        "Mass-Training_P_00264_LEFT_MLO",
    ]
    assert Counter(case.fold for case in cases) == {1: 4}
    for case in cases:
        loaded = case.load()
        assert loaded.mask is not None
        assert 0.001 < loaded.mask.foreground.mean() < 0.1
    (remark,) = data_set.remarks()
    assert remark.startswith("1588 described mammograms without an image: ")
    assert len(data_set._described()) == 1592
    assert len(CbisDdsmCalcifications(data_root)._described()) == 1511
