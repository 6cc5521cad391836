"""BCDR: tables with blanks everywhere."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.catalogue import open_data_set
from breastseg.data.sets.bcdr import Bcdr
from breastseg.io.write import write_text

SHAPE = (24, 20)
IMAGE_HEADER = "patient_id,study_id,series,image_filename,image_type_name,image_type_id,age,density"
OUTLINE_HEADER = (
    "patient_id,study_id,series,lesion_id,segmentation_id,image_view,image_filename,lw_x_points,"
    "lw_y_points,mammography_type,mammography_nodule,mammography_calcification,"
    "mammography_microcalcification,mammography_axillary_adenopathy,"
    "mammography_architectural_distortion,mammography_stroma_distortion,age,density,classification"
)
RCC, LCC, RO = (f"patient_96/study_112/img_96_112_1_{view}.tif" for view in ("RCC", "LCC", "RO"))
OTHER = "patient_3/study_4/img_3_4_1_LO.tif"
BOX = (" 3 9 9 3", " 2 2 5 5")
FAR = (" 10 14 14 10", " 12 12 16 16")


def contour(image: str, points: tuple[str, str], nodule: int, label: str) -> str:
    patient = image.split("/", maxsplit=1)[0].split("_")[1]
    flags = ", ".join((str(nodule), str(1 - nodule), "0", "0", "0", "0"))
    return (
        f"{patient}, 112, 1, 7, 9, 1, {image}, {points[0]}, {points[1]}, 1, {flags}, 60, 3, {label}"
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two masses in a view; calcifications; a view without a row; a view that is absent."""
    root = tmp_path / "BCDR-D01_dataset"
    for number, image in enumerate((RCC, LCC, RO)):
        path = root / image
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 2**14, SHAPE, np.uint16)
        Pillow.fromarray(pixels).save(path)
    views = ((RCC, "RCC", 1), (LCC, "LCC", 2), (RO, "RO", 3), (OTHER, "LO", 4))
    rows = [
        f"{image.split('/', 1)[0].split('_')[1]}, 112, 1, {image}, {view}, {number}, 60, NaN"
        for image, view, number in views
    ]
    write_text(root / "bcdr_d01_img.csv", "\n".join((IMAGE_HEADER, *rows)) + "\n")
    lesions = (
        contour(RCC, BOX, 1, "Benign"),
        contour(RCC, FAR, 1, "Malign"),
        contour(LCC, BOX, 0, "Malign"),
    )
    write_text(root / "bcdr_d01_outlines.csv", "\n".join((OUTLINE_HEADER, *lesions)) + "\n")
    return root


def test_masses_are_the_lesions(root: Path) -> None:
    data_set = open_data_set("bcdr", root.parent)
    assert isinstance(data_set, Bcdr)
    cases = {case.case_id: case for case in data_set.cases()}
    assert list(cases) == ["img_96_112_1_LCC", "img_96_112_1_RCC", "img_96_112_1_RO"]
    assert {case.patient_id for case in cases.values()} == {"96"}
    assert [case.label for case in cases.values()] == [None, "malignant", "normal"]
    table = root / "bcdr_d01_outlines.csv"
    assert [case.mask_paths for case in cases.values()] == [(), (table,), ()]
    loaded = cases["img_96_112_1_RCC"].load()
    assert loaded.images[0].modality is Modality.MAMMOGRAPHY
    assert loaded.images[0].array.shape == (1, *SHAPE)
    assert loaded.images[0].array.max() > 255
    expected = np.zeros(SHAPE, bool)
    expected[2:5, 3:9] = True
    expected[12:16, 10:14] = True
    assert loaded.mask is not None
    np.testing.assert_array_equal(loaded.mask.foreground, expected)
    assert data_set.remarks() == ("1 images that the tables name are missing: img_3_4_1_LO",)
    assert pickle.loads(pickle.dumps(cases["img_96_112_1_RCC"])) == cases["img_96_112_1_RCC"]


def test_outlines_without_a_table_of_images(root: Path) -> None:
    (root / "bcdr_d01_img.csv").unlink()
    assert [case.case_id[-3:] for case in Bcdr(root).cases()] == ["LCC", "RCC"]
    assert Bcdr(root).remarks() == ()


def test_hidden_tables_are_none(root: Path) -> None:
    whole = Bcdr(root).cases()
    for path in sorted(root.glob("*.csv")):
        path.with_name(f"._{path.name}").write_bytes(b"Mac OS X")
    assert Bcdr(root).cases() == whole


def test_images_without_outlines_have_no_known_truth(root: Path) -> None:
    (root / "bcdr_d01_outlines.csv").unlink()
    cases = Bcdr(root).cases()
    assert {case.mask_paths for case in cases} == {None}
    assert {case.label for case in cases} == {None}
    assert Bcdr(root).remarks()[0] == "no table of contours"


def test_several_data_sets_at_once_are_refused(root: Path) -> None:
    write_text(root.with_name("BCDR-F03") / "bcdr_f03_outlines.csv", OUTLINE_HEADER + "\n")
    with pytest.raises(DataSetError, match="holds several data sets: BCDR-D01_dataset, BCDR-F03"):
        Bcdr(root.parent).cases()


@pytest.mark.parametrize(
    ("points", "label", "message"),
    [
        ((" 1 2 3", " 1 2"), "Benign", "lw_x_points and lw_y_points of row 2 of"),
        ((" 1 2 x", " 1 2 3"), "Benign", "lw_x_points and lw_y_points of row 2 of"),
        (BOX, "Odd", "classification 'Odd' of row 2 of .*. Expected: benign, malign or none"),
    ],
)
def test_bad_rows_are_named(root: Path, points: tuple[str, str], label: str, message: str) -> None:
    text = f"{OUTLINE_HEADER}\n{contour(RCC, points, 1, label)}\n"
    write_text(root / "bcdr_d01_outlines.csv", text)
    with pytest.raises(DataSetError, match=message):
        Bcdr(root).cases()


def test_bad_tables_are_named(root: Path) -> None:
    table = root / "bcdr_d01_outlines.csv"
    write_text(table, "patient_id,image_filename\n")
    with pytest.raises(DataSetError, match="has no column lw_x_points, lw_y_points"):
        Bcdr(root).cases()
    table.write_bytes(b"\xff\xfe\x81")
    with pytest.raises(DataSetError, match="cannot be read"):
        Bcdr(root).cases()
    for path in root.glob("*.csv"):
        path.unlink()
    with pytest.raises(DataSetError, match=r"no bcdr_\*_img\.csv and no bcdr_\*_outlines\.csv in"):
        Bcdr(root).cases()


def test_no_picture(root: Path, tmp_path: Path) -> None:
    for path in root.rglob("*.tif"):
        path.unlink()
    with pytest.raises(DataSetError, match="no image that the tables name is in"):
        Bcdr(root).cases()
    with pytest.raises(DataSetError, match="no folder"):
        Bcdr(tmp_path / "absent").cases()
