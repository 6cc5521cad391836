"""The parameters of a method: read off the fields of its dataclass, and nowhere else.

A field's type, default and `Within` or ``Literal`` bounds, with its line under ``Attributes:``, are
what the command line offers, what tuning searches, what a preset file holds and what a prediction's
provenance records. A field that is itself such a dataclass adds its own, after a dot:
``finder.max_lesions``.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

from breastseg.core.errors import BreastsegError, InputError
from breastseg.core.provenance import Scalar

T = TypeVar("T")


@dataclass(frozen=True)
class Within:
    """The bounds of a number: ``mu: Annotated[float, Within(0, 2)] = 0.25``.

    Of a tuple they bound every number in it. Pydantic asks for them too: it refuses what they do,
    and a JSON Schema has them as its limits.

    Attributes:
        low: the smallest value.
        high: the largest value; infinite where there is none.
        log: search it on a logarithmic scale; `low` is then above 0.
        exclusive: the bounds themselves are not allowed.
    """

    low: float
    high: float = math.inf
    log: bool = False
    exclusive: bool = False

    def __get_pydantic_core_schema__(
        self, source: object, handler: Callable[[object], dict[str, Any]]
    ) -> dict[str, Any]:
        """The bounds for Pydantic, which checks them and writes them into a JSON Schema."""
        schema = handler(source)
        for inner in _numbers_of(schema):
            kind = int if inner["type"] == "int" else float
            inner["gt" if self.exclusive else "ge"] = kind(self.low)
            if self.high < math.inf:
                inner["lt" if self.exclusive else "le"] = kind(self.high)
        return schema

    def holds(self, value: float) -> bool:
        """True for a finite number within the bounds."""
        if self.exclusive and value in (self.low, self.high):
            return False
        return math.isfinite(value) and self.low <= value <= self.high

    def __str__(self) -> str:
        """The bounds in words."""
        if self.high == math.inf:
            return f"above {self.low:g}" if self.exclusive else f"of at least {self.low:g}"
        if self.exclusive:
            return f"between {self.low:g} and {self.high:g}"
        return f"from {self.low:g} to {self.high:g}"


def _numbers_of(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The numbers in Pydantic's schema of a number, of one that may be None, or of a tuple."""
    if schema["type"] == "nullable":
        yield from _numbers_of(schema["schema"])
    elif schema["type"] == "tuple":
        for item in schema["items_schema"]:
            yield from _numbers_of(item)
    else:
        yield schema


class Strict:
    """Base of dataclasses that are read from files: an unknown field is refused, by pydantic."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


@dataclass(frozen=True)
class Parameter:
    """One knob.

    Attributes:
        name: the field's name, after those of the fields that hold it: ``"finder.max_lesions"``.
        kind: bool, int, float or str.
        default: the value that the object at hand has.
        within: the bounds of a number.
        choices: the allowed texts; empty for numbers and switches.
        help: what it does.
    """

    name: str
    kind: type
    default: Scalar
    within: Within | None = None
    choices: tuple[str, ...] = ()
    help: str = ""

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return ", ".join(self.choices)
        if self.kind is bool:
            return "true, false"
        noun = "a whole number" if self.kind is int else "a number"
        if self.within is None:
            return noun
        return f"{noun} {self.within}"

    def value(self, given: Scalar) -> Scalar:
        """A given value or its text as this parameter's own type.

        Raises:
            InputError: it is of another type or out of bounds.
        """
        value = self._converted(given)
        known = value is not None
        if known and self.choices:
            known = value in self.choices
        elif known and isinstance(value, int | float) and not isinstance(value, bool):
            known = math.isfinite(value) if self.within is None else self.within.holds(value)
        if not known:
            raise InputError(f"{self.name} = {given}", self.allowed)
        return value

    def _converted(self, given: Scalar) -> Scalar:
        """The value in this parameter's type; None where it is of another."""
        if self.kind is bool:
            words = {"true": True, "false": False}
            return given if isinstance(given, bool) else words.get(str(given).lower())
        if self.kind is str:
            return given if isinstance(given, str) else None
        if isinstance(given, bool) or given is None:
            return None
        try:
            number = given if isinstance(given, int) else float(given)
            if self.kind is float:
                return float(number)
            return int(number) if number == int(number) else None
        except (ValueError, OverflowError):
            return None


def parameters_of(owner: object) -> tuple[Parameter, ...]:
    """The parameters of a dataclass instance, those of the fields that hold others last."""
    return tuple(parameter for _, parameter in _walk(owner, ""))


def values_of(owner: object) -> dict[str, Scalar]:
    """The values in force, by name."""
    return {parameter.name: parameter.default for parameter in parameters_of(owner)}


def with_values(owner: T, values: Mapping[str, Scalar]) -> T:
    """The same object with other values.

    Args:
        owner: an instance of a dataclass with parameters.
        values: by name; text is converted.

    Raises:
        InputError: a name that there is not, or a value that is not allowed.
    """
    known = {parameter.name: parameter for parameter in parameters_of(owner)}
    for name in values:
        if name not in known:
            near = get_close_matches(name, known, 1, 0.5)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(
                f"no parameter {name!r}", f"one of {', '.join(known) or 'none'}{meant}"
            )
    return _replaced(owner, {name: known[name].value(given) for name, given in values.items()})


def check_parameters(owner: object) -> None:
    """Hold every field against its type and bounds; for ``__post_init__``.

    Raises:
        InputError: a value that is not allowed; text and 2.0 for 2 are not converted here.
    """
    for held, parameter in _walk(owner, ""):
        if held is not owner:
            continue
        value = parameter.default
        kinds = (int, float) if parameter.kind is float else parameter.kind
        if not isinstance(value, kinds) or isinstance(value, bool) != (parameter.kind is bool):
            raise InputError(f"{parameter.name} = {value!r}", parameter.allowed)
        parameter.value(value)


def check_bounds(owner: object, error: type[BreastsegError] = InputError) -> None:
    """Hold every number that has bounds against them; for ``__post_init__``.

    Other fields, and those that are None, are not looked at. Of a tuple every number counts.

    Args:
        owner: an instance of a dataclass.
        error: what to raise.

    Raises:
        BreastsegError: a value out of bounds, of the class that was asked for.
    """
    for one in fields(owner):  # type: ignore[arg-type]
        within = within_of(type(owner), one.name)
        value = getattr(owner, one.name)
        if within is None or value is None:
            continue
        if isinstance(value, tuple):
            if not all(within.holds(number) for number in value):
                raise error(f"{one.name} = {value}", f"numbers {within}")
        elif not within.holds(value):
            raise error(f"{one.name} = {value}", f"a number {within}")


def within_of(kind: type, name: str) -> Within | None:
    """The bounds of a field of a dataclass; None where it has none."""
    hint = _hints(kind)[name]
    for part in (hint, *get_args(hint)):  # a field that may be None is a union
        if get_origin(part) is Annotated:
            return next((extra for extra in get_args(part) if isinstance(extra, Within)), None)
    return None


def _replaced(owner: T, values: Mapping[str, Scalar]) -> T:
    own: dict[str, Any] = {name: value for name, value in values.items() if "." not in name}
    nested: dict[str, dict[str, Scalar]] = {}
    for name, value in values.items():
        holder, dot, rest = name.partition(".")
        if dot:
            nested.setdefault(holder, {})[rest] = value
    for holder, inner in nested.items():
        own[holder] = _replaced(getattr(owner, holder), inner)
    return replace(owner, **own)  # type: ignore[type-var]


def _walk(owner: object, prefix: str) -> Iterator[tuple[object, Parameter]]:
    """Each parameter with the object whose field it is."""
    assert is_dataclass(owner)
    assert not isinstance(owner, type)
    hints, helps = _hints(type(owner)), _helps(type(owner))
    nested = []
    for one in fields(owner):
        value = getattr(owner, one.name)
        if is_dataclass(value):
            nested.append((one.name, value))
            continue
        yield owner, _parameter(prefix + one.name, hints[one.name], value, helps.get(one.name, ""))
    for name, value in nested:
        yield from _walk(value, f"{prefix}{name}.")


def _parameter(name: str, hint: object, value: Scalar, text: str) -> Parameter:
    within = None
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        within = next((extra for extra in extras if isinstance(extra, Within)), None)
    choices: tuple[str, ...] = ()
    if get_origin(hint) is Literal:
        choices, hint = get_args(hint), str
    assert hint in (bool, int, float, str), f"{name}: a parameter is a bool, int, float or str"
    return Parameter(name, hint, value, within, choices, text)


@cache
def _hints(kind: type) -> Mapping[str, object]:
    """The annotations of the fields, evaluated: milliseconds a class, and every run asks."""
    return get_type_hints(kind, include_extras=True)


@cache
def _helps(kind: type) -> Mapping[str, str]:
    """What stands under ``Attributes:`` in the docstrings of a class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        text = inspect.cleandoc(base.__doc__ or "")
        _, heading, rest = text.partition("Attributes:\n")
        section = re.split(r"\n(?=\S)", rest)[0] if heading else ""
        for name, words in re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", section, re.MULTILINE):
            found[name] = " ".join(words.split())
    return found
