"""The golden vectors of prompts, lesions and words, against the package."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("onnx")

from .make_finding_vectors import FILE, everything

WANTED = json.loads(FILE.read_text())
FOUND = json.loads(json.dumps(everything()))


def test_the_package_gives_the_prompts():
    for found, wanted in zip(FOUND["prompts"], WANTED["prompts"], strict=True):
        assert found["given"] == wanted["given"]
        apart = np.abs(np.array(found["probability"]) - np.array(wanted["probability"]))
        assert apart.max() < 1e-4


def test_the_package_gives_the_answers_of_a_bundle_that_takes_prompts():
    found, wanted = FOUND["asked"], WANTED["asked"]
    assert (found["model"], found["image"]) == (wanted["model"], wanted["image"])
    assert json.loads(found["bundle"]) == json.loads(wanted["bundle"])
    for one, other in zip(found["answers"], wanted["answers"], strict=True):
        assert one["steps"] == other["steps"]
        apart = np.abs(np.array(one["probability"]) - np.array(other["probability"]))
        assert apart.max() < 1e-4


def test_the_package_gives_the_lesions_and_the_words():
    assert FOUND["lesions"] == WANTED["lesions"]
    assert FOUND["words"] == WANTED["words"]
    assert FOUND["boxed"] == WANTED["boxed"]


def test_the_vectors_hold_what_matters():
    outlined = [np.array(one["probability"]) >= 0.65 for one in WANTED["prompts"]]
    assert all(one.any() for one in outlined)
    assert {lesion["unit"] for one in WANTED["lesions"] for lesion in one["lesions"]} == {
        "mm",
        "px",
    }
    assert any(not one["lesions"] for one in WANTED["lesions"])
