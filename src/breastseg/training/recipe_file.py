"""Recipes to and from TOML: the one reader for images and volumes."""

from __future__ import annotations

import tomllib
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path

import tomli_w

from breastseg.core.errors import BundleError, RecipeError
from breastseg.core.parameters import within_of
from breastseg.networks.recipe import EncoderUNetRecipe, UNet3dRecipe
from breastseg.training.recipe import Recipe
from breastseg.training.volume.recipe import VolumeRecipe

AnyRecipe = Recipe | VolumeRecipe
_REMEDY = "see docs/reference/recipe.md"


def read_recipe(path: Path, changes: Mapping[str, str] | None = None) -> AnyRecipe:
    """Read a TOML recipe; one with a ``[volume]`` table is of a run on volumes.

    Args:
        path: the file.
        changes: values to put in place of the file's, e.g. ``{"epochs": "3",
            "sources.0.train": "fold:1"}``; each is read as a TOML value, else as text.

    Raises:
        RecipeError: no such file, not TOML, an unknown key or a value out of bounds.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"recipe {path}: {error}", "a readable TOML file") from error
    for key, text in (changes or {}).items():
        _put(table, key, _value(text))
    return recipe_from(table, str(path))


def recipe_from(table: Mapping[str, object], where: str) -> AnyRecipe:
    """Build a recipe from plain containers.

    Args:
        table: what ``tomllib`` gives.
        where: their origin, for messages.

    Raises:
        RecipeError: an unknown key, another type, or a value out of bounds.
    """
    from pydantic import TypeAdapter, ValidationError

    kind: type[AnyRecipe] = VolumeRecipe if "volume" in table else Recipe
    network = table.get("network")
    if isinstance(network, Mapping):
        usual = UNet3dRecipe.name if kind is VolumeRecipe else EncoderUNetRecipe.name
        table = {**table, "network": {"name": usual, **network}}
    try:
        return TypeAdapter(kind).validate_python(table)
    except ValidationError as error:
        unknown = [one for one in error.errors() if one["type"] == "unexpected_keyword_argument"]
        raise _refusal((unknown or error.errors())[0], kind, where) from error
    except (BundleError, RecipeError) as error:
        raise RecipeError(f"{where}: {error.given}", error.allowed, error.remedy) from error


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


def _refusal(error: Mapping[str, typing.Any], kind: type, where: str) -> RecipeError:
    """Pydantic's first complaint as this project says it."""
    place, part = _located(error["loc"], kind)
    if error["type"] == "unexpected_keyword_argument":
        known = ", ".join(sorted(f.name for f in fields(part)))
        return RecipeError(f"{where}: unknown key {place} in the recipe", f"one of {known}")
    if error["type"] == "union_tag_invalid":
        tags = error["ctx"]
        return RecipeError(f"{where}: {place} {tags['tag']!r}", f"one of {tags['expected_tags']}")
    if error["type"] == "missing":
        return RecipeError(f"{where}: no {place} in the recipe", "a value", _REMEDY)
    last = place.rpartition(".")[2]
    within = within_of(part, last) if last in typing.get_type_hints(part) else None
    allowed = error["msg"] if within is None else f"a number {within}"
    return RecipeError(f"{where}: {place} = {error['input']!r}", allowed, _REMEDY)


def _located(loc: Sequence[str | int], kind: type) -> tuple[str, type]:
    """The dotted place of a complaint, and the innermost part of the recipe around it.

    pydantic puts the name of a network's class between the field and what is in it.
    """
    words: list[str] = []
    part = kind
    choices: tuple[type, ...] = ()
    for step in loc:
        named = [choice for choice in choices if getattr(choice, "name", None) == step]
        if named:
            part, choices = named[0], ()
            continue
        words.append(str(step))
        known = typing.get_type_hints(part)
        if step in known:
            inside = tuple(_dataclasses(known[str(step)]))
            choices = inside if len(inside) > 1 else ()
            part = inside[0] if len(inside) == 1 else part
    return ".".join(words), part


def _dataclasses(hint: object) -> Iterator[type]:
    """All dataclasses within an annotation."""
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for inner in typing.get_args(hint):
        yield from _dataclasses(inner)


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
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
