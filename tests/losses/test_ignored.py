"""Pixels of which nothing is known take part in no term."""

import pytest
import torch
from torch import Tensor, nn

from breastseg.losses import LOSSES, DeepSupervision, LossRecipe, build_loss
from breastseg.losses.inputs import IGNORED

pytestmark = pytest.mark.train
SIZE = 12


class Squared(nn.Module):
    """A loss of one's own, which knows nothing of ignored pixels."""

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return (logits.sigmoid()[:, -1:] - target[:, -1:]).square().mean()


def given(classes: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, a target without unknown pixels, and where to have some: a rim and the background."""
    generator = torch.Generator().manual_seed(3)
    channels = 1 if classes == 1 else classes + 1
    logits = 3 * torch.randn(3, channels, SIZE, SIZE, generator=generator)
    target = torch.zeros(3, classes, SIZE, SIZE)
    target[0, 0, 3:8, 2:7] = 1
    target[1, -1, 6:9, 6:11] = 1  # and the third is normal
    ignored = torch.zeros(3, 1, SIZE, SIZE, dtype=torch.bool)
    ignored[0, :, 6:10, 4:9] = True
    ignored[1:, :, :3] = True
    return logits, target, ignored


every_loss = pytest.mark.parametrize("name", [*LOSSES, "test_ignored:Squared"])
few_or_more = pytest.mark.parametrize("classes", [1, 2])


@every_loss
@few_or_more
def test_no_loss_depends_on_logits_that_are_ignored(
    name: str, classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("breastseg.losses.weighted.own_object", lambda _: Squared)
    loss = build_loss(LossRecipe({name: 1.0}))
    logits, target, ignored = given(classes)
    target = target.masked_fill(ignored, IGNORED)
    values = []
    for there in (logits, torch.full_like(logits, 40.0), torch.full_like(logits, torch.nan)):
        leaf = torch.where(ignored, there, logits).requires_grad_()
        value = loss(leaf, target)
        (gradient,) = torch.autograd.grad(value, leaf)
        assert not gradient[ignored.expand_as(gradient)].any()
        assert gradient[~ignored.expand_as(gradient)].isfinite().all()
        assert gradient.any()
        values.append(float(value.detach()))
    assert len(set(values)) == 1


@every_loss
@few_or_more
def test_certain_background_is_what_is_put_there(
    name: str, classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a known pixel weighs as much as in a batch of which all is known."""
    monkeypatch.setattr("breastseg.losses.weighted.own_object", lambda _: Squared)
    loss = build_loss(LossRecipe({name: 1.0}))
    logits, target, ignored = given(classes)
    certain = torch.zeros_like(logits)
    certain[:, -classes:] = -200
    wanted = loss(torch.where(ignored, certain, logits), target.masked_fill(ignored, 0))
    found = loss(logits, target.masked_fill(ignored, IGNORED))
    torch.testing.assert_close(found, wanted)


@few_or_more
def test_where_all_is_known_the_sum_of_the_terms_is_bit_for_bit_the_same(classes: int) -> None:
    loss = build_loss(LossRecipe(dict.fromkeys(LOSSES, 0.7)))
    logits, target, _ = given(classes)
    ours, theirs = (logits.clone().requires_grad_() for _ in range(2))
    found = loss(ours, target)
    wanted = torch.stack([0.7 * LOSSES[name]()(theirs, target) for name in LOSSES]).sum()
    assert torch.equal(found, wanted)
    found.backward()
    wanted.backward()
    assert torch.equal(ours.grad, theirs.grad)


@every_loss
def test_a_batch_of_which_nothing_is_known_costs_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("breastseg.losses.weighted.own_object", lambda _: Squared)
    logits = torch.randn(2, 1, SIZE, SIZE).requires_grad_()
    value = build_loss(LossRecipe({name: 1.0}))(logits, torch.full_like(logits, IGNORED))
    value.backward()
    assert float(value.detach()) == 0
    assert not logits.grad.any()


def test_side_outputs_leave_them_out_too() -> None:
    logits, target, ignored = given()
    outputs = [logits.clone().requires_grad_() for _ in range(2)]
    loss = DeepSupervision(build_loss(LossRecipe()))
    loss(outputs, target.masked_fill(ignored, IGNORED)).backward()
    assert not any(one.grad[ignored].any() for one in outputs)
