"""Predictions that tell kinds of lesion apart, and what they say of the whole image."""

from __future__ import annotations

import math

import numpy as np
import pytest

from breastseg.core import Grid, PlattScaling, Prediction, Provenance, malignancy_of
from breastseg.core.errors import BundleError, GeometryError, InputError

PROVENANCE = Provenance("test", "1")
NAMES = ("benign", "malignant")

BENIGN = np.array([[0.6, 0.1, 0.0], [0.3, 0.0, 0.2]], np.float32)
MALIGNANT = np.array([[0.2, 0.7, 0.1], [0.3, 0.0, 0.2]], np.float32)
GRID = Grid((2, 3))


def prediction(
    maps: np.ndarray | None = None, names: tuple[str, ...] = NAMES, threshold: float = 0.5
) -> Prediction:
    maps = np.stack([BENIGN, MALIGNANT]) if maps is None else maps
    return Prediction(
        maps.sum(axis=0), GRID, PROVENANCE, threshold, class_probability=maps, class_names=names
    )


def test_the_mask_has_the_likeliest_class_inside_the_outline() -> None:
    mask = prediction().mask()
    assert mask.labels.tolist() == [[1, 2, 0], [1, 0, 0]]
    assert mask.names == {1: "benign", 2: "malignant"}
    assert prediction().mask(0.4).labels.tolist() == [[1, 2, 0], [1, 0, 1]]
    assert [lesion.area_px for lesion in prediction().lesions()] == [3]


def test_without_classes_the_mask_is_what_it_was() -> None:
    mask = Prediction(BENIGN, GRID, PROVENANCE).mask()
    assert mask.labels.tolist() == [[1, 0, 0], [0, 0, 0]]
    assert mask.names == {1: "lesion"}


def test_maps_are_kept_as_an_own_copy() -> None:
    maps = np.stack([BENIGN, MALIGNANT])
    made = prediction(maps)
    maps[:] = 0
    assert made.class_probability is not None
    assert made.class_probability.max() == np.float32(0.7)
    with pytest.raises(ValueError, match="read-only"):
        made.class_probability[0, 0, 0] = 1


def test_the_malignancy_is_the_share_weighed_by_the_lesion() -> None:
    # Outlined: 0.6 + 0.2, 0.1 + 0.7 and 0.3 + 0.3.
    expected = (0.8 * 0.2 / 0.8 + 0.8 * 0.7 / 0.8 + 0.6 * 0.3 / 0.6) / (0.8 + 0.8 + 0.6)
    assert malignancy_of(prediction()) == pytest.approx(expected)


def test_other_classes_weigh_but_do_not_share() -> None:
    other = np.array([[0.1, 0.0, 0.0], [0.0, 0.9, 0.0]], np.float32)
    maps = np.stack([other, MALIGNANT, BENIGN])
    found = malignancy_of(prediction(maps, ("cyst", "malignant", "benign")))
    # The pixel of nothing but cyst has no share.
    expected = (0.9 * 0.2 / 0.8 + 0.7 + 0.3) / (0.9 + 0.8 + 0.6)
    assert found == pytest.approx(expected)


def test_there_is_no_malignancy_without_an_outline_or_the_classes() -> None:
    assert malignancy_of(prediction(threshold=0.9)) is None
    assert malignancy_of(prediction(names=("mass", "malignant"))) is None
    assert malignancy_of(Prediction(BENIGN, GRID, PROVENANCE)) is None
    nothing = np.zeros((3, 2, 3), np.float32)
    nothing[0] = 0.8
    assert malignancy_of(prediction(nothing, ("cyst", *NAMES))) is None


def test_the_scaling_is_a_line_in_logits() -> None:
    assert PlattScaling()(0.3) == pytest.approx(0.3)
    assert PlattScaling(2.0)(0.8) == pytest.approx(16 / 17)  # odds of 4, squared
    assert PlattScaling(0.0, math.log(3))(0.9) == pytest.approx(0.75)
    plain = malignancy_of(prediction())
    scaled = malignancy_of(prediction(), PlattScaling(2.0))
    assert plain is not None
    assert scaled == pytest.approx(PlattScaling(2.0)(plain))


@pytest.mark.parametrize("scaling", [PlattScaling(1000.0, 1000.0), PlattScaling(1000.0, -1000.0)])
def test_the_scaling_stays_within_0_and_1_and_keeps_the_order(scaling: PlattScaling) -> None:
    values = [scaling(fraction) for fraction in np.linspace(0, 1, 21)]
    assert values == sorted(values)
    assert 0 <= values[0] <= values[-1] <= 1


@pytest.mark.parametrize("bad", [(-1.0, 0.0), (math.nan, 0.0), (1.0, math.inf), (2000.0, 0.0)])
def test_a_scaling_out_of_range_is_refused(bad: tuple[float, float]) -> None:
    with pytest.raises(BundleError, match="of a scaling"):
        PlattScaling(*bad)


@pytest.mark.parametrize("names", [(), ("benign", "benign")])
def test_names_that_do_not_fit_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="classes named"):
        prediction(names=names)


def test_names_without_maps_are_refused() -> None:
    with pytest.raises(InputError, match="classes named"):
        Prediction(BENIGN, GRID, PROVENANCE, class_names=NAMES)


def test_another_number_of_maps_than_names_is_refused() -> None:
    with pytest.raises(GeometryError, match=r"class_probability of shape \(2, 2, 3\)"):
        prediction(names=("benign", "malignant", "cyst"))


def test_maps_that_do_not_add_up_are_refused() -> None:
    maps = np.stack([BENIGN, MALIGNANT])
    with pytest.raises(InputError, match=r"add up to the probability but for 0\.1"):
        Prediction(
            maps.sum(axis=0) - np.float32(0.1) * (BENIGN > 0.5),
            GRID,
            PROVENANCE,
            class_probability=maps,
            class_names=NAMES,
        )


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_a_malignancy_that_is_no_probability_is_refused(bad: float) -> None:
    with pytest.raises(InputError, match="malignancy"):
        Prediction(BENIGN, GRID, PROVENANCE, malignancy=bad)
