"""Pixels of which nothing is known, from the file to the gradient and to the Dice of validation."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from breastseg.core import Case, Grid, Image, Mask
from breastseg.core.bundle import Fit, InputSpec, Region
from breastseg.core.errors import DataSetError
from breastseg.losses.inputs import IGNORED
from breastseg.networks.catalogue import build_network
from breastseg.training.adversarial import AdversarialTask
from breastseg.training.augmentation import Augmentation, AugmentationRecipe
from breastseg.training.augmentation.geometry import fractions, masks_of
from breastseg.training.augmentation.lesions import lesion_free, paste
from breastseg.training.fit import _refuse_ignored
from breastseg.training.parts import AdversarialRecipe
from breastseg.training.prompting import PromptTask
from breastseg.training.recipe import Recipe
from breastseg.training.recipe_file import read_recipe
from breastseg.training.sampler import IGNORED_LABEL, PreparedCases, prepare_cases
from breastseg.training.simulated_prompts import simulate
from breastseg.training.task import SegmentationTask, batch_dice, validation_batches

pytestmark = pytest.mark.train
SIZE = (32, 32)


class Given:
    """A case in memory: grey, with a lesion and what is ignored."""

    source, label = "s", "benign"

    def __init__(self, key: str, labels: np.ndarray) -> None:
        self.key, grid = key, Grid(labels.shape)
        grey = np.random.default_rng(0).integers(60, 200, (1, *labels.shape)).astype(np.uint8)
        mask = Mask(labels, grid, {1: "lesion", 2: "ignore"})
        self.case = Case(key, key, (Image(grey, grid),), mask)

    def load(self) -> Case:
        return self.case


def labels(
    lesion: slice | None = slice(8, 24), ignored: slice | None = slice(24, 40)
) -> np.ndarray:
    """(64, 64): a lesion beside what is ignored; 2 is ignored, as in `Given`."""
    values = np.zeros((64, 64), np.uint8)
    if lesion is not None:
        values[8:40, lesion] = 1
    if ignored is not None:
        values[:, ignored] = 2
    return values


def prepared(*given: np.ndarray, spec: InputSpec | None = None) -> PreparedCases:
    cases = [Given(f"c{number}", values) for number, values in enumerate(given)]
    return prepare_cases(cases, spec or InputSpec(SIZE))


class Fixed(torch.nn.Module):
    """Always gives the same logits."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        return self.logits


class Outlines(torch.nn.Module):
    """Outlines all of every image."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.full_like(images[:, :1], 9.0)


@pytest.fixture
def recipe(recipe_file: Path) -> Recipe:
    return read_recipe(recipe_file, {"small_epochs": "0"})


def test_they_are_labelled_at_the_networks_size_but_not_in_the_padding() -> None:
    found = prepared(labels(), spec=InputSpec((32, 48), fit=Fit.PAD)).labels[0]
    assert (found[4:20, 12:20] == 1).all()
    assert (found[:, 20:28] == IGNORED_LABEL).all()
    assert (found[:, :8] == 0).all()
    assert (found[:, 40:] == 0).all()
    odd = labels(slice(8, 25), slice(25, 41))  # half of a pixel's row each
    assert set(np.unique(prepared(odd).labels)) == {0, 1, IGNORED_LABEL}
    between = prepared(odd).labels[0, 4:20, 12]
    assert not (between == 0).any()  # half a lesion and half unknown is no background


def test_an_image_without_a_known_lesion_is_no_lesion_image() -> None:
    found = prepared(labels(), labels(lesion=None), labels(ignored=None))
    assert found.has_lesion.tolist() == [True, False, True]
    assert found.has_ignored.tolist() == [True, True, False]


def test_targets_say_where_nothing_is_known_in_all_classes(recipe: Recipe) -> None:
    two = replace(
        recipe,
        classes=("benign", "malignant"),
        network=replace(recipe.network, out_channels=3),
    )
    stored = torch.tensor([[0, 1, 2, IGNORED_LABEL]], dtype=torch.uint8).view(1, 1, 1, 4)
    found = SegmentationTask(two, torch.nn.Conv2d(1, 3, 1), 1).targets(stored)
    assert found[0, :, 0].T.tolist() == [[0, 0], [1, 0], [0, 1], [IGNORED, IGNORED]]


def test_interpolation_keeps_them_beside_a_lesion() -> None:
    masks = torch.tensor([[0.0, 1, IGNORED, IGNORED, 0]]).view(1, 1, 1, 5)
    whole = fractions(masks)
    assert whole[0, :, 0].tolist() == [[0, 1, 0, 0, 0], [0, 1, 1, 1, 0]]
    assert torch.equal(masks_of(whole, 1), masks)
    half = (whole[..., :-1] + whole[..., 1:]) / 2
    assert masks_of(half, 1).flatten().tolist() == [1, 1, IGNORED, IGNORED]
    known = masks.clamp_min(0)
    assert fractions(known) is known
    taught = torch.cat((masks, torch.full_like(masks, 0.3)), dim=1)
    assert torch.equal(masks_of(fractions(taught, 1), 2, 1), taught)


def test_augmentation_moves_them_with_the_image() -> None:
    """An image that is brighter where something is unknown stays so."""
    everything = AugmentationRecipe.none()
    everything = replace(
        everything,
        horizontal_flip_p=0.5,
        vertical_flip_p=0.5,
        rotation_p=1.0,
        scale_p=1.0,
        shift_p=1.0,
        elastic_p=1.0,
        margin_p=0.5,
    )
    masks = torch.zeros(16, 1, 64, 64)
    masks[..., 20:44, 12:32], masks[..., 20:44, 32:50] = 1, IGNORED
    grey = 0.2 + 0.3 * (masks == 1) + 0.7 * (masks == IGNORED)
    augmentation = Augmentation(everything)
    drawn = augmentation.draw(16, torch.Generator().manual_seed(0))
    images, moved = augmentation.apply(grey, masks, drawn)
    assert set(moved.unique().tolist()) == {IGNORED, 0, 1}
    assert images[moved == IGNORED].min() > 0.4
    assert ((moved == IGNORED) == (images > 0.7)).float().mean() > 0.97
    still, same = augmentation.apply(grey, masks.clamp_min(0), drawn)
    assert torch.equal(same, (moved == 1).float())
    assert torch.equal(still, images)


def test_a_lesion_free_part_has_none_of_them() -> None:
    images, masks = torch.rand(8, 1, 64, 64), torch.zeros(8, 1, 64, 64)
    masks[..., 20:30, 0:10], masks[..., 20:30, 10:20] = 1, IGNORED
    images[masks < 0] = 5.0
    recipe = replace(AugmentationRecipe.none(), lesion_free_p=1.0)
    drawn = Augmentation(recipe).draw(8, torch.Generator().manual_seed(0))
    free, left = lesion_free(images, masks, drawn)
    assert not left.any()
    assert free.max() <= 1


def test_a_lesion_is_neither_pasted_with_them_nor_over_them() -> None:
    recipe = replace(AugmentationRecipe.none(), paste_p=1.0)
    drawn = Augmentation(recipe).draw(12, torch.Generator().manual_seed(0))
    images, masks = torch.rand(12, 1, 64, 64), torch.zeros(12, 1, 64, 64)
    masks[:6, :, 20:30, 20:30] = 1
    beside, over = masks.clone(), masks.clone()
    beside[:6, :, 20:30, 30:33] = IGNORED
    over[6:, :, :, :32] = IGNORED
    assert paste(images, masks, drawn)[1].sum() > masks.sum()
    assert torch.equal(paste(images, beside, drawn)[1], beside)
    pasted = paste(images, over, drawn)[1]
    assert torch.equal(pasted < 0, over < 0)
    assert (pasted > over).any()


def test_a_step_has_no_gradient_for_them_and_small_epochs_keep_them(recipe: Recipe) -> None:
    small = replace(recipe, small_epochs=1, augmentation=AugmentationRecipe.none())
    batch = prepared(labels(), labels(lesion=None)).batch(np.arange(2))
    for asked, size in ((small, 16), (replace(small, small_epochs=0), 32)):
        task = SegmentationTask(asked, torch.nn.Conv2d(1, 1, 1), 1)
        images, targets = task.ready(batch, 0)
        unknown = targets < 0
        assert targets.shape == (2, 1, size, size)
        assert unknown.float().mean() == 0.25
        logits = torch.zeros_like(targets, requires_grad=True)
        task.network = Fixed(logits)
        task.step_loss(images, targets).backward()
        assert not logits.grad[unknown].any()
        assert logits.grad[~unknown].all()


def test_validation_scores_only_what_is_known(recipe: Recipe) -> None:
    """The first is all lesion where it is known, the second normal, the third all unknown."""
    every = np.ones((64, 64), np.uint8)
    every[:, 32:] = 2
    normal, unknown = np.where(every == 2, 2, 0), np.full((64, 64), 2)
    cases = prepared(*(one.astype(np.uint8) for one in (every, normal, unknown)))
    ((images, stored),) = validation_batches(cases, 32)
    task = SegmentationTask(recipe, Outlines(), 1)
    task.validation_step((images, stored), 0)
    dice, lesions, outlined, normals, _, count = task._sums.tolist()
    assert (dice, lesions, outlined, normals, count) == (1, 1, 1, 2, 3)
    targets = task.targets(stored)
    assert batch_dice(torch.ones(3, 1, *SIZE), targets).tolist() == [1, 0, 1]


def test_a_discriminator_sees_nothing_of_them(recipe: Recipe) -> None:
    task = AdversarialTask(
        replace(recipe, adversarial=AdversarialRecipe(first_epoch=0)), Outlines(), 1
    )
    seen: list[torch.Tensor] = []

    class Still(torch.optim.lr_scheduler.LRScheduler):
        def __init__(self) -> None: ...

        def step(self) -> None: ...

    class Watching(torch.nn.Module):
        def forward(self, _: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
            seen.append(masks)
            return masks

    task.discriminator = Watching()
    task.optimizers = lambda: [None, None]
    task.lr_schedulers = Still
    task._move = lambda *_: None
    targets = torch.zeros(2, 1, 8, 8)
    targets[..., :4], targets[..., 4:6] = 1, IGNORED
    task.step_loss(torch.rand(2, 1, 8, 8), targets)
    assert len(seen) == 3
    for masks in seen:
        assert not masks[..., 4:6].any()
        assert masks[..., :4].all()


def test_no_reader_clicks_where_nothing_is_known() -> None:
    truth = np.full((40, 40), -1.0, np.float32)
    truth[10:20, 10:20], truth[10:20, 20:24] = 1, 0
    for seed in range(60):
        prompt = simulate(truth > 0, truth, np.random.default_rng(seed), 0.0, 0.0)
        assert all(truth[int(row), int(column)] == 0 for row, column in prompt.outside)
    blind = np.where(truth > 0, truth, -1)
    blind_prompts = [simulate(truth > 0, blind, np.random.default_rng(i), 0, 0) for i in range(40)]
    assert not any(prompt.outside for prompt in blind_prompts)


def test_prompts_are_trained_without_them(recipe_file: Path) -> None:
    """All but the lesion is unknown, and the network outlines everything: nobody corrects it."""
    changes = {
        "network.in_channels": "4",
        "prompting": "{stored_size = [64, 64], corrected_fraction = 1.0}",
    }
    recipe = replace(read_recipe(recipe_file, changes), augmentation=AugmentationRecipe.none())
    task = PromptTask(recipe, build_network(recipe.network), 1)
    task.average = Outlines()
    values = labels()
    values[values == 0] = 2
    batch = prepared(*[values] * 8, spec=InputSpec((64, 64))).batch(np.arange(8))
    inputs, targets = task.ready(batch, 0)
    assert set(targets.unique().tolist()) <= {IGNORED, 1}
    assert (targets < 0).any()
    assert (targets > 0).flatten(1).any(dim=1).all()
    assert not inputs[:, 3].any()  # no click outside of a lesion


def test_boxes_cannot_leave_them_out() -> None:
    found = prepared(labels(), labels(ignored=None))
    with pytest.raises(DataSetError, match=r"1 training cases with pixels to be ignored: c0\."):
        _refuse_ignored(found)
    _refuse_ignored(prepared(labels(ignored=None)))


def test_a_lesion_too_small_for_the_network_stays_a_lesion(
    caplog: pytest.LogCaptureFixture, recipe: Recipe
) -> None:
    tiny = np.zeros((256, 256), np.uint8)
    tiny[100:103, 96:99] = 1
    with caplog.at_level(logging.WARNING):
        found = prepared(tiny, np.zeros_like(tiny))
    assert not caplog.records
    assert found.has_lesion.tolist() == [True, False]
    assert (found.labels[0] == 1).sum() == 1
    assert found.labels[0, 12, 12] == 1
    task = SegmentationTask(recipe, Outlines(), 1)
    task.validation_step(validation_batches(found, 32)[0], 0)
    assert task._sums[[1, 3]].tolist() == [1, 1]


def test_a_lesion_that_the_network_does_not_see_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Outside of the box around the breast."""
    given = Given("far", labels())
    grey = np.zeros((1, 64, 64), np.uint8)
    grey[0, :, 44:] = 200  # all that is bright is elsewhere
    case = replace(given.case, images=(Image(grey, given.case.images[0].grid),))
    given.case = case
    spec = InputSpec(SIZE, region=Region.BREAST)
    with caplog.at_level(logging.WARNING):
        found = prepare_cases([given], spec)
    assert not found.has_lesion[0]
    (record,) = caplog.records
    assert record.getMessage().endswith("sees nothing of the lesions: far")
