"""Recipes of runs on volumes: read strictly, written back whole."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from breastseg.core import VolumeSpec
from breastseg.core.errors import RecipeError
from breastseg.networks.recipe import UNet3dRecipe
from breastseg.training.recipe import Recipe
from breastseg.training.recipe_file import read_recipe, recipe_from, recipe_text
from breastseg.training.volume.recipe import PhantomsRecipe, VolumeRecipe

pytestmark = pytest.mark.train
RECIPES = Path(__file__).parents[3] / "recipes"


def test_the_shipped_recipe_is_read_and_survives_being_written(tmp_path: Path) -> None:
    path = RECIPES / "mri-phantom.toml"
    recipe = read_recipe(path, {"epochs": "3", "network.stage_widths": "[4, 8]"})
    assert (recipe.epochs, recipe.volume.patch) == (3, (16, 96, 96))
    assert recipe.network == UNet3dRecipe(in_channels=2, stage_widths=(4, 8))
    again = tmp_path / "recipe.toml"
    again.write_text(recipe_text(recipe))
    assert read_recipe(again) == recipe


def test_recipes_for_images_are_told_apart() -> None:
    assert isinstance(read_recipe(RECIPES / "ultrasound.toml"), Recipe)


def test_the_network_is_a_unet_where_no_name_is_given() -> None:
    recipe = recipe_from({"name": "x", "volume": {}, "network": {"in_channels": 2}}, "here")
    assert recipe == VolumeRecipe("x", volume=VolumeSpec())


def test_phantoms_are_drawn_where_there_is_nothing_else() -> None:
    source = {"sources": [{"name": "MAMA-MIA"}], "network": {"in_channels": 2}}
    given = {"name": "x", "volume": {}, **source}
    assert recipe_from(given, "here").phantoms is None
    both = recipe_from({**given, "phantoms": {"train": 3}}, "here")
    assert (len(both.sources), both.phantoms) == (1, PhantomsRecipe(train=3))
    assert VolumeRecipe("x").phantoms == PhantomsRecipe()
    single = {"volume": {"channels": 1}, "network": {"in_channels": 1}}
    assert recipe_from({**given, **single}, "here").volume.channels == 1


def test_the_recipe_of_mama_mia_takes_no_phantoms(tmp_path: Path) -> None:
    recipe = read_recipe(RECIPES / "mri-mama-mia.toml")
    assert [source.name for source in recipe.sources] == ["MAMA-MIA"]
    assert recipe.phantoms is None
    again = tmp_path / "recipe.toml"
    again.write_text(recipe_text(recipe))
    assert read_recipe(again) == recipe


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"epohcs": 3}, "unknown key epohcs"),
        ({"patches": {"lesions": 1}}, r"unknown key patches\.lesions"),
        ({"network": {"name": "unet2015"}}, "network 'unet2015'. Expected: one of 'unet3d'"),
        ({"network": {"in_channels": 3}}, "the same number"),
        ({"network": {"in_channels": 1}, "volume": {"channels": 1}}, "2 to 8 on phantoms"),
        ({"network": {"in_channels": 2, "out_channels": 2}}, "out_channels"),
        ({"epochs": 0}, "epochs = 0"),
        ({"epochs": "many"}, 'epochs = "many"'),
        ({"patches": {"lesion_fraction": 0.8, "bright_fraction": 0.3}}, "lesion_fraction"),
        ({"volume": {"overlap": 1.0}}, "overlap = 1.0"),
        ({"phantoms": 3}, "phantoms = 3"),
        ({"sources": [{"nme": "MAMA-MIA"}]}, r"unknown key sources\.0\.nme"),
        ({"sources": [{"name": "MAMA-MIA", "repeat": 0.0}]}, r"sources\.0\.repeat = 0"),
        ({"sources": ["MAMA-MIA"]}, r"sources\.0 = "),
    ],
)
def test_mistakes_are_named(table: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe_from({"name": "x", "volume": {}, **table}, "here")
