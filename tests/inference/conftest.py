"""Bundles with networks small enough to compute by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core import Bundle, Grid, Image, InputSpec, Intensity, Modality, OutputSpec
from breastseg.core.bundle import PromptSpec
from breastseg.inference.bundle_folder import MODEL, sha256_of, write_bundle_json

IDENTITY = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], np.float32)
MEAN = np.full((3, 3), 1 / 9, np.float32)
SHIFT_RIGHT = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]], np.float32)

MakeBundle = Callable[..., Path]


def write_network(
    path: Path, spec: InputSpec, kernel: NDArray[np.float32], prompt_maps: int = 0
) -> None:
    """An ONNX network: one 3x3 convolution of the channels' mean, then clipped to [0, 1].

    The maps of a prompt are looked at with a weight of 0.
    """
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper, kind = onnx.helper, onnx.numpy_helper, onnx.TensorProto.FLOAT
    weights = np.repeat(kernel[None, None], spec.channels, axis=1) / spec.channels
    weights = np.concatenate((weights, np.zeros((1, prompt_maps, 3, 3))), axis=1)
    channels = spec.channels + prompt_maps
    constants = [
        numpy_helper.from_array(weights.astype(np.float32), "kernel"),
        numpy_helper.from_array(np.float32(0), "low"),
        numpy_helper.from_array(np.float32(1), "high"),
    ]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernel"], ["raw"], pads=[1, 1, 1, 1]),
            helper.make_node("Clip", ["raw", "low", "high"], ["probability"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("image", kind, ["N", channels, *spec.size])],
        [helper.make_tensor_value_info("probability", kind, ["N", 1, *spec.size])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())


@pytest.fixture
def make_tiny(tmp_path: Path) -> MakeBundle:
    """Writes a bundle of a one-convolution network and returns its folder."""

    def make(
        spec: InputSpec | None = None,
        output: OutputSpec | None = None,
        kernel: NDArray[np.float32] = IDENTITY,
        name: str = "tiny",
        prompt: PromptSpec | None = None,
    ) -> Path:
        spec = spec or InputSpec((32, 32), Intensity.UNIT)
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        write_network(folder / MODEL, spec, kernel, 0 if prompt is None else 3)
        bundle = Bundle(
            name=name,
            version="1.0",
            modality=Modality.ULTRASOUND,
            summary="one convolution",
            network="one convolution",
            weights_sha256=sha256_of(folder / MODEL),
            input=spec,
            output=output or OutputSpec(),
            training_data=("none",),
            prompt=prompt,
        )
        write_bundle_json(folder, bundle)
        return folder

    return make


def picture(array: NDArray[np.generic], modality: Modality = Modality.UNKNOWN) -> Image:
    """An image of (rows, columns) or (channels, rows, columns) pixels."""
    channels = array if array.ndim == 3 else array[None]
    return Image(channels, Grid(channels.shape[1:]), modality)


@pytest.fixture(name="picture")
def _picture() -> Callable[..., Image]:
    return picture
