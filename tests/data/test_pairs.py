"""Masks find their images by the names of their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from breastseg.data.files import visible
from breastseg.data.pairs import pair, pair_flat


def paths(*stems: str) -> dict[str, Path]:
    return {stem: Path(f"{stem}.png") for stem in stems}


@pytest.mark.parametrize(
    "name",
    [
        *("x", "x_mask", "x-mask", "x.mask", "X_mask", "x_Mask", "x_seg", "x_segmentation"),
        *("x_label", "x_gt", "x_ground_truth", "x_groundtruth", "x_annotation", "x_lesion"),
        *("mask_x", "x_mask_1"),
    ],
)
def test_common_names_of_masks(name: str) -> None:
    image = "X" if name.startswith("X") else "x"
    found = pair(paths(image, "other"), paths(name))
    assert found.masks == {image: (Path(f"{name}.png"),)}
    assert found.stray == ()


def test_several_masks_of_one_picture() -> None:
    found = pair(paths("x"), paths("x_mask", "x_mask_1", "x_mask2"))
    assert [path.stem for path in found.masks["x"]] == ["x_mask", "x_mask_1", "x_mask2"]


def test_the_same_stem_goes_first_and_the_rest_is_stray() -> None:
    found = pair(paths("x", "y"), paths("x", "x_mask", "z_mask"))
    assert found.masks == {"x": (Path("x.png"),)}
    assert found.stray == ("x_mask", "z_mask")


def test_pictures_may_say_what_they_are() -> None:
    assert pair(paths("x_image", "y_0000"), paths("x_mask", "y")).masks.keys() == {
        "x_image",
        "y_0000",
    }
    assert pair(paths("img_1", "image02"), paths("mask_1", "label02")).masks.keys() == {
        "img_1",
        "image02",
    }


def test_a_mask_that_two_images_could_have_is_of_the_one_of_its_name_or_of_none() -> None:
    for images in (("a", "a_image"), ("a_image", "a")):
        assert pair(paths(*images), paths("a_mask")).masks.keys() == {"a"}
    found = pair(paths("img_1", "image-1"), paths("mask_1"))
    assert (found.masks, found.stray) == ({}, ("mask_1",))


def test_one_folder_for_both() -> None:
    found = pair_flat(paths("x", "x_mask", "y", "y-seg", "z_gt"))
    assert found.images.keys() == {"x", "y"}
    assert found.masks.keys() == {"x", "y"}
    assert found.stray == ("z_gt",)


def test_hidden_files_are_none_and_suffixes_in_any_case(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.png", "._a.png", "c.txt", "d.Tiff"):
        (tmp_path / name).touch()
    (tmp_path / "e.png").mkdir()
    assert [path.name for path in visible(tmp_path, ".png", ".tiff")] == [
        "a.png",
        "b.PNG",
        "d.Tiff",
    ]
    assert visible(tmp_path / "absent", ".png") == []
