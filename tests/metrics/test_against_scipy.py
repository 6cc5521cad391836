"""Surface distances held against SciPy: all pairs of boundary pixels, directed Hausdorff distance.

SciPy knows no masks and so no empty-mask rule: of no points it has no distance, or an infinite one.
"""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist, directed_hausdorff

from breastseg.metrics import assd, hd95, surface_distances

from .shapes import ANISOTROPIC, EMPTY, FILLED, boundary

KINDS = ("unknown", "isotropic", "anisotropic")


def spacing_of(kind: str, axes: int) -> tuple[float, ...] | None:
    return {"unknown": None, "isotropic": (0.13,) * axes, "anisotropic": ANISOTROPIC[axes]}[kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FILLED)
def test_every_distance_is_the_least_of_all_pairs(name, kind) -> None:
    pair = FILLED[name]
    spacing = spacing_of(kind, pair[0].ndim)
    steps = np.ones(pair[0].ndim) if spacing is None else np.array(spacing)
    ours, true = (np.argwhere(boundary(m)) * steps for m in pair)
    apart = cdist(ours, true)
    there, back = apart.min(axis=1), apart.min(axis=0)

    found = surface_distances(*pair, spacing)
    np.testing.assert_allclose(found.to_truth, there, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.to_mask, back, rtol=1e-12, atol=1e-12)
    larger = max(np.percentile(there, 95), np.percentile(back, 95))
    assert hd95(*pair, spacing) == pytest.approx(larger, rel=1e-12, abs=1e-12)
    both_ways = np.concatenate([there, back]).mean()
    assert assd(*pair, spacing) == pytest.approx(both_ways, rel=1e-12, abs=1e-12)
    assert found.to_truth.max() == pytest.approx(directed_hausdorff(ours, true)[0], abs=1e-12)
    assert found.to_mask.max() == pytest.approx(directed_hausdorff(true, ours)[0], abs=1e-12)


@pytest.mark.parametrize("name", EMPTY)
def test_empty_masks_have_no_distances(name) -> None:
    found = surface_distances(*EMPTY[name])
    assert found.to_truth.shape == found.to_mask.shape == (0,)
    values = {found.hd95, found.assd}
    assert values == {0.0} if found.both_empty else all(math.isnan(value) for value in values)
    assert found.both_empty == (not any(m.any() for m in EMPTY[name]))
