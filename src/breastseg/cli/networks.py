"""The architectures that can be trained, for ``breastseg models``."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, cast

from breastseg.cli.console import WIDTH, say
from breastseg.core.parameters import _helps as helps_of
from breastseg.networks.recipe import RECIPES, NetworkRecipe

if TYPE_CHECKING:
    from breastseg.networks.catalogue import NetworkCost


def say_architectures() -> None:
    """Print a line an architecture, with its size and cost where torch is installed."""
    costs = _costs()
    table = [("name", "what it is", *(("M parameters", "GMACs") if costs else ()), "paper")]
    for name, recipe in RECIPES.items():
        numbers: tuple[str, ...] = ()
        if costs:
            numbers = (f"{costs[name].parameters / 1e6:.2f}", f"{costs[name].gmacs:.2f}")
        table.append((name, recipe.title, *numbers, recipe.paper))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = [
            f"{cell:>{width}}" if 1 < place < len(row) - 1 else f"{cell:{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        say(("  " + "  ".join(cells)).rstrip())
    if costs:
        say(f"GMACs: thousand million multiply-accumulates of one image of {_sizes(costs)}.")
    else:
        say("Sizes and costs are shown once torch is there: pip install 'breastseg[train]'")


def say_architecture(name: str, as_json: bool = False) -> None:
    """Print what a recipe's ``[network]`` may say of an architecture.

    Args:
        name: a key of `RECIPES`.
        as_json: print it as JSON.
    """
    kind: type[NetworkRecipe] = RECIPES[name]
    helps = helps_of(cast("type", kind))
    recipe = kind()
    choices = {f.name: getattr(recipe, f.name) for f in fields(kind) if f.name != "name"}
    what = " ".join((kind.__doc__ or "").split("Attributes:")[0].split())
    if as_json:
        content = {
            "name": name,
            "title": kind.title,
            "summary": what,
            "paper": kind.paper,
            "dimensions": kind.dimensions,
            "fields": [
                {"name": key, "default": value, "help": helps.get(key, "")}
                for key, value in choices.items()
            ],
        }
        say(json.dumps(content, indent=2))
        return
    say(f"{name}: {kind.title}, for {'volumes' if kind.dimensions == 3 else 'images'}")
    if what.rstrip(".") != kind.title:
        say("\n" + textwrap.fill(what, WIDTH))
    say(f"\nSource: {kind.paper}\n\nWhat a recipe can set under [network], with the default:")
    for key, value in choices.items():
        say(f"  {key} = {_toml(value)}")
        say(textwrap.indent(textwrap.fill(helps.get(key, ""), WIDTH - 6), " " * 6))
    say("\nFor a recipe:\n\n[network]")
    for key, value in {"name": name, **choices}.items():
        say(f"{key} = {_toml(value)}")


def _costs() -> Mapping[str, NetworkCost]:
    """What each architecture costs at its defaults; empty where torch is not installed."""
    try:
        from breastseg.networks.catalogue import describe
    except ModuleNotFoundError:
        return {}
    return {name: describe(recipe()) for name, recipe in RECIPES.items()}


def _sizes(costs: Mapping[str, NetworkCost]) -> str:
    """The sizes that the costs are stated for, such as "256x256, of a volume of 32x128x128"."""
    sizes = {len(cost.size): "x".join(map(str, cost.size)) for cost in costs.values()}
    return ", of a volume of ".join(sizes[dimensions] for dimensions in sorted(sizes))


def _toml(value: object) -> str:
    """A value as it stands in TOML, which has no none: there an empty text says the same."""
    return json.dumps("" if value is None else value)
