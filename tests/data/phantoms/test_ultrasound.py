"""Phantoms: repeatable, true to their masks, and speckled as physics has it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from breastseg.core.errors import InputError
from breastseg.data.phantoms.ultrasound import (
    MIX,
    Label,
    Phantom,
    make_phantom,
    make_phantoms,
    write_phantoms,
)
from breastseg.data.phantoms.ultrasound.physics import (
    Scanner,
    display,
    envelope,
    smooth_noise,
    transmitted,
)
from breastseg.data.sets.folder import Folder

SMALL = (168, 208)
RAYLEIGH_SNR = 1.913  # sqrt(pi / (4 - pi)), mean over deviation


@pytest.fixture(scope="module")
def series() -> tuple[Phantom, ...]:
    return tuple(make_phantoms(len(MIX), seed=3))


def small(seed: int, label: Label) -> Phantom:
    return make_phantom(np.random.default_rng(seed), label, SMALL)


def test_the_series_begins_alike_whatever_its_length(series: tuple[Phantom, ...]) -> None:
    again = next(make_phantoms(50, seed=3))
    assert np.array_equal(again.image, series[0].image)
    assert np.array_equal(again.mask, series[0].mask)
    assert again.description == series[0].description
    assert not np.array_equal(again.image, next(make_phantoms(1, seed=4)).image)


def test_phantoms_are_whole(series: tuple[Phantom, ...]) -> None:
    assert tuple(p.label for p in series) == MIX
    assert len({p.case_id for p in series}) == len(series)
    for phantom in series:
        assert phantom.image.shape == phantom.mask.shape == (420, 520)
        assert phantom.image.dtype == np.uint8
        assert phantom.mask.dtype == np.bool_
        width_mm = phantom.spacing_mm[1] * 520
        assert phantom.spacing_mm[0] == phantom.spacing_mm[1]
        assert 33.9 < width_mm < 46.1
        assert phantom.image.std() > 20  # not blank
        assert 35 < phantom.image.mean() < 130  # exposed as scans are
        assert (phantom.image == 255).mean() < 0.02


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), label=st.sampled_from(["benign", "malignant"]))
def test_the_mask_is_one_plausible_lesion_darker_than_its_surroundings(
    seed: int, label: Label
) -> None:
    phantom = small(seed, label)
    assert ndimage.label(phantom.mask)[1] == 1
    assert np.array_equal(ndimage.binary_fill_holes(phantom.mask), phantom.mask)
    assert 0.01 < phantom.mask.mean() < 0.25
    assert not phantom.mask[0].any()
    assert not phantom.mask[-1].any()
    outside = ndimage.distance_transform_edt(~phantom.mask) * phantom.spacing_mm[0]
    ring = (outside > 0.5) & (outside < 3.0)
    assert phantom.image[phantom.mask].mean() < phantom.image[ring].mean() - 5


def test_the_mask_lies_where_the_lesion_is(series: tuple[Phantom, ...]) -> None:
    # the contrast across the outline is largest where the mask says, not beside it
    phantom = series[0]

    def contrast(shift: int) -> float:
        moved = np.roll(phantom.mask, shift, axis=1)
        inner = ndimage.binary_erosion(moved, iterations=4) ^ moved
        outer = ndimage.binary_dilation(moved, iterations=4) ^ moved
        return float(phantom.image[outer].mean() - phantom.image[inner].mean())

    assert max(range(-24, 25, 4), key=contrast) == 0


def test_a_benign_lesion_lies_flat_and_a_malignant_one_is_ragged() -> None:
    def raggedness(phantom: Phantom) -> float:
        edge = phantom.mask & ~ndimage.binary_erosion(phantom.mask)
        return float(edge.sum() / np.sqrt(phantom.mask.sum()))

    benign = [small(seed, "benign") for seed in range(4)]
    malignant = [small(seed, "malignant") for seed in range(4)]
    for phantom in benign:
        rows, columns = np.nonzero(phantom.mask)
        assert np.ptp(columns) > np.ptp(rows)
    assert np.mean([raggedness(p) for p in malignant]) > 1.1 * np.mean(
        [raggedness(p) for p in benign]
    )


def test_a_normal_phantom_has_no_lesion() -> None:
    phantom = small(1, "normal")
    assert not phantom.mask.any()
    assert phantom.description.startswith("no lesion")


def test_written_phantoms_are_read_back_as_a_data_set(
    series: tuple[Phantom, ...], tmp_path: Path
) -> None:
    paths = write_phantoms(tmp_path / "scans", 2, seed=3)
    assert [p.name for p in paths] == ["phantom-0001.png", "phantom-0002.png"]
    cases = Folder(tmp_path / "scans").cases()
    for ref, phantom in zip(cases, series[:2], strict=True):
        case = ref.load()
        assert case.mask is not None
        assert (case.case_id, case.label) == (phantom.case_id, phantom.label)
        assert np.array_equal(case.images[0].array[0], phantom.image)
        assert np.array_equal(case.mask.foreground, phantom.mask)
        assert case.images[0].grid.spacing_mm == pytest.approx(phantom.spacing_mm)


@pytest.mark.parametrize("shape", [(100, 200), (200, 4096), (128, 300)])
def test_impossible_shapes_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="128 to 2048 pixels a side"):
        make_phantom(np.random.default_rng(0), "benign", shape)


def test_unknown_labels_are_refused() -> None:
    with pytest.raises(InputError, match="one of benign, malignant, normal"):
        make_phantom(np.random.default_rng(0), "bening", SMALL)  # type: ignore[arg-type]


# --- the physics ---------------------------------------------------------------------------------


def even(shape: tuple[int, int] = (360, 480)) -> tuple[np.ndarray, np.ndarray]:
    return np.ones(shape, np.float32), np.zeros(shape, np.float32)


def test_speckle_of_even_tissue_is_rayleigh() -> None:
    amplitude = envelope(np.random.default_rng(0), *even(), Scanner(spacing_mm=0.09))
    assert amplitude.mean() / amplitude.std() == pytest.approx(RAYLEIGH_SNR, rel=0.02)
    assert float(np.sqrt((amplitude**2).mean())) == pytest.approx(1.0, rel=0.03)
    # the distribution, not only its moments: P(A > a) = exp(-a^2)
    for level in (0.5, 1.0, 1.5):
        assert float((amplitude > level).mean()) == pytest.approx(np.exp(-(level**2)), abs=0.02)


def test_the_beam_widens_without_changing_the_brightness() -> None:
    scanner = Scanner(spacing_mm=0.09, focus_mm=4.0, widening=0.02)
    amplitude = envelope(np.random.default_rng(0), *even((360, 2000)), scanner)

    def correlation(rows: slice) -> float:
        part = amplitude[rows] - amplitude[rows].mean()
        return float((part[:, 4:] * part[:, :-4]).mean() / (part**2).mean())

    near, far = slice(20, 70), slice(300, 350)
    assert correlation(far) > correlation(near) + 0.2
    for rows in (near, slice(150, 200), far):
        assert float((amplitude[rows] ** 2).mean()) == pytest.approx(1.0, rel=0.06)


def test_compounding_smooths_speckle_by_the_root_of_the_looks() -> None:
    # of the intensity, whose deviation equals its mean for one look
    for looks in (1, 4):
        scanner = Scanner(spacing_mm=0.09, looks=looks)
        intensity = envelope(np.random.default_rng(0), *even(), scanner) ** 2
        assert intensity.mean() / intensity.std() == pytest.approx(np.sqrt(looks), rel=0.05)


def test_attenuation_adds_up_along_the_beam() -> None:
    loss = np.full((100, 40), 2.0, np.float32)
    gain = transmitted(loss, Scanner(spacing_mm=0.1))
    assert gain[-1, 20] == pytest.approx(-20.0, rel=1e-3)  # 10 mm of 2 dB each
    assert np.all(np.diff(gain[:, 20]) < 0)


def test_compression_gives_equal_steps_for_equal_ratios() -> None:
    # 10 dB are a constant step in grey levels, range_db spans all of them
    scanner = Scanner(spacing_mm=0.1, noise_db=-200.0, range_db=50.0, level=0.5)
    amplitude = np.ones((90, 30), np.float32)
    gain = np.zeros((90, 30), np.float32)
    gain[:, 10:20] = -10.0
    gain[:, 20:] = -20.0
    grey = display(np.random.default_rng(0), amplitude, gain, scanner)
    levels = [
        int(np.median(grey[:, part])) for part in (slice(0, 10), slice(10, 20), slice(20, 30))
    ]
    assert levels[0] - levels[1] == pytest.approx(255 / 5, abs=1)
    assert levels[1] - levels[2] == pytest.approx(255 / 5, abs=1)


@pytest.mark.parametrize("scale", [(1.2, 1.2), (2.0, 20.0), (60.0, 90.0)])
def test_smooth_noise_has_unit_deviation_and_the_stated_scale(scale: tuple[float, float]) -> None:
    generator = np.random.default_rng(0)
    fields = np.stack([smooth_noise(generator, (240, 320), scale) for _ in range(40)])
    assert float(np.sqrt((fields**2).mean())) == pytest.approx(1.0, abs=0.15)
    # white noise smoothed by a Gaussian of s is correlated by exp(-d^2 / 4 s^2)
    lag = max(1, round(scale[0]))
    correlation = (fields[:, lag:] * fields[:, :-lag]).mean() / (fields**2).mean()
    assert float(correlation) == pytest.approx(np.exp(-(lag**2) / (4 * scale[0] ** 2)), abs=0.1)
