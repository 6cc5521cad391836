"""What in a mask is lesion: class numbers, any grey, 16 bits, colours, soft borders."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy import ndimage

from breastseg.core.errors import DataSetError
from breastseg.core.grid import Grid
from breastseg.data.lesion_pixels import (
    check_declared,
    distinct,
    labelled,
    lesion_pixels,
    read_lesion_pixels,
)

SQUARE = np.zeros((40, 50), bool)
SQUARE[10:20, 15:35] = True
OTHER = np.zeros_like(SQUARE)
OTHER[28:34, 5:12] = True


def noisy(rng: np.random.Generator, dark: float) -> NDArray[np.uint8]:
    """An ultrasound-like image: speckle, a dark lesion, a bright line, a fraction of it black."""
    image = ndimage.gaussian_filter(rng.gamma(2.0, 40.0, (120, 160)), 1.2)
    image[40:80, 50:110] *= 0.3
    image[95:97] = 255
    image[: int(120 * dark)] = 0
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("dark", [0.0, 0.5])
@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_an_image_is_no_mask(dark: float, gamma: float) -> None:
    image = noisy(np.random.default_rng(3), dark) / 255.0
    values = (255 * image**gamma).astype(np.uint8)
    with pytest.raises(DataSetError, match=r"img: .* Expected: one value inside lesions"):
        lesion_pixels(values[None], "img")


@pytest.mark.parametrize("quality", [20, 60, 95])
@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_a_mask_that_was_resampled_and_compressed_is_one(quality: int, scale: float) -> None:
    rows, columns = np.indices((120, 160))
    disc = ((rows - 60) ** 2 + (columns - 70) ** 2 < 900) | (abs(columns - 130) < 6)
    drawn = Pillow.fromarray((disc * 255).astype(np.uint8))
    drawn = drawn.resize((int(160 * scale), int(120 * scale)), Pillow.Resampling.BICUBIC)
    stream = io.BytesIO()
    drawn.save(stream, "JPEG", quality=quality)
    values = np.asarray(Pillow.open(stream))
    wanted = np.asarray(drawn) > 127
    found = lesion_pixels(values[None], "m").lesion
    assert (found != wanted).mean() < 0.03


def test_transparent_masks_are_refused_and_opaque_ones_read(tmp_path: Path) -> None:
    alpha = Pillow.fromarray((SQUARE * 255).astype(np.uint8))
    white = Pillow.merge("LA", (alpha, Pillow.new("L", alpha.size, 255)))
    white.save(tmp_path / "opaque.png")
    assert np.array_equal(read_lesion_pixels(tmp_path / "opaque.png").lesion, SQUARE)
    hidden = Pillow.merge("LA", (Pillow.new("L", alpha.size, 0), alpha))
    hidden.save(tmp_path / "hidden.png")  # the lesion is in the alpha channel alone
    with pytest.raises(DataSetError, match=r"hidden\.png: a mask with parts that are transparent"):
        read_lesion_pixels(tmp_path / "hidden.png")
    palette = Pillow.fromarray(SQUARE.astype(np.uint8), "P")
    palette.putpalette([0, 0, 0, 255, 255, 255])
    palette.save(tmp_path / "palette.png", transparency=0)
    with pytest.raises(DataSetError, match="parts that are transparent"):
        read_lesion_pixels(tmp_path / "palette.png")


@given(st.sampled_from(["u1", "u2", "i4", "f4"]), st.integers(1, 255))
def test_one_value_is_lesion_whatever_it_is(dtype: str, value: int) -> None:
    found = lesion_pixels((value * SQUARE).astype(dtype)[None], "m")
    assert np.array_equal(found.lesion, SQUARE)
    assert found.values == (str(value),)


@pytest.mark.parametrize("value", [255, 256, 257, 32767, 65535])
def test_sixteen_bits(value: int) -> None:
    found = lesion_pixels((value * SQUARE).astype(np.uint16)[None], "m")
    assert np.array_equal(found.lesion, SQUARE)


def test_class_numbers_are_taken_together_and_told() -> None:
    found = lesion_pixels((SQUARE + 2 * OTHER).astype(np.uint8)[None], "m")
    assert np.array_equal(found.lesion, SQUARE | OTHER)
    assert found.values == ("1", "2")


def test_colours_are_classes() -> None:
    colours = np.stack([255 * SQUARE, 255 * OTHER, 0 * SQUARE]).astype(np.uint8)
    found = lesion_pixels(colours, "m")
    assert np.array_equal(found.lesion, SQUARE | OTHER)
    assert found.values == ("red", "green")


@pytest.mark.parametrize(
    ("one", "other", "named"),
    [(100, 200, "100, 200"), (1, 255, "1, 255"), (128, 255, "128, 255"), (17, 18, "17, 18")],
)
def test_several_values_without_a_meaning_are_refused_by_name(
    one: int, other: int, named: str
) -> None:
    values = (one * SQUARE + other * OTHER).astype(np.uint8)
    with pytest.raises(
        DataSetError, match=f"m: the values {named}. Expected: one value inside lesions"
    ):
        lesion_pixels(values[None], "m")


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_values_that_no_mask_has(bad: float) -> None:
    values = SQUARE.astype(np.float32)
    values[0, 0] = bad
    with pytest.raises(DataSetError, match="negative or not finite"):
        lesion_pixels(values[None], "m")


def test_a_picture_is_no_mask() -> None:
    noise = np.random.default_rng(0).normal(110, 30, SQUARE.shape).clip(0, 255).astype(np.uint8)
    with pytest.raises(DataSetError, match="grey levels, as an image has"):
        lesion_pixels(noise[None], "m")


@pytest.mark.parametrize("quality", [30, 60, 95])
def test_borders_softened_by_compression_and_by_resampling(quality: int) -> None:
    packed = io.BytesIO()
    Pillow.fromarray((255 * SQUARE).astype(np.uint8)).save(packed, "JPEG", quality=quality)
    found = lesion_pixels(np.asarray(Pillow.open(packed))[None], "m").lesion
    assert (found != SQUARE).mean() < 0.005
    larger = Pillow.fromarray((100 * SQUARE).astype(np.uint8)).resize((100, 80), Pillow.BILINEAR)
    found = lesion_pixels(np.asarray(larger)[None], "m").lesion
    assert (found != SQUARE.repeat(2, 0).repeat(2, 1)).mean() < 0.005


def test_nothing_and_everything() -> None:
    assert not lesion_pixels(np.zeros((1, 5, 5), np.uint8), "m").lesion.any()
    assert lesion_pixels(np.full((1, 5, 5), 7, np.uint8), "m").lesion.all()


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=50))
def test_distinct_values_as_numpy_has_them(values: list[int]) -> None:
    array = np.array(values, np.uint16)
    assert np.array_equal(distinct(array), np.unique(array))


class _Declared:
    lesion_values = (1, 3)
    ignore_value = 9


def test_declared_labels() -> None:
    values: NDArray[Any] = np.array([[0, 1, 3], [9, 9, 0]], np.uint8)
    mask = labelled([(values[None], "m")], _Declared(), Grid((2, 3)))
    assert mask.foreground.tolist() == [[False, True, True], [False, False, False]]
    assert mask.ignored.tolist() == [[False, False, False], [True, True, False]]
    with pytest.raises(
        DataSetError, match=r"m: the undeclared labels 2, 255. Expected: labels of 0, 1"
    ):
        check_declared(np.array([0, 2, 255, 1]), (0, 1), "m")


def test_merged_classes_are_said_once_for_a_data_set(caplog: pytest.LogCaptureFixture) -> None:
    classes = np.zeros((1, 20, 20), np.uint8)
    classes[0, 2:8, 2:8], classes[0, 10:16, 10:16] = 1, 2
    for name in ("merged-set/a: a.png", "merged-set/b: b.png", "another-set/a: a.png"):
        lesion_pixels(classes, name)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "merged-set/a: a.png: the classes 1, 2 count as one lesion",
        "another-set/a: a.png: the classes 1, 2 count as one lesion",
    ]


def disc(radius: float, shape: tuple[int, int] = (160, 200)) -> NDArray[np.bool_]:
    rows, columns = np.indices(shape)
    return np.asarray((rows - 80) ** 2 + (columns - 80) ** 2 < radius**2)


@pytest.mark.parametrize("radius", [3, 5, 8, 15, 40])
@pytest.mark.parametrize("quality", [15, 40, 75])
def test_ringing_beside_a_small_lesion_is_no_lesion(radius: int, quality: int) -> None:
    stream = io.BytesIO()
    Pillow.fromarray((disc(radius) * 255).astype(np.uint8)).save(stream, "JPEG", quality=quality)
    found = lesion_pixels(np.asarray(Pillow.open(stream))[None], "m").lesion
    assert (found != disc(radius)).sum() <= 0.3 * disc(radius).sum()


@pytest.mark.parametrize(("lowest", "radius"), [(200, 40), (225, 40), (240, 40), (225, 6)])
def test_a_black_image_with_a_nearly_white_rest_is_no_mask(lowest: int, radius: int) -> None:
    rng = np.random.default_rng(4)
    smooth = ndimage.gaussian_filter(rng.normal(size=(160, 200)), 2)
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    for bright in (rng.uniform(size=(160, 200)), smooth):
        image = np.where(disc(radius), lowest + (255 - lowest) * bright, 0).astype(np.uint8)
        with pytest.raises(DataSetError, match=r"m: (the values|.* grey levels)"):
            lesion_pixels(image[None], "m")


@pytest.mark.parametrize("values", [(1, 2), (3, 4, 5), (200, 255), (250, 251)])
def test_values_without_a_background_are_refused(values: tuple[int, ...]) -> None:
    plane = np.choose((SQUARE + 2 * OTHER) % len(values), values).astype(np.uint8)
    with pytest.raises(DataSetError, match=r"m: (the )?values .*\d"):
        lesion_pixels(plane[None], "m")


def test_colours_on_white_are_refused() -> None:
    red = np.where(SQUARE[None], np.reshape([255, 0, 0], (3, 1, 1)), 255).astype(np.uint8)
    with pytest.raises(DataSetError, match="the colours red, white and no black background"):
        lesion_pixels(red, "m")


def test_a_border_brighter_than_the_lesion_is_a_value_of_its_own() -> None:
    around = ndimage.binary_dilation(SQUARE) & ~SQUARE  # as PASCAL VOC marks what is not known
    values = (128 * SQUARE + 224 * around).astype(np.uint8)
    with pytest.raises(DataSetError, match="the values 128, 224"):
        lesion_pixels(values[None], "m")


@pytest.mark.parametrize("radius", [6, 20, 60])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_contour_without_its_inside_is_refused(radius: int, width: int) -> None:
    line = disc(radius + width) & ~disc(radius)
    if radius > 4 * width:
        with pytest.raises(DataSetError, match="a contour without its inside"):
            lesion_pixels((255 * line)[None], "m")
    thick = disc(radius + 8) & ~disc(radius)  # a wall, as of a duct
    assert np.array_equal(lesion_pixels((255 * thick)[None], "m").lesion, thick)


def test_lesion_and_background_that_may_have_changed_places_are_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("inverted-set/a: a.png", "inverted-set/b: b.png"):
        assert np.array_equal(lesion_pixels((255 * ~SQUARE)[None], name).lesion, ~SQUARE)
    assert [record.getMessage() for record in caplog.records] == [
        "inverted-set/a: a.png: the lesion covers most of the image and all of its edge: lesion "
        "and background may have changed places"
    ]


def test_masks_of_several_pages_and_of_colours_that_look_alike_are_refused(tmp_path: Path) -> None:
    one, two = (Pillow.fromarray((255 * part).astype(np.uint8)) for part in (SQUARE, OTHER))
    one.save(tmp_path / "pages.tif", save_all=True, append_images=[two])
    with pytest.raises(DataSetError, match=r"pages\.tif: a mask with several pages"):
        read_lesion_pixels(tmp_path / "pages.tif")
    alike = Pillow.fromarray(SQUARE.astype(np.uint8), "P")
    alike.putpalette([0, 0, 0, 0, 0, 0, 255, 255, 255])
    alike.save(tmp_path / "alike.png")
    with pytest.raises(DataSetError, match="several values in one colour"):
        read_lesion_pixels(tmp_path / "alike.png")
