"""Dyes: each multiplied by its own factor, and nothing else changed."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from breastseg.core.errors import RecipeError
from breastseg.preprocess.stain import REFERENCE
from breastseg.training.augmentation import Augmentation, AugmentationRecipe
from breastseg.training.augmentation.stain import stain
from breastseg.training.recipe import Recipe, SourceRecipe

pytestmark = pytest.mark.train
NONE = AugmentationRecipe.none()


def stained(amounts: np.ndarray) -> torch.Tensor:
    """(n, 3, 2, 4) of pixels with these amounts of both dyes."""
    light = np.exp(-(REFERENCE.matrix @ amounts))
    return torch.tensor(light, dtype=torch.float32)[None, :, None, :].repeat(2, 1, 2, 1)


def test_amounts_are_multiplied() -> None:
    amounts = np.array([[1.0, 0.0, 0.5, 0.0], [0.0, 1.0, 0.4, 0.0]])
    parameters = Augmentation(NONE).draw(2, torch.Generator().manual_seed(1))
    factors = torch.tensor([[0.5, 2.0], [1.0, 1.0]])
    images = stained(amounts)
    found = stain(images, replace(parameters, stain=factors))
    expected = stained(amounts * np.array([[0.5], [2.0]]))[0]
    torch.testing.assert_close(found[0], expected, atol=1e-5, rtol=1e-4)
    assert torch.equal(found[1], images[1])
    assert (found[0, :, :, 3] == 1).all()


def test_chance_and_range() -> None:
    generator = torch.Generator().manual_seed(2)
    always = Augmentation(replace(NONE, stain_p=1.0, stain=(0.5, 2.0)))
    drawn = always.draw(200, generator).stain
    assert drawn.shape == (200, 2)
    assert 0.5 <= drawn.min() < 0.6
    assert 1.8 < drawn.max() <= 2
    assert not torch.equal(drawn[:, 0], drawn[:, 1])
    assert (Augmentation(NONE).draw(9, generator).stain == 1).all()


def test_masks_stay_and_images_stay_in_range() -> None:
    images = torch.rand((3, 3, 8, 8), generator=torch.Generator().manual_seed(3))
    masks = (images[:, :1] > 0.5).float()
    augmentation = Augmentation(replace(NONE, stain_p=1.0, stain=(0.1, 10.0)))
    parameters = augmentation.draw(3, torch.Generator().manual_seed(4))
    before = images.clone()
    found, same = augmentation.apply(images, masks, parameters)
    assert torch.equal(same, masks)
    assert torch.equal(images, before)
    assert 0 <= found.min() <= found.max() <= 1
    assert not torch.equal(found, images)


def test_grey_has_no_dyes() -> None:
    augmentation = Augmentation(replace(NONE, stain_p=1.0))
    parameters = augmentation.draw(1, torch.Generator().manual_seed(5))
    grey = torch.rand((1, 1, 4, 4))
    assert torch.equal(augmentation.apply(grey, grey, parameters)[0], grey)
    with pytest.raises(RecipeError, match=r"stain_p = 0\.5 on grey images"):
        Recipe("x", (SourceRecipe("y"),), augmentation=AugmentationRecipe(stain_p=0.5))
