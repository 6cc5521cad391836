"""Every engine runs a bundle as ONNX Runtime does, or says why it cannot."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from breastseg.core import Grid, Image
from breastseg.core.errors import BundleError, MissingExtraError
from breastseg.inference import engine as engines
from breastseg.inference.bundle_folder import read_bundle
from breastseg.inference.methods import bundle_folder
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.open import open_segmenter
from breastseg.inference.openvino_network import openvino
from breastseg.inference.options import MethodOptions

TOLERANCE = {"onnxruntime": 0.0, "openvino": 1e-4, "auto": 1e-4, "openvino-bf16": 0.1}
HAS_OPENVINO = find_spec("openvino") is not None
needs_openvino = pytest.mark.skipif(not HAS_OPENVINO, reason="OpenVINO is not installed")
ENGINES = [
    pytest.param(name, marks=needs_openvino if name.startswith("openvino") else ())
    for name in get_args(engines.Engine)
]


def scan() -> Image:
    """Speckle with a dark disc."""
    generator = np.random.default_rng(0)
    rows, columns = np.indices((200, 240))
    grey = generator.rayleigh(60, (200, 240))
    grey[(rows - 90) ** 2 + (columns - 120) ** 2 < 40**2] *= 0.2
    return Image(np.clip(grey, 0, 255).astype(np.uint8)[None], Grid((200, 240)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bundle", ["ultrasound-fast", "histopathology-nuclei"])
def test_the_probabilities_are_those_of_onnx_runtime(engine: engines.Engine, bundle: str) -> None:
    folder = bundle_folder(bundle)
    spec = read_bundle(folder).input
    batch = np.random.default_rng(1).uniform(-1, 1, (2, spec.channels, *spec.size))
    wanted, found = (
        OnnxSegmenter(folder, 1, engine=one).class_probabilities(batch.astype(np.float32))
        for one in ("onnxruntime", engine)
    )
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= TOLERANCE[engine]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_result_says_which_engine_computed_it(engine: engines.Engine) -> None:
    opened = open_segmenter("ultrasound-fast", MethodOptions(engine=engine), threads=1)
    told = opened.segment(scan()).provenance.parameters["engine"]
    assert told == engine or (engine == "auto" and told in {"onnxruntime", "openvino"})
    again = opened.on_one_core().segment(scan())
    np.testing.assert_array_equal(again.probability, opened.segment(scan()).probability)


def test_an_engine_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    openvino.cache_clear()
    path = bundle_folder("ultrasound-fast") / "model.onnx"
    spec = read_bundle(bundle_folder("ultrasound-fast")).input
    with pytest.raises(MissingExtraError, match=r"breastseg\[openvino\]"):
        engines.load_network("openvino", path, spec, 1, 1, 0)
    openvino.cache_clear()


def test_auto_takes_the_faster_one(monkeypatch: pytest.MonkeyPatch) -> None:
    path = bundle_folder("ultrasound-fast") / "model.onnx"
    spec = read_bundle(bundle_folder("ultrasound-fast")).input
    monkeypatch.setattr(engines, "find_spec", lambda _name: None)
    assert engines.load_network("auto", path, spec, 1, 1, 0).engine == "onnxruntime"
    if HAS_OPENVINO:
        monkeypatch.setattr(engines, "find_spec", lambda _name: True)
        for fast in ("onnxruntime", "openvino"):
            monkeypatch.setattr(
                engines, "_seconds", lambda network, _batch, fast=fast: network.engine != fast
            )
            assert engines.load_network("auto", path, spec, 1, 1, 0).engine == fast


@needs_openvino
def test_a_network_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = bundle_folder("ultrasound-fast")
    spec = read_bundle(folder).input
    other = replace(spec, channels=3)
    with pytest.raises(BundleError):
        engines.load_network("openvino", folder / "model.onnx", other, 1, 1, 0)
    broken = tmp_path / "model.onnx"
    broken.write_bytes(b"no network")
    with pytest.raises(BundleError):
        engines.load_network("openvino", broken, spec, 1, 1, 0)
    assert "openvino_telemetry" in sys.modules
    assert sys.modules["openvino_telemetry"] is None
