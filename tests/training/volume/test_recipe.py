"""Recipes of runs on volumes: read strictly, written back whole."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

import tomli_w

from breastseg.core import VolumeSpec
from breastseg.core.errors import RecipeError
from breastseg.networks.recipe import UNet3dRecipe
from breastseg.training.recipe import read_table, recipe_table
from breastseg.training.volume.recipe import (
    VolumeRecipe,
    is_volume_recipe,
    read_volume_recipe,
    volume_recipe_from,
)

pytestmark = pytest.mark.train
RECIPES = Path(__file__).parents[3] / "recipes"


def test_the_shipped_recipe_is_read_and_survives_being_written(tmp_path: Path) -> None:
    path = RECIPES / "mri-phantom.toml"
    assert is_volume_recipe(read_table(path))
    recipe = read_volume_recipe(path, {"epochs": "3", "network.stage_widths": "[4, 8]"})
    assert (recipe.epochs, recipe.volume.patch) == (3, (16, 96, 96))
    assert recipe.network == UNet3dRecipe(in_channels=2, stage_widths=(4, 8))
    again = tmp_path / "recipe.toml"
    again.write_text(tomli_w.dumps(recipe_table(recipe)))
    assert read_volume_recipe(again) == recipe


def test_recipes_for_images_are_told_apart() -> None:
    assert not is_volume_recipe(read_table(RECIPES / "ultrasound.toml"))


def test_the_network_is_a_unet_where_no_name_is_given() -> None:
    recipe = volume_recipe_from({"name": "x", "network": {"in_channels": 2}}, "here")
    assert recipe == VolumeRecipe("x", volume=VolumeSpec())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"epohcs": 3}, "unknown key epohcs"),
        ({"patches": {"lesions": 1}}, r"unknown key patches\.lesions"),
        ({"network": {"name": "unet2015"}}, "network 'unet2015' on volumes"),
        ({"network": {"in_channels": 3}}, "the same number"),
        ({"network": {"in_channels": 1}, "volume": {"channels": 1}}, "2 to 8 on phantoms"),
        ({"network": {"in_channels": 2, "out_channels": 2}}, "out_channels"),
        ({"epochs": 0}, "epochs = 0"),
        ({"epochs": "many"}, "epochs = 'many'"),
        ({"patches": {"lesion_share": 0.8, "bright_share": 0.3}}, "lesion_share"),
        ({"volume": {"overlap": 1.0}}, "overlap 1.0"),
        ({"phantoms": 3}, "a table"),
    ],
)
def test_mistakes_are_named(table: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        volume_recipe_from({"name": "x", **table}, "here")
