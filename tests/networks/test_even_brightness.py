import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from breastseg.networks.even_brightness import EvenBrightness

pytestmark = pytest.mark.train


@pytest.fixture
def picture() -> torch.Tensor:
    """(1, 1, 32, 32) of 0 to 1, dark with bright parts."""
    return torch.from_numpy(np.random.default_rng(0).beta(1, 3, (1, 1, 32, 32)).astype(np.float32))


@pytest.mark.parametrize("darkest", [0, -1])
def test_one_power_makes_the_level_of_the_bright_parts(picture, darkest):
    layer = EvenBrightness(nn.Identity(), 0.5, darkest)
    got = (layer(picture * (1 - darkest) + darkest) - darkest) / (1 - darkest)
    bright = float((picture**4).mean()) ** 0.25
    assert torch.allclose(got, picture ** (np.log(0.5) / np.log(bright)), atol=1e-5)


def test_each_image_is_evened_by_itself_and_its_prompt_stays(picture):
    layer = EvenBrightness(nn.Identity(), 0.5, darkest=0)
    prompt = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    images = torch.cat([torch.cat([picture, picture**2]), prompt], dim=1)
    got = layer(images)
    assert torch.equal(got[:, 1:], prompt)
    assert torch.allclose(got[:1], layer(images[:1]))
    drawn, evened = ((one[0, 0] - one[1, 0]).abs().mean() for one in (images, got))
    assert evened < 0.7 * drawn


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
def test_a_constant_image_stays_finite(value):
    flat = torch.full((1, 1, 8, 8), value)
    assert torch.isfinite(EvenBrightness(nn.Identity(), 0.5, darkest=-1)(flat)).all()
