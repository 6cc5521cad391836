"""The breast and the pectoral muscle on drawn mammograms, and on real ones."""

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.preprocess.breast_region import breast_region, pectoral_muscle, tissue_region
from breastseg.preprocess.geometry import resize
from breastseg.preprocess.intensity import to_unit

Grey = NDArray[np.float32]
Region = NDArray[np.bool_]


def drawn(muscle: bool = True, size: int = 256) -> tuple[Grey, Region, Region]:
    """A left breast on the left side: the image, the breast, the muscle."""
    rows, columns = (axis / size for axis in np.mgrid[:size, :size])
    breast = ((rows - 0.5) / 0.52) ** 2 + (columns / 0.5) ** 2 < 1
    breast |= (columns < 0.33) & (rows < 0.5)
    triangle = columns / 0.27 + rows / 0.6 < 1
    texture = np.random.default_rng(0).normal(0, 0.02, breast.shape)
    image = np.where(breast, 0.4 + texture, 0.01)
    if muscle:
        image[triangle] += 0.2
    return image.astype(np.float32), breast, triangle & muscle


def dice(one: Region, other: Region) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def test_breast_without_label_and_film_edge() -> None:
    image, breast, _ = drawn()
    image[20:50, 190:240] = 0.9
    image[:4] = 1.0
    image[:, :1] = 1.0
    image[250:, 200:] = 1.0
    found = breast_region(image)
    assert dice(found, breast) > 0.97
    assert not found[:, 160:].any()


def test_dark_fat_and_a_dark_chest_wall_are_breast() -> None:
    image, breast, _ = drawn(muscle=False)
    image[120:150, 40:70] = 0.01
    image[100:140, :6] = 0.01
    assert dice(breast_region(image), breast) > 0.99


def test_background_need_not_be_black_nor_perfectly_even() -> None:
    image, breast, _ = drawn()
    haze = np.random.default_rng(1).normal(0.08, 0.008, image.shape)
    assert dice(breast_region(np.where(breast, image, haze).astype(np.float32)), breast) > 0.98


def test_muscle_is_found_and_taken_from_the_tissue() -> None:
    image, _, muscle = drawn()
    found = pectoral_muscle(image, breast_region(image))
    assert dice(found, muscle) > 0.93
    assert np.array_equal(tissue_region(image), breast_region(image) & ~found)


def test_no_muscle_where_there_is_none() -> None:
    image, breast, _ = drawn(muscle=False)
    assert not pectoral_muscle(image, breast).any()
    rounded, _, _ = drawn(muscle=False)
    rows, columns = np.mgrid[:256, :256] / 256
    half_disc = ((rows - 0.5) / 0.5) ** 2 + (columns / 0.5) ** 2 < 1
    view = np.where(half_disc, rounded, 0).astype(np.float32)
    assert not pectoral_muscle(view, breast_region(view)).any()


def test_a_dark_corner_is_no_muscle() -> None:
    image, breast, muscle = drawn()
    image[muscle] -= np.float32(0.35)
    assert not pectoral_muscle(image, breast).any()


def test_both_sides_are_alike() -> None:
    image, _, _ = drawn()
    flipped = np.ascontiguousarray(image[:, ::-1])
    assert dice(breast_region(flipped)[:, ::-1], breast_region(image)) > 0.99
    assert dice(tissue_region(flipped)[:, ::-1], tissue_region(image)) > 0.99


@pytest.mark.parametrize("shape", [(90, 90), (400, 300), (130, 700)])
def test_any_size(shape: tuple[int, int]) -> None:
    image, breast, muscle = drawn()
    resized = resize(image, shape)
    whole = resize(breast, shape) > 0.5
    assert dice(breast_region(resized), whole) > 0.96
    if max(shape) < 500:  # beyond, the muscle's angle is no longer a plausible one
        assert dice(pectoral_muscle(resized, whole), resize(muscle, shape) > 0.5) > 0.9


def test_breast_in_the_middle_of_a_black_square() -> None:
    image, breast, muscle = drawn()
    wide = ((30, 30), (120, 20))
    canvas = np.pad(image, wide)
    assert dice(breast_region(canvas), np.pad(breast, wide)) > 0.97
    found = pectoral_muscle(canvas, breast_region(canvas))
    assert dice(found, np.pad(muscle, wide)) > 0.9


def test_everything_is_breast_without_a_background() -> None:
    image, _, _ = drawn(muscle=False)
    assert breast_region(to_unit(image[60:190, 5:70])).all()
    assert tissue_region(to_unit(image[60:190, 5:70])).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (2, 3), (1, 900), (900, 3)])
def test_degenerate_images(shape: tuple[int, int]) -> None:
    grain = np.random.default_rng(0).random(shape).astype(np.float32)
    for image in (np.zeros(shape, np.float32), np.ones(shape, np.float32), grain):
        before = image.copy()
        found = tissue_region(image)
        assert found.shape == shape
        assert found.dtype == bool
        assert np.array_equal(image, before)
    assert tissue_region(np.ones(shape, np.float32)).all()
    almost_blank = np.float32(0.5) + grain * np.float32(1e-7)
    assert tissue_region(almost_blank).all()
    assert tissue_region(almost_blank[::-1]).all()


def test_no_muscle_in_an_empty_breast() -> None:
    image, breast, _ = drawn()
    assert not pectoral_muscle(image, np.zeros_like(breast)).any()
    with pytest.raises(
        GeometryError, match=r"a breast of \(3, 3\). Expected: the image's shape \(256, 256\)"
    ):
        pectoral_muscle(image, np.ones((3, 3), bool))


@pytest.mark.data
def test_real_mammograms(data_root: Path) -> None:
    from PIL import Image as PilImage

    root = data_root / "mammography" / "CDD-CESM"
    with (root / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["type"] == "DM"][::9]
    fractions, muscles = [], {"CC": [], "MLO": []}
    for row in rows:
        image = to_unit(np.asarray(PilImage.open(root / row["image"]).convert("L")))
        lesion = np.asarray(PilImage.open(root / row["mask"]).convert("L")) > 0
        breast = breast_region(image)
        muscle = pectoral_muscle(image, breast)
        fractions.append((breast[lesion].mean(), (breast & ~muscle)[lesion].mean()))
        muscles[row["view"]].append(bool(muscle.any()))
    in_breast, in_tissue = np.mean(fractions, axis=0)
    assert in_breast > 0.99
    assert in_tissue > 0.97
    assert np.mean(muscles["CC"]) < 0.05
    assert np.mean(muscles["MLO"]) > 0.6
