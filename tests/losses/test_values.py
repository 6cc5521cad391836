"""Each loss against values worked out by hand and against another implementation."""

import math
import warnings
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

from breastseg.losses import BCELoss, BoundaryLoss, DiceLoss, FocalLoss, TverskyLoss
from breastseg.losses.boundary import signed_distance

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def monai() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its imports use what its dependencies have deprecated
        from monai import losses
    return losses


@pytest.fixture(scope="module")
def case() -> tuple[Tensor, Tensor]:
    """Random logits with a lesion, an empty and a full target."""
    logits = 3 * torch.randn((3, 1, 17, 13), generator=torch.Generator().manual_seed(0))
    target = torch.zeros_like(logits)
    target[0, :, 4:9, 3:11] = 1
    target[2] = 1
    return logits, target


def row(*values: float) -> Tensor:
    return torch.tensor(values).view(1, 1, 1, -1)


def logit(p: float) -> float:
    return math.log(p / (1 - p))


# p = 0.8, 0.4, 0.2, 0.6 and t = 1, 1, 0, 0: sum pt = 1.2, sum p = 2, sum t = 2.
LOGITS = row(logit(0.8), logit(0.4), logit(0.2), logit(0.6))
TARGET = row(1, 1, 0, 0)
EMPTY = row(0, 0, 0, 0)


def test_dice_by_hand():
    assert float(DiceLoss(smooth=1.0)(LOGITS, TARGET)) == pytest.approx(1 - 3.4 / 5)
    assert float(DiceLoss(smooth=0.0)(LOGITS, TARGET)) == pytest.approx(1 - 2.4 / 4)


def test_dice_of_an_empty_target_by_hand():
    # A predicted mass of 2, and a tenth of 4 pixels.
    assert float(DiceLoss(empty_fraction=0.1)(LOGITS, EMPTY)) == pytest.approx(2 / (2 + 0.4))
    assert float(DiceLoss()(row(*[-100.0] * 4), EMPTY)) == 0


def test_dice_tells_a_large_false_alarm_from_a_small_one():
    """A lesion-sized false alarm still has something to gain from shrinking."""
    costs = []
    for fraction in (0.01, 0.03, 0.1):
        logits = torch.full((1, 1, 100, 100), -20.0)
        logits[..., : int(100 * fraction), :] = 20.0
        costs.append(float(DiceLoss()(logits, torch.zeros_like(logits))))
    assert costs == pytest.approx([1 / 2, 3 / 4, 10 / 11], abs=1e-3)


def test_dice_agrees_with_monai(monai, case):
    oracle = monai.DiceLoss(sigmoid=True, smooth_nr=1.0, smooth_dr=1.0)
    same_smooth = DiceLoss(smooth=1.0, empty_fraction=1 / (17 * 13))
    torch.testing.assert_close(same_smooth(*case), oracle(*case))


def test_tversky_by_hand():
    # TP = 1.2, FP = 0.8, FN = 0.8
    expected = 1 - 2.2 / (1.2 + 0.2 * 0.8 + 0.9 * 0.8 + 1)
    assert float(TverskyLoss(0.2, 0.9)(LOGITS, TARGET)) == pytest.approx(expected)


def test_tversky_of_an_empty_target_by_hand():
    assert float(TverskyLoss(0.3)(LOGITS, EMPTY)) == pytest.approx(1 - 1 / (0.3 * 2 + 1))


def test_tversky_agrees_with_monai(monai, case):
    oracle = monai.TverskyLoss(sigmoid=True, alpha=0.3, beta=0.7, smooth_nr=1.0, smooth_dr=1.0)
    torch.testing.assert_close(TverskyLoss()(*case), oracle(*case))


def test_tversky_with_halves_is_dice(case):
    # TP / (TP + FP/2 + FN/2) is 2TP / (2TP + FP + FN); the smoothing doubles with it.
    dice = DiceLoss(1.0, empty_fraction=1 / (17 * 13))
    torch.testing.assert_close(TverskyLoss(0.5, 0.5, 0.5)(*case), dice(*case))


def test_bce_by_hand():
    expected = -(math.log(0.8) + math.log(0.4) + math.log(0.8) + math.log(0.4)) / 4
    assert float(BCELoss()(LOGITS, TARGET)) == pytest.approx(expected)


def test_bce_of_an_empty_target_by_hand():
    expected = -sum(math.log(1 - p) for p in (0.8, 0.4, 0.2, 0.6)) / 4
    assert float(BCELoss()(LOGITS, EMPTY)) == pytest.approx(expected)


def test_bce_agrees_with_torch_on_probabilities(case):
    logits, target = case
    oracle = torch.nn.functional.binary_cross_entropy(logits.double().sigmoid(), target.double())
    torch.testing.assert_close(BCELoss()(logits, target), oracle.float())


def test_focal_by_hand():
    lesion = 0.25 * (0.2**2 * math.log(0.8) + 0.6**2 * math.log(0.4))
    rest = 0.75 * (0.2**2 * math.log(0.8) + 0.6**2 * math.log(0.4))
    assert float(FocalLoss()(LOGITS, TARGET)) == pytest.approx(-(lesion + rest) / 4)


def test_focal_of_an_empty_target_by_hand():
    expected = -sum(0.75 * p**2 * math.log(1 - p) for p in (0.8, 0.4, 0.2, 0.6)) / 4
    assert float(FocalLoss()(LOGITS, EMPTY)) == pytest.approx(expected)


def test_focal_agrees_with_monai_and_torchvision(monai, case):
    value = FocalLoss(focus=2.0, lesion=0.25)(*case)
    oracle = monai.FocalLoss(gamma=2.0, alpha=0.25, include_background=True)
    torch.testing.assert_close(value, oracle(*case))
    torch.testing.assert_close(value, sigmoid_focal_loss(*case, 0.25, 2.0, reduction="mean"))


def test_focal_without_focus_is_half_the_cross_entropy(case):
    torch.testing.assert_close(FocalLoss(focus=0.0, lesion=0.5)(*case), BCELoss()(*case) / 2)


def test_signed_distance_by_hand():
    mask = np.zeros((3, 4), bool)
    mask[:, :2] = True
    # The diagonal of 3 x 4 is 5; the outline runs between columns 1 and 2.
    expected = np.tile(np.array([-1.5, -0.5, 0.5, 1.5]) / 5, (3, 1))
    np.testing.assert_allclose(signed_distance(mask), expected, rtol=1e-6)


def test_signed_distance_agrees_with_brute_force():
    rng = np.random.default_rng(0)
    mask = rng.random((9, 12)) > 0.7
    expected = np.empty(mask.shape)
    for r, c in np.ndindex(mask.shape):
        others = np.argwhere(mask != mask[r, c])
        nearest = np.hypot(*(others - (r, c)).T).min() - 0.5
        expected[r, c] = (-nearest if mask[r, c] else nearest) / 15
    np.testing.assert_allclose(signed_distance(mask), expected, rtol=1e-6)


def test_boundary_by_hand():
    logits = row(logit(0.8), logit(0.4), logit(0.2), logit(0.6)).repeat(1, 1, 3, 1)
    target = TARGET.repeat(1, 1, 3, 1)
    expected = (-1.5 * 0.8 - 0.5 * 0.4 + 0.5 * 0.2 + 1.5 * 0.6) / 5 / 4
    assert float(BoundaryLoss()(logits, target)) == pytest.approx(expected)


def test_boundary_of_an_empty_and_a_full_target_by_hand():
    assert float(BoundaryLoss()(LOGITS, EMPTY)) == pytest.approx(0.5)
    assert float(BoundaryLoss()(LOGITS, 1 - EMPTY)) == pytest.approx(-0.5)
