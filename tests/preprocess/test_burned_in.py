"""Callipers, letters and coloured marks on scans."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core import Grid, Image
from breastseg.core.errors import GeometryError
from breastseg.data.phantoms.ultrasound import make_phantom
from breastseg.preprocess.burned_in import burned_in, without_marks
from breastseg.preprocess.intensity import to_unit


def picture(array: NDArray[np.uint8]) -> Image:
    channels = array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)
    return Image(channels, Grid(array.shape[:2]))


def scan(seed: int) -> NDArray[np.uint8]:
    return make_phantom(np.random.default_rng(seed), "benign").image


def drawn(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Four crosses, a dotted line and a line of text."""
    canvas = np.zeros(shape, np.uint8)
    for at in ((60, 90), (200, 90), (130, 40), (130, 150)):
        cv2.drawMarker(canvas, at, 255, cv2.MARKER_CROSS, 13, 1)
    for column in range(60, 300, 8):
        cv2.circle(canvas, (column, 200), 1, 255, -1)
    cv2.putText(canvas, "1 L 12.3 mm", (40, 380), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1)
    return np.asarray(canvas > 0)


@pytest.mark.parametrize("seed", range(3))
def test_strokes_are_found_and_echoes_left(seed: int) -> None:
    clean = scan(seed)
    assert burned_in(picture(clean)).mean() < 0.005
    strokes = drawn(clean.shape)
    found = burned_in(picture(np.where(strokes, np.uint8(255), clean)))
    assert (found & strokes).sum() >= 0.9 * strokes.sum()
    near = cv2.dilate(strokes.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert (found & ~near).mean() < 0.005


def test_colour_is_a_mark_unless_everything_has_some() -> None:
    grey = np.repeat(scan(0)[..., None], 3, axis=2)
    marked = grey.copy()
    marked[100:130, 100:180] = (250, 220, 40)
    found = burned_in(picture(marked))
    assert found[100:130, 100:180].all()
    tinted = (grey * (1.0, 0.7, 0.4)).astype(np.uint8)
    assert burned_in(picture(tinted)).mean() < 0.005


def test_speckle_as_sharp_as_letters_is_no_text() -> None:
    noise = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (200, 200), p=[0.9, 0.1])
    assert not burned_in(picture(noise)).any()


def test_marks_are_filled_with_what_is_around_them() -> None:
    clean = to_unit(scan(0))
    strokes = drawn(clean.shape)
    filled = without_marks(np.where(strokes, np.float32(1), clean), strokes)
    assert np.abs(filled - clean)[strokes].mean() < 0.1
    beside = cv2.dilate(strokes.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    np.testing.assert_array_equal(filled[beside], clean[beside])
    np.testing.assert_array_equal(without_marks(clean, np.zeros_like(strokes)), clean)


def test_shapes_must_fit() -> None:
    with pytest.raises(GeometryError, match="marks of"):
        without_marks(np.zeros((4, 5), np.float32), np.zeros((5, 4), bool))
    with pytest.raises(GeometryError, match="two axes"):
        burned_in(Image(np.zeros((1, 2, 3, 4), np.uint8), Grid((2, 3, 4))))
