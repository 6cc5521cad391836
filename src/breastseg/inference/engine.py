"""Which engine runs the network of a bundle."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import InputSpec, VolumeSpec
from breastseg.inference.network import Network
from breastseg.inference.session import OnnxNetwork

Engine = Literal["onnxruntime", "openvino", "openvino-bf16", "auto"]
"""``auto`` times ONNX Runtime and, where it is installed, OpenVINO, both in float32."""
RUNS = 3


def load_network(
    engine: Engine,
    path: Path,
    spec: InputSpec | VolumeSpec,
    threads: int,
    outputs: int,
    prompt_maps: int,
) -> Network:
    """A network ready to be called; arguments and errors as `OnnxNetwork`.

    Raises:
        MissingExtraError: the engine is not installed.
    """
    if engine == "auto":
        one = load_network("onnxruntime", path, spec, threads, outputs, prompt_maps)
        if find_spec("openvino") is None:
            return one
        other = load_network("openvino", path, spec, threads, outputs, prompt_maps)
        blank = np.zeros((1, spec.channels + prompt_maps, *spec.size), np.float32)
        return min((one, other), key=lambda network: _seconds(network, blank))
    if engine == "onnxruntime":
        return OnnxNetwork(path, spec, threads, outputs, prompt_maps)
    from breastseg.inference.openvino_network import OpenVinoNetwork

    precision = "bf16" if engine == "openvino-bf16" else "f32"
    return OpenVinoNetwork(path, spec, threads, outputs, prompt_maps, precision)


def _seconds(network: Network, batch: NDArray[np.float32]) -> float:
    """The quickest of a few runs, after one that does not count."""
    network(batch)
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        network(batch)
        taken.append(time.perf_counter() - began)
    return min(taken)
