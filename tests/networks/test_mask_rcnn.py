"""Mask R-CNN: targets, losses, shapes, torchvision's own prediction, and ONNX."""

import copy
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor
from torchvision.models.detection.image_list import ImageList

from breastseg.core.bundle import InputSpec
from breastseg.core.errors import RecipeError
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import parity
from breastseg.networks.catalogue import build_network, describe
from breastseg.networks.mask_rcnn import MaskRCNN, lesions
from breastseg.networks.recipe import MaskRCNNRecipe

pytestmark = pytest.mark.train
torch.set_num_threads(1)

SIZE = (64, 96)
LOSSES = {
    "loss_objectness",
    "loss_rpn_box_reg",
    "loss_classifier",
    "loss_box_reg",
    "loss_mask",
}


def tiny(max_instances: int = 4, channels: int = 1) -> MaskRCNN:
    torch.manual_seed(0)
    return MaskRCNN("resnet18", channels, pyramid_width=16, max_instances=max_instances)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def scene() -> tuple[Tensor, Tensor]:
    """An image with two lesions, and one without any."""
    labels = torch.zeros(2, 1, *SIZE)
    labels[0, 0, 4:32, 6:42] = 1
    labels[0, 0, 34:60, 56:88] = 1
    return 0.3 * noise(2, 1, *SIZE) - 2 * labels, labels


@pytest.fixture(scope="module")
def trained() -> MaskRCNN:
    """Fitted to the scene for a few steps, so that there are boxes to compare."""
    network, (images, labels) = tiny(), scene()
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3)
    for _ in range(40):
        optimiser.zero_grad()
        torch.stack(list(network.losses(images, labels).values())).sum().backward()
        optimiser.step()
    return network.eval()


# --- targets and losses ---------------------------------------------------------------------------


def test_lesions_by_hand() -> None:
    label = torch.zeros(8, 9, dtype=torch.uint8)
    label[0:2, 0:2] = 1
    label[2, 2] = 1  # touches by a corner: the same lesion
    label[5, 4:8] = 2
    label[7, 0:3] = 1  # 3 px: left out
    found = lesions(label)
    assert found["boxes"].tolist() == [[0, 0, 3, 3], [4, 5, 8, 6]]
    assert found["labels"].tolist() == [1, 1]
    assert found["masks"].sum(dim=(1, 2)).tolist() == [5, 4]
    assert torch.equal(
        found["masks"].amax(0), ((label > 0) & (torch.arange(8) < 7)[:, None]).to(torch.uint8)
    )


def test_no_lesion_is_an_empty_target() -> None:
    found = lesions(torch.zeros(5, 6, dtype=torch.bool))
    assert {name: tuple(part.shape) for name, part in found.items()} == {
        "boxes": (0, 4),
        "labels": (0,),
        "masks": (0, 5, 6),
    }


def test_a_gradient_reaches_every_parameter() -> None:
    network, (images, labels) = tiny(), scene()
    losses = network.losses(images, labels.bool())
    assert set(losses) == LOSSES
    torch.stack(list(losses.values())).sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_an_image_without_a_lesion_costs_what_is_seen_in_it() -> None:
    network, images = tiny(), noise(2, 1, *SIZE)
    losses = network.losses(images, torch.zeros(2, 1, *SIZE, dtype=torch.uint8))
    values = {name.removeprefix("loss_"): float(part.detach()) for name, part in losses.items()}
    assert values["rpn_box_reg"] == values["box_reg"] == values["mask"] == 0
    assert values["objectness"] == pytest.approx(0.69, abs=0.1)  # ln 2: undecided
    assert values["classifier"] > 0.1
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in network.parameters())


def test_losses_under_bfloat16_are_close() -> None:
    network, (images, labels) = tiny(), scene()
    torch.manual_seed(3)
    exact = network.losses(images, labels)
    torch.manual_seed(3)
    with torch.autocast("cpu", torch.bfloat16):
        rough = network.losses(images, labels)
    assert all(part.dtype == torch.float32 for part in rough.values())
    for name in ("loss_objectness", "loss_rpn_box_reg"):  # what follows depends on the regions
        torch.testing.assert_close(rough[name], exact[name], rtol=0.05, atol=0.01)


def test_losses_are_of_training_mode() -> None:
    with pytest.raises(RuntimeError, match="training mode"):
        tiny().eval().losses(*scene())


# --- prediction -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (7, 150), (7, 7)])
@pytest.mark.parametrize("training", [False, True])
def test_logits_have_the_size_of_the_one_image(size: tuple[int, int], training: bool) -> None:
    network = tiny(channels=3).train(training)
    logits = network(noise(1, 3, *size))
    assert logits.shape == (1, 1, *size)
    assert bool(logits.isfinite().all())


def test_prediction_is_torchvisions(trained: MaskRCNN) -> None:
    images, _ = scene()
    theirs = copy.deepcopy(trained)
    theirs.rpn.nms_thresh = 1.0  # all of the regions pass
    sizes = [SIZE] * len(images)
    with torch.no_grad():
        features, padded = trained._features(images)
        proposals, _ = theirs.rpn(ImageList(padded, sizes), features)
        expected, _ = theirs.roi_heads(features, proposals, sizes)
        found = trained.instances(images)
    assert len(found[0].scores) >= 2
    for mine, their in zip(found, expected, strict=True):
        torch.testing.assert_close(mine.boxes, their["boxes"], atol=1e-3, rtol=0)
        torch.testing.assert_close(mine.scores, their["scores"], atol=1e-5, rtol=0)
        assert mine.masks.shape == (len(mine.scores), *SIZE)


def test_the_map_is_painted_from_the_instances(trained: MaskRCNN) -> None:
    images, labels = scene()
    with torch.no_grad():
        probability = trained(images).sigmoid()
        alone = trained(images[:1]).sigmoid()
        found = trained.instances(images)
    torch.testing.assert_close(probability[:1], alone, atol=1e-4, rtol=0)
    for one, painted in zip(found, probability[:, 0], strict=True):
        expected = torch.zeros(SIZE)
        for score, mask in zip(one.scores, one.masks, strict=True):
            expected = torch.maximum(expected, score * mask)
        torch.testing.assert_close(painted, expected.clamp(1e-4, 1 - 1e-4), atol=1e-5, rtol=0)
    outline = probability > 0.5
    both = float((outline[0] * labels[0]).sum())
    assert 2 * both / float(outline[0].sum() + labels[0].sum()) > 0.7  # it has learnt the scene
    assert not outline[1].any()


def test_more_slots_than_a_tiny_image_has_regions() -> None:
    network = tiny(max_instances=200).eval()
    with torch.no_grad():
        assert network(noise(2, 1, 9, 11)).shape == (2, 1, 9, 11)
        assert all(len(one.scores) <= 200 for one in network.instances(noise(2, 1, 9, 11)))


def test_onnx_finds_the_same(trained: MaskRCNN, tmp_path: Path) -> None:
    spec, (images, _) = InputSpec(SIZE), scene()
    export_onnx(trained, spec, tmp_path / "m.onnx", precision="float32")
    batch = torch.cat((images, noise(1, 1, *SIZE))).numpy()
    assert float(trained(torch.from_numpy(batch)).detach().max()) > 0  # an outline is compared
    assert parity(trained, tmp_path / "m.onnx", spec, batch) < 1e-3
    assert parity(trained, tmp_path / "m.onnx", spec, batch[:1]) < 1e-3


# --- recipe ---------------------------------------------------------------------------------------


def test_the_recipe_builds_it() -> None:
    recipe = MaskRCNNRecipe(encoder="resnet18", pyramid_width=16, max_instances=3)
    network = build_network(recipe)
    assert isinstance(network, MaskRCNN)
    assert network.max_instances == 3
    cost = describe(recipe, (64, 64))
    assert cost.parameters == sum(p.numel() for p in network.parameters())
    assert cost.gmacs > 0


def test_parameters_counted_by_hand() -> None:
    width, encoder = 16, sum(p.numel() for p in tiny().encoder.parameters())
    inner = sum((channels + 1) * width for channels in (64, 128, 256, 512))
    square = (9 * width + 1) * width
    regions = square + (width + 1) * 3 * (1 + 4)
    box = (49 * width + 1) * 256 + 257 * 256 + 257 * 2 * (1 + 4)
    mask = 4 * square + (4 * width + 0) * width + width + (width + 1) * 2
    total = encoder + inner + 4 * square + regions + box + mask
    assert sum(p.numel() for p in tiny().parameters()) == total


def test_several_classes_are_refused() -> None:
    with pytest.raises(RecipeError, match="out_channels = 2 of a Mask R-CNN"):
        MaskRCNNRecipe(out_channels=2)
    with pytest.raises(RecipeError, match="out_channels = 2 of a Mask R-CNN"):
        MaskRCNN(out_channels=2)
