"""Overlapping patches: exact where the answer is known, and equal to the plain way of summing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.inference.sliding_window import _bell, patch_starts, sliding_window

quick = settings(max_examples=40, deadline=None, derandomize=True)
shapes = st.tuples(*[st.integers(1, 14)] * 3)
patches = st.tuples(*[st.integers(1, 9)] * 3)
overlaps = st.sampled_from([0.0, 0.25, 0.5, 0.8])
batches = st.integers(1, 5)


def by_position(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """A network whose answer depends on where in the patch a voxel lies, so overlaps disagree."""
    ramp = np.arange(batch[0, 0].size, dtype=np.float32).reshape(batch.shape[2:])
    return batch.mean(axis=1, keepdims=True) + ramp / ramp.size


def plainly(volume, network, patch, overlap) -> NDArray[np.float64]:
    """The definition: weighted sum over sum of weights, all in memory, in float64."""
    shape = volume.shape[1:]
    padded = [(0, 0)] + [(0, max(0, p - s)) for p, s in zip(patch, shape, strict=True)]
    whole = np.pad(volume, padded, mode="edge").astype(np.float32)
    z, y, x = (_bell(length).astype(np.float64) for length in patch)
    weight = z[:, None, None] * y[:, None] * x
    sums, total = np.zeros(whole.shape[1:]), np.zeros(whole.shape[1:])
    starts = [patch_starts(s, p, overlap) for s, p in zip(shape, patch, strict=True)]
    for i in starts[0]:
        for j in starts[1]:
            for k in starts[2]:
                box = np.s_[i : i + patch[0], j : j + patch[1], k : k + patch[2]]
                sums[box] += weight * network(whole[(slice(None), *box)][None])[0, 0]
                total[box] += weight
    return (sums / total)[: shape[0], : shape[1], : shape[2]]


@quick
@given(shapes, patches, overlaps, batches)
def test_a_constant_network_gives_the_constant(shape, patch, overlap, batch) -> None:
    def constant(given_batch):
        return np.full((len(given_batch), 1, *patch), 0.3, np.float32)

    found = sliding_window(np.zeros((2, *shape)), constant, patch, overlap, batch)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.full(shape, 0.3), rtol=2e-6)


@quick
@given(shapes, patches, overlaps, batches, st.integers(0, 99))
def test_an_identity_gives_the_volume_back(shape, patch, overlap, batch, seed) -> None:
    volume = np.random.default_rng(seed).integers(0, 255, (1, *shape)).astype(np.int16)
    found = sliding_window(volume, lambda given_batch: given_batch, patch, overlap, batch)
    np.testing.assert_allclose(found, volume[0], rtol=3e-6, atol=1e-6)


@quick
@given(shapes, patches, overlaps, batches, st.integers(0, 99))
def test_slab_by_slab_equals_everything_at_once(shape, patch, overlap, batch, seed) -> None:
    volume = np.random.default_rng(seed).random((2, *shape), np.float32)
    found = sliding_window(volume, by_position, patch, overlap, batch)
    np.testing.assert_allclose(found, plainly(volume, by_position, patch, overlap), atol=1e-5)


@quick
@given(st.integers(1, 200), st.integers(1, 60), overlaps)
def test_patches_cover_everything_and_stay_inside(side, length, overlap) -> None:
    starts = patch_starts(side, length, overlap)
    assert starts[0] == 0
    assert starts[-1] == max(0, side - length)
    steps = np.diff(starts)
    assert (steps > 0).all()
    assert (steps <= max(1, np.ceil(length * (1 - overlap)))).all()


def test_a_batch_is_filled_over_a_layer_of_patches() -> None:
    sizes = []

    def count(batch):
        sizes.append(len(batch))
        return batch[:, :1]

    sliding_window(np.zeros((1, 4, 12, 8)), count, (4, 4, 4), 0.0, 4)
    assert sizes == [4, 2]  # three by two patches


@pytest.mark.parametrize(
    ("volume", "patch", "overlap", "batch"),
    [
        (np.zeros((4, 4, 4)), (2, 2, 2), 0.5, 1),
        (np.zeros((1, 4, 4, 4)), (2, 2), 0.5, 1),
        (np.zeros((1, 4, 4, 4)), (2, 0, 2), 0.5, 1),
        (np.zeros((1, 4, 0, 4)), (2, 2, 2), 0.5, 1),
        (np.zeros((1, 4, 4, 4)), (2, 2, 2), 1.0, 1),
        (np.zeros((1, 4, 4, 4)), (2, 2, 2), 0.5, 0),
    ],
)
def test_what_makes_no_sense_is_refused(volume, patch, overlap, batch) -> None:
    with pytest.raises(GeometryError):
        sliding_window(volume, lambda x: x, patch, overlap, batch)


def test_a_network_of_another_shape_is_refused() -> None:
    with pytest.raises(GeometryError, match="a network from"):
        sliding_window(np.zeros((2, 4, 4, 4)), lambda x: x, (2, 2, 2))
