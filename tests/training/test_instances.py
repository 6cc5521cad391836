"""Mask R-CNN through the door that every network is trained by."""

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from breastseg.networks.catalogue import build_network
from breastseg.networks.recipe import MaskRCNNRecipe
from breastseg.training.instances import InstanceTask
from breastseg.training.recipe import Recipe
from breastseg.training.recipe_file import read_recipe

pytestmark = pytest.mark.train
torch.set_num_threads(1)


@pytest.fixture
def task(recipe_file: Path) -> InstanceTask:
    network = MaskRCNNRecipe(encoder="resnet18", pyramid_width=16, max_instances=3)
    recipe: Recipe = replace(read_recipe(recipe_file), network=network)
    torch.manual_seed(0)
    return InstanceTask(recipe, build_network(network), 1)


def test_a_step_is_the_sum_of_the_networks_losses(task: InstanceTask) -> None:
    images = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    targets = torch.zeros(2, 2, 64, 64)
    targets[0, 1, 10:40, 12:50] = 1  # a second class is a lesion like the first
    torch.manual_seed(2)
    loss = task.step_loss(images, targets)
    torch.manual_seed(2)
    parts = task.network.losses(images, targets.amax(1, keepdim=True))
    assert float(loss.detach()) == pytest.approx(
        sum(float(p.detach()) for p in parts.values()), rel=1e-4
    )
    assert float(parts["loss_mask"].detach()) > 0
    loss.backward()
    assert all(p.grad is not None for p in task.network.parameters())


def test_validation_sees_a_map(task: InstanceTask) -> None:
    images = torch.zeros(2, 1, 32, 40, dtype=torch.uint8)
    with torch.no_grad():
        probability = task.predict_average(images)
    assert probability.shape == (2, 1, 32, 40)
    assert 0 <= float(probability.min()) <= float(probability.max()) <= 1
