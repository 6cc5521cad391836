"""Recipes: read whole or refused with the place of the mistake."""

import tomllib
from pathlib import Path

import pytest

pytest.importorskip("torch")

import tomli_w

from breastseg.core.bundle import Intensity
from breastseg.core.errors import RecipeError
from breastseg.training.recipe import read_recipe, recipe_from, recipe_table
from breastseg.training.volume.recipe import is_volume_recipe, read_volume_recipe

pytestmark = pytest.mark.train
RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_published_recipe_is_valid(path: Path) -> None:
    volumes = is_volume_recipe(tomllib.loads(path.read_text(encoding="utf-8")))
    assert (read_volume_recipe(path) if volumes else read_recipe(path)).epochs > 0


def test_a_resolved_recipe_reads_back_the_same(recipe_file: Path) -> None:
    recipe = read_recipe(recipe_file)
    text = tomli_w.dumps(recipe_table(recipe))
    assert recipe_from(tomllib.loads(text), "again") == recipe


def test_changes_replace_values(recipe_file: Path) -> None:
    changes = {
        "epochs": "7",
        "sources.0.train": "fold:1 & lesions",
        "input.intensity": "unit",
        "loss.terms": "{ focal = 2.0 }",
    }
    recipe = read_recipe(recipe_file, changes)
    assert recipe.epochs == 7
    assert recipe.sources[0].train == "fold:1 & lesions"
    assert recipe.input.intensity is Intensity.UNIT
    assert dict(recipe.loss.terms) == {"focal": 2.0}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epoch": "3"}, "unknown key epoch"),
        ({"optimiser.rate": "3"}, "unknown key optimiser.rate"),
        ({"sources.0.trian": "all"}, "unknown key sources.trian"),
        ({"sources.9.train": "all"}, "no place 'sources.9.train'"),
        ({"epochs": "0"}, "epochs = 0"),
        ({"epochs": "many"}, "epochs = 'many'"),
        ({"optimiser.learning_rate": "-1"}, "learning_rate"),
        ({"network.in_channels": "3"}, "in_channels"),
        ({"network": "7"}, "network = 7"),
        ({"network.name": "resnet"}, "resnet"),
        ({"loss.terms": "{ dise = 1 }"}, "dise"),
        ({"augmentation.rotation_p": "2"}, "rotation_p"),
    ],
)
def test_mistakes_are_named(recipe_file: Path, changes: dict[str, str], words: str) -> None:
    with pytest.raises(RecipeError) as caught:
        read_recipe(recipe_file, changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no\.toml"):
        read_recipe(tmp_path / "no.toml")
    (tmp_path / "bad.toml").write_text("a = = 3")
    with pytest.raises(RecipeError, match=r"bad\.toml"):
        read_recipe(tmp_path / "bad.toml")
