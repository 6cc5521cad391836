"""Losses of several lesion classes and of volumes: by hand, against others, and against the one
class that `test_values.py` has checked."""

import math
import warnings
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from breastseg.core.errors import GeometryError
from breastseg.losses import LOSSES, BCELoss, BoundaryLoss, DiceLoss, FocalLoss, TverskyLoss
from breastseg.losses.boundary import signed_distance

pytestmark = pytest.mark.train

loss_names = pytest.mark.parametrize("name", LOSSES)
shapes = pytest.mark.parametrize("shape", [(11, 9), (5, 11, 9)])


@pytest.fixture(scope="module")
def monai() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its imports use what its dependencies have deprecated
        from monai import losses
    return losses


def random_case(shape: tuple[int, ...], classes: int = 2, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Logits and a one-hot target: all classes, the first alone, and nothing at all."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes + 1, (3, *shape), generator=generator)
    labels[1] = (labels[1] == 1).long()
    labels[2] = 0
    target = torch.stack([(labels == k).float() for k in range(1, classes + 1)], dim=1)
    return 3 * torch.randn((3, classes + 1, *shape), generator=generator), target


def whole(target: Tensor) -> Tensor:
    """With the background as the first channel."""
    return torch.cat((1 - target.sum(1, keepdim=True), target), dim=1)


def pixels(*columns: tuple[float, ...]) -> Tensor:
    """(1, channels, 1, W) from a tuple of channels a pixel."""
    return torch.tensor(columns).T[None, :, None]


# Probabilities of background, benign, malignant at three pixels, and what is true there.
P = ((0.5, 0.3, 0.2), (0.1, 0.7, 0.2), (0.25, 0.25, 0.5))
LOGITS = pixels(*[tuple(math.log(p) for p in column) for column in P])
TARGET = pixels((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))


def test_dice_by_hand():
    benign = 1 - (2 * 0.7 + 1) / (1.25 + 1 + 1)
    malignant = 1 - (2 * 0.5 + 1) / (0.9 + 1 + 1)
    assert float(DiceLoss()(LOGITS, TARGET)) == pytest.approx((benign + malignant) / 2)


def test_dice_of_a_class_that_is_not_there_by_hand():
    benign_only = TARGET * torch.tensor([1.0, 0.0])[None, :, None, None]
    benign = 1 - (2 * 0.7 + 1) / (1.25 + 1 + 1)
    malignant = 0.9 / (0.9 + 0.1 * 3)
    value = DiceLoss(empty_fraction=0.1)(LOGITS, benign_only)
    assert float(value) == pytest.approx((benign + malignant) / 2)


def test_tversky_by_hand():
    benign = 1 - (0.7 + 1) / (0.7 + 0.3 * 0.55 + 0.7 * 0.3 + 1)
    malignant = 1 - (0.5 + 1) / (0.5 + 0.3 * 0.4 + 0.7 * 0.5 + 1)
    assert float(TverskyLoss()(LOGITS, TARGET)) == pytest.approx((benign + malignant) / 2)


def test_cross_entropy_by_hand():
    expected = -(math.log(0.5) + math.log(0.7) + math.log(0.5)) / 3
    assert float(BCELoss()(LOGITS, TARGET)) == pytest.approx(expected)


def test_focal_by_hand():
    background = 0.75 * 0.5**2 * math.log(0.5)
    lesions = 0.25 * (0.3**2 * math.log(0.7) + 0.5**2 * math.log(0.5))
    assert float(FocalLoss()(LOGITS, TARGET)) == pytest.approx(-(background + lesions) / 3)


def test_boundary_by_hand():
    # The diagonal of 1 x 3 pixels is the root of 10.
    benign = 0.5 * 0.3 - 0.5 * 0.7 + 0.5 * 0.25
    malignant = 1.5 * 0.2 + 0.5 * 0.2 - 0.5 * 0.5
    expected = (benign + malignant) / math.sqrt(10) / 3
    assert float(BoundaryLoss()(LOGITS, TARGET)) == pytest.approx(expected)


@shapes
def test_cross_entropy_agrees_with_torch_on_class_indices(shape):
    logits, target = random_case(shape)
    oracle = torch.nn.functional.cross_entropy(logits, whole(target).argmax(1))
    torch.testing.assert_close(BCELoss()(logits, target), oracle)


@shapes
def test_dice_and_tversky_agree_with_monai(monai, shape):
    logits, target = random_case(shape)
    told = {"softmax": True, "include_background": False, "smooth_nr": 1.0, "smooth_dr": 1.0}
    dice = DiceLoss(1.0, empty_fraction=1 / math.prod(shape))
    torch.testing.assert_close(dice(logits, target), monai.DiceLoss(**told)(logits, whole(target)))
    oracle = monai.TverskyLoss(**told, alpha=0.3, beta=0.7)
    torch.testing.assert_close(TverskyLoss()(logits, target), oracle(logits, whole(target)))


@shapes
def test_focal_agrees_with_monai(monai, shape):
    logits, target = random_case(shape)
    oracle = monai.FocalLoss(gamma=2.0, alpha=0.25, use_softmax=True, include_background=True)
    # It averages over the channels too, of which only the true one is not 0.
    expected = 3 * oracle(logits, whole(target))
    torch.testing.assert_close(FocalLoss()(logits, target), expected)


@loss_names
@shapes
def test_one_class_beside_a_background_is_one_class(name, shape):
    """The softmax of (0, z) is the sigmoid of z."""
    logits, target = random_case(shape, classes=1)
    z = logits[:, 1:].clone().requires_grad_()
    both = torch.cat((torch.zeros_like(z), z), dim=1)
    one, two = LOSSES[name]()(z, target), LOSSES[name]()(both, target)
    torch.testing.assert_close(one, two)
    gradients = [torch.autograd.grad(value, z)[0] for value in (one, two)]
    torch.testing.assert_close(*gradients)


@loss_names
def test_a_volume_of_one_slice_is_an_image_but_for_its_diagonal(name):
    logits, target = random_case((11, 9))
    flat = LOSSES[name]()(logits, target)
    thick = LOSSES[name]()(logits[:, :, None], target[:, :, None])
    diagonals = math.hypot(11, 9) / math.hypot(1, 11, 9) if name == "boundary" else 1.0
    if name == "boundary":  # the classes that are not there count whole diagonals
        logits, target = logits[:1], target[:1]
        flat = LOSSES[name]()(logits, target)
        thick = LOSSES[name]()(logits[:, :, None], target[:, :, None])
    torch.testing.assert_close(thick, flat * diagonals)


def test_signed_distance_of_a_volume_agrees_with_brute_force():
    mask = np.random.default_rng(0).random((4, 5, 6)) > 0.7
    diagonal = math.sqrt(16 + 25 + 36)
    expected = np.empty(mask.shape)
    for at in np.ndindex(mask.shape):
        others = np.argwhere(mask != mask[at])
        nearest = np.sqrt(((others - at) ** 2).sum(axis=1)).min() - 0.5
        expected[at] = (-nearest if mask[at] else nearest) / diagonal
    np.testing.assert_allclose(signed_distance(mask), expected, rtol=1e-6)


@loss_names
@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000))
def test_the_order_of_classes_does_not_matter(name, seed):
    logits, target = random_case((7, 6), classes=3, seed=seed)
    order = torch.randperm(3, generator=torch.Generator().manual_seed(seed))
    moved = LOSSES[name]()(torch.cat((logits[:, :1], logits[:, 1 + order]), 1), target[:, order])
    torch.testing.assert_close(moved, LOSSES[name]()(logits, target))


@loss_names
@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000))
def test_no_wrong_label_beats_the_truth(name, seed):
    _, target = random_case((7, 6), seed=seed)
    wrong = whole(target).flatten(2).clone()
    generator = torch.Generator().manual_seed(seed)
    for image in wrong:
        where = torch.randperm(42, generator=generator)[:5]
        image[:, where] = image[:, where].roll(1, 0)
    sure, told = 8 * whole(target), 8 * wrong.view_as(whole(target))
    assert float(LOSSES[name]()(told, target)) > float(LOSSES[name]()(sure, target))


@loss_names
def test_gradient_descent_on_an_empty_target_lowers_every_class(name):
    logits = torch.zeros(1, 3, 8, 8, requires_grad=True)
    LOSSES[name]()(logits, torch.zeros(1, 2, 8, 8)).backward()
    assert bool((logits.grad[:, 1:] > 0).all())
    assert bool((logits.grad[:, 0] < 0).all())


@loss_names
@pytest.mark.parametrize("size", [60.0, -60.0])
def test_stays_finite_at_extreme_logits(name, size):
    _, target = random_case((5, 4, 3))
    logits = (size * whole(target)).requires_grad_()
    value = LOSSES[name]()(logits, target)
    value.backward()
    assert math.isfinite(value.item())
    assert bool(logits.grad.isfinite().all())


@loss_names
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_computes_in_float32(name, dtype):
    logits, target = random_case((5, 4, 3))
    value = LOSSES[name]()(logits.to(dtype), target.bool())
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, LOSSES[name]()(logits.to(dtype).float(), target))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(LOSSES[name]()(logits, target), LOSSES[name]()(logits.float(), target))


@loss_names
@pytest.mark.parametrize(
    ("logits", "target"),
    [
        ((1, 2, 8, 8), (1, 2, 8, 8)),
        ((1, 4, 8, 8), (1, 2, 8, 8)),
        ((1, 1, 8, 8), (1, 2, 8, 8)),
        ((1, 3, 8, 8), (1, 2, 8, 1)),
        ((1, 1, 8, 8), (1, 0, 8, 8)),
        ((1, 3, 8, 8), (1, 2, 1, 8, 8)),
        ((1, 1, 8, 8, 8, 8), (1, 1, 8, 8, 8, 8)),
    ],
)
def test_refuses_what_is_no_pair(name, logits, target):
    with pytest.raises(GeometryError, match="logits of shape"):
        LOSSES[name]()(torch.zeros(logits), torch.zeros(target))
