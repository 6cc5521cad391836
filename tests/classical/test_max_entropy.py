"""The threshold of maximum entropy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy

from breastseg.classical.max_entropy import MaxEntropy, max_entropy

from .views import disc, view


def test_both_sides_of_an_even_histogram_are_as_large() -> None:
    assert max_entropy(np.arange(8, dtype=np.float32)) == 3


def test_a_threshold_counted_by_hand() -> None:
    # After 0: 0 + log 3; after 1: log 2 + log 2, the most; after 2: log 3 + 0.
    assert max_entropy(np.float32([0, 1, 2, 3])) == 1
    # A level of many pixels beside others has little entropy: after 0, 0 + log 3 = 1.10; after 1,
    # H(9/10, 1/10) + log 2 = 0.33 + 0.69 = 1.02.
    assert max_entropy(np.float32([0] * 9 + [1, 2, 3])) == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_entropies_of_the_sides_add_up_to_most(seed: int) -> None:
    values = np.random.default_rng(seed).beta(2, 5, 3000).astype(np.float32)
    counts, edges = np.histogram(values.astype(float), 256)
    sums = [
        entropy(counts[:i]) + entropy(counts[i:]) if counts[i:].any() else 0 for i in range(1, 256)
    ]
    best = 1 + int(np.argmax(sums))
    assert max_entropy(values) == values[values < edges[best]].max()


def test_equal_values_give_themselves() -> None:
    assert max_entropy(np.full(5, 0.4, np.float32)) == np.float32(0.4)
    assert max_entropy(np.float32([0.4])) == np.float32(0.4)


def test_an_uneven_dark_disc_is_found() -> None:
    lesion = disc((50, 50), (24.5, 24.5), 12)
    noise = np.random.default_rng(0).random((50, 50), np.float32)
    grey = np.where(lesion, 0.4 * noise, 0.6 + 0.4 * noise).astype(np.float32)
    found = MaxEntropy(lean=0).delineate(view((50, 50), (12, 12, 38, 38), grey=grey))
    assert (found ^ lesion).mean() < 0.05
