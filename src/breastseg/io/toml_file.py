"""TOML files as frozen dataclasses: the one reader for recipes and for the node's configuration."""

from __future__ import annotations

import json
import math
import tomllib
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, time
from pathlib import Path

from breastseg.core.errors import BreastsegError, InputError
from breastseg.core.parameters import within_of

T = typing.TypeVar("T")


_TYPES = {
    "tuple_type": "a list in brackets",
    "path_type": "a path in quotes",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "dataclass_type": "a table of keys",
}
"""In TOML's words what pydantic says in Python's."""


@dataclass(frozen=True)
class TomlKind:
    """What messages call a kind of file.

    Attributes:
        noun: such as ``"recipe"``.
        remedy: where its keys are described.
        error: what is raised.
    """

    noun: str
    remedy: str
    error: type[BreastsegError] = InputError


def read_table(path: Path, kind: TomlKind) -> dict[str, object]:
    """The plain containers of a TOML file.

    Raises:
        BreastsegError: no such file, or not TOML; of the kind's class.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        says = error.strerror or error
        raise kind.error(f"{kind.noun} {path}: {says}", "a TOML file", "check the path") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise kind.error(f"{kind.noun} {path}: {error}", "a readable TOML file") from error


def built(owner: type[T], table: Mapping[str, object], where: str, kind: TomlKind) -> T:
    """Build a dataclass from plain containers.

    No value is converted but a whole number to a fraction: ``"104"`` is no port, ``true`` no number
    of seconds and ``"no"`` neither true nor false. JSON's rules are TOML's in this.

    Args:
        owner: the dataclass; its fields are the keys.
        table: what ``tomllib`` gives.
        where: their origin, for messages.
        kind: what messages call it.

    Raises:
        BreastsegError: an unknown key, another type, or a value out of bounds; of the kind's class.
    """
    from pydantic import TypeAdapter, ValidationError

    _refuse_odd(table, "", where, kind)
    try:
        return TypeAdapter(owner).validate_json(json.dumps(table), strict=True)
    except ValidationError as error:
        unknown = [one for one in error.errors() if one["type"] == "unexpected_keyword_argument"]
        raise _refusal((unknown or error.errors())[0], owner, where, kind) from error
    except BreastsegError as error:
        raise kind.error(f"{where}: {error.given}", error.allowed, error.remedy) from error


def _refuse_odd(value: object, place: str, where: str, kind: TomlKind) -> None:
    """Refuse what TOML has and no key takes: dates and times, nan and inf."""
    if isinstance(value, Mapping):
        inside = [(str(key), one) for key, one in value.items()]
    elif isinstance(value, list | tuple):
        inside = [(str(number), one) for number, one in enumerate(value)]
    elif isinstance(value, date | time) or (isinstance(value, float) and not math.isfinite(value)):
        raise kind.error(
            f"{where}: {place} = {value}", "a finite number, text or true or false", kind.remedy
        )
    else:
        return
    for key, one in inside:
        _refuse_odd(one, f"{place}.{key}" if place else key, where, kind)


def _refusal(
    error: Mapping[str, typing.Any], owner: type, where: str, kind: TomlKind
) -> BreastsegError:
    """Pydantic's first complaint as this project says it."""
    place, part = _located(error["loc"], owner)
    if error["type"] == "unexpected_keyword_argument":
        known = ", ".join(sorted(f.name for f in fields(part)))
        return kind.error(f"{where}: unknown key {place} in the {kind.noun}", f"one of {known}")
    if error["type"] == "union_tag_invalid":
        tags = error["ctx"]
        return kind.error(f"{where}: {place} {tags['tag']!r}", f"one of {tags['expected_tags']}")
    if error["type"] in ("missing", "missing_argument"):
        return kind.error(f"{where}: no {place} in the {kind.noun}", "a value", kind.remedy)
    last = place.rpartition(".")[2]
    within = within_of(part, last) if last in typing.get_type_hints(part) else None
    said = _TYPES.get(error["type"], error["msg"].removeprefix("Input should be "))
    allowed = said if within is None else f"a number {within}"
    return kind.error(f"{where}: {place} = {_shown(error['input'])}", allowed, kind.remedy)


def _shown(value: object) -> str:
    """A value as TOML spells it, where that is short."""
    return json.dumps(value, ensure_ascii=False)


def _located(loc: Sequence[str | int], owner: type) -> tuple[str, type]:
    """The dotted place of a complaint, and the innermost part of the file around it.

    pydantic puts the name of a network's class between the field and what is in it.
    """
    words: list[str] = []
    part = owner
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
