"""Tuned parameters of the classical methods, each with the record of how it was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from breastseg.classical.catalogue import METHODS
from breastseg.classical.method import ClassicalMethod
from breastseg.core.errors import InputError
from breastseg.core.parameters import with_values
from breastseg.core.provenance import Scalar

PRESETS = Path(__file__).resolve().parent / "presets"
"""A folder a preset, a file a method in it."""
PLAIN = "none"
"""The name that stands for the defaults of the fields."""


@dataclass(frozen=True)
class Preset:
    """The contents of ``presets/NAME/METHOD.json``.

    Attributes:
        method: the method's name.
        parameters: those that differ from the defaults of the fields.
        record: how they were found: data, split, number of images, prompts, trials, seed, figures
            before and after, versions, command.
    """

    method: str
    parameters: Mapping[str, Scalar]
    record: Mapping[str, Scalar]


def preset_names() -> tuple[str, ...]:
    """The presets that come with the package, in alphabetical order, and `PLAIN`."""
    return (*sorted(folder.name for folder in PRESETS.glob("*") if folder.is_dir()), PLAIN)


def read_preset(path: Path) -> Preset:
    """Read a preset.

    Raises:
        InputError: the file is missing or no preset.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Preset(content["method"], dict(content["parameters"]), dict(content["record"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: no preset ({type(error).__name__}: {error})",
            "a JSON file with method, parameters and record, as tuning writes it",
        ) from error


def preset_text(preset: Preset) -> str:
    """The file's text."""
    content = {
        "method": preset.method,
        "parameters": dict(preset.parameters),
        "record": dict(preset.record),
    }
    return json.dumps(content, indent=2) + "\n"


def shipped_preset(method: str, preset: str) -> Preset | None:
    """The preset of a method under a name; None for `PLAIN`, or where the method was not tuned.

    Raises:
        InputError: there is no preset of this name.
    """
    if preset not in preset_names():
        raise InputError(f"no preset {preset!r}", f"one of {', '.join(preset_names())}")
    path = PRESETS / preset / f"{method}.json"
    return read_preset(path) if path.is_file() else None


def named_preset(method: str, preset: str) -> Preset | None:
    """A preset by its name or its file (``.json``); None as for `shipped_preset`.

    Raises:
        InputError: there is no such preset, or it is another method's.
    """
    if not preset.endswith(".json"):
        return shipped_preset(method, preset)
    found = read_preset(Path(preset))
    if found.method != method:
        raise InputError(f"{preset}: a preset of {found.method!r}", f"one of {method!r}")
    return found


def tuned_on(method: str, preset: str) -> str:
    """The data and the split that a preset's record names; empty where it names none.

    Raises:
        InputError: as for `named_preset`.
    """
    found = named_preset(method, preset)
    named = {} if found is None else found.record
    return ", ".join(str(named[key]) for key in ("data", "split") if named.get(key))


def classical_method(name: str, preset: str = PLAIN) -> ClassicalMethod:
    """A method with the parameters of a preset.

    Args:
        name: one of `METHODS`.
        preset: one of `preset_names`, or the path of a file.

    Raises:
        InputError: there is no such method or preset, or the preset is another method's.
    """
    if name not in METHODS:
        raise InputError(f"no classical method {name!r}", f"one of {', '.join(METHODS)}")
    found = named_preset(name, preset)
    method = METHODS[name]()
    return method if found is None else with_values(method, found.parameters)
