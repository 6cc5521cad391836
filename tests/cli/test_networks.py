"""The architectures on the command line, with torch and without."""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import asdict, fields, replace

import pytest

from breastseg.cli.main import main
from breastseg.networks.recipe import RECIPES

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the train extra is not installed."""
    monkeypatch.setitem(sys.modules, "breastseg.networks.catalogue", None)


@pytest.mark.usefixtures("without_torch")
def test_without_torch_the_list_lacks_only_numbers(capsys: Capture) -> None:
    assert main(["models", "list", "--networks"]) == 0
    text = capsys.readouterr().out
    heading, *lines = text.splitlines()
    assert heading.split() == ["name", "what", "it", "is", "paper"]
    for (name, recipe), line in zip(RECIPES.items(), lines, strict=False):
        assert line.split()[0] == name
        assert recipe.title in line
        assert line.endswith(recipe.paper)
    assert "pip install 'breastseg[train]'" in text
    assert "GMACs" not in text


@pytest.mark.train
def test_with_torch_the_list_has_sizes_and_costs(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = pytest.importorskip("breastseg.networks.catalogue")
    few = {name: RECIPES[name] for name in ("unext", "cmunext")}
    monkeypatch.setattr("breastseg.cli.networks.RECIPES", few)
    assert main(["models", "list", "--networks"]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert "M parameters  GMACs" in heading
    for name, line in zip(few, lines, strict=False):
        cost = catalogue.describe(RECIPES[name]())
        assert line.split()[-3:-1] == [f"{cost.parameters / 1e6:.2f}", f"{cost.gmacs:.2f}"]
    assert "one image of 256x256." in lines[2]


def test_the_list_of_methods_names_the_list_of_architectures(capsys: Capture) -> None:
    assert main(["models", "list"]) == 0
    assert "--networks" in capsys.readouterr().out


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.usefixtures("without_torch")
def test_a_shown_table_is_the_default_recipe(name: str, capsys: Capture) -> None:
    assert main(["models", "show", name]) == 0
    text = capsys.readouterr().out
    assert RECIPES[name].title in text
    assert RECIPES[name].paper in text
    table = tomllib.loads(text[text.index("[network]\n") :])["network"]
    default = RECIPES[name]()
    assert set(table) == {field.name for field in fields(default)}
    made = RECIPES[name](**table)
    if table.get("encoder_weights") == "":  # TOML has no none
        made = replace(made, encoder_weights=None)
    assert made == default


@pytest.mark.parametrize("name", RECIPES)
def test_a_description_as_json_explains_every_field(name: str, capsys: Capture) -> None:
    assert main(["models", "show", name, "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert (described["name"], described["title"]) == (name, RECIPES[name].title)
    assert described["dimensions"] in (2, 3)
    plain = json.loads(json.dumps(asdict(RECIPES[name]())))
    assert {f["name"]: f["default"] for f in described["fields"]} | {"name": name} == plain
    assert all(field["help"] for field in described["fields"])


def test_what_there_is_not_is_still_refused(capsys: Capture) -> None:
    assert main(["models", "show", "unet+++"]) == 2
    assert "check the spelling" in capsys.readouterr().err
