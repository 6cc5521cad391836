"""The golden vectors of the shipped bundles, against the package and against a second reader.

The second one, `bundle_reader.py`, is written from the reference page alone: where it gives what
the vectors hold, the page says enough.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from breastseg.inference.catalogue import shipped_bundles
from breastseg.inference.onnx_graph import contents
from breastseg.inference.session import onnx_runtime

from . import bundle_reader as reader
from . import make_bundle_vectors as maker
from .make_bundle_vectors import FOLDER, digest, load_arrays, to_16_bits

PREPARED, NETWORK, FINAL = 1e-4, 5e-3, 5e-3  # processors differ in the last bits of a product
MASK = 0.002  # of the pixels, and at least one
INPUTS, _ = load_arrays(FOLDER / "inputs")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "bundle.md"


def differences(found, wanted):
    """Where the two are further apart than the tolerances."""
    assert found.keys() == wanted.keys()
    limits = {"prepared": PREPARED, "network": NETWORK, "probability": FINAL * 65535}
    wrong = []
    for name, values in wanted.items():
        apart = np.abs(found[name].astype(np.float64) - values)
        assert found[name].shape == values.shape, name
        kind = name.split("/")[1]
        if kind == "mask":
            if (apart > 0).sum() > max(1, MASK * apart.size):
                wrong.append((name, int((apart > 0).sum())))
        elif apart.max() > limits[kind]:
            wrong.append((name, float(apart.max())))
    return wrong


@pytest.mark.parametrize("name", maker.CASES)
def test_the_package_gives_the_vectors(name):
    wanted, about = load_arrays(FOLDER / name)
    digest_then = about["weights_sha256"]
    assert digest_then == reader.read(shipped_bundles()[name])["weights_sha256"], "make them again"
    assert not differences(maker.of_bundle(name, INPUTS), wanted)


def test_the_package_gives_the_vectors_of_prompts():
    wanted, about = load_arrays(FOLDER / maker.PROMPTED)
    digest_then = about["weights_sha256"]
    folder = shipped_bundles()[maker.PROMPTED]
    assert digest_then == reader.read(folder)["weights_sha256"], "make them again"
    assert not differences(maker.of_prompts(INPUTS), wanted)


@pytest.mark.parametrize("name", maker.CASES)
def test_a_reader_made_from_the_page_gives_the_vectors(name):
    folder = shipped_bundles()[name]
    bundle = reader.read(folder)
    session = onnx_runtime().InferenceSession(
        str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    found = {}
    for case in maker.CASES[name]:
        image = INPUTS[case]
        prepared, *where = reader.prepare(image, bundle["input"])
        maps = reader.network_maps(session, prepared, bundle["output"])
        probability, _ = reader.to_image(maps, image.shape[1:], *where, bundle["output"])
        found |= digest(f"{case}/prepared", prepared) | digest(f"{case}/network", maps)
        found[f"{case}/probability"] = to_16_bits(probability)
        mask = reader.mask_of(probability, None, bundle["output"]["threshold"])
        found[f"{case}/mask"] = mask.astype(np.uint8)
    wanted, _ = load_arrays(FOLDER / name)
    assert not differences(found, wanted)


RULES = json.loads((FOLDER / "rules.json").read_text())


@pytest.mark.parametrize("number", range(len(RULES)))
def test_a_reader_made_from_the_page_applies_the_rules(number):
    given, case = RULES[number]["given"], RULES[number]
    maps, output = np.array(given["maps"], np.float32), given["output"]
    shape = tuple(given["image"])
    spec = {"size": maps.shape[1:], "fit": given["fit"]}
    spec = reader.DEFAULTS["input"] | spec
    _, *where = reader.prepare(np.zeros((1, *shape)), spec)
    warm = reader.tempered(maps, output["temperature"])
    probability, each = reader.to_image(warm, shape, *where, output)
    assert np.abs(probability - np.array(case["probability"])).max() < 1e-5
    mask = reader.mask_of(probability, each, output["threshold"])
    assert np.array_equal(mask, np.array(case["mask"]))
    if each is not None:
        found = reader.malignancy(probability, *each, output["threshold"], given["malignancy"])
        assert found == pytest.approx(case["malignancy"], abs=1e-5)


def test_the_rules_are_those_of_the_package():
    for case, wanted in zip(maker.rules(), RULES, strict=True):
        assert np.abs(np.array(case["probability"]) - np.array(wanted["probability"])).max() < 1e-5
        assert np.array_equal(case["mask"], wanted["mask"])


def test_the_vectors_hold_what_matters():
    masks = [
        values.any()
        for name in maker.CASES
        for key, values in load_arrays(FOLDER / name)[0].items()
        if key.endswith("/mask")
    ]
    assert 0.3 < np.mean(masks) < 0.9
    rejecting = 0
    for case in RULES:
        maps = np.array(case["given"]["maps"], np.float32)
        neutral = case["given"]["output"] | {"min_score": 0.0, "min_area_fraction": 0.0}
        neutral["largest_only"] = False
        whole = (0, 0, *maps.shape[1:])
        assert case["given"]["output"].keys() == neutral.keys()
        warm = reader.tempered(maps, neutral["temperature"])
        both = [
            reader.to_image(warm, maps.shape[1:], whole, whole, False, output)[0]
            for output in (neutral, case["given"]["output"])
        ]
        rejecting += not np.array_equal(*both)
    assert rejecting >= 6
    boxes = {
        case: reader.prepare(INPUTS[case], reader.read(shipped_bundles()["mammography"])["input"])
        for case in maker.CASES["mammography"]
    }
    sides = {
        case: (box[2:] == INPUTS[case].shape[1:], on) for case, (_, box, _, on) in boxes.items()
    }
    assert sides["left"] == (False, False)
    assert sides["right"] == (False, True)
    assert sides["cut"] == sides["constant"] == (True, False)
    assert len({len(c["given"]["maps"]) for c in RULES}) == 2


def test_the_page_lists_the_operators_of_the_shipped_networks():
    operators = {
        name
        for folder in shipped_bundles().values()
        for name in contents(folder / "model.onnx").operators
    }
    listed = PAGE.read_text().partition("<!-- operators -->\n")[2].partition("\n\n")[0]
    assert listed.replace("\n", " ") == ", ".join(f"`{name}`" for name in sorted(operators)) + "."
