"""Preprocessing: values, geometry, and the way back without a shift."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.core import Box, Fit, Grid, Image, InputSpec, Intensity
from breastseg.core.errors import GeometryError, UnsupportedError
from breastseg.preprocess.geometry import Placement, resize
from breastseg.preprocess.intensity import rescale, to_unit
from breastseg.preprocess.prepare import prepare

SIDES = st.integers(17, 90)


def test_unit_forgets_bit_depth() -> None:
    small = np.array([[3, 7], [11, 19]], np.uint8)
    assert np.array_equal(to_unit(small), np.array([[0, 0.25], [0.5, 1]], np.float32))
    assert np.array_equal(to_unit(small), to_unit(small.astype(np.uint16) * 256))


def test_unit_of_odd_input() -> None:
    assert not to_unit(np.full((3, 3), 7)).any()
    holes = np.array([[np.nan, 2.0], [4.0, np.inf]])
    assert np.array_equal(to_unit(holes), np.array([[0, 0], [1, 0]], np.float32))
    assert not to_unit(np.full((2, 2), np.nan)).any()
    huge = np.array([[-1.7e308, 0.0, 1.7e308]])
    assert np.allclose(to_unit(huge), [[0, 0.5, 1]])
    largest = np.float32(np.finfo(np.float32).max)
    assert np.allclose(to_unit(np.array([[-largest, 0, largest]])), [[0, 0.5, 1]])


def test_scales() -> None:
    unit = np.array([[0, 0.5, 1]], np.float32)
    assert np.array_equal(rescale(unit, Intensity.UNIT), unit)
    assert np.array_equal(rescale(unit, Intensity.SYMMETRIC), [[-1, 0, 1]])
    z = rescale(unit, Intensity.ZSCORE)
    assert z.mean() == pytest.approx(0, abs=1e-6)
    assert z.std() == pytest.approx(1, abs=1e-6)
    assert not rescale(np.full((2, 2), 0.3, np.float32), Intensity.ZSCORE).any()


@pytest.mark.train
@pytest.mark.parametrize("size", [(20, 31), (64, 64), (7, 90)])
def test_resize_is_torchs_antialiased_bilinear(size: tuple[int, int]) -> None:
    torch = pytest.importorskip("torch")
    array = np.random.default_rng(0).random((41, 57)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(array)[None, None], size, mode="bilinear", antialias=True
    )
    assert np.allclose(resize(array, size), expected[0, 0].numpy(), atol=1e-6)


def test_resize_refuses_nothing() -> None:
    with pytest.raises(GeometryError):
        resize(np.zeros((0, 4)), (3, 3))
    with pytest.raises(GeometryError):
        resize(np.zeros((4, 4)), (0, 3))


def _centroid(values: np.ndarray) -> np.ndarray:
    positions = np.indices(values.shape).reshape(2, -1)
    return np.asarray((positions * values.ravel()).sum(axis=1) / values.sum())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(SIDES, SIDES, st.sampled_from([(64, 64), (48, 80)]), st.sampled_from(list(Fit)))
def test_there_and_back_does_not_shift(
    rows: int, columns: int, size: tuple[int, int], fit: Fit
) -> None:
    """A blob's centre returns to within a tenth of a pixel, whatever the sizes."""
    blob = np.zeros((rows, columns), np.float32)
    top, left = rows // 3, columns // 2
    blob[top : top + 6, left : left + 5] = 1
    placement = Placement.of((rows, columns), size, fit)
    back = placement.backward(placement.forward(blob))
    assert back.shape == blob.shape
    assert np.abs(_centroid(back) - _centroid(blob)).max() < 0.1


@pytest.mark.parametrize("fit", list(Fit))
def test_edges_meet_edges(fit: Fit) -> None:
    """Half the image bright stays half the image bright: no half-pixel shift of a straight edge."""
    step = np.zeros((60, 100), np.float32)
    step[:, 50:] = 1
    placement = Placement.of(step.shape, (64, 64), fit)
    back = placement.backward(placement.forward(step))
    assert back.sum() == pytest.approx(step.sum(), rel=1e-3)
    assert np.array_equal(back >= 0.5, step >= 0.5)


def test_padding_keeps_the_aspect_and_is_cut_off_again() -> None:
    placement = Placement.of((100, 50), (64, 64), Fit.PAD)
    assert placement.inner == Box.of(0, 16, 64, 48)
    small = placement.forward(np.ones((100, 50)), fill=-1)
    assert (small[:, :16] == -1).all()
    assert (small[:, 48:] == -1).all()
    assert np.allclose(placement.backward(small), 1)


def test_placement_refuses_another_shape() -> None:
    placement = Placement.of((10, 10), (16, 16), Fit.STRETCH)
    with pytest.raises(GeometryError):
        placement.forward(np.zeros((10, 11)))
    with pytest.raises(GeometryError):
        placement.backward(np.zeros((10, 10)))


def test_prepare_gives_channels_on_the_networks_scale() -> None:
    array = np.random.default_rng(1).integers(0, 256, (1, 40, 50), np.uint8)
    before = array.copy()
    spec = InputSpec((32, 32), Intensity.SYMMETRIC, Fit.STRETCH, channels=3)
    prepared, _ = prepare(Image(array, Grid((40, 50))), spec)
    assert prepared.shape == (3, 32, 32)
    assert prepared.dtype == np.float32
    assert -1 <= prepared.min() < prepared.max() <= 1
    assert np.array_equal(prepared[0], prepared[2])
    assert np.array_equal(array, before)


def test_padding_around_a_prepared_image_is_as_dark_as_its_darkest_pixel() -> None:
    array = np.random.default_rng(1).integers(50, 200, (1, 40, 20), np.uint8)
    prepared, _ = prepare(Image(array, Grid((40, 20))), InputSpec((32, 32), fit=Fit.PAD))
    assert (prepared[0, :, 0] == -1).all()


def test_prepare_refuses_a_volume() -> None:
    with pytest.raises(UnsupportedError):
        prepare(Image(np.zeros((1, 4, 40, 50)), Grid((4, 40, 50))), InputSpec())


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("fit", list(Fit))
def test_a_box_comes_back_to_its_own_place(fit: Fit, flipped: bool) -> None:
    image = np.zeros((90, 70), np.float32)
    image[30:50, 24:40] = 1
    image[0:5, 0:5] = 1  # beyond the box: not seen
    placement = Placement.of(image.shape, (120, 120), fit, Box.of(20, 10, 80, 50), flipped)
    seen = placement.forward(image)
    assert (seen >= 0.5).sum() == pytest.approx(
        20 * 16 * placement.inner.size / (60 * 40), rel=0.03
    )
    back = placement.backward(seen) >= 0.5
    expected = image > 0
    expected[0:5, 0:5] = False
    np.testing.assert_array_equal(back, expected)


@pytest.mark.parametrize("flipped", [False, True])
def test_a_point_comes_back_to_its_own_place(flipped: bool) -> None:
    placement = Placement.of((90, 70), (120, 120), Fit.PAD, Box.of(20, 10, 80, 50), flipped)
    image = np.zeros((90, 70), np.float32)
    image[33, 17] = 1
    seen = placement.forward(image)
    middle = (np.indices(seen.shape) * seen).sum(axis=(1, 2)) / seen.sum() + 0.5
    row, column = placement.point_back(*middle)
    assert (row, column) == (pytest.approx(33.5, abs=0.01), pytest.approx(17.5, abs=0.01))


@pytest.mark.parametrize("box", [(0, 0, 91, 70), (-1, 0, 5, 5), (80, 60, 90, 71)])
def test_a_box_lies_in_the_image(box: tuple[int, ...]) -> None:
    with pytest.raises(GeometryError, match="box"):
        Placement.of((90, 70), (120, 120), Fit.PAD, Box.of(*box))
