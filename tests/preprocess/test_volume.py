"""Volumes to a network's spacing and grey scale."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.core import Grid, Image, VolumeIntensity, VolumeSpec
from breastseg.core.errors import BundleError, GeometryError, InputError
from breastseg.preprocess.geometry import resize
from breastseg.preprocess.volume import BRIGHTEST, prepare_volume, resample, working_shape

quick = settings(max_examples=30, deadline=None, derandomize=True)
sides = st.tuples(*[st.integers(1, 9)] * 3)


def volume_of(array: np.ndarray, spacing: tuple[float, ...] | None = (1.6, 0.8, 0.8)) -> Image:
    return Image(array, Grid(array.shape[1:], spacing), source="scan")


@quick
@given(sides, sides, st.integers(0, 99))
def test_resampling_keeps_constants_and_the_range(given_shape, wanted, seed) -> None:
    np.testing.assert_allclose(resample(np.full(given_shape, 3.25), wanted), 3.25, rtol=1e-6)
    values = np.random.default_rng(seed).random(given_shape, np.float32)
    found = resample(values, wanted)
    assert found.dtype == np.float32
    assert found.shape == wanted
    assert values.min() - 1e-6 <= found.min() <= found.max() <= values.max() + 1e-6


def test_the_same_shape_gives_the_same_volume() -> None:
    values = np.random.default_rng(0).random((4, 5, 6), np.float32)
    np.testing.assert_array_equal(resample(values, (4, 5, 6)), values)


@pytest.mark.parametrize("wanted", [1, 3, 7, 10, 16, 23])
def test_slices_are_filtered_as_rows_are(wanted: int) -> None:
    """The axis of slices, which is ours, against Pillow's filter along rows."""
    values = np.random.default_rng(1).random((10, 3), np.float32)
    found = resample(values[:, None, :], (wanted, 1, 3))[:, 0]
    np.testing.assert_allclose(found, resize(values, (wanted, 3)), atol=1e-5)


def test_halving_and_doubling_by_hand() -> None:
    column = np.array([0, 4, 8, 12], np.float32).reshape(4, 1, 1)
    # doubled: centres at 0.25 and 0.75 between the neighbours, the ends repeated
    assert resample(column, (8, 1, 1)).ravel().tolist() == [0, 1, 3, 5, 7, 9, 11, 12]
    # halved: weights 1, 3, 3, 1 of 8 around each new centre; at an end those that are left
    assert resample(column, (2, 1, 1)).ravel().tolist() == pytest.approx([20 / 7, 64 / 7])


def test_holes_count_as_nothing() -> None:
    values = np.array([1.0, np.nan, np.inf, 1.0]).reshape(1, 2, 2)
    assert resample(values, (1, 2, 2)).ravel().tolist() == [1, 0, 0, 1]


def test_another_number_of_axes_is_refused() -> None:
    with pytest.raises(GeometryError, match="three axes"):
        resample(np.zeros((3, 3)), (3, 3, 3))


def test_the_working_shape_follows_the_spacing() -> None:
    spec = VolumeSpec(spacing_mm=(2.0, 0.5, 1.0), channels=1)
    assert working_shape(volume_of(np.zeros((1, 10, 20, 8)), (1.0, 0.75, 1.0)), spec) == (5, 30, 8)
    assert working_shape(volume_of(np.zeros((1, 1, 2, 2)), (0.1, 0.1, 0.1)), spec) == (1, 1, 1)


@pytest.mark.parametrize("error", [0, 1e-6, -1e-6, float(np.float32(0.9)) - 0.9, 5e-6, -5e-6])
def test_how_a_header_rounds_the_spacing_does_not_decide_the_shape(error: float) -> None:
    spec = VolumeSpec(spacing_mm=(0.8, 0.8, 0.8), channels=1)
    volume = volume_of(np.zeros((1, 36, 4, 12)), (0.9 + error, 0.9, 0.9))  # 40.5 steps of .8
    assert working_shape(volume, spec) == (40, 4, 14)


def test_unknown_spacing_and_flat_images_are_refused() -> None:
    with pytest.raises(GeometryError, match="scan: the spacing of its voxels is unknown"):
        prepare_volume(volume_of(np.zeros((2, 4, 4, 4)), None), VolumeSpec())
    with pytest.raises(GeometryError, match="volume of"):
        prepare_volume(Image(np.zeros((2, 4, 4)), Grid((4, 4), (1.0, 1.0))), VolumeSpec())


def test_phases_after_those_that_the_network_takes_are_passed_over() -> None:
    values = np.random.default_rng(0).random((4, 4, 4, 4))
    np.testing.assert_array_equal(
        prepare_volume(volume_of(values), VolumeSpec()),
        prepare_volume(volume_of(values[:2]), VolumeSpec()),
    )


def test_fewer_phases_are_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"scan: 1 channel.*at least 2: the phase before") as hit:
        prepare_volume(volume_of(np.zeros((1, 4, 4, 4))), VolumeSpec())
    assert "\n" not in str(hit.value)


def test_enhancement_survives_and_the_scanners_unit_does_not() -> None:
    before = np.random.default_rng(2).integers(0, 200, (6, 20, 20))
    phases = np.stack([before, before * 2]).astype(np.int16)
    spec = VolumeSpec(percentiles=(0, 100))
    found = prepare_volume(volume_of(phases), spec)
    low = before.min()
    expected = (before - low) / (before.max() - low)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    np.testing.assert_allclose(found[1], (before * 2 - low) / (before.max() - low), atol=1e-5)
    np.testing.assert_allclose(prepare_volume(volume_of(phases * 3), spec), found, atol=1e-5)
    each = prepare_volume(
        volume_of(phases),
        VolumeSpec(percentiles=(0, 100), intensity=VolumeIntensity.EACH_CHANNEL),
    )
    np.testing.assert_allclose(each[0], each[1], atol=1e-5)


def test_subtraction_leaves_what_contrast_added() -> None:
    phases = np.random.default_rng(3).integers(0, 200, (3, 4, 10, 10)).astype(np.int16)
    spec = VolumeSpec(channels=3)
    plain = prepare_volume(volume_of(phases), spec)
    found = prepare_volume(volume_of(phases), replace(spec, subtraction=True))
    np.testing.assert_array_equal(found[0], plain[0])
    np.testing.assert_array_equal(found[1:], plain[1:] - plain[0])
    assert found.min() < 0


def test_flat_empty_and_huge_volumes_stay_finite() -> None:
    for value in (0.0, 7.0, np.nan, 1e30, 1e300, -1e20):
        found = prepare_volume(volume_of(np.full((2, 3, 3, 3), value)), VolumeSpec())
        assert np.isfinite(found).all()
        assert 0 <= found.min() <= found.max() <= BRIGHTEST


def test_the_input_is_left_as_it_is() -> None:
    phases = np.random.default_rng(3).random((2, 4, 6, 6))
    kept = phases.copy()
    prepare_volume(volume_of(phases, (1.0, 1.0, 1.0)), VolumeSpec())
    np.testing.assert_array_equal(phases, kept)


@pytest.mark.parametrize(
    "changes",
    [
        {"patch": (0, 8, 8)},
        {"channels": 0},
        {"spacing_mm": (1.0, 0.0, 1.0)},
        {"percentiles": (99.0, 1.0)},
        {"overlap": 1.0},
        {"channels": 1, "subtraction": True},
        {"min_volume_mm3": -1.0},
    ],
)
def test_a_specification_that_makes_no_sense_is_refused(changes) -> None:
    with pytest.raises(BundleError):
        VolumeSpec(**changes)
