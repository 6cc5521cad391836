"""CDD-CESM by its manifest, whole or in part."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.catalogue import open_data_set
from breastseg.data.selection import select
from breastseg.data.sets.cdd_cesm import CddCesm, CddCesmLowEnergy
from breastseg.io.write import write_png, write_text

HEADER = "image,mask,patient,side,type,view,pathology,mask_suspect,suggested_split"
VIEWS = ("P102_R_DM_CC", "P102_R_CM_CC", "P7_L_DM_MLO", "P7_L_CM_MLO")


def row(name: str, part: str, suspect: int = 0, pathology: str = "Malignant") -> str:
    patient, side, kind, view = name.split("_")
    # Named .png here, for there is no writer of JPEG; the manifest says what the files are called.
    return (
        f"images/{name}.png,masks/{name}.png,{patient},{side},{kind},{view},"
        f"{pathology},{suspect},{part}"
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two views of two patients, each of both types."""
    root = tmp_path / "CDD-CESM"
    for number, name in enumerate(VIEWS):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 32), np.uint8)
        mask = np.zeros((24, 32), bool)
        mask[5:9, 5:9] = True
        write_png(root / "images" / f"{name}.png", pixels)
        write_png(root / "masks" / f"{name}.png", mask)
    rows = (
        row(VIEWS[0], "train"),
        row(VIEWS[1], "train", 1),
        row(VIEWS[2], "val", pathology="Benign"),
        row(VIEWS[3], "val", pathology="Benign"),
    )
    write_text(root / "manifest.csv", "\n".join((HEADER, *rows)) + "\n")
    return root


@pytest.fixture
def with_rows(root: Path) -> Callable[..., CddCesm]:
    """The data set with another manifest."""

    def make(*rows: str, header: str = HEADER) -> CddCesm:
        write_text(root / "manifest.csv", "\n".join((header, *rows)) + "\n")
        return CddCesm(root)

    return make


def test_cases_carry_what_the_manifest_says(root: Path) -> None:
    cases = CddCesm(root).cases()
    assert [case.case_id for case in cases] == sorted(VIEWS)
    assert [case.patient_id for case in cases] == ["P102", "P102", "P7", "P7"]
    assert [case.label for case in cases] == ["malignant", "malignant", "benign", "benign"]
    assert [case.fold for case in cases] == [1, 1, 2, 2]
    assert {case.source for case in cases} == {"CDD-CESM"}
    loaded = cases[0].load()
    assert loaded.images[0].modality is Modality.MAMMOGRAPHY
    assert loaded.mask is not None
    assert loaded.mask.foreground.sum() == 16


def test_low_energy_images_alone(root: Path) -> None:
    data_set = open_data_set("cdd-cesm-dm", root)
    assert isinstance(data_set, CddCesmLowEnergy)
    assert [case.key for case in data_set.cases()] == [
        "CDD-CESM-DM/P102_R_DM_CC",
        "CDD-CESM-DM/P7_L_DM_MLO",
    ]
    assert data_set.remarks() == ()
    assert data_set.info.doi == CddCesm.info.doi
    assert data_set.info.title != CddCesm.info.title


def test_suggested_split_is_the_fold(root: Path) -> None:
    chosen = select(CddCesm(root).cases(), "fold:2", root)
    assert [case.case_id for case in chosen] == ["P7_L_CM_MLO", "P7_L_DM_MLO"]


def test_folder_above_is_enough(root: Path) -> None:
    assert len(CddCesm(root.parent).cases()) == 4


def test_partial_copy_is_counted(root: Path) -> None:
    (root / "images" / "P7_L_CM_MLO.png").unlink()
    (root / "masks" / "P7_L_DM_MLO.png").unlink()
    data_set = CddCesm(root)
    cases = {case.case_id: case for case in data_set.cases()}
    assert cases.keys() == set(VIEWS) - {"P7_L_CM_MLO"}
    assert cases["P7_L_DM_MLO"].mask_paths is None
    assert data_set.remarks() == (
        "1 rows of manifest.csv without an image: P7_L_CM_MLO",
        "1 images without a mask: P7_L_DM_MLO",
        "1 masks marked as doubtful (mask_suspect = 1): P102_R_CM_CC",
    )


def test_missing_parts_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"no images and no masks and no manifest\.csv in"):
        CddCesm(tmp_path).cases()


def test_missing_column_is_named(with_rows: Callable[..., CddCesm]) -> None:
    with pytest.raises(DataSetError, match="no column patient, type, mask_suspect"):
        with_rows("a,b,c,d", header="image,mask,pathology,suggested_split").cases()


def test_manifest_that_is_no_text(root: Path) -> None:
    (root / "manifest.csv").write_bytes(b"\xff\xfe\x00\x81image")
    with pytest.raises(DataSetError, match=r"manifest\.csv cannot be read"):
        CddCesm(root).cases()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            (row(VIEWS[0], "test"),),
            "suggested_split 'test' of P102_R_DM_CC .*. Expected: train, val or blank",
        ),
        (
            (row("P102_R_XX_CC", "train"),),
            "type 'XX'. Expected: an image, a patient and one of DM, CM",
        ),
        ((row("_R_DM_CC", "train"),), "patient '' and type 'DM'"),
        ((row(VIEWS[0], "train"),) * 2, "two rows for P102_R_DM_CC"),
        ((row("P9_R_DM_CC", "train"),), r"no image that manifest\.csv lists"),
        ((), r"no image that manifest\.csv lists"),
    ],
)
def test_bad_rows_are_named(
    with_rows: Callable[..., CddCesm], rows: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DataSetError, match=message):
        with_rows(*rows).cases()


def test_blank_part_and_pathology_are_unknown(with_rows: Callable[..., CddCesm]) -> None:
    (case,) = with_rows(row(VIEWS[0], " ", pathology="")).cases()
    assert case.fold is None
    assert case.label is None


@pytest.mark.data
def test_counts_of_the_published_data(data_root: Path) -> None:
    data_set = CddCesm(data_root)
    cases = data_set.cases()
    assert len(cases) == 548
    assert Counter(case.fold for case in cases) == {1: 463, 2: 85}
    assert {case.label for case in cases} == {"malignant"}
    assert all(case.mask_paths for case in cases)
    folds = {(case.patient_id, case.fold) for case in cases}
    assert len(folds) == len({patient for patient, _ in folds}) == 151
    assert [remark.partition(":")[0] for remark in data_set.remarks()] == [
        "46 masks marked as doubtful (mask_suspect = 1)"
    ]
    low_energy = CddCesmLowEnergy(data_root).cases()
    assert Counter(case.fold for case in low_energy) == {1: 232, 2: 43}
    loaded = low_energy[0].load()
    assert loaded.mask is not None
    assert loaded.mask.foreground.any()
    assert loaded.images[0].array.shape == (1, 512, 512)
