from dataclasses import replace

import pytest
import torch

from breastseg.training.augmentation import Augmentation, AugmentationRecipe, Parameters

pytestmark = pytest.mark.train

NONE = AugmentationRecipe.none()
RECIPES = {
    "horizontal flip": replace(NONE, horizontal_flip_p=1.0),
    "vertical flip": replace(NONE, vertical_flip_p=1.0),
    "rotation": replace(NONE, rotation_p=1.0),
    "scale": replace(NONE, scale_p=1.0),
    "shift": replace(NONE, shift_p=1.0),
    "elastic": replace(NONE, elastic_p=1.0),
    "all": replace(
        NONE,
        horizontal_flip_p=1.0,
        vertical_flip_p=1.0,
        rotation_p=1.0,
        scale_p=1.0,
        shift_p=1.0,
        elastic_p=1.0,
    ),
}


def fixed(n: int = 1, **values: float | torch.Tensor) -> Parameters:
    """Parameters that do only what is given."""
    neutral = Augmentation(NONE).draw(n, torch.Generator())
    shaped = {
        name: torch.as_tensor(value, dtype=getattr(neutral, name).dtype).expand_as(
            getattr(neutral, name)
        )
        for name, value in values.items()
    }
    return replace(neutral, **shaped)


def blobs(n: int = 4, height: int = 120, width: int = 150) -> tuple[torch.Tensor, torch.Tensor]:
    """Smooth off-centre blobs and the pixels above one half."""
    row = torch.arange(height).view(1, 1, -1, 1)
    column = torch.arange(width).view(1, 1, 1, -1)
    across, down = (column - 0.42 * width) / 24, (row - 0.55 * height) / 15
    images = (1.2 * torch.exp(-(across**2) - down**2)).clamp(0, 1).repeat(n, 1, 1, 1)
    return images, (images >= 0.5).float()


def centroids(masks: torch.Tensor) -> torch.Tensor:
    row = torch.arange(masks.shape[2]).view(1, -1, 1)
    column = torch.arange(masks.shape[3]).view(1, 1, -1)
    m = masks[:, 0]
    area = m.sum(dim=(1, 2))
    return torch.stack(((m * row).sum((1, 2)) / area, (m * column).sum((1, 2)) / area), dim=1)


@pytest.mark.parametrize("name", RECIPES)
def test_a_mask_moves_with_its_image(name):
    images, masks = blobs()
    augmentation = Augmentation(RECIPES[name])
    parameters = augmentation.draw(4, torch.Generator().manual_seed(1))
    moved_images, moved_masks = augmentation.apply(images, masks, parameters)
    again = (moved_images >= 0.5).float()
    assert not torch.equal(moved_masks, masks)
    iou = (again * moved_masks).sum((1, 2, 3)) / again.maximum(moved_masks).sum((1, 2, 3))
    assert float(iou.min()) > 0.95
    assert float((centroids(again) - centroids(moved_masks)).abs().max()) < 1


@pytest.mark.parametrize(
    ("parameters", "axes"),
    [
        (fixed(horizontal_flip=1.0), [3]),
        (fixed(vertical_flip=1.0), [2]),
        (fixed(horizontal_flip=1.0, vertical_flip=1.0), [2, 3]),
    ],
)
def test_flips_are_exact(parameters, axes):
    images, masks = blobs(1)
    found = Augmentation(NONE).apply(images, masks, parameters)
    assert torch.equal(found[0], images.flip(axes))
    assert torch.equal(found[1], masks.flip(axes))


@pytest.mark.parametrize(("degrees", "turns"), [(90.0, 1), (180.0, 2), (-90.0, -1)])
def test_quarter_turns_are_anticlockwise(degrees, turns):
    images, masks = blobs(1, 100, 100)
    found = Augmentation(NONE).apply(images, masks, fixed(rotation_deg=degrees))
    torch.testing.assert_close(found[0], images.rot90(turns, (2, 3)), atol=1e-4, rtol=0)
    assert float((found[1] != masks.rot90(turns, (2, 3))).sum()) <= 2  # values of exactly 0.5


def test_a_rotation_is_rigid_on_an_oblong_image():
    images, masks = blobs(1, 120, 180)
    _, turned = Augmentation(NONE).apply(images, masks, fixed(rotation_deg=30.0))
    assert float(turned.sum()) == pytest.approx(float(masks.sum()), rel=0.02)
    middle = torch.tensor([59.5, 89.5])
    before, after = centroids(masks) - middle, centroids(turned) - middle
    assert float(after.norm()) == pytest.approx(float(before.norm()), abs=0.5)


def test_a_shift_of_whole_pixels_is_a_roll():
    images, masks = blobs(1, 100, 150)
    found = Augmentation(NONE).apply(images, masks, fixed(shift=torch.tensor([[0.1, -0.06]])))
    expected = images.roll((10, -9), (2, 3))
    torch.testing.assert_close(
        found[0][:, :, 12:-2, 2:-12], expected[:, :, 12:-2, 2:-12], atol=1e-4, rtol=0
    )
    moved = centroids(found[1]) - centroids(masks)
    torch.testing.assert_close(moved, torch.tensor([[10.0, -9.0]]), atol=0.05, rtol=0)


def test_a_scale_multiplies_lengths_about_the_centre():
    images, masks = blobs(1)
    _, scaled = Augmentation(NONE).apply(images, masks, fixed(scale=1.5))
    assert float(scaled.sum() / masks.sum()) == pytest.approx(2.25, rel=0.02)
    middle = torch.tensor([[59.5, 74.5]])
    expected = middle + 1.5 * (centroids(masks) - middle)
    torch.testing.assert_close(centroids(scaled), expected, atol=0.5, rtol=0)


def test_a_constant_elastic_displacement_is_a_shift():
    images, masks = blobs(1, 100, 150)
    # The displacement says where a pixel is read from: 6 px further right moves it 6 px left.
    displacement = torch.tensor([0.04, 0.0]).view(1, 2, 1, 1)
    found = Augmentation(NONE).apply(images, masks, fixed(elastic=displacement))
    expected = images.roll(-6, 3)
    torch.testing.assert_close(found[0][..., 10:-10], expected[..., 10:-10], atol=1e-4, rtol=0)


def test_only_the_drawn_rows_move():
    images, masks = blobs(3)
    found = Augmentation(NONE).apply(
        images, masks, fixed(3, rotation_deg=torch.tensor([0.0, 20.0, 0.0]))
    )
    assert torch.equal(found[0][[0, 2]], images[[0, 2]])
    assert not torch.equal(found[0][1], images[1])


def test_a_margin_mirrors_image_and_mask_alike():
    masks = torch.zeros(1, 1, 64, 64)
    masks[..., :8] = 1  # a lesion cut by the left edge
    found = Augmentation(NONE).apply(masks, masks, fixed(shift=torch.tensor([[0.0, 0.125]])))
    assert torch.equal((found[0] >= 0.5).float(), found[1])
    assert bool(found[1][..., :16].all())
    assert not bool(found[1][..., 16:].any())
