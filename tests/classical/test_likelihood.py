"""What grey levels say about a pixel is estimated from two samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from breastseg.classical.likelihood import grey_odds


def test_each_samples_own_grey_level_speaks_for_it() -> None:
    grey = np.float32([[0.2, 0.2, 0.8, 0.8, 0.2, 0.5, 0.8]])
    core, ground = np.zeros((2, 1, 7), bool)
    core[0, :2] = ground[0, 2:4] = True
    odds = grey_odds(grey, core, ground)
    assert odds.dtype == np.float32
    assert odds[0, 4] == -odds[0, 6] > 3
    assert odds[0, 5] == 0


def test_for_two_gaussians_it_is_the_ratio_of_their_smoothed_densities() -> None:
    rng = np.random.default_rng(0)
    dark, bright = stats.norm(0.35, 0.12), stats.norm(0.55, 0.12)
    samples = np.stack([one.rvs(200_000, random_state=rng) for one in (dark, bright)])
    levels = (np.arange(20, 38) + 0.5) / 64  # the middles of bins
    grey = np.vstack([samples, np.resize(levels, samples.shape[1])]).astype(np.float32)
    core, ground = np.zeros((2, *grey.shape), bool)
    core[0] = ground[1] = True
    wider = float(np.hypot(0.12, 3 / 64))
    expected = np.log(stats.norm(0.35, wider).pdf(levels) / stats.norm(0.55, wider).pdf(levels))
    assert np.allclose(grey_odds(grey, core, ground)[2, : levels.size], expected, atol=0.1)


def test_the_size_of_a_sample_does_not_matter() -> None:
    grey = np.repeat(np.float32([[0.2, 0.8]]), 50, axis=0)
    core, ground = grey < 0.5, grey > 0.5
    few = core & (np.arange(50) < 3)[:, None]
    assert np.allclose(grey_odds(grey, few, ground), grey_odds(grey, core, ground))


@pytest.mark.parametrize("grey", [0, 1, 0.5])
def test_samples_that_are_alike_or_missing_say_nothing(grey: float) -> None:
    flat = np.full((4, 4), grey, np.float32)
    core, none = np.eye(4, dtype=bool), np.zeros((4, 4), bool)
    assert not grey_odds(flat, core, ~core).any()
    assert not grey_odds(flat, core, none).any()
    assert not grey_odds(flat, none, core).any()
