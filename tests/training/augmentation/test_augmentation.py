import pickle
from dataclasses import fields, replace

import pytest
import torch

from breastseg.core.errors import GeometryError, InputError
from breastseg.training.augmentation import Augmentation, AugmentationRecipe, Parameters

pytestmark = pytest.mark.train

NONE = AugmentationRecipe.none()
EVERYTHING = replace(
    AugmentationRecipe(),
    **{f.name: 1.0 for f in fields(AugmentationRecipe) if f.name.endswith("_p")},
)
# All that an image can have without the others of its batch.
ALONE = replace(EVERYTHING, spectrum_p=0.0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(n: int = 6, height: int = 60, width: int = 72) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.rand((n, 1, height, width), generator=generator(99))
    masks = torch.zeros_like(images)
    masks[:, :, 20:40, 25:50] = 1
    return images, masks


def same(a: Parameters, b: Parameters) -> bool:
    return all(torch.equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(Parameters))


def test_the_same_seed_draws_the_same():
    augmentation = Augmentation(AugmentationRecipe())
    assert same(augmentation.draw(8, generator(3)), augmentation.draw(8, generator(3)))
    assert not same(augmentation.draw(8, generator(3)), augmentation.draw(8, generator(4)))


def test_a_replay_is_exact_also_after_pickling():
    images, masks = batch()
    augmentation = Augmentation(EVERYTHING)
    parameters = augmentation.draw(6, generator())
    first = augmentation.apply(images, masks, parameters)
    again = augmentation.apply(images, masks, pickle.loads(pickle.dumps(parameters)))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])


@pytest.mark.parametrize("recipe", [ALONE, AugmentationRecipe()])
def test_an_image_gets_the_same_change_alone_as_in_a_batch(recipe):
    images, masks = batch()
    augmentation = Augmentation(recipe)
    parameters = augmentation.draw(6, generator())
    together = augmentation.apply(images, masks, parameters)
    for i in range(6):
        alone = augmentation.apply(images[i : i + 1], masks[i : i + 1], parameters.row(i))
        torch.testing.assert_close(alone[0][0], together[0][i], atol=1e-5, rtol=0)
        assert torch.equal(alone[1][0], together[1][i])


def test_nothing_drawn_changes_nothing():
    images, masks = batch()
    augmentation = Augmentation(NONE)
    out_images, out_masks = augmentation.apply(images, masks, augmentation.draw(6, generator()))
    assert torch.equal(out_images, images)
    assert torch.equal(out_masks, masks)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("channels", [1, 3])
def test_values_stay_in_range_and_inputs_stay_as_they_were(seed, channels):
    images, masks = batch()
    images = images.repeat(1, channels, 1, 1)
    images[0], images[1] = 0, 1
    kept_images, kept_masks = images.clone(), masks.clone()
    augmentation = Augmentation(EVERYTHING)
    parameters = augmentation.draw(6, generator(seed))
    kept = pickle.loads(pickle.dumps(parameters))
    out_images, out_masks = augmentation.apply(images, masks, parameters)
    assert out_images.shape == images.shape
    assert out_images.dtype == out_masks.dtype == torch.float32
    assert bool(out_images.isfinite().all())
    assert 0 <= float(out_images.min()) <= float(out_images.max()) <= 1
    assert set(out_masks.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(images, kept_images)
    assert torch.equal(masks, kept_masks)
    assert same(parameters, kept)


def test_changing_one_chance_leaves_the_other_draws_alone():
    first = Augmentation(AugmentationRecipe()).draw(8, generator())
    second = Augmentation(replace(AugmentationRecipe(), rotation_p=0.0)).draw(8, generator())
    assert float(second.rotation_deg.abs().max()) == 0
    assert same(replace(first, rotation_deg=second.rotation_deg), second)


def test_draws_follow_the_chances_and_ranges():
    parameters = Augmentation(AugmentationRecipe()).draw(4000, generator())
    assert float(parameters.horizontal_flip.float().mean()) == pytest.approx(0.5, abs=0.03)
    assert not bool(parameters.vertical_flip.any())
    assert float((parameters.speckle_strength != 0).float().mean()) == pytest.approx(0.3, abs=0.03)
    assert 19 < float(parameters.rotation_deg.max()) <= 20
    assert 0.75 <= float(parameters.scale.min()) < 0.76
    assert 1.29 < float(parameters.scale.max()) <= 1.3001


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_makes_the_same_changes():
    images, masks = batch()
    augmentation = Augmentation(EVERYTHING)
    on_cpu = augmentation.draw(6, generator())
    on_gpu = augmentation.draw(6, generator(), "cuda")
    assert same(on_cpu, on_gpu.to("cpu"))
    expected = augmentation.apply(images, masks, on_cpu)
    found = augmentation.apply(images.cuda(), masks.cuda(), on_gpu)
    torch.testing.assert_close(found[0].cpu(), expected[0], atol=1e-3, rtol=0)
    assert float((found[1].cpu() != expected[1]).float().mean()) < 1e-3


def test_parameters_go_where_they_are_asked_to():
    here = Augmentation(EVERYTHING).draw(2, generator())
    there = Augmentation(EVERYTHING).draw(2, generator(), "meta")
    assert {getattr(there, f.name).device.type for f in fields(Parameters)} == {"meta"}
    assert same(here.to("cpu"), here)


def test_shapes_that_do_not_fit_are_refused():
    images, masks = batch()
    augmentation = Augmentation(NONE)
    with pytest.raises(GeometryError, match="parameters for 5"):
        augmentation.apply(images, masks, augmentation.draw(5, generator()))
    with pytest.raises(GeometryError, match="masks"):
        augmentation.apply(images, masks[:, :, 1:], augmentation.draw(6, generator()))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_generator_is_refused():
    with pytest.raises(InputError, match="CPU"):
        Augmentation(NONE).draw(2, torch.Generator("cuda"))
