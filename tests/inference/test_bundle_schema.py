"""The bundle's JSON Schemas are those of the code, and the shipped bundles follow them."""

import copy
import json
from pathlib import Path

import pytest

from breastseg.core.errors import BundleError
from breastseg.inference.bundle_folder import read_bundle, read_measured
from breastseg.inference.catalogue import shipped_bundles

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


def validator(name):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((REFERENCE / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", shipped_bundles())
def test_a_shipped_bundle_follows_them(name):
    folder = shipped_bundles()[name]
    for part in ("bundle", "measured"):
        validator(part).validate(json.loads((folder / f"{part}.json").read_text()))
    bundle = read_bundle(folder)
    assert read_measured(folder, bundle).results


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"format": None},
        {"nane": "x"},
        {"name": None},
        {"input": {"sise": [64, 64]}},
        {"input": {"size": [64]}},
        {"input": {"fit": "squash"}},
        {"output": {"threshold": "0.5"}},
        {"volume": {"patch": [1, 2]}},
        {"volume": {}, "input": {"size": [64, 64]}},
        {"labels": {"1": 2}},
    ],
)
def test_what_the_schema_refuses_the_reader_refuses_too(make_tiny, change):
    folder = make_tiny()
    path = folder / "bundle.json"
    content = copy.deepcopy(json.loads(path.read_text()))
    for key, value in change.items():
        content.pop(key) if value is None else content.update({key: value})
    assert list(validator("bundle").iter_errors(content))
    path.write_text(json.dumps(content))
    with pytest.raises(BundleError):
        read_bundle(folder)
