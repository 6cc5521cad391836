"""Fill the reference's tables from the code, so that a default is written down in one place.

A page holds ``<!-- table: package.module.Class -->`` ... ``<!-- end -->``; what stands between is
made from the class's fields with their bounds and the ``Attributes`` of its docstring. In place of
a class stands the catalogue of the classical methods, or that of the networks' recipes, for the
list of them. Of a network's recipe only that is shown which it does not share with all.

    python docs/tables.py            write the pages
    python docs/tables.py --check    only say which pages are out of date
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from breastseg.classical.method import ClassicalMethod
from breastseg.core.parameters import within_of
from breastseg.networks.recipe import RECIPES, NetworkRecipe

REFERENCE = Path(__file__).resolve().parent / "reference"
_PLACE = re.compile(r"(<!-- table: ([\w.]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_DOI = re.compile(r"doi:(10\.[^\s,;]+)")
_ATTRIBUTE = re.compile(r"^    (\w[\w, ]*): (.*)$")


def rendered(page: Path) -> str:
    """The page's text with its tables made anew."""
    return _PLACE.sub(
        lambda match: f"{match[1]}{_table(match[2])}{match[3]}", page.read_text(encoding="utf-8")
    )


def _table(name: str) -> str:
    module, _, kind = name.rpartition(".")
    recipe = getattr(importlib.import_module(module), kind)
    if recipe is RECIPES:
        return _networks(recipe)
    if isinstance(recipe, Mapping):
        return _methods(recipe)
    meanings: dict[str, str] = {}
    for base in reversed(inspect.getmro(recipe)):
        meanings |= meanings_of(base)
    if module.startswith("breastseg.results"):
        return _fields_of_a_file(recipe, meanings)
    # what all networks share has a table of its own
    shared = (*_fields(NetworkRecipe), "name") if recipe in RECIPES.values() else ()
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for field in dataclasses.fields(recipe):
        default = _default(field)
        if default is not None and field.name not in shared:
            meaning = meanings.get(field.name, "").rstrip(".")
            within = within_of(recipe, field.name)
            bounds = "" if within is None else str(within).removeprefix("from ")
            meaning += f"; {bounds}" if bounds and bounds not in meaning else ""
            rows.append(f"| `{field.name}` | {default} | {meaning} |")
    return "\n".join(rows) + "\n"


def _fields_of_a_file(kind: type, meanings: Mapping[str, str]) -> str:
    """A line a field; a default of what is only written says nothing."""
    rows = ["| field | meaning |", "|---|---|"]
    rows += [f"| `{name}` | {meanings[name].rstrip('.')} |" for name in _fields(kind)]
    return "\n".join(rows) + "\n"


def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _networks(catalogue: Mapping[str, type[NetworkRecipe]]) -> str:
    """A line a network: what it is, what it costs at its defaults, the paper."""
    from breastseg.networks.catalogue import describe

    heads = ("network", "what it is", "M parameters", "GMACs", "of", "paper")
    rows = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, recipe in catalogue.items():
        cost = describe(recipe())
        size = "x".join(str(side) for side in cost.size)
        cells = (
            f"[`{name}`](#{name.replace('+', '')})",
            recipe.title,
            f"{cost.parameters / 1e6:.2f}",
            f"{cost.gmacs:.2f}",
            size,
            _paper(recipe.paper),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _paper(where: str) -> str:
    """A link to a DOI, or to a page of these documents."""
    text = where.removeprefix("https://doi.org/")
    if text != where:
        return f"doi:[{text}]({where})"
    return f"[{Path(where).stem}]({Path('..', Path(where).relative_to('docs'))})"


def _methods(catalogue: Mapping[str, type]) -> str:
    """A line a method: what it does, what it is bad at, its own parameters, the paper."""
    rows = ["| method | what it does | bad at | own parameters | source |", "|---|---|---|---|---|"]
    shared = _fields(ClassicalMethod)
    for name, method in catalogue.items():
        own = [f"`{field}`" for field in _fields(method) if field not in shared]
        source = _DOI.sub(r"doi:[\1](https://doi.org/\1)", method.source)
        cells = (f"`{name}`", method.summary, method.weakness, ", ".join(own), source)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def meanings_of(kind: type) -> dict[str, str]:
    """The lines of the docstring's Attributes section, by name."""
    text = inspect.cleandoc(kind.__doc__ or "")
    section = text.partition("Attributes:\n")[2].partition("\n\n")[0]
    meanings: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        start = _ATTRIBUTE.match(line)
        if start:
            names = [name.strip() for name in start[1].split(",")]
            meanings |= dict.fromkeys(names, start[2])
        else:
            meanings |= {name: f"{meanings[name]} {line.strip()}" for name in names}
    return {name: text.replace("``", "`").replace("|", "\\|") for name, text in meanings.items()}


def _default(field: dataclasses.Field[object]) -> str | None:
    """The default as it would stand in TOML; None for a part that has a table of its own."""
    if field.default is not dataclasses.MISSING:
        return "none" if field.default is None else f"`{_toml(field.default)}`"
    if field.default_factory is dataclasses.MISSING:
        return "required"
    value = field.default_factory()
    return None if dataclasses.is_dataclass(value) else f"`{_toml(value)}`"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{key} = {_toml(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return repr(value)


def main(arguments: list[str]) -> int:
    """Write or check all pages of the reference; returns the exit code."""
    stale = [
        page
        for page in sorted(REFERENCE.glob("*.md"))
        if rendered(page) != page.read_text(encoding="utf-8")
    ]
    for page in stale:
        if "--check" in arguments:
            print(f"{page.name} is out of date: run make docs")
        else:
            page.write_text(rendered(page), encoding="utf-8")
            print(f"{page.name}: tables written")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
