"""What every loss keeps to, whatever it computes."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.core.errors import GeometryError, RecipeError
from breastseg.losses import LOSSES, BCELoss, LossRecipe, TverskyLoss, build_loss
from breastseg.losses.weighted import parameter_names

pytestmark = pytest.mark.train

loss_names = pytest.mark.parametrize("name", LOSSES)


def square(size: int = 24) -> torch.Tensor:
    target = torch.zeros(1, 1, size, size)
    target[..., 6:15, 8:20] = 1
    return target


def towards(target: torch.Tensor, steps: int = 9) -> list[torch.Tensor]:
    """Logits from confidently wrong to confidently right."""
    return [float(k) * (2 * target - 1) for k in torch.linspace(-6, 6, steps)]


@loss_names
def test_falls_as_the_prediction_nears_the_truth(name):
    loss, target = LOSSES[name](), square()
    values = [float(loss(logits, target)) for logits in towards(target)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)


@loss_names
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000), flips=st.integers(1, 60))
def test_no_wrong_outline_beats_the_truth(name, seed, flips):
    loss, target = LOSSES[name](), square()
    wrong = target.flatten().clone()
    where = torch.randperm(wrong.numel(), generator=torch.Generator().manual_seed(seed))[:flips]
    wrong[where] = 1 - wrong[where]
    right_value = loss(8 * (2 * target - 1), target)
    wrong_value = loss(8 * (2 * wrong.view_as(target) - 1), target)
    assert float(wrong_value) > float(right_value)


@loss_names
def test_false_alarms_on_an_empty_target_cost_by_their_mass(name):
    loss, empty = LOSSES[name](), torch.zeros(1, 1, 32, 32)
    values = []
    for side in (0, 2, 4, 8, 16, 32):
        logits = torch.full_like(empty, -20)
        logits[..., :side, :side] = 3
        values.append(float(loss(logits, empty)))
    assert values[0] == pytest.approx(0, abs=1e-4)
    assert values == sorted(values)
    assert len(set(values)) == len(values)


@loss_names
def test_gradient_descent_on_an_empty_target_lowers_every_pixel(name):
    logits = torch.zeros(1, 1, 8, 8, requires_grad=True)
    LOSSES[name]()(logits, torch.zeros(1, 1, 8, 8)).backward()
    assert bool((logits.grad > 0).all())


@loss_names
@pytest.mark.parametrize("size", [50.0, -50.0])
@pytest.mark.parametrize("target", [square(), torch.zeros(1, 1, 24, 24), torch.ones(1, 1, 24, 24)])
def test_stays_finite_at_extreme_logits(name, size, target):
    logits = torch.full_like(target, size, requires_grad=True)
    value = LOSSES[name]()(logits, target)
    value.backward()
    assert math.isfinite(value.item())
    assert bool(logits.grad.isfinite().all())


@loss_names
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_returns_a_float32_scalar_for_any_float(name, dtype):
    target = square(256)  # a float16 sum over it would overflow
    logits = (20 * target - 10).to(dtype)
    value = LOSSES[name]()(logits, target.bool())
    assert value.dtype == torch.float32
    assert value.shape == ()
    assert float(value) == pytest.approx(float(LOSSES[name]()(logits.float(), target)))


@loss_names
def test_computes_in_float32_under_autocast(name):
    logits, target = torch.linspace(-3, 3, 576).view(1, 1, 24, 24), square()
    plain = LOSSES[name]()(logits, target)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = LOSSES[name]()(logits, target)
    assert torch.equal(plain, mixed)


@loss_names
def test_a_batch_is_the_mean_of_its_images(name):
    logits = torch.randn((3, 1, 24, 24), generator=torch.Generator().manual_seed(0))
    target = torch.cat((square(), torch.zeros_like(square()), square().flip(2)))
    each = [LOSSES[name]()(logits[i : i + 1], target[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(LOSSES[name]()(logits, target), torch.stack(each).mean())


@loss_names
def test_leaves_its_inputs_alone(name):
    logits, target = torch.ones(1, 1, 24, 24), square()
    LOSSES[name]()(logits, target)
    assert torch.equal(logits, torch.ones(1, 1, 24, 24))
    assert torch.equal(target, square())


@loss_names
@pytest.mark.parametrize("shape", [(1, 1, 24, 1), (1, 24, 24), (1, 3, 24, 24), (2, 1, 24, 24)])
def test_refuses_shapes_that_would_broadcast(name, shape):
    with pytest.raises(GeometryError, match="logits of shape"):
        LOSSES[name]()(torch.zeros(shape), square())


def test_a_term_takes_its_own_parameters_from_the_recipe():
    logits, target = torch.ones(1, 1, 24, 24), square()
    recipe = LossRecipe({"tversky": 2.0, "bce": 1.0}, {"tversky": {"miss": 0.9}})
    expected = 2 * TverskyLoss(miss=0.9)(logits, target) + BCELoss()(logits, target)
    torch.testing.assert_close(build_loss(recipe)(logits, target), expected)


def test_the_names_of_parameters_are_those_of_the_losses():
    assert parameter_names("bce") == parameter_names("boundary") == ()
    assert parameter_names("tversky") == ("false_alarm", "miss", "smooth")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tversky": {"miss": 0.7}}, "parameters of loss 'tversky'.*of dice, bce"),
        (
            {"dice": {"smoth": 1.0}},
            "parameter 'smoth' of loss 'dice'.*one of smooth, empty_fraction",
        ),
        ({"bce": {"smooth": 1.0}}, "it has no parameter"),
        ({"dice": {"smooth": -1.0}}, "smooth = -1.0.*at least 0"),
        ({"dice": {"empty_fraction": 0.0}}, "empty_fraction = 0.0"),
        ({"dice": {"smooth": math.nan}}, "smooth = nan"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters, message):
    with pytest.raises(RecipeError, match=message):
        LossRecipe(parameters=parameters)


def test_the_default_recipe_adds_dice_and_cross_entropy():
    logits, target = torch.ones(1, 1, 24, 24), square()
    expected = LOSSES["dice"]()(logits, target) + LOSSES["bce"]()(logits, target)
    torch.testing.assert_close(build_loss(LossRecipe())(logits, target), expected)


def test_weights_multiply_their_terms():
    logits, target = torch.ones(1, 1, 24, 24), square()
    weights = {"dice": 0.5, "focal": 3.0, "boundary": 0.01}
    expected = sum(w * LOSSES[name]()(logits, target) for name, w in weights.items())
    value = build_loss(LossRecipe(weights))(logits, target)
    torch.testing.assert_close(value, expected)
    assert value.dtype == torch.float32


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({}, "without terms"),
        ({"dise": 1.0}, "dise.*one of bce"),
        ({"dice": 0.0}, "above 0"),
        ({"dice": -1.0}, "above 0"),
        ({"dice": math.nan}, "above 0"),
        ({"dice": math.inf}, "above 0"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(terms, message):
    with pytest.raises(RecipeError, match=message):
        LossRecipe(terms)
