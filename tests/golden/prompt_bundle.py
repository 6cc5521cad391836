"""A bundle of random weights that takes a prompt, small enough to stand in a golden vector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from breastseg.core.bundle import Bundle, Fit, InputSpec, Intensity, OutputSpec, PromptSpec
from breastseg.core.image import Modality
from breastseg.inference.bundle_folder import MODEL, sha256_of, write_bundle_json

SIZE = (48, 64)
CHANNELS = 3


def write_prompt_bundle(folder: Path) -> Path:
    """One convolution: dark is lesion, more so in the box and at points inside."""
    rng = np.random.default_rng(4)
    kernel = rng.normal(0, 0.2, (1, CHANNELS + 3, 3, 3))
    kernel[0, :, 1, 1] += (-2, -2, -2, 2.5, 3, -6)
    constants = {"kernel": kernel.astype(np.float32), "bias": np.array([-1.5], np.float32)}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernel", "bias"], ["logit"], pads=[1, 1, 1, 1]),
            helper.make_node("Sigmoid", ["logit"], ["probability"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", CHANNELS + 3, *SIZE])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 1, *SIZE])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / MODEL)
    bundle = Bundle(
        name="tiny-prompt",
        version="1.0",
        modality=Modality.ULTRASOUND,
        summary="one convolution of random weights",
        network="one convolution",
        weights_sha256=sha256_of(folder / MODEL),
        input=InputSpec(SIZE, Intensity.SYMMETRIC, Fit.PAD, channels=CHANNELS),
        output=OutputSpec(flip_average=True, temperature=1.25),
        prompt=PromptSpec(disc=0.06),
    )
    write_bundle_json(folder, bundle)
    return folder
