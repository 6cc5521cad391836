"""Recipes to and from TOML: one way for images and volumes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import tomli_w

from breastseg.core.errors import RecipeError
from breastseg.io.own_code import is_own, refuse_own_code
from breastseg.io.toml_file import TomlKind, built, read_table
from breastseg.networks.recipe import EncoderUNetRecipe, OwnNetworkRecipe, UNet3dRecipe
from breastseg.training.recipe import Recipe
from breastseg.training.volume.recipe import VolumeRecipe

AnyRecipe = Recipe | VolumeRecipe
_KIND = TomlKind("recipe", "see docs/reference/recipe.md", RecipeError)
_NUMBERS = re.compile(r"[-+0-9.eE\[\],\s]+")
_BARE_POINT = re.compile(r"(?<![0-9.])\.(?=[0-9])")


def read_recipe(
    path: Path, changes: Mapping[str, str] | None = None, own_code: bool = False
) -> AnyRecipe:
    """Read a TOML recipe; one with a ``[volume]`` table is of a run on volumes.

    Args:
        path: the file.
        changes: values to put in place of the file's, e.g. ``{"epochs": "3",
            "sources.0.train": "fold:1"}``; each is read as a TOML value, else as text.
        own_code: whether it may name a network or loss that is not this program's. Reading loads
            none, but training would.

    Raises:
        RecipeError: no such file, not TOML, an unknown key or a value out of bounds.
        OwnCodeError: it names code that `own_code` does not allow.
    """
    table = read_table(path, _KIND)
    for key, text in (changes or {}).items():
        _put(table, key, _value(text))
    recipe = recipe_from(table, str(path))
    if not own_code:
        refuse_own_code(own_names(recipe), str(path))
    return recipe


def own_names(recipe: AnyRecipe) -> tuple[str, ...]:
    """The code of a person's own that a recipe names, as ``module:Name``."""
    network = recipe.network
    own = (network.path,) if isinstance(network, OwnNetworkRecipe) else ()
    return (*own, *filter(is_own, recipe.loss.terms))


def recipe_from(table: Mapping[str, object], where: str) -> AnyRecipe:
    """Build a recipe from plain containers.

    Args:
        table: what ``tomllib`` gives.
        where: their origin, for messages.

    Raises:
        RecipeError: an unknown key, another type, or a value out of bounds.
    """
    kind: type[AnyRecipe] = VolumeRecipe if "volume" in table else Recipe
    network = table.get("network")
    if isinstance(network, Mapping):
        usual = UNet3dRecipe.name if kind is VolumeRecipe else EncoderUNetRecipe.name
        table = {**table, "network": {"name": usual, **network}}
    return built(kind, table, where, _KIND)


def recipe_text(recipe: AnyRecipe) -> str:
    """A recipe with all defaults filled in, as TOML."""
    return tomli_w.dumps(recipe_table(recipe))


def recipe_table(recipe: AnyRecipe) -> dict[str, object]:
    """A recipe with all defaults filled in, as plain containers; what is None is left out."""
    table = _plain(recipe)
    assert isinstance(table, dict)
    return table


def differences(one: AnyRecipe, other: AnyRecipe) -> tuple[str, ...]:
    """What two recipes differ in, as ``"epochs: 30, now 6"``."""
    first, second = (dict(_flat(recipe_table(recipe), "")) for recipe in (one, other))
    return tuple(
        f"{key}: {first.get(key, 'none')}, now {second.get(key, 'none')}"
        for key in sorted({*first, *second})
        if first.get(key) != second.get(key)
    )


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((f.name, getattr(value, f.name)) for f in fields(value))
        return {name: _plain(item) for name, item in pairs if item is not None}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _flat(value: object, place: str) -> Iterator[tuple[str, object]]:
    """Dotted keys and what stands there; lists of plain values are one."""
    if isinstance(value, dict):
        items = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        items = [(str(number), item) for number, item in enumerate(value)]
    else:
        yield place, value
        return
    for key, item in items:
        yield from _flat(item, f"{place}.{key}" if place else key)


def _value(text: str) -> object:
    # people write numbers as .15 and [.5, 1.5], which TOML does not know
    digits = _BARE_POINT.sub("0.", text) if _NUMBERS.fullmatch(text) else text
    try:
        return tomllib.loads(f"value = {digits}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(table: dict[str, object], key: str, value: object) -> None:
    *path, last = key.split(".")
    place: object = table
    try:
        for part in path:
            if isinstance(place, list):
                place = place[int(part)]
            else:
                assert isinstance(place, dict)
                place = place.setdefault(part, {})
        if isinstance(place, list):
            place[int(last)] = value
        else:
            assert isinstance(place, dict)
            place[last] = value
    except (ValueError, IndexError, AssertionError) as error:
        raise RecipeError(
            f"no place {key!r} in the recipe", "a dotted path such as sources.0.train"
        ) from error
