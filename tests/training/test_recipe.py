"""Recipes: read whole or refused with the place of the mistake."""

import tomllib
from pathlib import Path

import pytest

pytest.importorskip("torch")

from pydantic import TypeAdapter

from breastseg.core.bundle import Intensity
from breastseg.core.errors import RecipeError
from breastseg.training.recipe import Recipe
from breastseg.training.recipe_file import differences, read_recipe, recipe_from, recipe_text
from breastseg.training.volume.recipe import VolumeRecipe

pytestmark = pytest.mark.train
ROOT = Path(__file__).parents[2]
RECIPES = sorted(ROOT.glob("recipes/*.toml")) + sorted(ROOT.glob("src/*/bundles/*/recipe.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_published_recipe_is_valid(path: Path) -> None:
    volumes = "volume" in tomllib.loads(path.read_text(encoding="utf-8"))
    assert isinstance(read_recipe(path), VolumeRecipe if volumes else Recipe)


def test_a_resolved_recipe_reads_back_the_same(recipe_file: Path) -> None:
    recipe = read_recipe(recipe_file)
    assert recipe_from(tomllib.loads(recipe_text(recipe)), "again") == recipe


def test_what_two_recipes_differ_in_is_named(recipe_file: Path) -> None:
    recipe = read_recipe(recipe_file)
    assert differences(recipe, recipe) == ()
    other = read_recipe(recipe_file, {"epochs": "6", "sources.0.train": "lesions"})
    assert differences(recipe, other) == ("epochs: 3, now 6", "sources.0.train: all, now lesions")
    assert differences(recipe, read_recipe(recipe_file, {"normal_fraction": "0.5"})) == (
        "normal_fraction: none, now 0.5",
    )


@pytest.mark.parametrize("kind", [Recipe, VolumeRecipe])
def test_the_json_schema_carries_the_bounds(kind: type) -> None:
    schema = TypeAdapter(kind).json_schema()
    epochs = schema["properties"]["epochs"]
    assert (epochs["minimum"], epochs["maximum"]) == (1, 100_000)
    parts = schema["$defs"]
    rate = parts["OptimiserRecipe"]["properties"]["learning_rate"]
    assert (rate["minimum"], rate["maximum"]) == (1e-9, 10)
    for part in (schema, *parts.values()):
        if part["type"] == "object":
            assert part["additionalProperties"] is False


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


def test_changes_take_numbers_without_a_zero(recipe_file: Path) -> None:
    changes = {
        "normal_fraction": ".15",
        "augmentation.scale": "[.5, 1.5]",
        "augmentation.shift": "[-.2,.2]",
        "sources.0.train": "list:.5.txt",
    }
    recipe = read_recipe(recipe_file, changes)
    assert recipe.normal_fraction == 0.15
    assert recipe.augmentation.scale == (0.5, 1.5)
    assert recipe.augmentation.shift == (-0.2, 0.2)
    assert recipe.sources[0].train == "list:.5.txt"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epoch": "3"}, "unknown key epoch"),
        ({"optimiser.rate": "3"}, "unknown key optimiser.rate"),
        ({"sources.0.trian": "all"}, "unknown key sources.0.trian"),
        ({"sources.9.train": "all"}, "no place 'sources.9.train'"),
        ({"epochs": "0"}, "epochs = 0"),
        ({"epochs": "many"}, 'epochs = "many"'),
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
