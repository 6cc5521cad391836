import math
from dataclasses import fields, replace

import pytest

from breastseg.core.errors import RecipeError
from breastseg.training.augmentation import AugmentationRecipe

pytestmark = pytest.mark.train

CHANCES = [f.name for f in fields(AugmentationRecipe) if f.name.endswith("_p")]
RANGES = [
    f.name
    for f in fields(AugmentationRecipe)
    if isinstance(getattr(AugmentationRecipe, f.name), tuple)
]


def test_none_sets_every_chance_to_zero():
    recipe = AugmentationRecipe.none()
    assert [getattr(recipe, name) for name in CHANCES] == [0.0] * len(CHANCES)


@pytest.mark.parametrize("name", CHANCES)
@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan])
def test_a_chance_lies_between_0_and_1(name, value):
    with pytest.raises(RecipeError, match=name):
        replace(AugmentationRecipe(), **{name: value})


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize(
    "value", [(0.9, 0.8), (math.nan, 1.0), (0.5, math.inf), (-1e6, 1.0), (0.5, 1e6), (0.5,)]
)
def test_a_range_is_ordered_finite_and_within_limits(name, value):
    with pytest.raises(RecipeError, match=name):
        replace(AugmentationRecipe(), **{name: value})


@pytest.mark.parametrize("count", [0, 17])
def test_the_number_of_cutouts_is_limited(count):
    with pytest.raises(RecipeError, match="cutout_count"):
        AugmentationRecipe(cutout_count=count)


@pytest.mark.parametrize("name", [*CHANCES, *RANGES, "cutout_count"])
def test_every_field_is_documented(name):
    assert f"{name}:" in (AugmentationRecipe.__doc__ or "")
