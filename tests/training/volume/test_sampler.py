"""Patches: drawn by seed and epoch alone, where the recipe wants them, cut and changed rightly."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from breastseg.core import Mask, VolumeSpec
from breastseg.core.errors import DataSetError
from breastseg.data.phantoms.volume import volume_phantom
from breastseg.preprocess.volume import prepare_volume
from breastseg.training.volume.recipe import PatchesRecipe, VolumeAugmentationRecipe
from breastseg.training.volume.sampler import PatchSampler, PreparedVolume, _pieces, prepare_case
from breastseg.training.volume.task import augment

pytestmark = pytest.mark.train
torch.set_num_threads(1)
SPEC = VolumeSpec(patch=(4, 12, 12), spacing_mm=(2.0, 1.0, 1.0))
SHAPE = (8, 40, 44)


@pytest.fixture(scope="module")
def volumes() -> tuple[PreparedVolume, ...]:
    return tuple(
        prepare_case(volume_phantom(seed, SHAPE, phases=2, label=label), SPEC)
        for seed, label in ((1, "malignant"), (2, "benign"), (3, "normal"))
    )


def sampler(volumes: tuple[PreparedVolume, ...], **fractions: float) -> PatchSampler:
    return PatchSampler(volumes, PatchesRecipe(**fractions), SPEC.patch, 5, 3, seed=7)


def test_a_case_is_brought_to_the_networks_spacing() -> None:
    case = volume_phantom(1, SHAPE, (1.0, 0.5, 0.5), phases=2, label="malignant")
    found = prepare_case(case, SPEC)
    assert found.channels.shape == (2, 4, 20, 22)
    assert found.channels.dtype == np.float16
    assert found.truth.shape == SHAPE
    points = np.concatenate(found.lesions)
    assert found.lesion[tuple(points.T)].all()
    assert len(points) == found.lesion.sum()
    bright_points = np.concatenate(found.bright)
    assert not found.lesion[tuple(bright_points.T)].any()
    gain = found.channels[1].astype(float) - found.channels[0]
    bright = gain[tuple(bright_points.T)]
    assert bright.min() >= np.quantile(gain[found.lesion == 0], 0.9)
    with pytest.raises(DataSetError, match="no mask"):
        prepare_case(replace(case, mask=None), SPEC)


def test_what_is_ignored_is_neither_lesion_nor_bright_and_is_cut_with_the_patch() -> None:
    case = volume_phantom(1, SHAPE, (1.0, 0.5, 0.5), phases=2, label="malignant")
    assert case.mask is not None
    labels = case.mask.labels.copy()
    labels[:, :, :20][labels[:, :, :20] == 0] = 2
    mask = Mask(labels, case.mask.grid, {1: "lesion", 2: "ignore"})
    before, found = (prepare_case(one, SPEC) for one in (case, replace(case, mask=mask)))
    np.testing.assert_array_equal(found.truth, np.where(labels == 2, -1, labels.astype(int)))
    np.testing.assert_array_equal(found.lesion > 0, before.lesion > 0)
    assert (found.lesion[:, :, :10] != 0).all()
    assert (found.lesion[:, :, 11:] >= 0).all()
    assert (found.lesion[tuple(np.concatenate(found.bright).T)] == 0).all()
    assert (found.lesion[tuple(np.concatenate(found.lesions).T)] == 1).all()
    labels[:, :, :40][labels[:, :, :40] == 0] = 2  # little is known at all
    few = prepare_case(
        replace(case, mask=Mask(labels, mask.grid, {1: "lesion", 2: "ignore"})), SPEC
    )
    assert (few.lesion[tuple(np.concatenate(few.bright).T)] == 0).all()
    patches = [sampler((found,)).cut(found, np.random.default_rng(i))[1] for i in range(20)]
    assert {-1.0, 0.0} <= {float(value) for patch in patches for value in np.unique(patch)}


def test_a_lesion_keeps_its_grey_levels_in_a_study_of_one_phase() -> None:
    case = volume_phantom(1, SHAPE, phases=2, label="malignant")
    image = replace(case.images[0], array=case.images[0].array[:1])
    spec = replace(SPEC, channels=1)
    found = prepare_case(replace(case, images=(image,)), spec)
    assert found.lesion.any()
    np.testing.assert_array_equal(found.channels, prepare_volume(image, spec).astype(np.float16))
    assert not found.lesion[tuple(np.concatenate(found.bright).T)].any()


def test_an_epoch_is_repeated_and_the_next_is_another(volumes) -> None:
    one = sampler(volumes)
    first, again, other = (list(one.batches(epoch)) for epoch in (0, 0, 1))
    assert len(first) == 5
    for (image, lesion), (same, same_lesion) in zip(first, again, strict=True):
        assert image.shape == (3, 2, *SPEC.patch)
        assert lesion.shape == (3, 1, *SPEC.patch)
        assert image.dtype == lesion.dtype == torch.float32
        assert torch.equal(image, same)
        assert torch.equal(lesion, same_lesion)
    assert not torch.equal(first[0][0], other[0][0])
    ranked = list(replace(one, rank=1, world=2).batches(0))
    assert not torch.equal(first[0][0], ranked[0][0])


def test_lesions_are_shown_as_often_as_asked(volumes) -> None:
    always = sampler(volumes[:2], lesion_fraction=1.0, bright_fraction=0.0)
    for _, lesion in always.batches(0):
        assert lesion.flatten(1).any(dim=1).all()
    # a study without lesions gives what looks like one
    normal = sampler(volumes[2:], lesion_fraction=1.0, bright_fraction=0.0)
    assert not any(lesion.any() for _, lesion in normal.batches(0))


def test_a_small_lesion_is_shown_as_often_as_a_large_one(volumes) -> None:
    shape = (4, 40, 40)
    lesion = np.zeros(shape, bool)
    lesion[:, 2:4, 2:4] = True
    lesion[:, 20:40, 20:40] = True
    pieces = _pieces(lesion, 1)
    assert [len(piece) for piece in pieces] == [16, 800]
    volume = replace(
        volumes[0], channels=np.zeros((2, *shape), np.float16), lesion=lesion, lesions=pieces
    )
    one = replace(sampler(volumes, lesion_fraction=1.0, bright_fraction=0.0), patch=(4, 8, 8))
    generator = np.random.default_rng(0)
    sizes = np.array([one.cut(volume, generator)[1].sum() for _ in range(200)])
    assert 0.35 < (sizes <= 16).mean() < 0.65


def test_pieces_are_thinned_evenly_and_small_ones_left_out() -> None:
    mask = np.zeros((1, 100, 100), bool)
    mask[0, :50, :50] = True
    mask[0, 98, 98] = True
    (piece,) = _pieces(mask, 2)
    assert len(piece) == -(-2500 // 3)
    assert _pieces(np.zeros((2, 2, 2), bool), 1) == ()


def test_patches_are_cut_from_where_the_lesion_is(volumes) -> None:
    (volume, *_) = volumes
    image, lesion = sampler(volumes, lesion_fraction=1.0, bright_fraction=0.0).cut(
        volume, np.random.default_rng(0)
    )
    windows = np.lib.stride_tricks.sliding_window_view(volume.lesion, SPEC.patch)
    places = np.argwhere((windows == lesion[0].astype(bool)).all(axis=(3, 4, 5)))
    assert any(
        np.array_equal(
            image,
            volume.channels[:, z : z + 4, y : y + 12, x : x + 12].astype(np.float32),
        )
        for z, y, x in places
    )


def test_a_volume_smaller_than_a_patch_is_filled_up(volumes) -> None:
    large = replace(sampler(volumes), patch=(40, 120, 120))
    image, lesion = large.cut(volumes[0], np.random.default_rng(0))
    assert image.shape == (2, 40, 120, 120)
    assert lesion.shape == (1, 40, 120, 120)


def test_nothing_changes_where_nothing_is_asked() -> None:
    images, lesions = torch.rand(3, 2, 4, 6, 6), (torch.rand(3, 1, 4, 6, 6) > 0.5).float()
    still = VolumeAugmentationRecipe(False, False, False, scale=0, gamma=0, noise=0)
    changed, moved = augment(images, lesions, still, torch.Generator().manual_seed(0))
    torch.testing.assert_close(changed, images)
    assert torch.equal(moved, lesions)


def test_image_and_lesion_are_flipped_together_along_the_asked_axes() -> None:
    lesions = (torch.rand(40, 1, 4, 6, 6, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    images = torch.cat((lesions, 2 * lesions), dim=1)
    kept = images.clone()
    columns = VolumeAugmentationRecipe(False, False, True, scale=0, gamma=0, noise=0)
    changed, moved = augment(images, lesions, columns, torch.Generator().manual_seed(0))
    torch.testing.assert_close(changed[:, :1], moved)
    torch.testing.assert_close(changed[:, 1:], 2 * moved)
    assert torch.equal(images, kept)
    as_it_was = (moved == lesions).flatten(1).all(dim=1)
    flipped = (moved == lesions.flip(-1)).flatten(1).all(dim=1)
    assert bool((as_it_was ^ flipped).all())
    assert 10 < int(flipped.sum()) < 30


def test_grey_levels_keep_their_order_and_lesions_their_values() -> None:
    images, lesions = torch.rand(8, 2, 2, 4, 4) * 3, torch.ones(8, 1, 2, 4, 4)
    grey = VolumeAugmentationRecipe(False, False, False, scale=0.5, gamma=0.5, noise=0)
    changed, moved = augment(images, lesions, grey, torch.Generator().manual_seed(0))
    order = images.flatten(1).argsort(dim=1)
    assert bool((changed.flatten(1).gather(1, order).diff(dim=1) >= 0).all())
    assert not torch.allclose(changed, images)
    assert torch.equal(moved, lesions)
    noisy = replace(grey, noise=0.5)
    again = augment(images, lesions, noisy, torch.Generator().manual_seed(0))[0]
    assert not torch.allclose(again, changed)
