"""Plain JSON values to frozen dataclasses, strictly: nothing is converted, nothing is passed over.

pydantic does the same and more, at 200 ms of import and schema building: an eighth of what a cold
start may take.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import reprlib
import types
import typing
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from breastseg.core.errors import BundleError

LARGEST = 1e300
"""Of a whole number where a fraction is wanted: what float64 holds."""
_WHOLE = re.compile("0|[1-9][0-9]{0,8}")
_REPR = reprlib.Repr()  # leaves out what is nested deeply
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 200
_WORDS = {str: "text", int: "a whole number", float: "a finite number", bool: "true or false"}


def load_json(path: Path) -> object:
    """What a JSON file holds; every number finite, every field given once.

    Raises:
        BundleError: the file cannot be read, or is none.
    """

    def refuse(word: str) -> float:
        raise BundleError(f"{path}: {_shown(word)}", "finite numbers")

    def finite(text: str) -> float:
        value = float(text)
        return value if math.isfinite(value) else refuse(text)

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise BundleError(f"{path}: a field is given twice", "each field once")
        return found

    try:
        value: object = json.loads(
            path.read_bytes(), parse_constant=refuse, parse_float=finite, object_pairs_hook=unique
        )
    except (OSError, ValueError, RecursionError) as error:  # ValueError: bad JSON or not UTF-8
        raise BundleError(
            f"{path}: not readable as JSON ({error})", remedy="copy the whole bundle again"
        ) from error
    return value


def decode(value: object, kind: object, where: str) -> object:
    """One value of the stated type.

    Args:
        value: what ``json.loads`` gave.
        kind: a dataclass, a StrEnum, ``str``, ``int``, ``float``, ``bool``, ``object`` for any
            value, or a tuple, Mapping or union of these.
        where: the value's place, for messages, e.g. ``"bundle.json: input.size"``.

    Returns:
        An instance of `kind`; a JSON array becomes a tuple, the text of a whole number an int
        where it is a key.

    Raises:
        BundleError: another type, an unknown, missing or repeated name, or a value that the
            dataclass itself refuses.
    """
    composed = _COMPOSED.get(typing.get_origin(kind))
    if composed is not None:
        return composed(value, typing.get_args(kind), where)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _dataclass(value, kind, where)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _enum(value, kind, where)
    if kind is object:
        return value
    if kind is float and type(value) is int and abs(value) < LARGEST:
        return float(value)
    if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
        raise _refusal(value, _word(kind), where)
    return value


def _dataclass(value: object, kind: type, where: str) -> object:
    fields = {f.name: f for f in dataclasses.fields(kind)}
    if not isinstance(value, dict):
        raise _refusal(value, "an object with named fields", where)
    unknown = sorted(set(value) - set(fields))
    if unknown:
        free = "extensions" in fields
        raise BundleError(
            f"{where}: unknown field {_shown(unknown[0])}",
            f"only {', '.join(fields)}",
            "put what is your own under 'extensions', or update breastseg if a newer one wrote it"
            if free
            else "update breastseg: a newer version may have written it",
        )
    kinds = typing.get_type_hints(kind)
    found = {}
    for name, field in fields.items():
        if name in value:
            found[name] = decode(value[name], kinds[name], _below(where, name))
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise BundleError(f"{where}: field {name!r} is missing", _word(kinds[name]))
    try:
        return kind(**found)
    except BundleError as error:
        raise BundleError(f"{where}: {error.given}", error.allowed, error.remedy) from error


def _tuple(value: object, kinds: tuple[object, ...], where: str) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise _refusal(value, "a list", where)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(value) != len(kinds):
        raise _refusal(value, f"a list of {len(kinds)} values", where)
    return tuple(
        decode(item, kind, f"{where}[{i}]")
        for i, (item, kind) in enumerate(zip(value, kinds, strict=True))
    )


def _mapping(value: object, kinds: tuple[object, ...], where: str) -> dict[object, object]:
    if not isinstance(value, dict):
        raise _refusal(value, "an object", where)
    whole_keys = kinds[0] is int
    if whole_keys and not all(_WHOLE.fullmatch(str(key)) for key in value):
        raise BundleError(f"{where}: keys {_shown(list(value))}", "whole numbers from 0")
    return {
        int(key) if whole_keys else key: decode(item, kinds[1], _below(where, str(key)))
        for key, item in value.items()
    }


def _union(value: object, kinds: tuple[object, ...], where: str) -> object:
    real = [kind for kind in kinds if kind is not types.NoneType]
    if value is not None and len(real) == 1:
        return decode(value, real[0], where)  # its own message says more
    for kind in kinds:
        try:
            return decode(value, kind, where)
        except BundleError:
            continue
    raise _refusal(value, " or ".join(_word(kind) for kind in kinds), where)


def _literal(value: object, kinds: tuple[object, ...], where: str) -> object:
    if value not in kinds:
        raise _refusal(value, " or ".join(f'"{kind}"' for kind in kinds), where)
    return value


_COMPOSED: Mapping[object, Callable[[object, tuple[object, ...], str], object]] = {
    tuple: _tuple,
    Mapping: _mapping,
    typing.Union: _union,
    types.UnionType: _union,
    typing.Literal: _literal,
}


def _enum(value: object, kind: type[StrEnum], where: str) -> StrEnum:
    for member in kind:
        if member.value == value:
            return member
    raise _refusal(value, " or ".join(f'"{member.value}"' for member in kind), where)


def _refusal(value: object, allowed: str, where: str) -> BundleError:
    return BundleError(f"{where} is {_shown(value)}", allowed)


def _shown(value: object) -> str:
    shown = _REPR.repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def _word(kind: object) -> str:
    return _WORDS.get(kind, "a value") if isinstance(kind, type) else "a value"


def _below(where: str, name: str) -> str:
    return f"{where}.{name}" if ":" in where else f"{where}: {name}"
