"""Sobel's edges are where the gradient is strong, thinned or not."""

from __future__ import annotations

import numpy as np

from breastseg.classical.gradient import gradient, magnitude
from breastseg.classical.sobel import Sobel, sobel

NOISE = gradient(np.random.default_rng(0).random((60, 60)).astype(np.float32), 1)


def test_thick_edges_are_all_that_is_above_the_threshold() -> None:
    vectors = np.zeros((2, 3, 4), np.float32)
    vectors[0, 1] = [0, 1, 2, 3]
    vectors[1, 2, 3] = -4
    expected = [[False] * 4, [False, False, True, True], [False, False, False, True]]
    assert sobel(vectors, 1, thin=False).tolist() == expected


def test_thin_edges_are_the_crests_of_the_thick_ones() -> None:
    thick, thin = sobel(NOISE, 0.05, thin=False), sobel(NOISE, 0.05, thin=True)
    assert thin.any()
    assert not (thin & ~thick).any()
    assert thin.sum() < 0.7 * thick.sum()
    assert magnitude(NOISE)[thin].mean() > magnitude(NOISE)[thick].mean()


def test_a_higher_quantile_leaves_fewer_edges() -> None:
    for thin in (True, False):
        counts = [int(Sobel(quantile=q, thin=thin).edges(NOISE).sum()) for q in (0.6, 0.8, 0.95)]
        assert counts[0] > counts[1] > counts[2] > 0
    assert Sobel(quantile=0.8, thin=False).edges(NOISE).mean() == 0.2
