"""Simulated prompts, and the task that trains on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from breastseg.core.errors import RecipeError
from breastseg.networks.catalogue import build_network
from breastseg.networks.weights import fit_stem
from breastseg.preprocess.prompt_maps import prompt_maps
from breastseg.training.prompting import PromptTask
from breastseg.training.recipe import Recipe
from breastseg.training.recipe_file import read_recipe
from breastseg.training.simulated_prompts import (
    SimulatedPrompt,
    choose_lesion,
    correct,
    frame_around,
    simulate,
)
from breastseg.training.tasks import build_task

pytestmark = pytest.mark.train
NOTHING = np.zeros((60, 80), bool)


def lesion(seed: int = 0) -> NDArray[np.bool_]:
    generator = np.random.default_rng(seed)
    row, column = np.ogrid[:60, :80]
    centre, axes = generator.uniform((15, 15), (45, 65)), generator.uniform(4, 14, 2)
    inside = ((row - centre[0]) / axes[0]) ** 2 + ((column - centre[1]) / axes[1]) ** 2 <= 1
    return np.asarray(inside)


def test_prompt_maps_by_hand() -> None:
    maps = prompt_maps((4, 5), (1, 1, 3, 4), inside=[(0.5, 0.5)], outside=[(3.5, 4.5)], disc=0.1)
    wanted = np.zeros((3, 4, 5), np.float32)
    wanted[0, 1:3, 1:4] = 1
    wanted[1, 0, 0] = wanted[2, 3, 4] = 1
    np.testing.assert_array_equal(maps, wanted)
    assert not prompt_maps((4, 5)).any()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_simulated_prompts_mean_the_lesion(seed: int) -> None:
    generator = np.random.default_rng(seed)
    mask = lesion(seed)
    prompt = simulate(mask, NOTHING, generator, box_fraction=0.5, tight_fraction=0.35)
    assert prompt.box is not None or prompt.inside
    assert all(mask[int(row), int(column)] for row, column in prompt.inside)
    assert not any(mask[int(row), int(column)] for row, column in prompt.outside)
    if prompt.box is not None:
        rows, columns = np.nonzero(mask)
        tight = np.array([rows.min(), columns.min(), rows.max() + 1, columns.max() + 1])
        side = np.array([tight[2] - tight[0], tight[3] - tight[1]] * 2)
        assert (np.abs(prompt.box - tight) <= 0.25 * side + 1e-9).all()
        fitting = simulate(mask, NOTHING, generator, box_fraction=1.0, tight_fraction=1.0)
        np.testing.assert_array_equal(fitting.box, tight)


def test_a_lesion_that_fills_the_frame_leaves_no_place_beside_it() -> None:
    mask = np.ones((12, 16), bool)
    for seed in range(40):
        prompt = simulate(mask, ~mask, np.random.default_rng(seed), 0.0, 0.0)
        assert prompt.inside
        assert not prompt.outside


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_frame_holds_most_of_its_lesion(seed: int) -> None:
    mask = lesion(seed)
    top, left, bottom, right = frame_around(mask, np.random.default_rng(seed), (1.5, 3.5))
    assert 0 <= top < bottom <= 1
    assert 0 <= left < right <= 1
    rows, columns = mask.shape
    shown = mask[
        int(top * rows) : int(bottom * rows) + 1, int(left * columns) : int(right * columns) + 1
    ]
    assert shown.sum() > 0.9 * mask.sum()


def test_one_of_several_lesions_is_chosen() -> None:
    both = NOTHING.copy()
    both[5:10, 5:10] = both[30:40, 30:40] = True
    chosen = {int(choose_lesion(both, np.random.default_rng(i)).sum()) for i in range(20)}
    assert chosen == {25, 100}
    assert not choose_lesion(NOTHING, np.random.default_rng(0)).any()


def test_a_correction_clicks_into_the_middle_of_the_largest_error() -> None:
    mask, found = NOTHING.copy(), NOTHING.copy()
    mask[10:31, 10:31] = True
    found[10:31, 10:13] = True  # most is missed
    prompt = SimulatedPrompt()
    correct(prompt, mask, found)
    assert prompt.inside[0] == pytest.approx((20.5, 21.5), abs=3)
    correct(prompt, NOTHING, mask)
    assert prompt.outside == [(20.5, 20.5)]
    before = len(prompt.inside)
    correct(prompt, mask, mask)  # nothing to correct
    assert len(prompt.inside) == before


def test_a_stem_takes_more_channels_without_changing_what_it_computes() -> None:
    rgb, image = torch.randn(4, 3, 3, 3), torch.rand(1, 1, 9, 9)
    prompts = torch.rand(1, 3, 9, 9)
    stem = fit_stem(rgb, torch.empty(4, 4, 3, 3))
    before = torch.nn.functional.conv2d(image.repeat(1, 3, 1, 1), rgb)
    after = torch.nn.functional.conv2d(torch.cat((image, prompts), dim=1), stem)
    torch.testing.assert_close(before, after, atol=1e-5, rtol=1e-5)


@pytest.fixture
def recipe(recipe_file: Path) -> Recipe:
    changes = {"network.in_channels": "4", "prompting": "{stored_size = [96, 96]}"}
    return read_recipe(recipe_file, changes)


def test_a_network_with_too_few_channels_for_prompts_is_refused(recipe_file: Path) -> None:
    with pytest.raises(RecipeError, match="3 maps of a prompt"):
        read_recipe(recipe_file, {"prompting": "{}"})


def test_prompts_for_several_classes_are_refused_before_training(recipe_file: Path) -> None:
    changes = {
        "network.in_channels": "4",
        "network.out_channels": "3",
        "classes": '["benign", "malignant"]',
        "prompting": "{}",
    }
    with pytest.raises(RecipeError, match="prompting with classes"):
        read_recipe(recipe_file, changes)


def test_a_batch_shows_prompts_that_agree_with_what_is_wanted(recipe: Recipe) -> None:
    task = build_task(recipe, build_network(recipe.network), 10)
    assert isinstance(task, PromptTask)
    labels = torch.from_numpy(np.stack([lesion(i) for i in range(8)]).astype(np.uint8))[:, None]
    images = (120 - 100 * labels).to(torch.uint8)
    inputs, wanted = task.ready((images, labels), 0)
    size = recipe.small_size if recipe.small_epochs else recipe.input.size
    assert inputs.shape == (8, 4, *size)
    assert wanted.shape == (8, 1, *size)
    again, _ = task.ready((images, labels), 0)
    assert torch.equal(inputs, again)
    for shown, target in zip(inputs, wanted, strict=True):
        inside = shown[2] > 0
        if inside.any() and target.any():
            # a click's disc may hang over the border of a small lesion
            assert target[0][inside].mean() > 0.3
    unasked = task.inputs(torch.rand(2, 1, *size))
    assert not unasked[:, 1:].any()


class Elsewhere(torch.Tensor):
    """As a tensor on a GPU: numpy cannot read it until it is copied to the CPU."""

    def numpy(self, *_: object) -> NDArray[np.generic]:
        raise TypeError("can't convert a device tensor to numpy")

    def cpu(self, *_: object) -> torch.Tensor:
        return self.as_subclass(torch.Tensor)


def test_a_batch_on_another_device_is_copied_before_prompts_are_drawn(recipe: Recipe) -> None:
    assert recipe.prompting is not None
    always = replace(recipe.prompting, corrected_fraction=1.0, automatic_fraction=0.0)
    recipe = replace(recipe, prompting=always)
    torch.manual_seed(0)
    task = build_task(recipe, build_network(recipe.network), 10)
    labels = torch.from_numpy(np.stack([lesion(i) for i in range(4)]).astype(np.uint8))[:, None]
    images = (120 - 100 * labels).to(torch.uint8)
    batch = (images.as_subclass(Elsewhere), labels.as_subclass(Elsewhere))
    for found, wanted in zip(task.ready(batch, 0), task.ready((images, labels), 0), strict=True):
        assert torch.equal(found.as_subclass(torch.Tensor), wanted)
