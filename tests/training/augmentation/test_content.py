"""Changes of what an image shows: marks drawn, lesions cut away, lesions set in."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.core.errors import RecipeError
from breastseg.training.augmentation.lesions import free_part, lesion_free, paste
from breastseg.training.augmentation.marks import marks
from breastseg.training.augmentation.parameters import Parameters, draw
from breastseg.training.augmentation.recipe import AugmentationRecipe
from breastseg.training.recipe_file import recipe_from

pytestmark = pytest.mark.train


def drawn(n: int, seed: int = 0, **chances: float) -> Parameters:
    recipe = AugmentationRecipe(**{**vars(AugmentationRecipe.none()), **chances})
    return draw(recipe, n, torch.Generator().manual_seed(seed), "cpu")


def scans(n: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Grey tissue; every image but the last has a dark lesion."""
    images = 0.4 + 0.1 * torch.rand((n, 1, 80, 96), generator=torch.Generator().manual_seed(1))
    masks = torch.zeros_like(images)
    masks[: n - 1, :, 30:50, 40:60] = 1
    return torch.where(masks > 0, 0.1, images), masks


def test_marks_are_bright_few_and_on_every_kind_of_image() -> None:
    images, masks = scans(12)
    marked = marks(images, masks, drawn(12, marks_p=1.0))
    changed = marked != images
    assert changed.flatten(1).any(dim=1).all()
    assert changed.float().mean() < 0.1
    assert marked[changed].mean() > images[changed].mean() + 0.2
    assert 0 <= marked.min() <= marked.max() <= 1


def test_the_same_seed_draws_the_same_marks() -> None:
    images, masks = scans()
    parameters = drawn(4, marks_p=1.0)
    assert torch.equal(marks(images, masks, parameters), marks(images, masks, parameters))


def test_a_part_beside_the_lesion_fills_the_image_and_has_none() -> None:
    images, masks = scans()
    parts, left = lesion_free(images, masks, drawn(4, lesion_free_p=1.0))
    assert not left.any()
    assert parts[:3].min() > 0.35  # nothing of the lesion's grey
    assert torch.equal(parts[3], images[3])  # it had no lesion to go away from


def test_a_part_is_found_beside_the_lesion_of_a_teachers_map_too() -> None:
    images, masks = scans()
    taught = torch.cat((masks, masks.clamp(min=0.02)), dim=1)  # unsure everywhere
    _, left = lesion_free(images, taught, drawn(4, lesion_free_p=1.0))
    assert not left[:3].any()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_free_part_holds_no_lesion_and_enough_anatomy(seed: int) -> None:
    generator = np.random.default_rng(seed)
    shape = tuple(generator.integers(40, 200, 2))
    lesion = np.zeros(shape, bool)
    top, left = generator.integers(0, shape[0] - 4), generator.integers(0, shape[1] - 4)
    tall, wide = generator.integers(2, 80, 2)
    lesion[top : top + tall, left : left + wide] = True
    part = free_part(lesion, generator)
    if part is None:
        return
    row0, column0, row1, column1 = part
    assert 0 <= row0 < row1 <= shape[0]
    assert 0 <= column0 < column1 <= shape[1]
    assert not lesion[row0:row1, column0:column1].any()
    assert row1 - row0 >= 0.25 * shape[0] - 2
    assert column1 - column0 >= 0.25 * shape[1] - 2


def test_no_part_is_cut_from_an_image_full_of_lesion() -> None:
    assert free_part(np.ones((50, 50), bool), np.random.default_rng(0)) is None


def test_a_lesion_that_is_set_in_is_dark_and_labelled() -> None:
    images, masks = scans(8)
    images[4:], masks[4:] = 0.5, 0
    fuller, labels = paste(images, masks, drawn(8, seed=3, paste_p=1.0))
    added = (labels - masks) > 0
    assert added[4:].any()
    assert fuller[4:][added[4:]].mean() < 0.25
    # what is far from the lesion stays bit for bit
    untouched = [i for i in range(4, 8) if not added[i].any()]
    assert all(torch.equal(fuller[i], images[i]) for i in untouched)
    assert 0 <= fuller.min() <= fuller.max() <= 1
    assert (labels >= masks).all()


def test_a_lesion_that_fills_its_image_is_not_set_in() -> None:
    images, masks = torch.rand(2, 1, 64, 64), torch.zeros(2, 1, 64, 64)
    masks[1] = 1
    for seed in range(20):
        fuller, labels = paste(images, masks, drawn(2, seed=seed, paste_p=1.0))
        assert torch.equal(fuller, images)
        assert torch.equal(labels, masks)


def test_nothing_is_set_in_where_several_classes_are_told_apart() -> None:
    images, masks = scans()
    two = masks.repeat(1, 2, 1, 1)
    assert paste(images, two, drawn(4, paste_p=1.0)) == (images, two)


def test_marks_are_painted_out_of_grey_images_alone() -> None:
    colour = {
        "name": "c",
        "sources": [{"name": "s"}],
        "network": {"in_channels": 3},
        "input": {"channels": 3, "colour": True},
        "augmentation": {"unmarked_p": 0.5},
    }
    with pytest.raises(RecipeError, match=r"unmarked_p = 0\.5 on colour images"):
        recipe_from(colour, "here")
