"""What the networks on an encoder share: its first maps, the padding, the decoder."""

import pytest

torch = pytest.importorskip("torch")

from breastseg.networks.encoder_network import (
    Decoder,
    build_encoder,
    first_maps,
    pad_for_encoder,
    to_image_size,
)

pytestmark = pytest.mark.train
torch.set_num_threads(1)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18", "tu-mobilenetv3_small_050"])
def test_the_first_maps_are_those_of_the_whole_encoder(name: str) -> None:
    torch.manual_seed(0)
    encoder, channels = build_encoder(name, 1)
    encoder.eval()
    image = noise(1, 1, 64, 96)
    with torch.no_grad():
        whole = encoder(image)
        assert [m.shape[1] for m in whole] == channels
        for depth in range(6):
            some = first_maps(encoder, image, depth)
            assert len(some) == depth + 1
            assert all(torch.equal(a, b) for a, b in zip(some, whole, strict=False))
            assert len(encoder(image)) == 6  # the encoder is left as it was


@pytest.mark.parametrize(("name", "last"), [("mobilenet_v2", "features.6"), ("resnet18", "layer2")])
def test_deeper_layers_are_not_computed(name: str, last: str) -> None:
    encoder, _ = build_encoder(name, 1)
    seen: list[str] = []
    for child, module in list(encoder.named_modules())[1:]:  # the encoder itself is the first
        module.register_forward_hook(lambda *_, child=child: seen.append(child))
    first_maps(encoder.eval(), noise(1, 1, 64, 64), 3)
    top = [child for child in seen if child.count(".") == last.count(".")]
    assert top[-1] == last


def test_padding_leaves_more_than_one_position() -> None:
    image = noise(2, 1, 7, 20)
    padded = pad_for_encoder(image)
    assert padded.shape == (2, 1, 64, 64)
    assert pad_for_encoder(noise(1, 1, 33, 7)).shape == (1, 1, 64, 32)
    assert torch.equal(to_image_size(padded, padded, image), image)
    assert to_image_size(noise(2, 3, 16, 16), padded, image).shape == (2, 3, 7, 20)


def test_each_block_sees_the_map_of_its_size() -> None:
    channels = [1, 4, 5, 6, 7, 8]
    decoder = Decoder(channels, (10, 9, 3, 2, 2))
    widths = [block.conv1[0].in_channels for block in decoder.blocks]
    assert widths == [8 + 7, 10 + 6, 9 + 5, 3 + 4, 2]
    features = [noise(2, c, 64 >> i, 32 >> i) for i, c in enumerate(channels)]
    maps = decoder.maps(features)
    assert [tuple(m.shape[1:]) for m in maps] == [
        (8, 2, 1), (10, 4, 2), (9, 8, 4), (3, 16, 8), (2, 32, 16), (2, 64, 32),
    ]  # fmt: skip
    assert torch.equal(decoder.eval()(features), decoder.maps(features)[-1])
