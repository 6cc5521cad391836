"""INbreast: DICOM files, property lists and the table with semicolons."""

import pickle
import plistlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import DataSetError, UnreadableError
from breastseg.core.image import Modality
from breastseg.data.catalogue import open_data_set
from breastseg.data.sets.inbreast import Inbreast, InbreastRegions
from breastseg.io.write import write_bytes, write_text

from ..mammograms import write_dicom

HEADER = (
    "Patient ID;Patient age;Laterality;View;Acquisition date;File Name;ACR;Bi-Rads"  # as released
)
BOX = ((3.0, 2.0), (9.0, 2.0), (9.0, 5.0), (3.0, 5.0))
SHAPE = (20, 16)


def write_regions(path: Path, *regions: tuple[str, tuple[tuple[float, float], ...]]) -> None:
    """A property list as OsiriX exports it, with what is read of it."""
    rois = [
        {
            "Name": name,
            "NumberOfPoints": len(points),
            "Point_mm": ["(0.0, 0.0, 0.0)" for _ in points],
            "Point_px": [f"({x:f}, {y:f})" for x, y in points],
        }
        for name, points in regions
    ]
    images = [{"ImageIndex": 0, "NumberOfROIs": len(rois), "ROIs": rois}]
    write_bytes(path, plistlib.dumps({"Images": images}))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A mass beside calcifications; an asymmetry; a view of the same patient without a finding."""
    root = tmp_path / "INbreast Release 1.0"
    views = (
        "20586908_6c613a14b80a8591_MG_R_CC_ANON",
        "20586934_6c613a14b80a8591_MG_L_ML_ANON",
        "53582540_3e73f1c0670cfb0a_MG_R_ML_ANON",
    )
    for number, name in enumerate(views):
        pixels = np.random.default_rng(number).integers(0, 4096, SHAPE, np.uint16)
        write_dicom(root / "AllDICOMs" / f"{name}.dcm", pixels)
    other = tuple((x, y + 8) for x, y in BOX)
    write_regions(
        root / "AllXML" / "20586908.xml",
        ("Mass", BOX),
        ("Calcification", ((12.0, 15.0),)),
        ("Cluster", other),
        ("Spiculated region", other),
    )
    write_regions(root / "AllXML" / "53582540.xml", ("Assymetry", BOX), ("Mass", BOX[:2]))
    rows = (
        "removed;removed;R;CC;201001;20586908;3;4a",
        "removed;removed;L;MLO;201001;20586934;3;1 ",
        "removed;removed;R;MLO;201001;53582540",
    )
    write_text(root / "INbreast.csv", "\r\n".join((HEADER, *rows)))
    return root


@pytest.fixture
def with_table(root: Path) -> Callable[[str], Inbreast]:
    """The data set with another table."""

    def make(text: str) -> Inbreast:
        write_text(root / "INbreast.csv", text)
        return Inbreast(root)

    return make


def test_masses_are_the_lesions(root: Path) -> None:
    cases = Inbreast(root).cases()
    assert [case.case_id for case in cases] == ["20586908", "20586934", "53582540"]
    assert [case.patient_id for case in cases] == ["6c613a14b80a8591"] * 2 + ["3e73f1c0670cfb0a"]
    assert [case.label for case in cases] == ["malignant", "normal", None]
    assert [case.mask_paths == () for case in cases] == [False, True, True]
    loaded = cases[0].load()
    image = loaded.images[0]
    assert image.modality is Modality.MAMMOGRAPHY
    assert image.array.shape == (1, *SHAPE)
    assert image.grid.spacing_mm is not None
    assert loaded.mask is not None
    expected = np.zeros(SHAPE, bool)
    expected[2:5, 3:9] = True
    np.testing.assert_array_equal(loaded.mask.foreground, expected)


def test_all_regions(root: Path) -> None:
    data_set = open_data_set("inbreast-regions", root.parent)
    assert isinstance(data_set, InbreastRegions)
    marked = [case.read_mask_array(SHAPE).sum() for case in data_set.cases()]
    assert marked == [36, 0, 18]
    assert data_set.info.doi == Inbreast.info.doi


def test_normal_view_with_an_outline_has_no_label(with_table: Callable[[str], Inbreast]) -> None:
    data_set = with_table(f"{HEADER}\nx;x;R;CC;201001;20586908;3;1")
    assert data_set.cases()[0].label is None
    assert data_set.remarks() == (
        "2 images without a BI-RADS assessment in INbreast.csv: 20586934, 53582540",
    )


@pytest.mark.parametrize(
    ("assessment", "label"), [("2", "benign"), ("3", "benign"), ("6", "malignant"), ("x", None)]
)
def test_label_is_the_assessment(
    with_table: Callable[[str], Inbreast], assessment: str, label: str | None
) -> None:
    data_set = with_table(f"{HEADER}\nx;x;R;CC;201001;20586908;3;{assessment}\n\n")
    assert data_set.cases()[0].label == label


def test_leftovers_are_counted(root: Path) -> None:
    next((root / "AllDICOMs").glob("20586908*")).unlink()
    assert Inbreast(root).remarks() == (
        "1 rows of INbreast.csv without an image: 20586908",
        "1 images without a BI-RADS assessment in INbreast.csv: 53582540",
        "1 contours without an image: 20586908",
    )


def test_refs_travel(root: Path) -> None:
    case = Inbreast(root).cases()[0]
    assert pickle.loads(pickle.dumps(case)) == case


def test_missing_parts_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"no AllDICOMs and no AllXML and no INbreast\.csv in"):
        Inbreast(tmp_path).cases()


def test_no_picture(root: Path) -> None:
    for path in (root / "AllDICOMs").iterdir():
        path.unlink()
    with pytest.raises(DataSetError, match="no mammogram in"):
        Inbreast(root).cases()


@pytest.mark.parametrize("text", ["", "File Name,ACR,Bi-Rads\n", "File Name;ACR\n"])
def test_other_tables_are_refused(with_table: Callable[[str], Inbreast], text: str) -> None:
    with pytest.raises(DataSetError, match=r"INbreast\.csv (cannot be read|has no column)"):
        with_table(text).cases()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no XML",
        plistlib.dumps({"Images": []}),
        plistlib.dumps({"Images": [{"ROIs": [{"Name": "Mass", "Point_px": ["(1)"]}]}]}),
        plistlib.dumps({"Images": [{"ROIs": [{"Name": "Mass", "Point_px": ["(nan, 2)"]}]}]}),
        plistlib.dumps({"Images": [{"ROIs": [{"Name": "Mass"}]}]}),
    ],
)
def test_damaged_outlines_are_named(root: Path, data: bytes) -> None:
    write_bytes(root / "AllXML" / "20586908.xml", data)
    with pytest.raises(UnreadableError, match=r"20586908\.xml: holds no regions of interest"):
        Inbreast(root).cases()
