"""TransUNet: the transformer, what is left of the encoder, its weights, shapes and ONNX."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import safetensors.torch
from torch import nn
from torch.nn import functional

from breastseg.core.bundle import InputSpec
from breastseg.core.errors import RecipeError
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import parity, seeded_inputs
from breastseg.networks.encoder_network import build_encoder, first_maps
from breastseg.networks.transunet import (
    STEM_DEPTH,
    Transformer,
    TransformerBlock,
    TransUNet,
    remove_deeper_layers,
)
from breastseg.networks.weights import load_encoder_weights

pytestmark = pytest.mark.train
torch.set_num_threads(1)

ENCODERS = ["mobilenet_v2", "resnet18", "efficientnet-b0", "tu-mobilenetv3_small_050"]


def small(**changes: object) -> TransUNet:
    torch.manual_seed(0)
    settings = {"decoder_channels": (16, 8, 8), "width": 24, "blocks": 2, "heads": 3}
    return TransUNet(**settings | changes)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [(64, 64), (33, 40), (7, 150), (7, 7)])
@pytest.mark.parametrize("training", [False, True])
def test_logits_have_the_size_of_the_one_image(size: tuple[int, int], training: bool) -> None:
    logits = small(in_channels=3, out_channels=2).train(training)(noise(1, 3, *size))
    assert logits.shape == (1, 2, *size)
    assert bool(torch.isfinite(logits).all())


def test_at_a_stride_of_one_there_is_a_block_more() -> None:
    network = small(decoder_channels=(16, 8, 8, 4), output_stride=1)
    assert network(noise(1, 1, 33, 40)).shape == (1, 1, 33, 40)
    assert len(network.decoder.blocks) == 4
    assert network.decoder.blocks[3].conv1[0].in_channels == 8  # the image itself is no skip


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_gradient_reaches_every_parameter(encoder: str) -> None:
    network = small(encoder=encoder)
    network(noise(2, 1, 64, 96)).square().mean().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("encoder", ENCODERS)
def test_what_is_left_of_an_encoder_computes_the_same_maps(encoder: str) -> None:
    torch.manual_seed(0)
    whole, _ = build_encoder(encoder, 1)
    state = {name: value.clone() for name, value in whole.state_dict().items()}
    torch.manual_seed(0)
    left, _ = build_encoder(encoder, 1)
    remove_deeper_layers(left, 1)
    kept = left.state_dict()
    assert left.training
    assert set(kept) < set(state)
    assert all(torch.equal(value, state[name]) for name, value in kept.items())
    image = noise(1, 1, 64, 96)
    with torch.no_grad():
        wanted = first_maps(whole.eval(), image, STEM_DEPTH)
        found = first_maps(left.eval(), image, STEM_DEPTH)
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("encoder", [e for e in ENCODERS if e != "efficientnet-b0"])
def test_the_weights_of_the_whole_classifier_load(encoder: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    whole, _ = build_encoder(encoder, 3)
    path = tmp_path / "whole.safetensors"
    safetensors.torch.save_file(whole.state_dict(), path)
    network = small(encoder=encoder, in_channels=3)
    load_encoder_weights(network.encoder, path)
    stored = whole.state_dict()
    assert all(torch.equal(v, stored[k]) for k, v in network.encoder.state_dict().items())


def test_a_deeper_layer_without_a_number_is_refused(tmp_path: Path) -> None:
    whole, _ = build_encoder("efficientnet-b0", 3)
    path = tmp_path / "whole.safetensors"
    safetensors.torch.save_file(whole.state_dict(), path)
    with pytest.raises(RecipeError, match=r"1 unexpected \(first _conv_head\.weight\)"):
        load_encoder_weights(small(encoder="efficientnet-b0", in_channels=3).encoder, path)


def test_a_block_that_is_missing_in_the_middle_is_refused(tmp_path: Path) -> None:
    whole, _ = build_encoder("mobilenet_v2", 3)
    path = tmp_path / "part.safetensors"
    part = {k: v for k, v in whole.state_dict().items() if not k.startswith("features.5.")}
    safetensors.torch.save_file(part, path)
    with pytest.raises(RecipeError, match=r"missing \(first features\.5\."):
        load_encoder_weights(small(in_channels=3).encoder, path)


def test_a_key_that_is_no_deeper_block_is_refused(tmp_path: Path) -> None:
    whole, _ = build_encoder("mobilenet_v2", 3)
    path = tmp_path / "more.safetensors"
    safetensors.torch.save_file(whole.state_dict() | {"features.3.extra": torch.zeros(1)}, path)
    with pytest.raises(RecipeError, match=r"1 unexpected \(first features\.3\.extra\)"):
        load_encoder_weights(small(in_channels=3).encoder, path)


def test_a_block_is_attention_and_a_perceptron() -> None:
    torch.manual_seed(0)
    block, tokens = TransformerBlock(12, 3).eval(), noise(2, 7, 12)
    before = tokens.clone()
    with torch.no_grad():
        x = block.before_attention(tokens)
        weights = block.query_key_value
        seen, _ = functional.multi_head_attention_forward(
            *[x.transpose(0, 1)] * 3, 12, 3, weights.weight, weights.bias, None, None, False, 0.0,
            block.project.weight, block.project.bias,
        )  # fmt: skip
        wanted = tokens + seen.transpose(0, 1)
        wanted = wanted + block.perceptron(block.before_perceptron(wanted))
        torch.testing.assert_close(block(tokens), wanted)
    assert torch.equal(tokens, before)


def test_without_positions_the_transformer_ignores_where_a_token_is() -> None:
    torch.manual_seed(0)
    transformer, maps = Transformer(5, 12, 2, 3).eval(), noise(1, 5, 16, 16)
    with torch.no_grad():
        moved = transformer(maps.roll(3, dims=2))
        assert not torch.allclose(moved, transformer(maps).roll(3, dims=2), atol=1e-3)
        nn.init.zeros_(transformer.positions)
        torch.testing.assert_close(
            transformer(maps.roll(3, dims=2)),
            transformer(maps).roll(3, dims=2),
            rtol=1e-4,
            atol=1e-5,
        )


def test_parameters_of_the_transformer() -> None:
    count = sum(p.numel() for p in Transformer(96, 192, 6, 6).parameters())
    block = 12 * 192 * 192 + 13 * 192  # 4 matrices of attention, 8 of the perceptron
    assert count == 6 * block + 97 * 192 + 256 * 192 + 2 * 192


def test_evaluation_is_deterministic_and_per_image() -> None:
    network, images = small().eval(), noise(3, 1, 64, 64)
    with torch.no_grad():
        together = network(images)
        assert torch.equal(together, network(images))
        torch.testing.assert_close(network(images[1:2])[0], together[1], rtol=1e-4, atol=1e-4)


def test_onnx_computes_the_same(tmp_path: Path) -> None:
    network, spec = small(encoder="tu-mobilenetv3_small_050", blocks=1), InputSpec((64, 96))
    inputs = seeded_inputs(spec)
    network.train()(torch.from_numpy(inputs))  # moves the running statistics off their start
    export_onnx(network, spec, tmp_path / "m.onnx", precision="float32")
    assert parity(network, tmp_path / "m.onnx", spec, inputs) < 1e-5
