"""Fixtures shared by all tests: real data, a bundle that outlines what is dark, and such images."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from breastseg.core.bundle import Bundle, InputSpec
from breastseg.core.image import Modality
from breastseg.inference.bundle_folder import write_bundle_json
from breastseg.io.write import write_png

from .scans import scan

SIZE = (64, 64)
RESULTS_SCHEMA = Path(__file__).parent.parent / "docs" / "reference" / "results.schema.json"


@pytest.fixture(scope="session", autouse=True)
def results_are_valid() -> Iterator[None]:
    """Hold every ``results.json`` that a test writes against the published schema."""
    from jsonschema import Draft202012Validator

    from breastseg.results import document

    validator = Draft202012Validator(json.loads(RESULTS_SCHEMA.read_text(encoding="utf-8")))
    to_json = document.to_json

    def validated(written: document.Document) -> str:
        text = to_json(written)
        validator.validate(json.loads(text))
        return text

    document.to_json = validated
    yield
    document.to_json = to_json


@pytest.fixture(scope="session", autouse=True)
def signals_arrive() -> None:
    """Undo what a suite that runs in the background inherits: signals that are ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of public data sets; tests that need it are skipped where it is absent."""
    root = os.environ.get("BREASTSEG_DATA", "")
    if not root or not Path(root).is_dir():
        pytest.skip("BREASTSEG_DATA names no folder of data sets")
    return Path(root)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bundle: the probability is high where a 3 x 3 mean is dark."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node(
            "AveragePool",
            ["image"],
            ["mean"],
            kernel_shape=[3, 3],
            pads=[1, 1, 1, 1],
            count_include_pad=0,
        ),
        helper.make_node("Mul", ["mean", "slope"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "dark",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, *SIZE])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 1, *SIZE])],
        [helper.make_tensor("slope", TensorProto.FLOAT, [], [-6.0])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    folder = tmp_path_factory.mktemp("bundles") / "dark"
    folder.mkdir()
    onnx.save(model, str(folder / "model.onnx"))
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    described = Bundle(
        name="dark",
        version="1",
        modality=Modality.ULTRASOUND,
        summary="outlines what is dark",
        network="a mean and a sigmoid",
        weights_sha256=digest,
        input=InputSpec(size=SIZE),
        training_data=("none",),
    )
    described = replace(described, output=replace(described.output, min_area_fraction=0.002))
    write_bundle_json(folder, described)
    (folder / "MODEL_CARD.md").write_text("# dark\n\nOutlines what is dark.\n", encoding="utf-8")
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with one.png (spacing known), two.png (unknown) and none.png (no lesion)."""
    folder = tmp_path / "pictures"
    write_png(folder / "one.png", scan(), (0.1, 0.1))
    write_png(folder / "two.png", scan((90, 100), 12))
    write_png(folder / "none.png", scan(radius=0))
    return folder
