"""The networks: shapes, gradients, size, weights and refusals. All at tiny sizes."""

from dataclasses import asdict
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

from breastseg.core.errors import BundleError, RecipeError
from breastseg.networks.catalogue import NETWORKS, build_network, describe
from breastseg.networks.encoder_unet import EncoderUNet
from breastseg.networks.padding import pad_to_multiple
from breastseg.networks.recipe import (
    RECIPES as RECIPE_KINDS,
)
from breastseg.networks.recipe import (
    EncoderUNetRecipe,
    NetworkRecipe,
    UNet2015Recipe,
)
from breastseg.networks.unet2015 import UNet2015
from breastseg.networks.weights import (
    find_weights,
    load_encoder_weights,
    load_network_weights,
    save_network_weights,
)

pytestmark = pytest.mark.train

MOBILENET = "encoders/mobilenet_v2_imagenet.safetensors"
RECIPES = {
    "mobilenet, half resolution": EncoderUNetRecipe(decoder_channels=(16, 16, 8, 8)),
    "mobilenet, full resolution": EncoderUNetRecipe(
        decoder_channels=(16, 16, 8, 8, 8), output_stride=1, dropout=0.2
    ),
    "timm encoder": EncoderUNetRecipe(
        encoder="tu-mobilenetv3_small_050", decoder_channels=(16, 16, 8, 8)
    ),
    "unet2015": UNet2015Recipe(base_width=4, depth=3, dropout=0.5),
    "unet2015 without normalisation": UNet2015Recipe(base_width=4, depth=3, batch_norm=False),
}


@pytest.fixture(params=list(RECIPES))
def recipe(request: pytest.FixtureRequest) -> NetworkRecipe:
    torch.manual_seed(0)
    return RECIPES[request.param]


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (33, 40), (7, 150)])
def test_logits_have_the_size_of_the_image(recipe: NetworkRecipe, size: tuple[int, int]) -> None:
    network = build_network(recipe).eval()
    with torch.no_grad():
        logits = network(noise(2, recipe.in_channels, *size))
    assert logits.shape == (2, 1, *size)
    assert logits.dtype == torch.float32
    assert bool(torch.isfinite(logits).all())


def test_a_gradient_reaches_every_parameter(recipe: NetworkRecipe) -> None:
    network = build_network(recipe)
    network(noise(2, 1, 64, 64)).square().mean().backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None]
    assert idle == []
    assert all(bool(torch.isfinite(p.grad).all()) for p in network.parameters())
    # a convolution's gradient may vanish by a dead ReLU, but not that of the whole encoder
    first = next(iter(network.parameters()))
    assert float(first.grad.abs().sum()) > 0


def test_evaluation_is_deterministic_and_per_image(recipe: NetworkRecipe) -> None:
    network = build_network(recipe).eval()
    images = noise(3, 1, 64, 64)
    with torch.no_grad():
        together = network(images)
        again = network(images)
        alone = network(images[1:2])
    assert torch.equal(together, again)
    torch.testing.assert_close(alone[0], together[1], rtol=1e-4, atol=1e-4)


def test_one_image_can_be_a_batch_in_training(recipe: NetworkRecipe) -> None:
    logits = build_network(recipe).train()(noise(1, 1, 64, 64))
    assert bool(torch.isfinite(logits).all())


def test_the_same_seed_builds_the_same_network(recipe: NetworkRecipe) -> None:
    torch.manual_seed(5)
    first = build_network(recipe).state_dict()
    torch.manual_seed(5)
    second = build_network(recipe).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_weights_survive_the_round_trip(recipe: NetworkRecipe, tmp_path: Path) -> None:
    network = build_network(recipe)
    network(noise(2, 1, 64, 64))  # moves the running statistics off their start
    save_network_weights(network, tmp_path / "best.safetensors")
    other = build_network(recipe)
    load_network_weights(other, tmp_path / "best.safetensors")
    image = noise(1, 1, 64, 64)
    with torch.no_grad():
        assert torch.equal(network.eval()(image), other.eval()(image))
    assert [f.name for f in tmp_path.iterdir()] == ["best.safetensors"]


def test_catalogue_and_recipe_agree_on_the_names() -> None:
    assert set(NETWORKS) == set(RECIPE_KINDS)


def test_recipe_comes_back_from_plain_values() -> None:
    for recipe in RECIPES.values():
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(recipe).items()}
        assert RECIPE_KINDS[recipe.name](**plain) == recipe


def test_the_papers_network_has_its_parameters() -> None:
    # 3x3 convolutions with bias, 2x2 up-convolutions with bias, a 1x1 head to two classes
    widths = [64, 128, 256, 512, 1024]
    expected = 65 * 2  # the head
    for above, width in zip([1, *widths[:-1]], widths, strict=True):
        expected += (9 * above + 1) * width + (9 * width + 1) * width
    for width in widths[:-1]:
        expected += (4 * 2 * width + 1) * width
        expected += (9 * 2 * width + 1) * width + (9 * width + 1) * width
    with torch.device("meta"):
        network = UNet2015(out_channels=2, batch_norm=False, dropout=0.5)
    assert sum(p.numel() for p in network.parameters()) == expected == 31_030_658
    layers = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(layers) + len(network.up) == 23  # "in total the network has 23 layers"


def test_weights_start_with_he_deviation() -> None:
    torch.manual_seed(0)
    network = UNet2015(base_width=16, depth=2)
    deepest = network.down[-1][3].weight.detach()  # 64 channels in, 3x3
    assert float(deepest.std()) == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.05)
    up = network.up[0].weight.detach()  # one tap of each of 64 channels
    assert float(up.std()) == pytest.approx((2 / 64) ** 0.5, rel=0.05)


def test_cost_of_a_network_counted_by_hand() -> None:
    recipe = UNet2015Recipe(base_width=2, depth=1, batch_norm=False)
    full, half = 32 * 32, 16 * 16
    macs = full * 9 * (1 * 2 + 2 * 2) + half * 9 * (2 * 4 + 4 * 4)  # down
    macs += half * 4 * (4 * 2)  # up-convolution: one tap for each output pixel
    macs += full * 9 * (4 * 2 + 2 * 2) + full * 2  # merge and head
    cost = describe(recipe, size=(32, 32))
    assert cost.gmacs * 1e9 == pytest.approx(macs)
    assert cost.parameters == sum(p.numel() for p in build_network(recipe).parameters())
    assert cost.size == (32, 32)


def test_describing_a_network_draws_no_random_numbers() -> None:
    before = torch.get_rng_state()
    describe(RECIPES["unet2015"], size=(32, 32))
    assert torch.equal(before, torch.get_rng_state())


def test_half_resolution_costs_less() -> None:
    full = describe(RECIPES["mobilenet, full resolution"], size=(64, 64))
    half = describe(RECIPES["mobilenet, half resolution"], size=(64, 64))
    assert half.gmacs < full.gmacs


def test_padding_keeps_the_image_and_repeats_its_border() -> None:
    image = noise(1, 1, 5, 8)
    padded = pad_to_multiple(image, 8)
    assert padded.shape == (1, 1, 8, 8)
    assert torch.equal(padded[..., :5, :], image)
    assert torch.equal(padded[..., 7, :], image[..., 4, :])
    assert pad_to_multiple(padded, 8) is padded


# --- weights of an encoder -----------------------------------------------------------------------


def encoder_file(path: Path, rename: dict[str, str] | None = None) -> Path:
    """An encoder's random RGB weights on disk, with a classifier's keys beside them."""
    torch.manual_seed(3)
    state = EncoderUNet(in_channels=3).encoder.state_dict()
    tensors = {(rename or {}).get(k, k): v for k, v in state.items() if "tracked" not in k}
    tensors["classifier.1.weight"] = torch.zeros(10, 1280)
    safetensors_torch.save_file(tensors, path)
    return path


def assert_grey_equals_repeated_rgb(path: Path) -> None:
    grey, rgb = EncoderUNet(in_channels=1).eval(), EncoderUNet(in_channels=3).eval()
    load_encoder_weights(grey.encoder, path)
    load_encoder_weights(rgb.encoder, path)
    image = noise(1, 1, 64, 96).clamp(-1, 1)
    with torch.no_grad():
        levels = zip(grey.encoder(image), rgb.encoder(image.repeat(1, 3, 1, 1)), strict=True)
        for one, three in list(levels)[1:]:
            scale = float(three.abs().max())
            torch.testing.assert_close(one, three, rtol=1e-4, atol=1e-5 * scale)


def test_grey_stem_is_the_rgb_stem_summed(tmp_path: Path) -> None:
    assert_grey_equals_repeated_rgb(encoder_file(tmp_path / "encoder.safetensors"))


@pytest.mark.data
def test_grey_equals_repeated_rgb_with_the_pretrained_encoder(data_root: Path) -> None:
    assert_grey_equals_repeated_rgb(data_root / MOBILENET)


@pytest.mark.data
def test_recipe_loads_the_pretrained_encoder(data_root: Path) -> None:
    network = build_network(EncoderUNetRecipe(encoder_weights=str(data_root / MOBILENET)))
    stored = safetensors_torch.load_file(data_root / MOBILENET)
    state = network.encoder.state_dict()
    assert torch.equal(state["features.18.0.weight"], stored["features.18.0.weight"])
    assert torch.equal(state["features.18.1.running_var"], stored["features.18.1.running_var"])


def test_recipe_finds_relative_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    beside = encoder_file(tmp_path / "beside.safetensors")
    monkeypatch.setenv("BREASTSEG_DATA", str(tmp_path / "data"))
    shared = encoder_file(tmp_path / "data" / "shared.safetensors")
    assert find_weights("beside.safetensors", tmp_path) == beside
    assert find_weights("shared.safetensors", tmp_path) == shared
    assert find_weights(str(shared)) == shared
    with pytest.raises(
        RecipeError, match=r"absent\.safetensors.*not found. Expected: looked for.*data"
    ):
        find_weights("absent.safetensors", tmp_path)


def test_weights_are_left_out_on_request(tmp_path: Path) -> None:
    build_network(
        EncoderUNetRecipe(encoder_weights="absent.safetensors"), tmp_path, load_weights=False
    )
    with pytest.raises(RecipeError, match="not found"):
        build_network(EncoderUNetRecipe(encoder_weights="absent.safetensors"), tmp_path)


def test_timm_weights_with_or_without_its_prefix(tmp_path: Path) -> None:
    network = EncoderUNet(encoder="tu-mobilenetv3_small_050", in_channels=1)
    state = {
        k.removeprefix("model."): v + 1.0
        for k, v in network.encoder.state_dict().items()
        if "tracked" not in k
    }
    safetensors_torch.save_file(state, tmp_path / "timm.safetensors")
    load_encoder_weights(network.encoder, tmp_path / "timm.safetensors")
    stem = network.encoder.state_dict()["model.conv_stem.weight"]
    assert torch.equal(stem, state["conv_stem.weight"])


# --- refusals ------------------------------------------------------------------------------------


def test_misfitting_encoder_weights_are_named(tmp_path: Path) -> None:
    path = encoder_file(tmp_path / "odd.safetensors", {"features.0.0.weight": "stem.weight"})
    with pytest.raises(RecipeError) as caught:
        load_encoder_weights(EncoderUNet().encoder, path)
    assert "1 missing (first features.0.0.weight); 1 unexpected (first stem.weight)" in str(
        caught.value
    )


def test_misfitting_network_weights_are_named(tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    save_network_weights(UNet2015(base_width=4, depth=1), path)
    with pytest.raises(BundleError, match="of another shape"):
        load_network_weights(UNet2015(base_width=8, depth=1), path)
    with pytest.raises(BundleError, match="missing"):
        load_network_weights(UNet2015(base_width=4, depth=2), path)


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", None])
def test_unreadable_weights_are_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.safetensors"
    if content is not None:
        path.write_bytes(content)
    network = UNet2015(base_width=2, depth=1)
    with pytest.raises(BundleError, match=r"bad\.safetensors") as caught:
        load_network_weights(network, path)
    assert "\n" not in str(caught.value)
    with pytest.raises(RecipeError, match=r"bad\.safetensors"):
        load_encoder_weights(network, path)


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (EncoderUNetRecipe, {"in_channels": 17}, "in_channels = 17"),
        (EncoderUNetRecipe, {"out_channels": 0}, "out_channels = 0"),
        (EncoderUNetRecipe, {"dropout": 1.0}, "dropout = 1.0"),
        (EncoderUNetRecipe, {"output_stride": 4}, "output_stride = 4"),
        (EncoderUNetRecipe, {"output_stride": 1}, "5 values above 0 for an output stride of 1"),
        (EncoderUNetRecipe, {"decoder_channels": (8, 8, 8, 0)}, "4 values above 0"),
        (EncoderUNetRecipe, {"decoder_channels": ()}, "4 values above 0"),
        (UNet2015Recipe, {"depth": 0}, "depth = 0"),
        (UNet2015Recipe, {"base_width": 0}, "base_width = 0"),
    ],
)
def test_impossible_recipes_are_refused(
    kind: type[NetworkRecipe], changes: dict[str, object], message: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        kind(**changes)  # type: ignore[arg-type]
    assert message in str(caught.value)


@pytest.mark.parametrize("encoder", ["mobilenet", "tu-nothing", "timm-res2net50_26w_4s", ""])
def test_unknown_encoders_are_refused(encoder: str) -> None:
    with pytest.raises(RecipeError, match="a name of segmentation-models-pytorch"):
        build_network(EncoderUNetRecipe(encoder=encoder))
