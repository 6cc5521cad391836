"""Synthetic MRI: repeatable, true to its masks, in millimetres, and full of other bright things."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.core.case import Case
from breastseg.core.errors import InputError
from breastseg.core.image import Modality
from breastseg.data.phantoms.volume import Lesion, volume_phantom, volume_phantoms
from breastseg.data.phantoms.volume.lesion import draw_lesion
from breastseg.data.phantoms.volume.space import Space, smooth_field

SMALL = (12, 40, 44)


@pytest.fixture(scope="module")
def series() -> tuple[Case, ...]:
    return tuple(volume_phantoms(60, seed=1, shape=SMALL))


def phases_of(case: Case) -> NDArray[np.float64]:
    return np.asarray(case.images[0].array, np.float64)


def foreground(case: Case) -> NDArray[np.bool_]:
    assert case.mask is not None
    return case.mask.foreground


def test_the_same_seed_gives_the_same_examination() -> None:
    one, again, other = (volume_phantom(seed, SMALL) for seed in (5, 5, 6))
    from_generator = volume_phantom(np.random.default_rng(5), SMALL)
    for case in (again, from_generator):
        np.testing.assert_array_equal(case.images[0].array, one.images[0].array)
        np.testing.assert_array_equal(foreground(case), foreground(one))
        assert (case.label, case.images[0].grid) == (one.label, one.images[0].grid)
    assert one.case_id == "volume-phantom-5"
    assert not np.array_equal(other.images[0].array[0], one.images[0].array[0])
    assert volume_phantom(5).images[0].array.shape[1:] == (48, 160, 160)


def test_the_series_begins_alike_whatever_its_length(series: tuple[Case, ...]) -> None:
    first = next(volume_phantoms(2, seed=1, shape=SMALL))
    np.testing.assert_array_equal(first.images[0].array, series[0].images[0].array)
    assert len({case.patient_id for case in series}) == len(series)


def test_examinations_are_whole_and_mixed(series: tuple[Case, ...]) -> None:
    for case in series:
        (image,) = case.images
        assert image.modality is Modality.MRI
        assert image.array.dtype == np.int16
        assert image.array.min() >= 0
        assert image.grid.shape == SMALL
        assert image.grid.spacing_mm is not None
        slices, rows, columns = image.grid.spacing_mm
        assert rows == columns <= 1.1
        assert rows <= slices <= 3.2
        assert foreground(case).any() == (case.label != "normal")
    labels = Counter(case.label for case in series)
    assert 3 <= labels["normal"] <= 18
    assert min(labels["benign"], labels["malignant"]) >= 15
    assert {case.images[0].array.shape[0] for case in series} == {2, 3}


def test_lesions_enhance_more_than_what_is_around_them(series: tuple[Case, ...]) -> None:
    for case in series:
        lesion, volumes = foreground(case), phases_of(case)
        if not lesion.any():
            continue
        rise = volumes[1] - volumes[0]
        ring = ndimage.binary_dilation(lesion, iterations=3) & ~ndimage.binary_dilation(lesion)
        assert rise[lesion].mean() > 1.5 * max(np.median(rise[ring]), 0)
        assert rise[lesion].mean() > 0.2 * volumes[0][lesion].mean()


def test_other_things_enhance_as_much(series: tuple[Case, ...]) -> None:
    """Else bright after contrast would be enough to know a lesion."""
    trapped = 0
    for case in series:
        lesion, volumes = foreground(case), phases_of(case)
        rise = volumes[1] - volumes[0]
        if lesion.any():
            trapped += bool((rise[~lesion] > np.median(rise[lesion])).sum() > 20)
    assert trapped > 20


def test_malignant_lesions_wash_out_and_benign_ones_go_on_rising() -> None:
    changes: dict[str, list[float]] = {"benign": [], "malignant": []}
    for seed in range(40):
        label = "benign" if seed % 2 else "malignant"
        case = volume_phantom(seed, SMALL, (2, 1, 1), 3, label)  # type: ignore[arg-type]
        pre, early, late = (volume[foreground(case)].mean() for volume in phases_of(case))
        changes[label].append((late - pre) / (early - pre))
    assert np.median(changes["malignant"]) < 0.95
    assert np.median(changes["benign"]) > 1.02
    assert max(changes["malignant"]) > 1  # not all: the time course alone does not tell
    assert min(changes["benign"]) < 0.95


def test_phases_between_the_first_and_the_last_lie_between_them() -> None:
    case = volume_phantom(3, SMALL, phases=5, label="malignant")
    curve = [volume[foreground(case)].mean() for volume in phases_of(case)]
    steps = np.diff(curve[1:])
    assert len(curve) == 5
    np.testing.assert_allclose(steps, steps.mean(), atol=0.02 * curve[1])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    label=st.sampled_from(["benign", "malignant"]),
    shape=st.tuples(st.integers(8, 20), st.integers(24, 60), st.integers(24, 60)),
    spacing=st.tuples(*[st.floats(0.3, 4)] * 3),
)
def test_there_is_a_lesion_inside_the_body_in_any_field_of_view(
    seed: int,
    label: str,
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
) -> None:
    case = volume_phantom(seed, shape, spacing, 2, label)  # type: ignore[arg-type]
    assert case.images[0].grid.spacing_mm == spacing
    count = ndimage.label(foreground(case), np.ones((3, 3, 3)))[1]
    assert count >= 1
    assert foreground(case).mean() < 0.2


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.8, 0.8), (1.5, 0.6, 1.1)])
def test_a_plain_ellipsoid_has_the_volume_of_an_ellipsoid(
    spacing: tuple[float, float, float],
) -> None:
    shape = tuple(math.ceil(60 / step) for step in spacing)
    space = Space((shape[0], shape[1], shape[2]), spacing)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    lesion = Lesion((30.2, 29.1, 31.3), (14.0, 9.0, 11.0), turn)
    volume = lesion.mask(space).sum() * math.prod(spacing)
    assert volume == pytest.approx(4 / 3 * math.pi * 14 * 9 * 11, rel=0.02)


def test_an_upright_ellipsoid_reaches_as_far_as_its_axes() -> None:
    space = Space((41, 61, 61), (2.0, 0.5, 1.0))
    mask = Lesion((40.0, 15.0, 30.0), (11.0, 7.2, 4.5)).mask(space)
    spans = [np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    ends = [(int(span[0]), int(span[-1])) for span in spans]
    assert ends == [(15, 25), (16, 44), (26, 34)]


@pytest.mark.parametrize("malignant", [False, True])
def test_the_surface_and_the_mask_are_one_shape(malignant: bool) -> None:
    space = Space((30, 60, 60), (2.0, 1.0, 1.0))
    for seed in range(8):
        lesion = draw_lesion(np.random.default_rng(seed), (30.0, 30.0, 30.0), 16, malignant)
        box, level, fraction = lesion.surface(space, near_mm=4)
        mask = lesion.mask(space)
        np.testing.assert_array_equal(mask[box.slices], level < 0)
        np.testing.assert_array_equal(level < 0, fraction < 1)
        assert mask.sum() == mask[box.slices].sum()
        assert ndimage.label(mask, np.ones((3, 3, 3)))[1] == 1
        assert mask[15, 30, 30]


def test_smooth_fields_have_unit_deviation_and_the_scale_asked_for() -> None:
    space = Space((24, 48, 48), (2.0, 1.0, 1.0))
    drawn = [smooth_field(np.random.default_rng(s), space, (8, 8, 8)) for s in range(30)]
    fields = np.stack(drawn)
    assert fields.dtype == np.float32
    assert abs(fields.mean()) < 0.05
    assert fields.std() == pytest.approx(1, abs=0.05)

    def likeness(shift: int, axis: int) -> float:
        ahead = np.take(fields, range(shift, fields.shape[axis]), axis)
        behind = np.take(fields, range(fields.shape[axis] - shift), axis)
        return float((ahead * behind).mean())

    assert likeness(4, 1) == pytest.approx(likeness(8, 2), abs=0.06)  # 8 mm either way
    assert likeness(1, 2) > 0.95
    assert abs(likeness(24, 3)) < 0.06


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"shape": (4, 40, 40)}, "8 to 512 slices"),
        ({"shape": (40, 40)}, "8 to 512 slices"),
        ({"spacing_mm": (3.0, 0.0, 1.0)}, "0.2 to 10 mm"),
        ({"spacing_mm": (3.0, math.nan, 1.0)}, "0.2 to 10 mm"),
        ({"phases": 1}, "2 to 8"),
        ({"phases": 0}, "2 to 8"),
        ({"label": "cyst"}, "benign, malignant, normal"),
    ],
)
def test_what_cannot_be_drawn(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        volume_phantom(0, **arguments)  # type: ignore[arg-type]
