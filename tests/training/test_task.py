"""Training computes what inference and evaluation compute."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from breastseg.core.bundle import Intensity
from breastseg.metrics import dice
from breastseg.preprocess.intensity import rescale
from breastseg.training.task import batch_dice, scale

pytestmark = pytest.mark.train


@pytest.mark.parametrize("intensity", list(Intensity))
def test_training_scales_grey_levels_as_inference_does(intensity: Intensity) -> None:
    units = np.random.default_rng(0).random((3, 20, 30)).astype(np.float32)
    units[1] = 0.4  # constant
    scaled = scale(torch.from_numpy(units)[:, None], intensity)[:, 0].numpy()
    for one, unit in zip(scaled, units, strict=True):
        assert np.allclose(one, rescale(unit, intensity), atol=1e-5)


def test_batch_dice_is_the_metric() -> None:
    generator = np.random.default_rng(1)
    probability = generator.random((5, 1, 12, 9)).astype(np.float32)
    truth = generator.random((5, 1, 12, 9)) > 0.6
    truth[1], probability[2], truth[2] = False, 0, False  # one empty, both empty
    found = batch_dice(torch.from_numpy(probability), torch.from_numpy(truth)).numpy()
    expected = [dice(p[0] >= 0.5, t[0]) for p, t in zip(probability, truth, strict=True)]
    assert found == pytest.approx(expected)
    assert found[1] == 0
    assert found[2] == 1
