"""COCO, LabelMe and YOLO: the same lesions in three formats are the same pixels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from breastseg.core.errors import DataSetError
from breastseg.data.catalogue import open_data_set
from breastseg.data.dataset import CaseRef, Fault
from breastseg.data.drawn import unrolled
from breastseg.data.sets.coco import Coco, _runs
from breastseg.data.sets.labelme import LabelMe
from breastseg.data.sets.yolo import Yolo
from breastseg.io.write import write_png, write_text

from ..conftest import SHAPE, picture

ONE = ((3.2, 2.1), (14.7, 4.4), (12.3, 15.9), (5.5, 12.2))
TWO = ((20.3, 10.6), (28.8, 10.2), (25.1, 20.7))
ROWS, COLUMNS = SHAPE


def mask(case: CaseRef) -> NDArray[np.bool_]:
    found = case.load().mask
    assert found is not None
    return found.foreground


def by_skimage(*polygons: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """Corners (x, y) from the image's corner, as scikit-image has them: (row, column) centres."""
    merged = np.zeros(SHAPE, bool)
    for polygon in polygons:
        merged |= polygon2mask(SHAPE, [(y - 0.5, x - 0.5) for x, y in polygon])
    return merged


def coco(root: Path, **changes: object) -> Coco:
    for name in ("a", "b"):
        write_png(root / "images" / f"{name}.png", picture(ord(name)))
    flat = [[value for corner in polygon for value in corner] for polygon in (ONE, TWO)]
    size = {"height": ROWS, "width": COLUMNS}
    content = {
        "images": [
            {"id": 1, "file_name": "a.png", "patient_id": "P1", **size},
            {"id": 2, "file_name": "b.png", "patient_id": "P1", **size},
        ],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 7, "segmentation": [one], "iscrowd": 0}
            for n, one in enumerate(flat)
        ],
        "categories": [{"id": 7, "name": "Benign"}, {"id": 8, "name": "cyst"}],
    }
    write_text(root / "annotations" / "instances.json", json.dumps(content | changes))
    return Coco(root)


def labelme(root: Path, **changes: object) -> LabelMe:
    write_png(root / "a.png", picture(1))
    shapes = [{"label": "benign", "points": one, "shape_type": "polygon"} for one in (ONE, TWO)]
    content = {"shapes": shapes, "imagePath": "a.png", "imageHeight": ROWS, "imageWidth": COLUMNS}
    write_text(root / "a.json", json.dumps(content | changes))
    return LabelMe(root)


def yolo(root: Path, text: str | None = None) -> Yolo:
    write_png(root / "images" / "train" / "a.png", picture(1))
    lines = [
        "0 " + " ".join(f"{x / COLUMNS:.9f} {y / ROWS:.9f}" for x, y in polygon)
        for polygon in (ONE, TWO)
    ]
    write_text(root / "labels" / "train" / "a.txt", "\n".join(lines) if text is None else text)
    write_text(root / "data.yaml", "path: .\nnames:\n  0: benign\n  1: malignant\n")
    return Yolo(root)


def test_three_formats_are_the_same_pixels_as_another_library_draws(tmp_path: Path) -> None:
    wanted = by_skimage(ONE, TWO)
    for made in (coco(tmp_path / "c"), labelme(tmp_path / "l"), yolo(tmp_path / "y")):
        case = made.cases()[0]
        np.testing.assert_array_equal(mask(case), wanted)
        assert case.label == "benign"
        assert not any(isinstance(remark, Fault) for remark in made.remarks())


def test_coco_states_patients_and_images_without_a_lesion(tmp_path: Path) -> None:
    made = coco(tmp_path)
    a, b = made.cases()
    assert (a.patient_id, b.patient_id, b.mask_paths) == ("P1", "P1", ())
    assert made.remarks() == ("1 images without annotations have no lesion: b",)
    file = open_data_set("coco", tmp_path / "annotations" / "instances.json")
    assert file.name == "instances"


@pytest.mark.parametrize("packed", [False, True])
def test_coco_has_runs_too(tmp_path: Path, packed: bool) -> None:
    drawn = by_skimage(ONE)
    flat = np.concatenate([[False], drawn.ravel(order="F"), [not drawn[-1, -1]]])
    ends = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate([[1], ends])).tolist()
    segmentation = {"size": SHAPE, "counts": pack(counts) if packed else counts}
    made = coco(
        tmp_path,
        annotations=[{"id": 1, "image_id": 1, "category_id": 7, "segmentation": segmentation}],
    )
    np.testing.assert_array_equal(mask(made.cases()[0]), drawn)


def pack(counts: Sequence[int]) -> str:
    """COCO's own packing, after its maskApi: five bits a letter, the sign in the last."""
    text = ""
    for at, count in enumerate(counts):
        value = count - (counts[at - 2] if at > 2 else 0)
        more = True
        while more:
            digit, value = value & 31, value >> 5
            more = value != -1 if digit & 16 else value != 0
            text += chr(48 + digit + 32 * more)
    return text


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30))
def test_packed_runs(counts: list[int]) -> None:
    assert _runs(pack(counts)) == tuple(counts)


def test_runs_down_the_columns() -> None:
    assert unrolled([1, 2, 1], (2, 2)).tolist() == [[False, True], [True, False]]
    with pytest.raises(DataSetError, match="runs of 3 pixels"):
        unrolled([1, 2], (2, 2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": 3}, "no images or no annotations"),
        ({"images": [{"id": 1, "file_name": "../a.png"}]}, "a file_name within the folder"),
        ({"images": [{"id": 1, "file_name": "z.png"}]}, "1 images are not there"),
        ({"images": [{"id": 1, "file_name": "a.png", "patient": "P"}]}, "has the column 'patient'"),
        ({"images": []}, "annotations of no image: 0, 1"),
        ({"images": [{"id": [1], "file_name": "a.png"}]}, r"id \[1\]\. Expected: a number"),
        (
            {"categories": [{"id": 1, "name": "cyst"}]},
            "undeclared categories 7. Expected: one of",
        ),
        (
            {"annotations": [{"image_id": 1, "category_id": 7, "segmentation": [[1, 2, 3]]}]},
            r"'a\.png': a corner with one coordinate\. Expected: polygons",
        ),
        ({"categories": [{"id": {}, "name": "lesion"}]}, r"id \{\}\. Expected: a number"),
        ({"annotations": [{"image_id": 1, "segmentation": {"counts": [1e999]}}]}, "run lengths"),
    ],
)
def test_what_is_wrong_with_coco(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataSetError, match=message):
        coco(tmp_path, **changes).cases()


def test_merged_categories_and_boxes_alone_are_said(tmp_path: Path) -> None:
    annotations = [
        {"id": 1, "image_id": 1, "category_id": 7, "segmentation": [[1, 1, 5, 1, 5, 5]]},
        {"id": 2, "image_id": 1, "category_id": 8, "segmentation": [[9, 9, 14, 9, 14, 14]]},
        {"id": 3, "image_id": 2, "category_id": 8, "segmentation": [], "bbox": [1, 1, 4, 4]},
    ]
    made = coco(tmp_path, annotations=annotations)
    assert made.cases()[1].mask_paths is None
    merged, boxes = made.remarks()
    assert merged == "the classes Benign, cyst count as one lesion"
    assert isinstance(boxes, Fault)
    assert boxes == "1 images with boxes alone: b"


def test_annotations_of_another_size_are_refused(tmp_path: Path) -> None:
    (case,) = labelme(tmp_path, imageHeight=100).cases()
    with pytest.raises(DataSetError, match=r"the annotations are for \(100, 32\) pixels"):
        case.load()


def test_rectangles_and_circles_of_labelme(tmp_path: Path) -> None:
    shapes = [
        {"label": "x", "points": [[2, 3], [6, 9]], "shape_type": "rectangle"},
        {"label": "y", "points": [[20, 12], [24, 12]], "shape_type": "circle"},
    ]
    made = labelme(tmp_path, shapes=shapes)
    drawn = mask(made.cases()[0])
    assert drawn[3:9, 2:6].all()
    rows, columns = np.mgrid[:ROWS, :COLUMNS] + 0.5
    disc = (rows - 12) ** 2 + (columns - 20) ** 2 < 16
    assert (drawn[:, 8:] != disc[:, 8:]).sum() == 0
    assert made.remarks() == ("the classes x, y count as one lesion",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shapes": None}, "has no shapes"),
        ({"imagePath": "other.png"}, "is of the image 'other.png'"),
        (
            {"shapes": [{"label": "x", "points": [[1, 1]], "shape_type": "point"}]},
            "a shape 'point' of 1 points",
        ),
        ({"shapes": [{"label": "x", "points": [[1, 1], [2, 2]]}]}, "a polygon of 2 corners"),
    ],
)
def test_what_is_wrong_with_labelme(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(DataSetError, match=message):
        labelme(tmp_path, **changes).cases()


def test_pictures_and_files_that_do_not_pair(tmp_path: Path) -> None:
    made = labelme(tmp_path)
    write_png(tmp_path / "b.png", picture(2))
    write_text(tmp_path / "c.json", json.dumps({"shapes": []}))
    assert made.cases()[1].mask_paths is None
    assert made.remarks() == (
        "1 images without a JSON file: b",
        "1 JSON files without an image: c",
    )
    assert all(isinstance(remark, Fault) for remark in made.remarks())


def test_parts_of_yolo_are_folds_and_an_empty_text_is_no_lesion(tmp_path: Path) -> None:
    made = yolo(tmp_path)
    write_png(tmp_path / "images" / "val" / "b.png", picture(2))
    write_text(tmp_path / "labels" / "val" / "b.txt", "")
    a, b = made.cases()
    assert [(case.case_id, case.fold) for case in (a, b)] == [("train/a", 1), ("val/b", 2)]
    assert b.mask_paths == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0.5 0.5 0.2 0.2", "line 1 of .* holds a box"),
        ("\n0 1 2 30 4 5 6", "line 2 of .* holds corners outside 0 to 1"),
        ("0 .1 .1 .2", "line 1 of"),
        ("0 a b", "line 1 of"),
    ],
)
def test_what_is_wrong_with_yolo(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataSetError, match=message):
        yolo(tmp_path, text).cases()


BOX = ((4.0, 4.0), (12.0, 4.0), (12.0, 9.0), (4.0, 9.0))


@pytest.mark.parametrize(
    "changes",
    [
        {"images": [{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "b.png"}]},
        {"images": [{"file_name": "a.png"}], "annotations": []},
    ],
)
def test_images_of_one_number_or_of_none_are_refused(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    with pytest.raises(DataSetError, match="images without an id, or several of one id"):
        coco(tmp_path, **changes).cases()


def test_run_lengths_of_another_size_are_refused(tmp_path: Path) -> None:
    runs = {"counts": [10, 20, ROWS * COLUMNS - 30], "size": [COLUMNS, ROWS]}
    one = {"id": 1, "image_id": 1, "category_id": 7, "segmentation": runs}
    with pytest.raises(DataSetError, match="run lengths of an image of"):
        coco(tmp_path, annotations=[one]).cases()


@pytest.mark.parametrize(
    "points",
    [
        [[100, 100], [130, 100], [130, 130]],  # of a larger image
        [[-40, 5], [10, 5], [10, 12]],
        [[0.1, 0.1], [0.4, 0.1], [0.4, 0.4]],  # in fractions
        [[5, 5], [8, 8], [11, 11]],  # a slip
    ],
)
def test_what_lies_beyond_the_image_or_holds_no_pixel_is_refused(
    tmp_path: Path, points: list[list[float]]
) -> None:
    write_png(tmp_path / "a.png", picture(1))
    shapes = [{"label": "lesion", "points": points}]
    write_text(tmp_path / "a.json", json.dumps({"shapes": shapes, "imagePath": "a.png"}))
    (case,) = LabelMe(tmp_path).cases()
    with pytest.raises(DataSetError, match="holds no pixel of the image of"):
        case.load()


def test_boxes_given_as_outlines_are_said(tmp_path: Path) -> None:
    write_png(tmp_path / "images" / "a.png", picture(1))
    turned = " ".join(f"{x / COLUMNS} {y / ROWS}" for x, y in ((8, 2), (14, 8), (10, 12), (4, 6)))
    upright = " ".join(f"{x / COLUMNS} {y / ROWS}" for x, y in BOX)
    write_text(tmp_path / "labels" / "a.txt", f"0 {turned}\n0 {upright}\n")
    assert Yolo(tmp_path).remarks() == (
        "all 2 polygons are boxes, which are not the outlines of lesions",
    )


def test_images_in_two_places_are_refused(tmp_path: Path) -> None:
    for place in ("images/train", "train/images"):
        write_png(tmp_path / place / "a.png", picture(1))
    with pytest.raises(DataSetError, match="has two images train/a"):
        Yolo(tmp_path).cases()
    for place in (".", "images"):
        write_png(tmp_path / "labelme" / place / "a.png", picture(1))
    with pytest.raises(DataSetError, match="have one stem"):
        LabelMe(tmp_path / "labelme").cases()


def test_folders_that_are_no_part_are_told_and_the_list_of_classes_is_no_annotation(
    tmp_path: Path,
) -> None:
    write_png(tmp_path / "images" / "a.png", picture(1))
    write_png(tmp_path / "images" / "fold1" / "b.png", picture(2))
    write_text(tmp_path / "labels" / "a.txt", "")
    write_text(tmp_path / "labels" / "classes.txt", "benign\nmalignant\n")
    assert Yolo(tmp_path).remarks() == ("1 folders of images that are not read: fold1",)
