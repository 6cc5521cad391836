"""The loss over several outputs, by hand."""

import math

import pytest
import torch
from torch import nn

from breastseg.core.errors import RecipeError
from breastseg.losses import DeepSupervision, LossRecipe, build_loss

pytestmark = pytest.mark.train


class Mean(nn.Module):
    """The mean of the logits."""

    def forward(self, logits: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        return logits.mean()


TARGET = torch.zeros(1, 1, 4, 4)
OUTPUTS = tuple(torch.full_like(TARGET, value) for value in (1.0, 10.0, 100.0))


def test_each_output_counts_half_of_the_finer_one():
    expected = (1 * 4 + 10 * 2 + 100 * 1) / 7
    assert float(DeepSupervision(Mean())(OUTPUTS, TARGET)) == pytest.approx(expected)


def test_given_weights_count_by_their_proportions():
    expected = (1 * 0.75) + (10 * 0.25)
    for weights in ((3.0, 1.0, 0.0), (0.75, 0.25, 0.0)):
        assert float(DeepSupervision(Mean(), weights)(OUTPUTS, TARGET)) == pytest.approx(expected)


def test_a_single_output_is_the_plain_loss():
    loss, logits = build_loss(LossRecipe()), torch.randn(1, 1, 4, 4)
    assert torch.equal(DeepSupervision(loss)((logits,), TARGET), loss(logits, TARGET))


def test_equal_outputs_give_the_plain_loss():
    loss, logits = build_loss(LossRecipe()), torch.ones(2, 3, 4, 4)
    target = torch.zeros(2, 2, 4, 4)
    value = DeepSupervision(loss)((logits,) * 4, target)
    torch.testing.assert_close(value, loss(logits, target))


@pytest.mark.parametrize("weights", [None, (1.0, 0.0)])
def test_another_number_of_outputs_is_refused(weights):
    outputs = () if weights is None else OUTPUTS
    with pytest.raises(RecipeError, match="deep_weights for a network with"):
        DeepSupervision(Mean(), weights)(outputs, TARGET)


@pytest.mark.parametrize("weights", [(), (0.0, 0.0), (1.0, -1.0), (math.nan,), (math.inf,)])
def test_weights_that_make_no_sense_are_refused(weights):
    with pytest.raises(RecipeError, match="deep_weights"):
        DeepSupervision(Mean(), weights)
    with pytest.raises(RecipeError, match="deep_weights"):
        LossRecipe(deep_weights=weights)
