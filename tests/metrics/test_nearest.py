"""The three ways to a distance give one answer, and each is taken."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from breastseg.metrics import nearest
from breastseg.metrics.nearest import nearest_distances

from .shapes import few, full, noise, pixel

UNIT = np.ones(2)
LEFT = np.arange(90) < 45
WAYS = ("_by_tree", "_along_rows", "_by_transform")


def sparse(shape: tuple[int, int], seed: int = 0):
    return noise(shape, 0.01, seed)[0] | pixel(shape, 0, 0)


def top_row(shape: tuple[int, int]):
    return np.broadcast_to(np.arange(shape[0])[:, None] == 0, shape)


DENSE = noise((80, 90), 0.5, 1)
SCENES = {
    "few pixels": (sparse((80, 90)), sparse((80, 90), seed=9), UNIT, {"_by_tree"}),
    "many at short distances": (*DENSE, UNIT, {"_along_rows"}),
    "short, of unequal steps": (*DENSE, np.array([0.3, 0.07]), {"_along_rows"}),
    "short, of equal steps": (*DENSE, np.array([0.3, 0.3]), {"_along_rows"}),
    "short, some long": (
        sparse((150, 160)) | (np.arange(160) < 60),
        np.broadcast_to(np.arange(160) < 20, (150, 160)),
        UNIT,
        {"_along_rows", "_by_transform"},
    ),
    "many at long distances": (
        DENSE[0] & LEFT,
        DENSE[1] & (np.arange(90) > 85),
        UNIT,
        {"_along_rows", "_by_transform"},
    ),
    "long, of unequal steps": (
        DENSE[0] & LEFT,
        DENSE[1] & (np.arange(90) > 85),
        np.array([1, 0.9]),
        {"_along_rows", "_by_tree"},
    ),
    "more rows away than a byte counts, yet nearer than the next column": (
        np.broadcast_to(np.arange(10) == 0, (300, 10)),
        np.broadcast_to(np.arange(10) == 1, (300, 10)) | pixel((300, 10), 0, 0),
        np.array([0.02, 5]),
        {"_along_rows", "_by_tree"},
    ),
    "as long as the transform can": (
        full((1015, 60)),
        top_row((1015, 60)),
        UNIT,
        {"_along_rows", "_by_transform"},
    ),
    "longer than the transform can": (
        full((1030, 60)),
        top_row((1030, 60)),
        UNIT,
        {"_along_rows", "_by_tree"},
    ),
    "a volume": (*noise((5, 20, 30), 0.3, 2), np.ones(3), {"_by_tree"}),
}


@pytest.mark.parametrize("scene", SCENES)
def test_each_way_is_taken_and_agrees_with_scipy(scene, monkeypatch) -> None:
    pixels, others, steps, expected = SCENES[scene]
    taken = set()
    for way in WAYS:
        theirs = getattr(nearest, way)
        monkeypatch.setattr(
            nearest, way, lambda *args, way=way, run=theirs: taken.add(way) or run(*args)
        )
    found = nearest_distances(pixels, others, steps)
    away = ndimage.distance_transform_edt(~others, sampling=steps)[pixels]
    np.testing.assert_allclose(found, away, rtol=1e-14, atol=0)
    assert taken == expected
    if (steps == 1).all():
        assert np.array_equal(found, away)


@st.composite
def scenes(draw):
    """Noise of any two densities in parts of a plane, so that distances are short and long."""
    shape = draw(st.tuples(st.integers(1, 70), st.integers(1, 70)))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = st.sampled_from([0.001, 0.01, 0.1, 0.5, 1])
    pixels, others = (generator.random(shape) < draw(density) for _ in range(2))
    others[draw(st.integers(0, shape[0])) :, draw(st.integers(0, shape[1])) :] = False
    others[draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))] = True
    return pixels, others


@few
@given(scenes(), st.sampled_from([(1, 1), (0.3, 0.07), (0.02, 0.5)]))
def test_all_ways_agree(scene, spacing) -> None:
    pixels, others = (np.pad(m, ((0, 0), (0, nearest.MOST_COLUMNS))) for m in scene)
    steps = np.array(spacing, float)
    asked = np.flatnonzero(pixels)
    by_tree = nearest._by_tree(asked, others, steps)
    along_rows = nearest._along_rows(asked, others, steps)
    if along_rows is not None:
        known = np.isfinite(along_rows)
        np.testing.assert_allclose(along_rows[known], by_tree[known], rtol=1e-12, atol=0)
        reach = min(nearest.FARTHER * steps[0], (nearest.MOST_COLUMNS + 1) * steps[1])
        assert (by_tree[~known] > reach * (1 - 1e-12)).all()
    if spacing == (1, 1):
        assert np.array_equal(nearest._by_transform(asked, others), by_tree)
        assert along_rows is None or np.array_equal(along_rows[known], by_tree[known])


def test_the_layout_of_the_arrays_does_not_matter() -> None:
    for pixels, others, steps, _ in (SCENES["many at long distances"], SCENES["few pixels"]):
        expected = nearest_distances(pixels, others, steps)
        turned = nearest_distances(*map(np.asfortranarray, (pixels, others)), steps)
        assert np.array_equal(turned, expected)


def test_nothing_asked_is_nothing_told() -> None:
    assert nearest_distances(np.zeros((3, 4), bool), pixel((3, 4), 0, 0), UNIT).shape == (0,)
