"""Does the exported file compute what the trained network computes?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from breastseg.core.bundle import InputSpec, VolumeSpec
from breastseg.core.errors import BundleError
from breastseg.export.onnx import as_probability
from breastseg.inference.session import OnnxNetwork
from breastseg.networks.onnx_storage import Precision
from breastseg.preprocess.geometry import resize
from breastseg.preprocess.intensity import rescale, to_unit
from breastseg.preprocess.prompt_maps import prompt_maps

TOLERANCE = {"int8": 0.05, "float16": 0.005, "float32": 0.001}
"""Of probabilities, by how the large weights are stored: several times what a trained MobileNetV2
U-Net shows as int8 and float16, ten times what any architecture here shows as float32."""


def seeded_inputs(spec: InputSpec, count: int = 4, seed: int = 0) -> NDArray[np.float32]:
    """Images with detail at every scale, the same for the same seed.

    Returns:
        (count, channels, rows, columns) float32, on the scale of `spec.intensity`.
    """
    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        layers = [
            resize(rng.standard_normal((s, s)), spec.size) / (i + 1)
            for i, s in enumerate((4, 16, 64, 256))
        ]
        pictures.append(rescale(to_unit(np.sum(layers, axis=0)), spec.intensity))
    return np.repeat(np.stack(pictures)[:, None], spec.channels, axis=1)


def with_prompts(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same images, each with a prompt: none, a click, a box, and both with a click beside.

    Args:
        inputs: (N, channels, rows, columns) float32.

    Returns:
        (N, channels + 3, rows, columns) float32.
    """
    rows, columns = inputs.shape[2:]
    box = (rows * 0.3, columns * 0.2, rows * 0.7, columns * 0.8)
    click, beside = [(rows * 0.5, columns * 0.5)], [(rows * 0.9, columns * 0.9)]
    size = (rows, columns)
    kinds = (
        prompt_maps(size),
        prompt_maps(size, inside=click),
        prompt_maps(size, box),
        prompt_maps(size, box, click, beside),
    )
    maps = np.stack([kinds[index % len(kinds)] for index in range(len(inputs))])
    return np.concatenate((inputs, maps), axis=1)


def parity(
    network: nn.Module,
    path: Path,
    spec: InputSpec | VolumeSpec,
    inputs: NDArray[np.float32],
    precision: Precision = "float16",
) -> float:
    """Compare PyTorch and ONNX Runtime on the same inputs.

    Args:
        network: to logits; put into evaluation mode.
        path: what `export_onnx` wrote of it.
        spec: of the network's input.
        inputs: (N, channels, *size) float32; channels more than those of `spec` are a prompt's.
        precision: how the file stores the large weights; see `TOLERANCE`.

    Returns:
        The largest absolute difference of a probability over all pixels or voxels.

    Raises:
        BundleError: it is above the tolerance, or the file cannot be run.
    """
    network.eval()
    with torch.no_grad():
        wanted = as_probability(network(torch.from_numpy(inputs))).numpy()
    maps = inputs.shape[1] - spec.channels
    found = OnnxNetwork(path, spec, 1, wanted.shape[1], maps)(inputs)
    difference = float(np.abs(found - wanted).max())
    tolerance = TOLERANCE[precision]
    if not difference <= tolerance:  # "not" also catches a difference that is not a number
        raise BundleError(
            f"with {precision} weights, probabilities differ from PyTorch's by up to "
            f"{difference:.2g}",
            f"at most {tolerance:g}",
            "check the weights for huge values, or train with another seed"
            if precision == "float32"
            else "export with float32 weights, which makes the file larger",
        )
    return difference
