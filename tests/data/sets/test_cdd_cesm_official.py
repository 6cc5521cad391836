"""CDD-CESM as its archive publishes it."""

import csv
import json
import math
import pickle
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.polygon import filled
from breastseg.data.sets.cdd_cesm import CddCesm, CddCesmLowEnergy
from breastseg.data.sets.cdd_cesm_official import official_tables
from breastseg.io.raster import read_mask
from breastseg.io.write import write_text

SHAPE = (64, 48)
LOW, SUBTRACTED = "Low energy images of CDD-CESM", "Subtracted images of CDD-CESM"
SHAPES = "Radiology_hand_drawn_segmentations_v2.csv"
LABELS = "Radiology-manual-annotations.csv"
BOX: Mapping[str, object] = {
    "name": "polygon",
    "all_points_x": [10, 20, 20, 10, 10],
    "all_points_y": [30, 30, 36, 36, 30],
}


def write_shapes(path: Path, *shapes: tuple[str, Mapping[str, object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["#filename", "file_size", "region_count", "region_shape_attributes"]  # and others
        )
        writer.writerows((f"{name}.jpg", 9, 1, json.dumps(shape)) for name, shape in shapes)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two views of a patient in both types, and a view of a healthy breast."""
    root = tmp_path / "CDD-CESM"
    names = ("P10_R_DM_CC", "P10_R_CM_CC", "P10_R_DM_MLO", "P10_R_CM_MLO", "P7_L_DM_CC")
    for number, name in enumerate(names):
        folder = root / (LOW if "DM" in name else SUBTRACTED)
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, SHAPE, np.uint8)
        Pillow.fromarray(pixels).save(folder / f"{name}.jpg")
    write_shapes(
        root / SHAPES,
        ("P10_R_DM_CC", BOX),
        ("P10_R_DM_CC", {"name": "ellipse", "cx": 24, "cy": 12, "rx": 10, "ry": 4}),
        ("P10_R_DM_CC", {"name": "point", "cx": 2, "cy": 2}),
        ("P10_R_CM_CC", {**BOX, "name": "polyline"}),
        ("P10_R_DM_MLO", {"name": "circle", "cx": 24, "cy": 32, "r": 9}),
        ("P99_R_CM_CC", BOX),
    )
    rows = (
        "Image_name,Patient_ID,Type,Pathology Classification/ Follow up",
        *("P10_R_DM_CC ,10,DM,Malignant", "P10_R_CM_CC,10,CESM,Malignant"),
        *("P10_R_DM_MLO,10,DM,Normal", "P10_R_CM_MLO,10,CESM,Benign", "P7_L_DM_CC,7,DM,Normal"),
    )
    write_text(root / LABELS, "\n".join(rows) + "\n")
    return root


@pytest.fixture
def with_shape(root: Path) -> Callable[[str], CddCesm]:
    """The data set with one row of shapes."""

    def make(shape: str) -> CddCesm:
        quoted = shape.replace('"', '""')
        text = f'#filename,region_shape_attributes\nP7_L_DM_CC.jpg,"{quoted}"\n'
        write_text(root / SHAPES, text)
        return CddCesm(root)

    return make


def test_shapes_are_the_outlines(root: Path) -> None:
    data_set = CddCesm(root.parent)
    cases = {case.case_id: case for case in data_set.cases()}
    assert list(cases) == [
        *("P10_R_CM_CC", "P10_R_CM_MLO", "P10_R_DM_CC", "P10_R_DM_MLO", "P7_L_DM_CC"),
    ]
    assert [case.patient_id for case in cases.values()] == ["P10"] * 4 + ["P7"]
    labels = [case.label for case in cases.values()]
    assert labels == ["malignant", "benign", "malignant", None, "normal"]
    paths = (root / SHAPES,)
    assert [case.mask_paths for case in cases.values()] == [paths, None, paths, paths, ()]
    loaded = cases["P10_R_CM_CC"].load()
    assert loaded.images[0].modality is Modality.MAMMOGRAPHY
    assert loaded.images[0].array.shape == (1, *SHAPE)
    expected = np.zeros(SHAPE, bool)
    expected[30:36, 10:20] = True
    assert loaded.mask is not None
    np.testing.assert_array_equal(loaded.mask.foreground, expected)
    assert {case.source for case in cases.values()} == {"CDD-CESM"}
    assert pickle.loads(pickle.dumps(cases["P10_R_DM_CC"])) == cases["P10_R_DM_CC"]


def test_ellipse_and_circle(root: Path) -> None:
    cases = {case.case_id: case for case in CddCesm(root).cases()}
    rows, columns = np.indices(SHAPE) + 0.5
    circle = (columns - 24) ** 2 + (rows - 32) ** 2 < 81
    np.testing.assert_array_equal(cases["P10_R_DM_MLO"].read_mask_array(SHAPE), circle)
    both = cases["P10_R_DM_CC"].read_mask_array(SHAPE)
    assert abs(both.sum() - (60 + math.pi * 40)) < 3


def test_low_energy_images_alone(root: Path) -> None:
    data_set = CddCesmLowEnergy(root)
    assert [case.key for case in data_set.cases()] == [
        "CDD-CESM-DM/P10_R_DM_CC",
        "CDD-CESM-DM/P10_R_DM_MLO",
        "CDD-CESM-DM/P7_L_DM_CC",
    ]
    assert data_set.remarks() == ("1 outlined images whose pathology is normal: P10_R_DM_MLO",)


def test_what_is_absent_is_counted(root: Path) -> None:
    assert CddCesm(root).remarks() == (
        "1 images without ground truth: P10_R_CM_MLO",
        "1 outlined images that are not there: P99_R_CM_CC",
        "1 outlined images whose pathology is normal: P10_R_DM_MLO",
    )


def test_pathology_is_optional(root: Path) -> None:
    (root / LABELS).unlink()
    data_set = CddCesm(root)
    assert {case.label for case in data_set.cases()} == {None}
    assert [case.mask_paths is None for case in data_set.cases()] == [False, True] + [False] * 2 + [
        True
    ]
    assert data_set.remarks()[0] == (
        "no pathology, for the manual annotations are not there as CSV"
    )


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("", "shape '' of P7_L_DM_CC in"),
        (
            '{"name": "rect", "x": 1}',
            "shape 'rect' of P7_L_DM_CC in .*. Expected: polygon, polyline",
        ),
        ('{"name": "circle", "cx": 1}', "of P7_L_DM_CC in .*a shape as JSON"),
        ('{"name": "polygon", "all_points_x": [1], "all_points_y": []}', "a shape as JSON"),
        ("[]", "a shape as JSON"),
    ],
)
def test_bad_shapes_are_named(
    with_shape: Callable[[str], CddCesm], shape: str, message: str
) -> None:
    with pytest.raises(DataSetError, match=message):
        with_shape(shape).cases()


def test_bad_tables_are_named(root: Path) -> None:
    write_text(root / SHAPES, "a,b\n")
    with pytest.raises(DataSetError, match="has no column #filename, region_shape_attributes"):
        CddCesm(root).cases()
    (root / SHAPES).write_bytes(b"\xff\xfe\x81")
    with pytest.raises(DataSetError, match="cannot be read"):
        CddCesm(root).cases()
    (root / SHAPES).unlink()
    with pytest.raises(DataSetError, match="no table of hand drawn segmentations"):
        official_tables(root)
    with pytest.raises(DataSetError, match=r"no images and no masks and no manifest\.csv"):
        CddCesm(root).cases()


def test_no_picture(root: Path) -> None:
    for path in root.rglob("*.jpg"):
        path.unlink()
    with pytest.raises(DataSetError, match=r"no image called as P102_R_DM_CC\.jpg in"):
        CddCesm(root).cases()


@pytest.fixture
def published(data_root: Path, tmp_path: Path) -> Path:
    """The published tables beside images called as the archive's."""
    sample = data_root / "mammography" / "CDD-CESM"
    for folder, kind in ((LOW, "DM"), (SUBTRACTED, "CM")):
        (tmp_path / folder).mkdir()
        for path in (sample / "images").glob(f"*_{kind}_*.jpg"):
            (tmp_path / folder / path.name).symlink_to(path)
    for name in (SHAPES, LABELS):
        (tmp_path / name).symlink_to(sample / "annotations" / name)
    return tmp_path


@pytest.mark.data
def test_published_tables(published: Path) -> None:
    cases = CddCesm(published).cases()
    assert len(cases) == 548
    assert Counter(case.label for case in cases) == {"malignant": 548}
    assert all(case.mask_paths for case in cases)
    tables = official_tables(published)
    assert len(tables.contours) == 1110
    assert tables.labels is not None
    assert Counter(tables.labels.values()) == {"normal": 682, "benign": 566, "malignant": 560}


@pytest.mark.data
def test_shapes_agree_with_the_ready_masks(data_root: Path, published: Path) -> None:
    """The masks are of 512 px; the size of the whole image follows from the outline's height."""
    contours = official_tables(published).contours
    ready = {case.case_id: case for case in CddCesm(data_root).cases()}
    for name in ("P176_R_DM_MLO", "P194_R_CM_CC", "P102_R_DM_CC"):
        (path,) = ready[name].mask_paths or ()
        mask = read_mask(path)
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        x, y = np.array([point for polygon in contours[name] for point in polygon]).T
        scale = (rows[-1] + 1 - rows[0]) / (y.max() - y.min())
        drawn = np.zeros(mask.shape, bool)
        for polygon in contours[name]:
            moved = (
                (columns[0] + scale * (px - x.min()), rows[0] + scale * (py - y.min()))
                for px, py in polygon
            )
            drawn |= filled(tuple(moved), (512, 512))
        assert 2 * (drawn & mask).sum() / (drawn.sum() + mask.sum()) > 0.97
