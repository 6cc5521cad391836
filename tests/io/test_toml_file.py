"""No value in a TOML file is taken for another type than it has."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from pathlib import Path

import pytest

from breastseg.core.errors import InputError
from breastseg.dicom.node.config import NodeConfig
from breastseg.io.toml_file import TomlKind, built, read_table

KIND = TomlKind("file", "read the guide")
VALUES: Mapping[str, object] = {
    "switch": True,
    "whole": 5,
    "fraction": 5.5,
    "text": "no",
    "list": ["yes"],
    "table": {"off": 1},
}
NEEDED: Mapping[str, object] = {**VALUES, "list": [], "table": {}}


def parts(hint: object) -> Iterator[type]:
    """All dataclasses in an annotation, and in theirs."""
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
        for inner in typing.get_type_hints(hint).values():
            yield from parts(inner)
    for inner in typing.get_args(hint):
        yield from parts(inner)


def taken(hint: object) -> set[str]:
    """The kinds of value that an annotation stands for."""
    plain = {bool: {"switch"}, int: {"whole"}, float: {"whole", "fraction"}, str: {"text"}}
    if isinstance(hint, type) and hint in plain:
        return plain[hint]
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return set().union(*map(taken, typing.get_args(hint)))
    if hint is type(None):
        return set()
    if (
        hint is Path
        or origin is typing.Literal
        or (isinstance(hint, type) and issubclass(hint, str))
    ):
        return {"text"}
    if origin is tuple:
        return {"list"}
    assert origin is not None or is_dataclass(hint), hint
    return {"table"}


@pytest.mark.parametrize(
    "owner",
    [
        "dicom.node.config.NodeConfig",
        "service.connections.Connections",
        pytest.param("training.recipe.Recipe", marks=pytest.mark.train),
        pytest.param("training.volume.recipe.VolumeRecipe", marks=pytest.mark.train),
    ],
)
def test_no_key_takes_a_value_of_another_kind(owner: str) -> None:
    room, _, name = f"breastseg.{owner}".rpartition(".")
    whole = getattr(pytest.importorskip(room), name)
    tried = 0
    for part in dict.fromkeys(parts(whole)):
        hints = {
            one.name: typing.get_type_hints(part)[one.name] for one in fields(part) if one.init
        }
        needed = {
            one.name: NEEDED[min(taken(hints[one.name]))]
            for one in fields(part)
            if one.default is MISSING and one.default_factory is MISSING
        }
        for name, hint in hints.items():
            for kind in VALUES.keys() - taken(hint):
                with pytest.raises(InputError, match=rf"here: {name}\b|unknown key"):
                    built(part, {**needed, name: VALUES[kind]}, "here", KIND)
                tried += 1
    assert tried > 20


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"quiet_s": True}, r"node.toml: quiet_s = true. Expected: a number from 0 to 86400"),
        ({"quiet_s": "30"}, r'quiet_s = "30". Expected: a number'),
        ({"quiet_s": float("nan")}, r"quiet_s = nan. Expected: a finite number"),
        ({"quiet_s": -1}, r"quiet_s = -1. Expected: a number from 0"),
        ({"default_rules": "no"}, r'default_rules = "no". Expected: true or false'),
        ({"workers": 2.0}, r"workers = 2.0. Expected: a number from 0"),
        ({"listen": {"peers": ["*"], "port": "104"}}, r'listen.port = "104". Expected: a number'),
        ({"listen": {"peers": ["*"], "idle_s": date(2026, 1, 1)}}, r"listen.idle_s = 2026-01-01"),
        ({"folders": [{"name": "a", "path": 3}]}, r"folders.0.path = 3. Expected: text in quotes"),
        ({"rules": [{"methods": "otsu"}]}, "unknown key rules.0.methods"),
    ],
)
def test_a_message_says_what_was_given_and_what_is_allowed(
    changes: dict[str, object], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        built(NodeConfig, {"folder": "node", **changes}, "node.toml", KIND)


def test_a_file_that_is_not_there_is_told_without_an_error_number(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.toml: No such file or directory. .*check the path"):
        read_table(tmp_path / "none.toml", KIND)


def test_a_file_that_is_not_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text("port = = 3")
    with pytest.raises(InputError, match=r"node.toml.*Expected: a readable TOML file"):
        read_table(tmp_path / "node.toml", KIND)
