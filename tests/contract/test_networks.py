"""What every architecture of the catalogue promises, at small sizes.

Architectures are taken from the catalogue: one that is added there is held to all of this, and
needs a line in `SMALL`. `golden/networks.json` holds what each computed when it was
added; after a change that is meant to change it, renew it with

    python tests/contract/test_networks.py
"""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn
from torch.nn import functional

from breastseg.core.bundle import InputSpec, VolumeSpec
from breastseg.data.phantoms.ultrasound import make_phantom
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import parity, seeded_inputs
from breastseg.export.volume import seeded_patches
from breastseg.networks import recipe as recipes
from breastseg.networks.catalogue import NETWORKS, NOT_ARGUMENTS, build_network, describe
from breastseg.networks.recipe import RECIPES, NetworkRecipe
from breastseg.networks.weights import load_network_weights, save_network_weights
from breastseg.preprocess.geometry import resize

pytestmark = pytest.mark.train

ENCODER = "tu-mobilenetv3_small_050"
DECODER = (16, 16, 8, 8)
TINY = (8, 12, 16, 20, 24)

SMALL: Mapping[str, NetworkRecipe] = {
    "encoder-decoder": recipes.EncoderDecoderRecipe(
        encoder="mobilenet_v2", decoder_channels=(64, 32, 16, 8)
    ),
    "unet2015": recipes.UNet2015Recipe(base_width=8, depth=3),
    "encoder-unet": recipes.EncoderUNetRecipe(encoder=ENCODER, decoder_channels=DECODER),
    "residual-unet": recipes.ResidualUNetRecipe(base_width=8, depth=3),
    "attention-unet": recipes.AttentionUNetRecipe(encoder=ENCODER, decoder_channels=DECODER),
    "unet++": recipes.NestedUNetRecipe(encoder=ENCODER, decoder_channels=DECODER),
    "transunet": recipes.TransUNetRecipe(
        encoder=ENCODER, decoder_channels=DECODER[1:], width=32, blocks=2, heads=4
    ),
    "segformer": recipes.SegFormerRecipe(decoder_width=32),
    "swin-unetr": recipes.SwinUNETRRecipe(width=12, stage_blocks=(1, 1, 1, 1)),
    "mask-rcnn": recipes.MaskRCNNRecipe(pyramid_width=32, max_instances=4),
    "unext": recipes.UNeXtRecipe(stage_widths=TINY),
    "cmunext": recipes.CMUNeXtRecipe(stage_widths=TINY, kernels=(3, 3, 3, 5, 5)),
    "fast-unet": recipes.FastUNetRecipe(context_width=24, decoder_width=16),
    "unet3d": recipes.UNet3dRecipe(stage_widths=(4, 8, 12)),
    "swin-unetr-3d": recipes.SwinUNETR3dRecipe(width=12, stage_blocks=(1, 1, 1, 1)),
}
"""Of each architecture a small one, but the default encoder where there is no smaller."""

RATE, STEPS = 3e-3, 200
"""Adam's, and the most of them, to learn four phantoms by heart."""

IMAGES = ((64, 64), (65, 97), (33, 40), (7, 150))
VOLUMES = ((8, 32, 32), (5, 33, 40), (9, 17, 31))
SINGLE = {2: ((64, 64), (20, 30)), 3: ((8, 32, 32), (5, 17, 20))}
"""One image or volume of these is a batch in training."""

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "networks.json"
GOLDEN_TOLERANCE = 1e-3
"""Of the logits' standard deviation: processors and releases differ in the last bits of sums."""


@pytest.fixture(params=list(NETWORKS))
def name(request: pytest.FixtureRequest) -> str:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return str(request.param)


def small(name: str, in_channels: int = 1, out_channels: int = 1) -> nn.Module:
    """A small network with random weights, the same ones each time."""
    torch.manual_seed(0)
    recipe = replace(SMALL[name], in_channels=in_channels, out_channels=out_channels)
    return build_network(recipe)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def channels(name: str) -> int:
    """Three classes, but for those that know lesion and background alone."""
    return 1 if name == "mask-rcnn" else 3


def outputs(network: nn.Module, images: Tensor) -> tuple[Tensor, ...]:
    """All that a network is trained on, but for those with losses of their own."""
    if hasattr(network, "side_outputs"):
        return tuple(network.side_outputs(images))
    return (network(images),)


def sizes(name: str) -> tuple[tuple[int, ...], ...]:
    return IMAGES if SMALL[name].dimensions == 2 else VOLUMES


# --- what goes in and out ------------------------------------------------------------------------


def test_recipes_and_networks_have_the_same_names() -> None:
    assert set(RECIPES) == set(NETWORKS)
    assert set(SMALL) == set(RECIPES)
    assert all(RECIPES[name] is type(recipe) for name, recipe in SMALL.items())


@pytest.mark.parametrize("in_channels", [1, 3])
def test_logits_have_the_size_of_the_image(name: str, in_channels: int) -> None:
    classes = channels(name)
    network = small(name, in_channels, classes).eval()
    with torch.no_grad():
        for size in sizes(name):
            logits = network(noise(2, in_channels, *size))
            assert logits.shape == (2, classes, *size)
            assert logits.dtype == torch.float32
            assert bool(torch.isfinite(logits).all()), size


def test_side_outputs_begin_with_the_networks_own(name: str) -> None:
    network = small(name, out_channels=channels(name)).eval()
    images = noise(2, 1, *sizes(name)[2])
    with torch.no_grad():
        first, *others = outputs(network, images)
        assert torch.equal(first, network(images))
    assert all(other.shape == first.shape for other in others)


def test_one_image_can_be_a_batch_in_training(name: str) -> None:
    network = small(name).train()
    for size in SINGLE[SMALL[name].dimensions]:
        for logits in outputs(network, noise(1, 1, *size)):
            assert logits.shape == (1, 1, *size)
            assert bool(torch.isfinite(logits).all())


def test_evaluation_is_deterministic_and_per_image(name: str) -> None:
    network = small(name).eval()
    images = noise(3, 1, *sizes(name)[0])
    before = images.clone()
    with torch.no_grad():
        together = network(images)
        assert torch.equal(together, network(images))
        alone = network(images[1:2])
    scale = float(together.abs().max())
    torch.testing.assert_close(alone[0], together[1], rtol=1e-4, atol=1e-4 * scale)
    assert torch.equal(images, before)


def test_the_same_seed_builds_the_same_network(name: str) -> None:
    first, second = small(name).state_dict(), small(name).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


# --- learning ------------------------------------------------------------------------------------


def test_a_gradient_reaches_every_parameter(name: str) -> None:
    network = small(name).train()
    loss(network, *phantoms(SMALL[name].dimensions)).backward()
    gradients = {key: value.grad for key, value in network.named_parameters()}
    assert [key for key, gradient in gradients.items() if gradient is None] == []
    assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients.values())
    assert [key for key, gradient in gradients.items() if not gradient.any()] == []


@cache
def phantoms(dimensions: int) -> tuple[Tensor, Tensor]:
    """Four phantoms with a lesion at 64x64, and their masks; a volume is one image repeated."""
    images, masks = [], []
    for seed in range(4):
        made = make_phantom(np.random.default_rng(seed), "benign", (128, 128))
        images.append(resize(made.image.astype(np.float32), (64, 64)) / 127.5 - 1)
        masks.append(resize(made.mask.astype(np.float32), (64, 64)) >= 0.5)
    x = torch.from_numpy(np.stack(images)[:, None].astype(np.float32))
    y = torch.from_numpy(np.stack(masks)[:, None].astype(np.float32))
    if dimensions == 3:
        x, y = (t[:, :, None, ::2, ::2].repeat(1, 1, 4, 1, 1) for t in (x, y))
    return x, y


def soft_dice(probability: Tensor, masks: Tensor) -> Tensor:
    axes = tuple(range(1, masks.ndim))
    both, each = (probability * masks).sum(axes), (probability + masks).sum(axes)
    return (2 * both / each.clamp_min(1e-6)).mean()


def loss(network: nn.Module, images: Tensor, masks: Tensor) -> Tensor:
    total = torch.zeros(())
    if hasattr(network, "losses"):
        return sum(network.losses(images, masks).values(), total)
    for logits in outputs(network, images):
        total = total + functional.binary_cross_entropy_with_logits(logits, masks)
        total = total + 1 - soft_dice(torch.sigmoid(logits), masks)
    return total


def test_it_learns_four_phantoms_by_heart(name: str) -> None:
    network = small(name)
    images, masks = phantoms(SMALL[name].dimensions)
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    reached = 0.0
    for step in range(1, STEPS + 1):
        network.train()
        optimiser.zero_grad()
        loss(network, images, masks).backward()
        optimiser.step()
        if step % 10 == 0:
            with torch.no_grad():
                found = (network.eval()(images) > 0).float()
            reached = float(soft_dice(found, masks))
            if reached > 0.95:
                break
    assert reached > 0.95, f"after {step} steps"


# --- files ---------------------------------------------------------------------------------------


def moved(name: str, images: Tensor) -> nn.Module:
    """A small network whose running statistics are no longer those it started with."""
    network = small(name).train()
    with torch.no_grad():
        network(images)
    return network.eval()


def test_onnx_runtime_agrees_with_torch(name: str, tmp_path: Path) -> None:
    spec: InputSpec | VolumeSpec = InputSpec((64, 64))
    if SMALL[name].dimensions == 3:
        spec = VolumeSpec((8, 32, 40), (2.0, 1.0, 1.0), channels=1)
    inputs = seeded_patches(spec) if isinstance(spec, VolumeSpec) else seeded_inputs(spec)
    network = moved(name, torch.from_numpy(inputs))
    export_onnx(network, spec, tmp_path / "m.onnx", precision="float32")
    assert parity(network, tmp_path / "m.onnx", spec, inputs, "float32") < 1e-4


def test_weights_survive_the_round_trip(name: str, tmp_path: Path) -> None:
    images = noise(2, 1, *sizes(name)[0])
    network = moved(name, images)
    save_network_weights(network, tmp_path / "best.safetensors")
    torch.manual_seed(1)
    other = build_network(SMALL[name])
    load_network_weights(other, tmp_path / "best.safetensors")
    copied = copy.deepcopy(network)
    with torch.no_grad():
        wanted = network(images)
        assert torch.equal(other.eval()(images), wanted)
        assert torch.equal(copied(images), wanted)


# --- the recipe and the numbers ------------------------------------------------------------------


def test_the_recipe_is_the_constructor(name: str) -> None:
    parameters = inspect.signature(NETWORKS[name]).parameters
    known = {field.name: field for field in fields(RECIPES[name])}
    assert set(parameters) == set(known) - set(NOT_ARGUMENTS)
    for key, parameter in parameters.items():
        default = known[key].default
        if parameter.default is not inspect.Parameter.empty and default is not MISSING:
            assert parameter.default == default, key


def test_the_recipe_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe.title
    assert (
        recipe.paper.startswith("https://doi.org/") or (GOLDEN.parents[2] / recipe.paper).is_file()
    )
    assert recipe().name == name


def test_its_size_and_cost_are_known(name: str) -> None:
    cost = describe(SMALL[name])
    assert cost.parameters == sum(p.numel() for p in small(name).parameters())
    assert cost.gmacs > 0
    assert len(cost.size) == SMALL[name].dimensions


# --- golden --------------------------------------------------------------------------------------


def computed(name: str) -> dict[str, object]:
    """Mean, deviation and a few of the logits of a seeded network for a seeded image."""
    size = sizes(name)[0]
    network = moved(name, noise(4, 1, *size))
    with torch.no_grad():
        logits = network(noise(4, 1, *size)[:1]).double().flatten()
    some = logits[:: len(logits) // 7][:8]
    return {
        "mean": round(float(logits.mean()), 6),
        "std": round(float(logits.std()), 6),
        "values": [round(float(value), 6) for value in some],
    }


def test_it_computes_what_it_computed(name: str) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert name in golden, "renew the golden output, see the top of this file"
    then, now = golden[name], computed(name)
    slack = GOLDEN_TOLERANCE * then["std"] + 1e-6  # of the rounding
    assert now["mean"] == pytest.approx(then["mean"], abs=slack)
    assert now["std"] == pytest.approx(then["std"], abs=slack)
    assert now["values"] == pytest.approx(then["values"], abs=slack)


if __name__ == "__main__":
    torch.set_num_threads(1)
    GOLDEN.write_text(
        json.dumps({known: computed(known) for known in NETWORKS}, indent=1) + "\n",
        encoding="utf-8",
    )
