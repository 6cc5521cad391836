"""Presets are found by name or by path, belong to one method, and are what tuning writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from breastseg.classical import preset as preset_module
from breastseg.classical.catalogue import METHODS
from breastseg.classical.otsu import Otsu
from breastseg.classical.preset import (
    PLAIN,
    Preset,
    classical_method,
    preset_names,
    preset_text,
    read_preset,
    shipped_preset,
)
from breastseg.core.errors import InputError
from breastseg.core.parameters import values_of

TUNED = Preset("otsu", {"shift": 0.05, "lesion": "bright", "finder.max_lesions": 2}, {"seed": 0})


@pytest.fixture
def presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of presets in place of those that ship: two names, otsu under one of them."""
    monkeypatch.setattr(preset_module, "PRESETS", tmp_path)
    for name in ("b-mode", "a-film"):
        (tmp_path / name).mkdir()
    (tmp_path / "b-mode" / "otsu.json").write_text(preset_text(TUNED))
    (tmp_path / "README.md").write_text("not a preset")
    return tmp_path


def test_a_preset_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(preset_text(TUNED))
    assert read_preset(path) == TUNED
    assert path.read_text().endswith("}\n")


def test_names_are_those_of_the_folders_and_none(presets: Path) -> None:
    assert preset_names() == ("a-film", "b-mode", PLAIN)


def test_names_are_there_without_any_preset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preset_module, "PRESETS", tmp_path / "missing")
    assert preset_names() == (PLAIN,)
    assert classical_method("otsu") == Otsu()


def test_a_method_takes_its_preset_by_name_or_by_path(presets: Path) -> None:
    expected = Otsu(shift=0.05, lesion="bright")
    for given in ("b-mode", str(presets / "b-mode" / "otsu.json")):
        method = classical_method("otsu", given)
        assert method.finder.max_lesions == 2
        assert {**values_of(method), "finder.max_lesions": 1} == values_of(expected)


def test_a_method_that_was_not_tuned_keeps_its_defaults(presets: Path) -> None:
    assert shipped_preset("otsu", "a-film") is None
    assert classical_method("otsu", "a-film") == Otsu()
    assert classical_method("otsu", PLAIN) == Otsu()


def test_names_that_there_are_not_are_refused(presets: Path) -> None:
    with pytest.raises(InputError, match=r"no preset 'c'. Expected: one of a-film, b-mode, none"):
        classical_method("otsu", "c")
    with pytest.raises(InputError, match=r"no classical method 'otzu'. Expected: one of .*otsu"):
        classical_method("otzu")


def test_a_preset_of_another_method_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(preset_text(Preset("other", {}, {})))
    with pytest.raises(InputError, match="a preset of 'other'"):
        classical_method("otsu", str(path))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"method": "otsu", "parameters": 3, "record": {}}', "\xff"]
)
def test_a_damaged_preset_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="no preset") as refused:
        read_preset(path)
    assert "as tuning writes it" in str(refused.value)
    with pytest.raises(InputError, match="no preset"):
        read_preset(tmp_path / "missing.json")


def test_a_preset_with_a_value_out_of_bounds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(preset_text(Preset("otsu", {"shift": 7}, {})))
    with pytest.raises(InputError, match=r"shift = 7. Expected: a number from"):
        classical_method("otsu", str(path))


def test_every_preset_that_ships_fits_its_method() -> None:
    for path in sorted(preset_module.PRESETS.glob("*/*.json")):
        assert path.stem in METHODS
        method = classical_method(path.stem, path.parent.name)
        stored = read_preset(path)
        values = values_of(method)
        assert {name: values[name] for name in stored.parameters} == dict(stored.parameters)
        assert stored.record, f"{path}: say how it was found"
