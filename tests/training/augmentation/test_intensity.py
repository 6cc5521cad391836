from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from breastseg.training.augmentation import Augmentation, AugmentationRecipe, Parameters

pytestmark = pytest.mark.train

NONE = AugmentationRecipe.none()
OPERATIONS = ["blur", "speckle", "shadow", "gamma", "contrast", "brightness", "cutout"]


def neutral(n: int) -> Parameters:
    return Augmentation(NONE).draw(n, torch.Generator().manual_seed(5))


def run(images: torch.Tensor, **values: torch.Tensor) -> torch.Tensor:
    masks = torch.zeros_like(images[:, :1])
    parameters = replace(neutral(len(images)), **values)
    return Augmentation(NONE).apply(images, masks, parameters)[0]


def pictures(n: int = 2, size: int = 64) -> torch.Tensor:
    return torch.rand((n, 1, size, size), generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_changes_the_image_and_leaves_the_mask(name):
    images = pictures()
    masks = (images > 0.5).float()
    augmentation = Augmentation(replace(NONE, **{f"{name}_p": 1.0}))
    parameters = augmentation.draw(2, torch.Generator().manual_seed(2))
    found = augmentation.apply(images, masks, parameters)
    assert not torch.equal(found[0], images)
    assert torch.equal(found[1], masks)


def test_gamma_is_a_power_for_each_image():
    images = pictures()
    found = run(images, gamma=torch.tensor([0.5, 2.0]))
    torch.testing.assert_close(found[0], images[0].sqrt())
    torch.testing.assert_close(found[1], images[1].square())


def test_contrast_turns_about_the_mean_and_brightness_adds():
    images = 0.25 + 0.5 * pictures()
    found = run(images, contrast=torch.tensor([0.5, 1.0]), brightness=torch.tensor([0.0, 0.125]))
    mean = images[0].mean()
    torch.testing.assert_close(found[0], mean + (images[0] - mean) / 2)
    torch.testing.assert_close(found[1], images[1] + 0.125)


def test_blur_agrees_with_scipy():
    images = pictures()
    found = run(images, blur_sigma_px=torch.tensor([1.5, 0.7]))
    for image, result, sigma in zip(images, found, (1.5, 0.7), strict=True):
        expected = ndimage.gaussian_filter(
            image[0].numpy().astype(np.float64), sigma, mode="nearest", radius=6
        )
        np.testing.assert_allclose(result[0].numpy(), expected, atol=1e-6)


def test_speckle_is_in_proportion_to_brightness_and_correlated():
    images = torch.full((1, 1, 256, 256), 0.4)
    images[..., 128:] = 0
    noise = run(images, speckle_strength=torch.tensor([0.2]))[0, 0] - images[0, 0]
    assert float(noise[:, 128:].abs().max()) == 0
    bright = noise[:, :128] / 0.4
    assert abs(float(bright.mean())) < 0.01
    assert 0.08 < float(bright.std()) <= 0.2
    across = float((bright[:, 1:] * bright[:, :-1]).mean() / bright.var())
    along = float((bright[1:] * bright[:-1]).mean() / bright.var())
    assert 0.5 < along < across < 1


def test_a_shadow_is_a_smooth_band_that_reaches_the_bottom():
    images = torch.ones(1, 1, 200, 200)
    band = torch.tensor([[0.5, 0.2, 0.0, 0.3]])
    found = run(images, shadow_depth=torch.tensor([0.6]), shadow_band=band)[0, 0]
    assert float(found[190, 99]) == pytest.approx(0.4, abs=1e-3)  # the middle loses 0.6
    assert float(found[10, 99]) == pytest.approx(1, abs=1e-3)  # above its beginning
    assert float(found[190, 20]) == pytest.approx(1, abs=1e-3)  # beside it
    assert float(found.diff(dim=1).abs().max()) < 0.1


def test_an_oblique_shadow_leans():
    band = torch.tensor([[0.2, 0.1, 0.5, 0.0]])
    found = run(torch.ones(1, 1, 100, 100), shadow_depth=torch.tensor([0.6]), shadow_band=band)
    darkest = found[0, 0].argmin(dim=1)
    assert int(darkest[20]) == pytest.approx(30, abs=2)
    assert int(darkest[90]) == pytest.approx(65, abs=2)


def test_cutout_fills_rectangles_with_the_mean():
    images = pictures(1, 20)
    boxes = torch.tensor([[[0.1, 0.2, 0.3, 0.5], [0.9, 0.9, 1.2, 1.2], [0.0, 0.0, 0.0, 0.0]]])
    found = run(images, cutout=torch.tensor([True]), cutout_boxes=boxes)
    expected = images.clone()
    expected[..., 2:6, 4:10] = images.mean()
    expected[..., 18:, 18:] = images.mean()
    torch.testing.assert_close(found, expected)
