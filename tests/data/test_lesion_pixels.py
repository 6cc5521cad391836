"""What in a mask is lesion: class numbers, any grey, 16 bits, colours, soft borders."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow

from breastseg.core.errors import DataSetError
from breastseg.core.grid import Grid
from breastseg.data.lesion_pixels import check_declared, distinct, labelled, lesion_pixels

SQUARE = np.zeros((40, 50), bool)
SQUARE[10:20, 15:35] = True
OTHER = np.zeros_like(SQUARE)
OTHER[28:34, 5:12] = True


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
