"""Tasks besides learning from the truth, each run through the same door."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lightning.pytorch import Callback
from lightning.pytorch.strategies import DDPStrategy
from safetensors.torch import load_file
from torch.nn.functional import binary_cross_entropy_with_logits

from breastseg.core.bundle import InputSpec
from breastseg.core.errors import BundleError, DataSetError, RecipeError
from breastseg.core.image import Modality
from breastseg.data.dataset import CaseRef
from breastseg.export.bundle import About, make_bundle
from breastseg.losses import LossRecipe
from breastseg.networks.recipe import NestedUNetRecipe
from breastseg.training.adversarial import AdversarialTask
from breastseg.training.augmentation import AugmentationRecipe
from breastseg.training.distillation import DistillationTask, teacher_maps
from breastseg.training.fit import Hardware, Origin, _trainer_settings, fit
from breastseg.training.masking import MaskingTask
from breastseg.training.parts import (
    AdversarialRecipe,
    DistillationRecipe,
    MaskingRecipe,
    TransferRecipe,
)
from breastseg.training.recipe import Recipe
from breastseg.training.recipe_file import read_recipe, recipe_from, recipe_table
from breastseg.training.record import History
from breastseg.training.run_folder import RunFolder
from breastseg.training.sampler import prepare_cases
from breastseg.training.task import SegmentationTask
from breastseg.training.tasks import build_task
from breastseg.training.trainer import build_trainer

pytestmark = [
    pytest.mark.train,
    # Within Lightning, not of our making.
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec.*"),
]
Cases = tuple[CaseRef, ...]


@pytest.fixture
def recipe(recipe_file: Path) -> Recipe:
    return read_recipe(recipe_file, {"epochs": "1", "small_epochs": "0"})


def sides(blobs: Cases) -> dict[str, Sequence[CaseRef]]:
    return {
        "blobs": blobs[:12],
        "watched": [replace(case, source="watched") for case in blobs[12:]],
    }


class Fixed(torch.nn.Module):
    """A network that always gives the same answer."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.answer


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Conv2d(1, 1, 3, padding=1)


def test_the_recipe_chooses_the_task(recipe: Recipe) -> None:
    kinds = {
        SegmentationTask: recipe,
        DistillationTask: replace(recipe, distillation=DistillationRecipe(("ultrasound",))),
        MaskingTask: replace(recipe, masking=MaskingRecipe()),
        AdversarialTask: replace(recipe, adversarial=AdversarialRecipe()),
    }
    for kind, asked in kinds.items():
        assert type(build_task(asked, network(), 1)) is kind


def test_parts_survive_the_round_trip(recipe: Recipe) -> None:
    asked = replace(
        recipe,
        transfer=TransferRecipe(2, 3, 0.8),
        adversarial=AdversarialRecipe(0.1, 2),
    )
    assert recipe_from(recipe_table(asked), "here") == asked
    for part in (DistillationRecipe(("a", "b"), 0.3), MaskingRecipe(0.5, 0.25)):
        name = type(part).__name__.removesuffix("Recipe").lower()
        other = replace(recipe, **{name: part})
        assert recipe_from(recipe_table(other), "here") == other


def test_two_special_tasks_are_refused(recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match="adversarial and masking in one recipe"):
        replace(recipe, adversarial=AdversarialRecipe(), masking=MaskingRecipe())


@pytest.mark.parametrize(
    "make",
    [
        lambda: DistillationRecipe(()),
        lambda: DistillationRecipe(("a",), 0),
        lambda: TransferRecipe(-1),
        lambda: TransferRecipe(layer_decay=0),
        lambda: MaskingRecipe(fraction=1),
        lambda: MaskingRecipe(patch=0.7),
    ],
)
def test_impossible_parts_are_refused(make: object) -> None:
    with pytest.raises(RecipeError):
        make()  # type: ignore[operator]


def test_masked_squares_have_the_share_and_only_they_are_compared(recipe: Recipe) -> None:
    task = MaskingTask(replace(recipe, masking=MaskingRecipe(0.5, 0.25)), network(), 1)
    torch.manual_seed(1)
    hidden = task._hidden(torch.zeros(8, 1, 32, 32))
    assert hidden.float().mean(dim=(1, 2, 3)).tolist() == pytest.approx([0.5] * 8)
    assert not torch.equal(hidden[0], hidden[1])
    # a network that paints the truth, standardised, costs nothing
    images = torch.rand(2, 1, 32, 32)
    deviation, mean = torch.std_mean(images, dim=(1, 2, 3), keepdim=True)
    task.network = Fixed((images - mean) / deviation)
    assert float(task.step_loss(images, images)) == pytest.approx(0, abs=1e-5)


def test_distillation_weighs_truth_and_teacher(recipe: Recipe) -> None:
    logits = torch.tensor([2.0, -1.0]).view(1, 1, 1, 2)
    targets = torch.tensor([[[[1.0, 0.0]], [[0.8, 0.3]]]])

    def loss(weight: float) -> float:
        asked = replace(recipe, distillation=DistillationRecipe(("ultrasound",), weight))
        task = DistillationTask(asked, network(), 1)
        task.network = Fixed(logits)
        return float(task.step_loss(torch.zeros(1, 1, 1, 2), targets))

    p, t = torch.sigmoid(logits).flatten(), targets[0, 1].flatten()
    taught = float(-(t * p.log() + (1 - t) * (1 - p).log()).mean())
    assert loss(1.0) == pytest.approx(taught, rel=1e-5)
    truth = (loss(0.5) - 0.5 * taught) / 0.5
    assert loss(0.25) == pytest.approx(0.25 * taught + 0.75 * truth, rel=1e-5)


class Sided(torch.nn.Module):
    """A network of two outputs."""

    def side_outputs(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return images, -images


@pytest.mark.parametrize("kind", [SegmentationTask, DistillationTask])
def test_every_output_is_supervised_whatever_else_is_learnt(kind: type, recipe: Recipe) -> None:
    weight = 0.25 if kind is DistillationTask else 0.0
    asked = replace(recipe, network=NestedUNetRecipe(deep_supervision=True))
    if weight:
        asked = replace(asked, distillation=DistillationRecipe(("ultrasound",), weight))
    task = kind(asked, network(), 1)
    task.network = Sided()
    images = torch.tensor([2.0, -1.0]).view(1, 1, 1, 2)
    hard, soft = (torch.tensor(t).view(1, 1, 1, 2) for t in ([1.0, 0.0], [0.8, 0.3]))
    both = (2 * task.loss(images, hard) + task.loss(-images, hard)) / 3
    taught = binary_cross_entropy_with_logits(images, soft)
    targets = torch.cat((hard, soft), dim=1) if weight else hard
    found = float(task.step_loss(images, targets))
    assert found == pytest.approx(float(weight * taught + (1 - weight) * both), rel=1e-5)


def test_a_teacher_of_one_kind_teaches_no_classes(recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match="distillation with classes or colour"):
        replace(
            recipe,
            classes=("benign", "malignant"),
            network=replace(recipe.network, out_channels=3),
            distillation=DistillationRecipe(("ultrasound",)),
        )


def test_what_would_do_nothing_is_refused(blobs: Cases, recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="deep_weights for network 'unet2015' of a single output"):
        replace(recipe, loss=LossRecipe(deep_weights=(1.0, 0.5)))
    frozen = replace(recipe, transfer=TransferRecipe(frozen_epochs=1))
    folds = replace(recipe, folds="folds.json")
    for asked, words in ((frozen, "UNet2015, which has no encoder"), (folds, "folds.json without")):
        with pytest.raises(RecipeError, match=words):
            fit(asked, sides(blobs), RunFolder(tmp_path / "run"), Hardware(1), Origin(tmp_path))
    assert not (tmp_path / "run").exists()


def test_lesions_are_pasted_only_where_that_does_something(recipe: Recipe) -> None:
    pasting = replace(recipe, augmentation=AugmentationRecipe(paste_p=0.1))
    with pytest.raises(RecipeError, match=r"paste_p = 0\.1 with classes, distillation, prompting"):
        replace(pasting, distillation=DistillationRecipe(("ultrasound",)))


def test_a_dice_that_nobody_measures_is_not_waited_for(
    blobs: Cases, recipe: Recipe, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="patience = 2 with masking"):
        replace(recipe, patience=2, masking=MaskingRecipe())
    normals = {**sides(blobs), "watched": [replace(blobs[14], source="watched")]}
    waiting = replace(recipe, patience=2)
    for watched in (normals, {**normals, "watched": []}):
        with pytest.raises(RecipeError, match="patience = 2 without a lesion"):
            fit(waiting, watched, RunFolder(tmp_path / "run"), Hardware(1), Origin(tmp_path))
    assert not (tmp_path / "run").exists()


def test_a_teacher_is_asked_once_and_must_exist(blobs: Cases) -> None:
    images = prepare_cases(blobs[:2], InputSpec((64, 64))).images
    once, twice = (
        teacher_maps(images, ["ultrasound"], Path()),
        teacher_maps(images, ["ultrasound"] * 2, Path()),
    )
    assert once.shape == images.shape
    assert np.array_equal(once, twice)
    with pytest.raises(RecipeError, match="teacher 'nobody'"):
        teacher_maps(images, ["nobody"], Path())


def test_pretraining_on_masks_starts_a_segmentation(
    blobs: Cases, recipe: Recipe, tmp_path: Path
) -> None:
    first = RunFolder(tmp_path / "painted")
    asked = replace(recipe, masking=MaskingRecipe())
    bare = {name: [replace(c, mask_paths=None) for c in s] for name, s in sides(blobs).items()}
    with pytest.raises(DataSetError, match="no mask"):
        fit(recipe, bare, RunFolder(tmp_path / "none"), Hardware(threads=1), Origin(tmp_path))
    fit(asked, bare, first, Hardware(threads=1), Origin(tmp_path))
    (row,) = csv.DictReader(first.metrics.read_text().splitlines())
    assert float(row["val_loss"]) > 0
    assert row["val_dice"] == row["val_normals_outlined"] == ""
    assert not first.best_weights.exists()
    assert not first.overlays.exists()
    with pytest.raises(BundleError, match="fill in masked squares"):
        make_bundle(first.root, tmp_path / "bundle", About("painted", "1", Modality.ULTRASOUND, ""))
    second = RunFolder(tmp_path / "outlined")
    start = replace(recipe, initial_weights="painted")
    fit(start, sides(blobs), second, Hardware(threads=1), Origin(tmp_path))
    assert load_file(first.last_weights).keys() == load_file(second.last_weights).keys()


@pytest.mark.parametrize("adversarial", [None, AdversarialRecipe()])
def test_processes_wait_for_no_gradient_of_the_network_whose_turn_it_is_not(
    adversarial: AdversarialRecipe | None, recipe: Recipe, tmp_path: Path
) -> None:
    course, folder = (
        _trainer_settings(replace(recipe, adversarial=adversarial)),
        RunFolder(tmp_path),
    )
    trainer = build_trainer(course, folder, Hardware(devices=2), History(folder))
    assert isinstance(trainer.strategy, DDPStrategy)
    unused = trainer.strategy._ddp_kwargs.get("find_unused_parameters", False)
    assert unused is (adversarial is not None)


def test_adversarial_training_moves_both_and_resumes_bit_for_bit(
    blobs: Cases, recipe: Recipe, tmp_path: Path
) -> None:
    asked = replace(recipe, epochs=2, adversarial=AdversarialRecipe(first_epoch=0))
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    fit(asked, sides(blobs), whole, Hardware(threads=1), Origin(tmp_path))
    with pytest.raises(InterruptedError):
        fit(
            asked,
            sides(blobs),
            broken,
            Hardware(threads=1),
            Origin(tmp_path),
            callbacks=[StopAt(1)],
        )
    fit(asked, sides(blobs), broken, Hardware(threads=1), Origin(tmp_path), resume=True)
    first, second = load_file(whole.last_weights), load_file(broken.last_weights)
    assert all(torch.equal(first[name], second[name]) for name in first)
    control = RunFolder(tmp_path / "control")
    fit(replace(recipe, epochs=2), sides(blobs), control, Hardware(threads=1), Origin(tmp_path))
    assert any(not torch.equal(v, load_file(control.last_weights)[k]) for k, v in first.items())


class StopAt(Callback):
    """Breaks a run off at the start of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_start(self, trainer: object, pl_module: object) -> None:
        if trainer.current_epoch == self.epoch:  # type: ignore[attr-defined]
            raise InterruptedError


def test_classes_become_labels(blobs: Cases, recipe: Recipe) -> None:
    told = [
        replace(case, label="malignant" if i == 1 else case.label) for i, case in enumerate(blobs)
    ]
    prepared = prepare_cases(told[:5], InputSpec((32, 32)), ("benign", "malignant"))
    assert [int(labels.max()) for labels in prepared.labels] == [1, 2, 1, 1, 0]
    task = SegmentationTask(
        replace(recipe, network=three(recipe), classes=("benign", "malignant")), network(), 1
    )
    _, stored = prepared.batch(np.arange(5))
    targets = task.targets(stored)
    assert targets.shape == (5, 2, 32, 32)
    assert torch.equal(targets.sum(dim=1), (stored[:, 0] > 0).float())
    assert bool(targets[1, 1].any())
    assert not bool(targets[1, 0].any())
    with pytest.raises(DataSetError, match="a lesion labelled 'malignant', not benign"):
        prepare_cases(told[:5], InputSpec((32, 32)), ("benign",))


def three(recipe: Recipe) -> object:
    return replace(recipe.network, out_channels=3)
