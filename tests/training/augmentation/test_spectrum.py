"""The look of another image."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.training.augmentation.augmentation import Augmentation
from breastseg.training.augmentation.parameters import Parameters, draw
from breastseg.training.augmentation.recipe import AugmentationRecipe
from breastseg.training.augmentation.spectrum import spectrum

pytestmark = pytest.mark.train


def drawn(n: int, seed: int = 0, **values: object) -> Parameters:
    recipe = AugmentationRecipe(**{**vars(AugmentationRecipe.none()), **values})
    return draw(recipe, n, torch.Generator().manual_seed(seed), "cpu")


def scans(n: int, rows: int = 48, columns: int = 63) -> torch.Tensor:
    """Grey tissue, no two of the same mean and grain."""
    noise = torch.randn((n, 1, rows, columns), generator=torch.Generator().manual_seed(1))
    level = torch.linspace(0.45, 0.55, n).view(-1, 1, 1, 1)
    return (level + 0.02 * level * noise).clamp(0, 1)


def test_the_whole_fraction_is_the_other_ones_amplitude_and_the_own_phase() -> None:
    images = scans(2)
    seen = spectrum(images, drawn(2, spectrum_p=1.0, spectrum=(1.0, 1.0)))
    for own, other in ((0, 1), (1, 0)):
        found, wanted = torch.fft.fft2(seen[own]), torch.fft.fft2(images[other])
        torch.testing.assert_close(found.abs(), wanted.abs(), atol=2e-4, rtol=1e-3)
        phase = found * torch.fft.fft2(images[own]).conj()
        assert torch.angle(phase).abs().max() < 1e-2


def test_an_edge_stays_where_it_was() -> None:
    images = scans(2, 64, 64)
    images[0, :, :, 32:] *= 0.5
    seen = spectrum(images, drawn(2, spectrum_p=1.0, spectrum=(0.5, 0.5)))
    steps = seen[0, 0].mean(dim=0).diff().abs()
    assert int(steps[4:-4].argmax()) + 4 == 31


@settings(max_examples=20, deadline=None)
@given(n=st.integers(2, 6), seed=st.integers(0, 1000))
def test_the_other_image_is_never_the_own_one(n: int, seed: int) -> None:
    images = scans(n)
    seen = spectrum(images, drawn(n, seed, spectrum_p=1.0, spectrum=(1.0, 1.0)))
    means = images.mean(dim=(1, 2, 3))
    for own, mean in enumerate(seen.mean(dim=(1, 2, 3))):
        nearest = int((means - mean).abs().argmin())
        assert nearest != own
    assert seen.shape == images.shape
    assert 0 <= seen.min() <= seen.max() <= 1


def test_nothing_is_changed_without_a_chance_or_another_image() -> None:
    images = scans(3)
    assert spectrum(images, drawn(3)) is images
    alone = images[:1]
    assert spectrum(alone, drawn(1, spectrum_p=1.0)) is alone


def test_an_augmentation_has_it_and_leaves_the_mask() -> None:
    images, masks = scans(4), torch.zeros((4, 1, 48, 63))
    masks[:, :, 10:20, 10:20] = 1
    change = Augmentation(
        AugmentationRecipe(**{**vars(AugmentationRecipe.none()), "spectrum_p": 1.0})
    )
    parameters = change.draw(4, torch.Generator().manual_seed(0))
    seen, left = change.apply(images, masks, parameters)
    assert torch.equal(left, masks)
    assert not torch.equal(seen, images)
