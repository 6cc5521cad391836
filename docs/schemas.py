"""Write the JSON Schemas and the OpenAPI document of the reference from the classes behind them.

python docs/schemas.py            write them
python docs/schemas.py --check    only say which are out of date
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

from pydantic import TypeAdapter

from breastseg.core import bundle as bundles
from breastseg.core import calibrated
from breastseg.core.measured import Measured
from breastseg.core.reference import FrameReference
from breastseg.results import schema as results

sys.path.insert(0, str(Path(__file__).resolve().parent))
from tables import meanings_of

REFERENCE = Path(__file__).resolve().parent / "reference"


def results_schema() -> dict[str, object]:
    """What holds of every ``results.json``; a field whose value is None is left out of the file."""
    made = TypeAdapter(results.Document).json_schema(mode="serialization")
    kinds = [kind for kind in vars(results).values() if dataclasses.is_dataclass(kind)]
    by_name = {kind.__name__: kind for kind in [*kinds, FrameReference]}
    definitions = made.pop("$defs")
    for name, definition in definitions.items():
        _describe(definition, by_name[name])
    _describe(made, results.Document)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "Results of breastseg",
        "$defs": definitions,
    }


def _describe(definition: dict[str, object], kind: type) -> None:
    """Say what each field means, and that there are no others."""
    properties = definition["properties"]
    assert isinstance(properties, dict)
    meanings = meanings_of(kind)
    required = []
    for field in dataclasses.fields(kind):
        value = properties[field.name]
        value.pop("title", None)
        if value.pop("default", 0) is not None:
            required.append(field.name)
        options = [one for one in value.pop("anyOf", []) if one != {"type": "null"}]
        value.update(options[0] if len(options) == 1 else {"anyOf": options} if options else {})
        value["description"] = meanings[field.name].rstrip(".")
    definition.pop("description", None)
    definition["required"] = required
    definition["additionalProperties"] = False


def bundle_schema() -> dict[str, object]:
    """What holds of every ``bundle.json``; bounds stand in the descriptions."""
    return {**_input(bundles.Bundle), "not": {"required": ["input", "volume"]}}


def measured_schema() -> dict[str, object]:
    """What holds of every ``measured.json``."""
    return _input(Measured)


def _input(kind: type) -> dict[str, object]:
    """The schema of a file that people and other programs write: what has a default may lack."""
    made = TypeAdapter(kind).json_schema()
    definitions = made.pop("$defs", {})
    made["properties"] = {
        "format": {"const": bundles.FORMAT, "description": "of this file"},
        **made["properties"],
    }
    made["required"] = ["format", *made.get("required", [])]
    for name, definition in {**definitions, kind.__name__: made}.items():
        part = getattr(bundles, name, getattr(calibrated, name, kind))
        definition.pop("description", None)
        if dataclasses.is_dataclass(part):
            definition["additionalProperties"] = False
            for field, meaning in meanings_of(part).items():
                definition["properties"][field]["description"] = meaning.rstrip(".")
                definition["properties"][field].pop("title", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        **({"$defs": definitions} if definitions else {}),
    }


def openapi() -> dict[str, object]:
    """The HTTP API of the service."""
    from breastseg.service.app import bare_app

    return bare_app().openapi()


SCHEMAS = {
    "openapi.json": openapi,
    "results.schema.json": results_schema,
    "bundle.schema.json": bundle_schema,
    "measured.schema.json": measured_schema,
}


def text_of(name: str) -> str:
    """The file's text, made anew."""
    return json.dumps(SCHEMAS[name](), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check all schemas; returns the exit code."""
    stale = []
    for name in SCHEMAS:
        path = REFERENCE / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text_of(name):
            stale.append(path)
    for path in stale:
        if "--check" in arguments:
            print(f"{path.name} is out of date: run make docs")
        else:
            path.write_text(text_of(path.name), encoding="utf-8")
            print(f"{path.name}: written")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
