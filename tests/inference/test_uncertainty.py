"""Measures of uncertainty, by hand, against scipy, and their bounds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from breastseg.core import Grid, Prediction, Provenance
from breastseg.core.errors import GeometryError, InputError
from breastseg.inference.temperature import tempered
from breastseg.inference.uncertainty import Measure, entropy, uncertainty_map

RANDOM = np.random.default_rng(0)
MAPS = [
    RANDOM.random((3, 40, 50)).astype(np.float32),
    RANDOM.choice([0, 1e-30, 0.5, 1 - 6e-8, 1], (3, 40, 50)).astype(np.float32),
    RANDOM.beta(0.1, 0.1, (7, 40, 50)).astype(np.float32),
]
any_maps = pytest.mark.parametrize("members", MAPS, ids=["even", "extreme", "torn"])
BY = Provenance("x", "1")


def test_entropy_in_bits_by_hand() -> None:
    found = entropy(np.array([0, 0.5, 1, 0.25], np.float32))
    assert found == pytest.approx([0, 1, 0, 2 - 0.75 * np.log2(3)], abs=1e-6)
    assert found.dtype == np.float32


def test_entropy_is_that_of_scipy() -> None:
    p = np.linspace(0, 1, 101)
    assert np.allclose(entropy(p), stats.entropy([p, 1 - p], base=2), atol=1e-6)


def test_members_that_contradict_and_members_that_are_torn_by_hand() -> None:
    # left: one says no and one says yes; right: both cannot decide
    members = np.array([[[0, 0.5]], [[1, 0.5]]], np.float32)
    assert np.allclose(uncertainty_map(members, Measure.ENTROPY), [[1, 1]])
    assert np.allclose(uncertainty_map(members, Measure.MUTUAL_INFORMATION), [[1, 0]])
    assert np.allclose(uncertainty_map(members, Measure.DEVIATION), [[1, 0]])


@any_maps
def test_every_measure_lies_within_0_and_1(members: NDArray[np.float32]) -> None:
    for measure in Measure:
        found = uncertainty_map(members, measure)
        assert found.shape == (40, 50)
        assert found.dtype == np.float32
        assert 0 <= found.min() <= found.max() <= 1


@any_maps
def test_contradiction_is_a_part_of_the_whole(members: NDArray[np.float32]) -> None:
    part = uncertainty_map(members, Measure.MUTUAL_INFORMATION)
    assert (part <= uncertainty_map(members) + 1e-6).all()


@any_maps
def test_one_member_and_equal_members_contradict_no_one(members: NDArray[np.float32]) -> None:
    for equal in (members[:1], np.repeat(members[:1], 3, axis=0)):
        assert np.allclose(uncertainty_map(equal, Measure.MUTUAL_INFORMATION), 0, atol=1e-6)
        assert np.allclose(uncertainty_map(equal, Measure.DEVIATION), 0, atol=1e-6)
        assert np.allclose(uncertainty_map(equal), entropy(members[0]), atol=1e-6)


def test_no_member_is_refused() -> None:
    with pytest.raises(GeometryError, match="at least 1"):
        uncertainty_map(np.zeros((0, 3, 3), np.float32))


def predicted(uncertainty: NDArray[np.float32] | None) -> Prediction:
    probability = np.array([[0.9, 0.1], [0.7, 0.2]], np.float32)
    return Prediction(probability, Grid((2, 2)), BY, uncertainty=uncertainty)


def test_a_prediction_keeps_its_map_and_refuses_another_s() -> None:
    given = np.full((2, 2), 0.5, np.float32)
    kept = predicted(given).uncertainty
    given[...] = 0
    assert kept is not None
    assert (kept == 0.5).all()
    assert not kept.flags.writeable
    with pytest.raises(GeometryError, match="uncertainty of shape"):
        predicted(np.zeros((3, 2), np.float32))
    with pytest.raises(InputError, match="uncertainty outside"):
        predicted(np.full((2, 2), 1.5, np.float32))


@any_maps
@pytest.mark.parametrize("temperature", [0.3, 1.0, 1.7, 20])
def test_a_temperature_divides_the_logit(members: NDArray[np.float32], temperature: float) -> None:
    found = tempered(members, temperature)
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 1
    p = np.clip(members.astype(np.float64), 1e-7, 1 - 1e-7)
    wanted = 1 / (1 + np.exp(-np.log(p / (1 - p)) / temperature))
    assert np.allclose(found, wanted, atol=0.01)
    inner = (members > 0.001) & (members < 0.999)
    assert np.allclose(found[inner], wanted[inner], atol=1e-5)
    assert np.array_equal(found >= 0.5, members >= 0.5)


def test_a_temperature_of_one_changes_nothing() -> None:
    maps = np.array([0, 0.3, 1], np.float32)
    assert tempered(maps, 1.0) is maps
    assert tempered(maps, 2.0) == pytest.approx([3.16e-4, 0.3956, 1 - 3.2e-4], rel=0.1)
